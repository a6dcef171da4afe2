"""What QQ is given never exceeds its limit, never ends inside a character or a link, and never speaks QQ's markup."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.qq_sending import Look, home_of, keyboard, parts_of
from bot.platforms.qq_words import LEFT_OUT, fitting
from config.errors import Refused
from digests.characters import LINK, clusters
from handlers.events import Message

HOSTS = ("yunxi.gov.cn",)
WORDS = st.text(
    st.sampled_from("路灯不亮，。\n @<>所有人全体everyone.gov.cn/?#[]()👨‍👩‍👧é🇨🇳a1-")
    | st.characters(exclude_categories=["Cs"]),
    max_size=200,
)
LINKS = st.sampled_from(
    ["https://www.yunxi.gov.cn/a/1.html", "http://evil.example.com/x?y=1", "https://chinatax.gov.cn/n810219"]
)
TEXT = st.lists(WORDS | LINKS, max_size=8).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(TEXT, st.integers(120, 1500))
def test_no_message_is_too_long_or_cut_where_it_must_not_be(text: str, limit: int) -> None:
    said = fitting(text, limit, HOSTS)
    assert len(said.encode()) <= limit
    body = said.removesuffix(f"\n{LEFT_OUT}").removesuffix("…")
    whole = "".join(fitting(text, 1 << 20, HOSTS).removesuffix(f"\n{LEFT_OUT}"))
    assert not body or all(cluster in set(clusters(whole)) for cluster in clusters(body))
    for found in LINK.findall(said):
        assert found in text or found.rstrip("…") in text
        assert not found.startswith("https://www.yunxi") or found.startswith("https://www.yunxi.gov.cn/a/1.html")


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_nobody_is_called_and_no_unregistered_address_is_left(text: str) -> None:
    said = fitting(text, 1 << 20, HOSTS)
    assert "<" not in said and ">" not in said
    assert not re.search(r"@\s{0,3}(所有人|全体|everyone|here|all\b)", said, re.IGNORECASE)
    assert "evil.example.com" not in said and "chinatax.gov.cn" not in said


def test_a_left_out_link_is_said_once_and_the_words_stay() -> None:
    said = fitting("1. 征期延长\nhttps://chinatax.gov.cn/a\n2. 停水\nhttps://yunxi.gov.cn/b", 2000, HOSTS)
    assert said == f"1. 征期延长\n2. 停水\nhttps://yunxi.gov.cn/b\n{LEFT_OUT}"
    assert fitting("见 www.evil.com 或 yunxi.gov.cn", 2000, HOSTS) == "见 www．evil．com 或 yunxi.gov.cn"
    assert fitting("<@all> <qqbot-at-everyone /> @所有人 @ everyone", 2000, ()) == (
        "＜@all＞ ＜qqbot-at-everyone /＞ ＠所有人 ＠ everyone"
    ).replace("＜@all", "＜＠all")


@settings(max_examples=100, deadline=None)
@given(TEXT, st.lists(st.text("abcdef0123456789", min_size=64, max_size=64), max_size=12), st.booleans())
def test_a_message_never_needs_more_than_one_window_holds(text: str, photos: list[str], rich: bool) -> None:
    look = Look(1500, HOSTS, markdown=rich, keyboard=rich)
    message = Message(
        text, photos=tuple(photos), buttons=(("签收", "签收 1124-001"),) * 30, form="markdown" if rich else ""
    )
    parts = parts_of(message, look)
    assert 1 <= len(parts) <= 5 and all(len(part.text.encode()) <= 1500 for part in parts)
    rows = keyboard(message.buttons)["content"]["rows"]
    assert len(rows) <= 5 and all(len(row["buttons"]) <= 5 for row in rows)


def test_a_group_members_pseudonym_is_no_address() -> None:
    assert home_of("gA1") == "/v2/groups/A1" and home_of("uB2") == "/v2/users/B2"
    for address in ("mC3", "g", "", "g../x", "u1/2", "g1?a"):
        try:
            home_of(address)
        except Refused:
            continue
        raise AssertionError(address)
