"""An edition on every platform: within the limit for any input, no character, cluster or link cut, no title or link lost."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.characters import clusters, link, split, words
from digests.rendering import (
    CARD_ABOUT,
    CARD_TITLE,
    LEAST,
    TOO_LONG,
    Line,
    Sheet,
    as_articles,
    as_markdown,
    as_text,
    bare,
    linked,
    title_line,
)

FAMILY = "👨‍👩‍👧‍👦"
ODD = (
    FAMILY, "👩🏽‍🚒", "🇨🇳", "🇺🇸", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "1️⃣", "❤️‍🔥",
    "é", "ཧྐྵ", "क्षि", "각", "👍🏿", "一\U000e0100", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤",
    "@所有人", "<@all>", "@ all", "[CQ:at,qq=all]", "](http://x.example/", "<a href=x>", "<font color=red>", "**粗**",
    "`代码`", "http://a.example/b?c=d&e=f", "https://例子.中国/路", "\r\n", "\u202e", "\ufeff", "\x00", "\ud800", "。", "！”",
    "关于减免税收的通知", "王某接受审查调查", "2026年11月25日", "\U00020bb7野家",
)  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=12)), max_size=12).map("".join)
LONG = st.one_of(TEXTS, TEXTS.map(lambda text: text * 60))
URLS = st.one_of(
    st.just(""),
    st.sampled_from(("http://a@b.example/", "javascript:alert(1)", "https://中国.中国/" + "路" * 200, "http://a:99999/", "http://[::1]/")),
    st.text(max_size=60).map(lambda tail: "https://www.yunxi.example/" + tail),
)  # fmt: skip
LINES = st.builds(Line, TEXTS, LONG, LONG, URLS, TEXTS, st.integers(-1, 10**9))
SHEETS = st.builds(Sheet, TEXTS, st.lists(LINES, max_size=10).map(tuple), TEXTS)
LIMITS = st.integers(LEAST, 6000)


def printed(text: str) -> str:
    """What is left to compare when white space and markdown's wide signs are set aside."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@settings(max_examples=60, deadline=None)
@given(SHEETS, LIMITS)
def test_no_part_is_ever_over_its_limit(sheet: Sheet, most: int) -> None:
    for part in (*as_text(sheet, most), *as_markdown(sheet, most)):
        assert len(part.encode()) <= most


@settings(max_examples=60, deadline=None)
@given(SHEETS, LIMITS)
def test_every_title_and_every_link_is_there(sheet: Sheet, most: int) -> None:
    for parts in (as_text(sheet, most), as_markdown(sheet, most)):
        whole = "".join(parts)
        for line in sheet.lines:
            address = link(line.url)
            assert address in whole or TOO_LONG in whole
        assert all(re.search(rf"^{n}\. ", whole, re.MULTILINE) for n in range(1, len(sheet.lines) + 1))


@settings(max_examples=50, deadline=None)
@given(st.builds(Line, st.just(""), LONG), LIMITS)
def test_a_title_longer_than_a_message_is_shared_out_whole(line: Line, most: int) -> None:
    sheet = Sheet("", (line,))
    parts = [re.sub(r"^(（\d+/\d+）\n\n)?1\. ", "", part) for part in as_text(sheet, most)]
    assert printed("".join(parts)) == printed(words(line.title))


@settings(max_examples=120, deadline=None)
@given(LONG, st.integers(64, 400))
def test_no_cut_is_inside_a_cluster_or_a_link(text: str, most: int) -> None:
    line = words(text)
    pieces = split(line, most)
    assert "".join(pieces) == line
    assert [c for piece in pieces for c in clusters(piece)] == list(clusters(line))
    assert all(len(piece.encode()) <= most for piece in pieces)
    for address in re.findall(r"https?://[!-~]+", line):
        assert len(address) > most or any(address in piece for piece in pieces)


@pytest.mark.parametrize("sign", [sign for sign in ODD[:14] if sign])
def test_a_character_people_see_as_one_is_one(sign: str) -> None:
    assert list(clusters(f"左{sign}右")) == ["左", sign, "右"]


def test_two_flags_are_two() -> None:
    assert list(clusters("🇨🇳🇺🇸中")) == ["🇨🇳", "🇺🇸", "中"]


@pytest.mark.parametrize("sign", [FAMILY, "👩🏽‍🚒", "❤️‍🔥", ODD[4], "🇨🇳"])
def test_being_made_harmless_tears_no_emoji(sign: str) -> None:
    assert words(f"a{sign}b") == f"a{sign}b"


