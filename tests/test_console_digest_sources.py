"""Trying a source from its page: its list is shown, nothing is stored, a click too soon or a broken site is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import digest, sources
from tests.console_house import open_house
from tests.digest_house import listing, sites

SOURCE = """
[[source]]
id = "xianbao"
name = "县报"
kind = "html"
list = "{url}"
inside = true
rules = {{ item = "li" }}
"""


@pytest.mark.asyncio
async def test_a_trial_shows_the_list_and_stores_nothing(tmp_path: Path) -> None:
    async with sites() as (site,):
        site.pages["/list"] = listing(("/a.html", "种粮补贴<b>申报</b>"), ("/b.html", "停水通知"))
        (tmp_path / "sources.toml").write_text(SOURCE.format(url=site.url("/list")), "utf-8")
        async with open_house(tmp_path) as house:
            engine, form = house.parts.engine, {"source": "xianbao"}
            page = await (await house.post("qinyue", "/digest/sources/try", form)).text()
            assert "试抓：县报" in page and "停水通知" in page and "<b>2</b>" in page.replace(' class="num"', "")
            assert not await engine.store.read(digest.per_source)
            assert "xianbao" not in await engine.store.read(sources.states)
            answer = await house.post("qinyue", "/digest/sources/try", form)
            assert answer.status == 422 and "刚试过" in await answer.text()
            assert ("qinyue", "source/xianbao", "tried") in await house.audited()


@pytest.mark.asyncio
async def test_a_source_that_does_not_answer_says_so(tmp_path: Path) -> None:
    async with sites() as (site,):
        (tmp_path / "sources.toml").write_text(SOURCE.format(url=site.url("/gone")), "utf-8")
        async with open_house(tmp_path) as house:
            page = await (await house.post("hetao", "/digest/sources/try", {"source": "xianbao"})).text()
            assert "试抓：县报" in page and "note bad" in page
