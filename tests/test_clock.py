"""What falls due rings once, in order, however many clocks tick and however long nobody did."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import maintenance as housekeeping
from bot.clock import BusinessClock, Clock
from bot.maintenance import Maintenance, Retention, witnessed_anchors
from bot.media import PhotoShop
from bot.outbox import Outbox
from config.errors import Busy, Rejected
from handlers.events import Event
from store import Store, Tx, history, photos, timers
from tests.fakes import NOON, Disk, FakeClock, FakePlatform, queue
from tests.lanes import Lanes


class Tower:
    """An inbox, an outbox and as many clocks as wanted over one store."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lanes = Lanes(monkeypatch)
        self.store, self.business = self.lanes.store, self.lanes.clock
        self.web = FakePlatform(name="fake")
        self.outbox = Outbox(self.store, {"fake": self.web}, lambda moment: None)
        self.clock = self.another()

    def another(self) -> Clock:
        return Clock(self.store, cast(BusinessClock, self.business), self.lanes.inbox, self.outbox, self.settle)

    async def settle(self) -> None:
        while self.lanes.inbox.open or self.outbox.busy:
            await self.lanes.inbox.idle()
            await self.outbox.idle()

    async def set(self, subject: str, kind: str, due_at: int) -> None:
        await self.store.write(lambda tx: timers.put(tx, subject, kind, due_at, "g"))

    async def rung(self) -> list[str]:
        await self.settle()
        return self.lanes.decided

    async def close(self) -> None:
        await self.outbox.close()
        await self.lanes.close()