@settings(max_examples=60, deadline=None)
@given(SHEETS, LIMITS)
def test_nobody_is_called_and_no_markup_opens(sheet: Sheet, most: int) -> None:
    known = {link(line.url) for line in sheet.lines}
    for part in as_text(sheet, most):
        assert not re.search(r"@\s*(all|所有人|全体)|<@|\[CQ:|<[a-zA-Z/]|[\u202a-\u202e\x00]", part, re.IGNORECASE)
    for part in as_markdown(sheet, most):
        assert not re.search(r"@\s*(all|所有人|全体)|<|`|\[CQ:", part, re.IGNORECASE)
        assert set(re.findall(r"\]\(([^)]*)\)", part)) <= known


@settings(max_examples=50, deadline=None)
@given(SHEETS, st.integers(0, 8))
def test_news_cards_lose_nothing_and_cut_nothing(sheet: Sheet, most: int) -> None:
    messages = as_articles(sheet, most)
    cards = [card for message in messages for card in message]
    assert all(len(message) <= most for message in messages) or not most
    assert all(len(c.title.encode()) <= CARD_TITLE and len(c.about.encode()) <= CARD_ABOUT for c in cards)
    assert printed("".join(c.title for c in cards)) == printed(
        "".join(f"{n}.{words(line.title)}" for n, line in enumerate(sheet.lines, 1))
    )
    assert {c.url for c in cards} == {link(line.url) for line in sheet.lines}


NOTICE = "国务院办公厅关于进一步优化支付服务提升支付便利性的意见"
SENTENCES = "各县区要加强组织领导。每月十日前报送进展！逾期不报的予以通报。"


def ordinary(items: int = 10) -> Sheet:
    lines = tuple(
        Line("政策速递" if n < 4 else "税务", f"{NOTICE}（{n}）", SENTENCES, f"https://www.gov.cn/zhengce/content/202611/c_{n}.htm", "中国政府网")
        for n in range(items)
    )  # fmt: skip
    return Sheet(title_line("2026-11-25", "云溪县"), lines, "回复“有用 3”告诉我们哪条有用")


def test_ten_ordinary_items_are_one_message_of_wecom() -> None:
    (part,) = as_text(ordinary(), 2048)
    assert part.startswith("云溪县每日摘要 · 11月25日 星期三\n\n【政策速递】\n1. ")
    assert part.count("【政策速递】") == 1 and "\n10. " in part and "（1/" not in part
    assert len(as_markdown(ordinary(), 4096)) == 1


def test_what_goes_is_whole_sentences() -> None:
    (part,) = as_text(ordinary(), 2048)
    said = [row for row in part.splitlines() if row.startswith("各县区")]
    assert all(row in (SENTENCES, SENTENCES[:22], SENTENCES[:11]) for row in said)


def test_parts_are_numbered_and_split_between_items() -> None:
    parts = as_text(ordinary(20), 2048)
    assert [f"（{n}/{len(parts)}）" in part.splitlines()[0] for n, part in enumerate(parts, 1)] == [True] * len(parts)
    assert parts[0].splitlines()[-1].startswith("https://") and parts[1].splitlines()[2] == "【税务】"
    assert parts[-1].endswith("哪条有用") and "哪条有用" not in parts[0]


def test_without_a_limit_nothing_is_dropped() -> None:
    (part,) = as_text(ordinary(40), 0)
    assert part.count(SENTENCES) == 40


def test_beside_a_picture_stand_titles_and_links_alone() -> None:
    (part,) = as_text(bare(ordinary()), 0)
    assert NOTICE in part and "https://" in part and "各县区" not in part


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://www.gov.cn/a b", "https://www.gov.cn/ab"),
        ("http://例子.中国/路?问=1", "http://xn--fsqu00a.xn--fiqs8s/%E8%B7%AF?%E9%97%AE=1"),
        ("https://weibo.example/@all](x)<a>", "https://weibo.example/%40all%5D%28x%29%3Ca%3E"),
        ("https://www.gov.cn@evil.example/", ""),
        ("javascript:alert(1)", ""),
        ("ftp://a.example/", ""),
        ("http:///x", ""),
        ("", ""),
    ],
)
def test_only_plain_web_addresses_are_printed(address: str, shown: str) -> None:
    assert link(address) == shown


def test_a_channel_that_takes_too_little_is_a_mistake_not_a_cut() -> None:
    with pytest.raises(ValueError, match="holds no edition"):
        as_text(ordinary(), 200)


def test_an_item_without_an_address_is_no_news_card() -> None:
    assert linked(ordinary()) and not linked(Sheet("", (Line("", "无链接"),)))


def test_an_unbroken_megabyte_is_laid_out_in_time_that_grows_with_it() -> None:
    sheet = Sheet(
        "摘要", (Line("政策速递", "题", "长。" * 150_000, "https://a.example/"), Line("税务", "题" * 100_000))
    )
    assert all(len(part.encode()) <= 2048 for part in as_text(sheet, 2048))
