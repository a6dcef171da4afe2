"""What is read is counted per item and never per person: no reply, no words, no name on disk."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from handlers.editions.reactions import Reaction, read
from handlers.events import Event
from store import editions
from tests.edition_house import DAY, House, house

_serial = itertools.count(1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("👍", Reaction("like")),
        ("👍🏻👍🏻", Reaction("like")),
        ("赞！", Reaction("like")),
        ("[强]", Reaction("like")),
        ("有用", Reaction("useful")),
        ("有用 3", Reaction("useful", (3,))),
        ("3 有用", Reaction("useful", (3,))),
        ("第2条、第5条有用", Reaction("useful", (2, 5))),
        ("@群办 有用３", Reaction("useful", (3,))),
        ("③👍", Reaction("like", (3,))),
        ("没用", None),
        ("有用吗", None),
        ("这个政策对我们镇的企业有用", None),
        ("3", None),
        ("", None),
    ],
)
def test_a_reaction_is_looked_up_and_not_guessed(text: str, found: Reaction | None) -> None:
    assert read(text) == found


async def sent(home: House) -> list[str]:
    """The edition of the day, out; the platform's ids of its messages in the notices group."""
    await home.until("2026-11-24", "15:40")
    await home.pass_all("qinyue", "fanwen", "gaoyuan")
    await home.until(DAY, "09:00")
    rows = [row for row, _ in home.rows if row.kind == "edition" and row.address == "news"]
    assert rows
    home.said()
    return [f"o{row.seq}" for row in rows]


async def react(home: House, text: str, quote: str = "", group: str = "news", **more: Any) -> str:
    """The state of the receipt; nothing may be answered."""
    event = Event("stage", f"r{next(_serial)}", "message", group, group, "wangfang", text=text, quote=quote, **more)
    receipt = (await home.engine.inbox.accept((event,)))[0]
    await home.engine.settle()
    assert not home.said(), text
    return str(receipt.state)


async def counts(home: House) -> list[dict[str, int]]:
    lines: Sequence[Any] = await home.lines()
    return [await home.engine.store.read(lambda c, n=line.item: editions.reactions(c, n)) for line in lines]


@pytest.mark.asyncio
async def test_quotes_thumbs_and_useful_are_counted_per_item_and_leave_neither_words_nor_a_name() -> None:
    async with house() as home:
        (quote,) = await sent(home)
        lines = len(await home.lines())
        assert lines >= 2 and await counts(home) == [{"shown": 2}] * lines
        await react(home, "有用 2", quote)
        await react(home, "👍", quote)
        await react(home, "转给各所站看看，独一无二的话", quote)
        await react(home, "没用的独一无二的话", quote)
        await react(home, "有用 99", quote)
        await react(home, "@群办 1 有用", addressed=True)
        found = await counts(home)
        assert found[0] == {"shown": 2, "like": 1, "quote": 1, "useful": 1}
        assert found[1] == {"shown": 2, "like": 1, "quote": 1, "useful": 1}
        dump = await home.engine.store.read(lambda c: "\n".join(c.iterdump()))
        assert "独一无二" not in dump and "👍" not in dump
        columns = await home.engine.store.read(
            lambda c: [row[1] for row in c.execute("pragma table_info(item_reaction)")]
        )
        assert columns == ["item", "kind", "count"]


@pytest.mark.asyncio
async def test_only_the_edition_s_own_group_and_only_a_quote_of_it_counts() -> None:
    async with house() as home:
        (quote,) = await sent(home)
        before = await counts(home)
        assert await react(home, "有用 2", quote, group="study") == "forgotten"
        assert await react(home, "有用 2") == "forgotten"
        assert await react(home, "有用", "nothing-of-ours") == "forgotten"
        assert await counts(home) == before


@pytest.mark.asyncio
async def test_a_quote_that_asks_for_something_is_answered_and_a_redelivered_one_counts_once() -> None:
    async with house() as home:
        (quote,) = await sent(home)
        event = Event("stage", "same", "message", "news", "news", "wangfang", text="有用 1", quote=quote)
        for _ in range(2):
            await home.engine.inbox.accept((event,))
            await home.engine.settle()
        assert (await counts(home))[0]["useful"] == 1
        asked = Event(
            "stage", "ask", "message", "news", "news", "wangfang", text="@群办 帮助", quote=quote, addressed=True
        )
        await home.engine.inbox.accept((asked,))
        await home.engine.settle()
        assert home.said("news")
