"""What is remembered without being written: at most three pieces for ten minutes, pulled along once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.windows import BOUND, LASTS, PIECES, Windows
from config.errors import Busy
from handlers.events import Event
from store import drafts
from tests.fakes import Disk, Gate
from tests.lanes import Lanes, said, settle


@pytest_asyncio.fixture
async def lanes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lanes]:
    built = Lanes(monkeypatch)
    await built.inbox.resume()
    yield built
    await built.close()


@pytest.mark.asyncio
async def test_a_kept_piece_pulls_the_earlier_ones_into_its_transaction_in_order(lanes: Lanes) -> None:
    assert await lanes.say(said("one"), said("two"), said("keep three")) == ["forgotten", "forgotten", "kept"]
    await settle(lanes.inbox)
    assert lanes.decided == ["one", "two", "keep three"]
    at = await lanes.store.read(lambda c: c.execute("select count(distinct at), count(*) from inbox").fetchone())
    assert at == (1, 3)


@pytest.mark.asyncio
async def test_no_piece_is_pulled_twice(lanes: Lanes) -> None:
    await lanes.say(said("one"), said("keep two"), said("keep three"))
    await settle(lanes.inbox)
    assert lanes.decided == ["one", "keep two", "keep three"]


@pytest.mark.asyncio
async def test_only_the_newest_three_are_remembered_and_a_redelivery_takes_no_place(lanes: Lanes) -> None:
    await lanes.say(*(said(text) for text in ("one", "two", "three", "four", "four", "four")), said("keep five"))
    await settle(lanes.inbox)
    assert lanes.decided == ["two", "three", "four", "keep five"]
    assert PIECES == 3


@pytest.mark.asyncio
async def test_a_piece_older_than_ten_minutes_is_forgotten(lanes: Lanes) -> None:
    await lanes.say(said("old"))
    lanes.clock.at += LASTS - 10
    await lanes.say(said("new"))
    lanes.clock.at += 11
    await lanes.say(said("keep it"))
    await settle(lanes.inbox)
    assert lanes.decided == ["new", "keep it"]


@pytest.mark.asyncio
async def test_pieces_of_other_senders_and_groups_stay_where_they_are(lanes: Lanes) -> None:
    await lanes.say(said("mine"), said("yours", sender="b"), said("elsewhere", group="h"), said("keep mine"))
    await settle(lanes.inbox)
    assert lanes.decided == ["mine", "keep mine"]
    await lanes.say(said("keep yours", sender="b"))
    await settle(lanes.inbox)
    assert lanes.decided[2:] == ["yours", "keep yours"]


@pytest.mark.asyncio
async def test_a_command_pulls_nothing_along(lanes: Lanes) -> None:
    await lanes.say(said("lunch?"), said("command now"))
    await settle(lanes.inbox)
    assert lanes.decided == ["command now"]


@pytest.mark.asyncio
async def test_a_recall_pulls_nothing_along_and_erases_what_was_only_remembered(lanes: Lanes) -> None:
    taken = said("slip")
    await lanes.say(taken, said("stays"))
    recall = Event("web", "recall/1", "recall", "g", "g", "a", subject=taken.id)
    assert await lanes.say(recall) == ["forgotten"]
    await lanes.say(said("keep it"))
    await settle(lanes.inbox)
    assert lanes.decided == ["stays", "keep it"]


@pytest.mark.asyncio
async def test_a_disk_that_refuses_the_kept_piece_does_not_lose_the_others(lanes: Lanes) -> None:
    await lanes.say(said("one"), said("two"))
    disk = Disk(lanes.store, refusing=1)
    with pytest.raises(Busy):
        await lanes.say(said("keep three"))
    assert await lanes.say(said("keep three")) == ["kept"]
    await settle(lanes.inbox)
    assert disk.refused == 1 and lanes.decided == ["one", "two", "keep three"]


@pytest.mark.asyncio
async def test_the_window_is_open_for_the_next_piece_before_the_first_is_on_disk(lanes: Lanes) -> None:
    gate = Gate()
    held = asyncio.create_task(lanes.store.write(gate))
    await asyncio.to_thread(gate.entered.wait, 10)
    tries = [asyncio.create_task(lanes.say(said(text))) for text in ("keep one", "two", "three")]
    await asyncio.sleep(0)
    gate.opened.set()
    assert await asyncio.gather(*tries) == [["kept"], ["kept"], ["kept"]]
    await held
    await settle(lanes.inbox)
    assert lanes.decided == ["keep one", "two", "three"]


@pytest.mark.asyncio
async def test_senders_interleaved_keep_their_own_windows(lanes: Lanes) -> None:
    a, b = (lambda text: said(text)), (lambda text: said(text, sender="b"))
    states = await lanes.say(a("keep 1"), b("2"), a("3"), b("4"), b("keep 5"), a("6"), b("7"))
    await settle(lanes.inbox)
    assert states == ["kept", "forgotten", "kept", "forgotten", "kept", "kept", "kept"]
    assert lanes.decided == ["keep 1", "3", "2", "4", "keep 5", "6", "7"]


@pytest.mark.asyncio
async def test_a_window_shuts_after_ten_minutes(lanes: Lanes) -> None:
    await lanes.say(said("keep 1"))
    lanes.clock.at += LASTS
    assert await lanes.say(said("2")) == ["kept"]
    lanes.clock.at += LASTS + 1
    assert await lanes.say(said("3")) == ["forgotten"]


@pytest.mark.asyncio
async def test_a_start_opens_the_windows_of_undecided_rows_and_open_drafts_and_knows_no_chatter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lanes, never = Lanes(monkeypatch, tmp_path / "data"), asyncio.Event()
    await lanes.inbox.resume()
    lanes.slow["keep 1"] = never.wait()
    await lanes.say(said("keep 1"), said("chatter", sender="c"))
    await lanes.store.write(lambda tx: drafts.open_draft(tx, "t9", "g", "b", "", False))
    await lanes.inbox.close()
    del lanes.slow["keep 1"]
    await lanes.fresh().resume()
    assert await lanes.say(said("2"), said("3", sender="b"), said("keep 4", sender="c")) == ["kept"] * 3
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 1", "2", "3", "keep 4"]  # the chatter of c was lost with the process, by design
    await lanes.close()


def test_memory_is_bounded() -> None:
    windows = Windows()
    for n in range(BOUND + 50):
        windows.remember(said("x", sender=f"s{n}"), 0)
        windows.open("g", f"s{n}", 0)
    assert len(windows._unkept) == len(windows._until) == BOUND
    assert windows.recall(said("y", sender="s0"), 0) == []
    assert len(windows.recall(said("y", sender=f"s{BOUND}"), 0)) == 1