@pytest_asyncio.fixture
async def tower(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    built = Tower(monkeypatch)
    await built.lanes.inbox.resume()
    yield built
    await built.close()


@pytest.mark.asyncio
async def test_a_timer_rings_once_at_its_time_and_not_before(tower: Tower) -> None:
    await tower.set("t1", "accept", NOON + 60)
    assert await tower.clock.tick() == 0
    tower.business.at += 60
    assert await tower.clock.tick() == 1
    assert await tower.clock.tick() == 0
    assert await tower.rung() == [f"t1/accept/{NOON + 60}"]


@pytest.mark.asyncio
async def test_a_cleared_or_replaced_timer_does_not_ring(tower: Tower) -> None:
    await tower.set("t1", "accept", NOON + 1)
    await tower.set("t1", "accept", NOON + 2)
    await tower.set("t2", "accept", NOON + 1)
    await tower.store.write(lambda tx: timers.clear(tx, "t2"))
    tower.business.at += 5
    await tower.clock.tick()
    assert await tower.rung() == [f"t1/accept/{NOON + 2}"]


@pytest.mark.asyncio
async def test_a_timer_cleared_after_it_was_read_does_not_ring(tower: Tower) -> None:
    await tower.set("t1", "accept", NOON)
    due = await tower.store.read(lambda c: timers.due(c, NOON))
    await tower.store.write(lambda tx: timers.clear(tx, "t1"))
    assert await tower.lanes.inbox.accept_timers(due) == 0
    assert await tower.rung() == []


@pytest.mark.asyncio
async def test_the_same_moment_of_the_same_kind_never_rings_twice(tower: Tower) -> None:
    for _ in range(2):
        await tower.set("t1", "accept", NOON)
        await tower.clock.tick()
    assert await tower.rung() == [f"t1/accept/{NOON}"]


@pytest.mark.asyncio
async def test_two_clocks_ticking_at_once_ring_each_timer_once(tower: Tower) -> None:
    for n in range(700):  # more than one reading takes
        await tower.set(f"t{n}", "accept", NOON - n)
    clocks = [tower.clock, tower.another(), tower.another()]
    assert sum(await asyncio.gather(*(clock.tick() for clock in clocks))) == 700
    rung = await tower.rung()
    assert len(rung) == len(set(rung)) == 700


@pytest.mark.asyncio
async def test_after_a_long_silence_everything_missed_rings_once_in_order(tower: Tower) -> None:
    for day in (3, 1, 2):
        await tower.set(f"t{day}", "overdue", NOON + day * 86400)
    tower.business.at += 30 * 86400
    await tower.another().tick()
    await tower.clock.tick()
    assert [name.partition("/")[0] for name in await tower.rung()] == ["t1", "t2", "t3"]


@pytest.mark.asyncio
async def test_running_ahead_rings_in_order_at_the_very_moments_with_what_is_set_on_the_way(tower: Tower) -> None:
    at: dict[str, int] = {}

    def relay(tx: Tx, event: Event) -> None:
        at[event.id] = event.at
        if event.kind == "timer" and event.due_at < NOON + 900:
            timers.put(tx, event.subject, "accept", event.due_at + 300, "g")

    tower.lanes.deciding = relay
    await tower.set("a", "accept", NOON + 300)
    await tower.set("b", "accept", NOON + 450)
    assert await tower.clock.forward(3600) == NOON + 3600 == tower.business()
    names = ["a/accept/300", "b/accept/450", "a/accept/600", "b/accept/750", "a/accept/900", "b/accept/1050"]
    wanted = [f"{name.rpartition('/')[0]}/{NOON + int(name.rpartition('/')[2])}" for name in names]
    assert await tower.rung() == wanted
    assert all(moment == int(name.rpartition("/")[2]) for name, moment in at.items())


@pytest.mark.asyncio
async def test_two_who_run_ahead_at_once_skip_nothing_and_reorder_nothing(tower: Tower) -> None:
    for n in range(40):
        await tower.set(f"t{n}", "accept", NOON + 10 * n)
    await asyncio.gather(tower.clock.forward(200), tower.clock.forward(399), tower.clock.tick())
    rung = await tower.rung()
    assert [int(name.rpartition("/")[2]) for name in rung] == [NOON + 10 * n for n in range(40)]


@pytest.mark.asyncio
async def test_messages_kept_for_later_leave_on_the_way(tower: Tower) -> None:
    row = await queue(tower.store, not_before=NOON + 500)
    await tower.clock.forward(499)
    assert tower.web.sent == []
    await tower.clock.forward(1)
    assert tower.web.sent == [row.key]


@pytest.mark.asyncio
async def test_time_runs_ahead_within_reason_only(tower: Tower) -> None:
    for seconds in (0, -5, 401 * 86400):
        with pytest.raises(Rejected):
            await tower.clock.forward(seconds)


@pytest.mark.asyncio
async def test_a_tick_that_meets_a_full_disk_is_made_up_for(tower: Tower) -> None:
    await tower.set("t1", "accept", NOON)
    Disk(tower.store, refusing=1)
    await tower.clock._tick_quietly()
    assert await tower.rung() == []
    await tower.clock._tick_quietly()
    assert await tower.rung() == [f"t1/accept/{NOON}"]


class _Scheduler:
    def __init__(self) -> None:
        self.moments: list[float] = []

    def add_job(self, job: Any, trigger: Any, **more: Any) -> None:
        self.moments.append(trigger.run_date.timestamp())


@pytest.mark.asyncio
async def test_who_sets_an_earlier_timer_during_a_tick_is_not_overruled_by_it(tower: Tower) -> None:
    scheduler, clock = _Scheduler(), tower.clock
    clock._scheduler = cast(AsyncIOScheduler, scheduler)
    await tower.set("late", "accept", NOON + 3600)
    look = clock._next_due

    async def interrupted() -> int | None:
        found = await look()
        clock.wake(NOON + 60)  # committed after the tick had looked
        return found

    clock._next_due = interrupted  # type: ignore[method-assign]
    await clock.tick()
    assert clock._next == NOON + 60 and len(scheduler.moments) == 1


def test_the_clock_file_is_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = BusinessClock(file)
    clock.advance_to(clock() + 5000)
    assert BusinessClock(file)() - clock() in (0, 1) and BusinessClock(file).moved
    assert [path.name for path in tmp_path.iterdir()] == ["clock"]
    clock.advance_to(clock() - 100)
    assert int(file.read_text()) in (5000, 5001)


# housekeeping


async def _house(folder: Path) -> tuple[Store, FakeClock, Maintenance]:
    clock = FakeClock()
    store = Store.open(folder / "data", clock)
    return store, clock, Maintenance(store, PhotoShop(folder / "photos"), Retention())


def _step(tx: Tx) -> int:
    return history.append(tx, "t1", "open", "", "pending_confirmation")


@pytest.mark.asyncio
async def test_a_slot_is_worked_once_and_missed_ones_are_made_up_for_once(tmp_path: Path) -> None:
    store, clock, house = await _house(tmp_path)
    await store.write(_step)
    assert [await house.run("anchor") for _ in range(3)] == [True, False, False]
    clock.at += 10 * 3600
    await store.write(_step)
    again = Maintenance(store, PhotoShop(tmp_path / "photos"), Retention())  # after a night switched off
    assert [await again.run("anchor"), await again.run("anchor")] == [True, False]
    anchors = witnessed_anchors(tmp_path / "data" / "anchors.log")
    assert list(anchors) == [1, 2]
    assert list(await store.read(lambda c: list(history.verify(c, anchors)))) == []
    store.close()


@pytest.mark.asyncio
async def test_two_at_once_work_a_slot_once(tmp_path: Path) -> None:
    store, _, house = await _house(tmp_path)
    await store.write(_step)
    assert sorted(await asyncio.gather(house.run("anchor"), house.run("anchor"))) == [False, True]
    store.close()


@pytest.mark.asyncio
async def test_work_that_failed_is_done_in_the_same_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _, house = await _house(tmp_path)
    await store.write(_step)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(housekeeping, "_witness_anchor", full)
        assert not await house.run("anchor")
    await store.write(_step)
    assert await house.run("anchor")
    store.close()


@pytest.mark.asyncio
async def test_files_whose_row_was_never_written_and_loose_photos_go_what_is_shown_stays(tmp_path: Path) -> None:
    store, clock, _ = await _house(tmp_path)
    shop = PhotoShop(tmp_path / "data" / "photos")
    house = Maintenance(store, shop, Retention())
    names = {"stray": "a" * 64, "fresh": "b" * 64, "loose": "c" * 64, "kept": "d" * 64}
    for name, sha in names.items():
        shop.path(sha).parent.mkdir(parents=True)
        for small in (False, True):
            shop.path(sha, small).write_bytes(b"x")
            if name != "fresh":
                os.utime(shop.path(sha, small), (0, 0))
        if name in ("loose", "kept"):
            await store.write(lambda tx, sha=sha: photos.add(tx, sha, 1, 1, 1, "0"))
    await store.write(lambda tx: photos.keep(tx, names["kept"]))
    clock.at += 25 * 3600
    assert await house.run("purge")
    left = {name for name, sha in names.items() if shop.path(sha).exists() and shop.path(sha, True).exists()}
    assert left == {"fresh", "kept"}
    store.close()


def test_a_torn_line_of_the_second_copy_is_read_past(tmp_path: Path) -> None:
    file = tmp_path / "anchors.log"
    file.write_text(f"1 {'a' * 64}\n2 bbb3 {'c' * 64}\n4 {'d' * 64}\n5 {'e' * 20}")
    assert witnessed_anchors(file) == {1: "a" * 64, 4: "d" * 64}


@pytest.mark.asyncio
async def test_a_disk_that_refuses_does_not_count_as_done(tmp_path: Path) -> None:
    store, _, house = await _house(tmp_path)
    await store.write(_step)
    disk = Disk(store, refusing=1)
    assert not await house.run("anchor")
    assert disk.refused == 1 and await house.run("anchor")
    with pytest.raises(Busy):
        disk.refusing = 1
        await store.write(_step)
    store.close()
