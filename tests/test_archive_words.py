"""An archive search's words are cut outside the decision, and a decision waits for them half a second at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import prepare
from bot.media import PhotoShop
from bot.prepare import Preparer
from config.errors import Busy
from digests.words import apart
from handlers.editions import finding
from handlers.events import Event
from store import Store, digest
from store.digest import ItemRow, Marks

OFFICE: Any = SimpleNamespace(unit_named={}, hall=None, groups={}, person_at={})
ASKED = Event("web", "m1", address="a", sender="a", text="查 小微企业 政策")


@pytest.mark.asyncio
async def test_words_that_are_late_or_cannot_be_cut_do_not_hold_up_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "PATIENCE", 0.01)
    store, waiting = Store.open(None), asyncio.Event()

    async def quick(words: str) -> Sequence[Sequence[str]]:
        return [words.split()]

    async def late(words: str) -> Sequence[Sequence[str]]:
        await waiting.wait()
        return []

    async def broken(words: str) -> Sequence[Sequence[str]]:
        raise Busy("起不来")

    preparer = Preparer(store, PhotoShop(tmp_path), {})
    try:
        found = []
        for cut in (quick, late, broken, None):
            preparer.cut = cut
            found.append((await preparer(ASKED, OFFICE)).terms)
        assert found == [(("小微企业", "政策"),), None, None, None]
        waiting.set()
        preparer.cut = quick
        assert (await preparer(Event("web", "m2", sender="a", text="西环路井盖坏了"), OFFICE)).terms is None
    finally:
        store.close()


@pytest.mark.asyncio
async def test_a_search_takes_no_longer_than_a_decision_may() -> None:
    store = Store.open(None)
    try:
        title, body = apart("小微企业政策通知"), apart("县财政局说明小微企业所得税优惠政策的申报办法。")
        rows = [ItemRow(0, 0, "2026-11-20", "src", "县财政局", "", f"k{n}") for n in range(6000)]
        await store.write(lambda tx: [digest.add(tx, row, title, body, Marks(), (), ()) for row in rows])
        took = []
        for cut in ([["小微企业"], ["政策"]], None, [["没有", "这个"]]):
            began = time.perf_counter()
            await store.write(lambda tx, cut=cut: list(finding.search(tx, "小微企业 政策", cut)))
            took.append(time.perf_counter() - began)
        assert max(took) < 0.5, took  # the budget is 50 ms on a quiet machine (design 3)
    finally:
        store.close()
