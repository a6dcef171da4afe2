"""Every shipped source reads the list and the article its dossier row describes; an office's own rows are checked."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.reading_worker import _listing
from config.digest.sources import Source, load_sources
from config.errors import ConfigError
from digests.lists import frame_of
from digests.pages import read_page

SHAPES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "digest_fixtures" / "shapes.toml").read_text("utf-8")
)
SHIPPED = {source.id: source for source in load_sources()}
TODAY = date(2026, 11, 24)


def shaped(name: str) -> tuple[Source, dict[str, Any]]:
    return SHIPPED[name], SHAPES[name]


def test_every_source_that_is_fetched_has_its_fixture() -> None:
    fetched = {name for name, source in SHIPPED.items() if source.kind != "manual"} - {
        "csrc"
    }  # csrc has no address yet
    assert fetched == set(SHAPES)


def test_nothing_is_fetched_until_a_person_turns_it_on() -> None:
    assert not any(source.on for source in SHIPPED.values())


def test_sources_that_challenge_robots_are_manual_and_say_so() -> None:
    for name in ("ccdi", "nhc", "weixin", "tax_12366"):
        assert SHIPPED[name].kind == "manual" and not SHIPPED[name].asks and "#投稿" in SHIPPED[name].why


@pytest.mark.parametrize("name", SHAPES)
def test_the_list_is_read(name: str) -> None:
    source, shape = shaped(name)
    base = source.list.replace("{site}", "www.example.gov.cn") or "https://www.example.gov.cn/gkmlpt/api/all/0"
    if source.frame:
        base = frame_of(shape["frame"].encode(), base, source.frame) or ""
        assert base == "https://www.mem.gov.cn/gk/zfxxgkpt/fdzdgknr/list.html"
    data = shape["list"].encode(shape.get("encoding", "utf-8"))
    listing = _listing(source.kind, data, base, source.rules, TODAY)
    assert listing.error is None
    first = listing.entries[0]
    assert first.published_at is not None
    assert [first.title, first.published_at.date().isoformat()] == shape["entries"]
    assert source.kind == "gkmlpt" or source.allows((first.url or "").split("/")[2])


@pytest.mark.parametrize("name", SHAPES)
def test_the_article_is_read(name: str) -> None:
    source, shape = shaped(name)
    encoding = shape.get("encoding", "utf-8")
    listed = _listing(source.kind, shape["list"].encode(encoding), "https://www.example.cn/", source.rules, TODAY)
    page = read_page(shape["article"].encode(encoding), listed.entries[0].url or "", source.body or None)
    assert page.title == shape["title"]
    assert shape["text"] in page.text
    assert page.published_on == shape.get("date", page.published_on)
    assert page.doc_number == shape.get("number", page.doc_number)
    assert not page.damaged


def test_a_number_in_the_list_is_the_items() -> None:
    source, shape = shaped("chinatax_law")
    listing = _listing(source.kind, shape["list"].encode(), source.list, source.rules, TODAY)
    assert listing.entries[0].number == "财税〔2026〕33号"


def test_a_platform_family_becomes_one_source_a_site(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nid = "gkmlpt"\non = true\nsites = ["www.a.gov.cn", "www.b.gov.cn"]\n', "utf-8"
    )
    found = [source for source in load_sources(tmp_path) if source.kind == "gkmlpt"]
    assert [source.list for source in found] == [
        "https://www.a.gov.cn/gkmlpt/api/all/0",
        "https://www.b.gov.cn/gkmlpt/api/all/0",
    ]
    assert all(source.on and source.asks for source in found) and len({source.id for source in found}) == 2


def test_an_offices_row_changes_the_shipped_one_and_politeness_has_a_floor(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nid = "mof"\non = true\nevery_minutes = 1\ngap_seconds = 0.1\n', "utf-8"
    )
    (mof,) = [source for source in load_sources(tmp_path) if source.id == "mof"]
    assert mof.on and mof.name == "财政部·政策发布" and mof.every_minutes == 30 and mof.gap_seconds == 2.0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('id = "x"\nname = "县报"\nkind = "rss"', "只能是"),
        ('id = "x"\nname = "县报"\nkind = "html"\nlist = "http://a.cn"', "rules.item"),
        ('id = "x"\nkind = "feed"', "缺少这一项"),
        ('id = "x"\nname = "县报"\nkind = "feed"\nlist = "file:///etc/passwd"', "http://"),
        ('id = "x"\nname = "县报"\nkind = "feed"\nlit = "http://a.cn"', "没有这一项"),
        ('id = "x"\nname = "县报"\nkind = "feed"\non = "yes"', "类型不对"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "sources.toml").write_text(f"[[source]]\n{row}\n", "utf-8")
    with pytest.raises(ConfigError, match=said):
        load_sources(tmp_path)
