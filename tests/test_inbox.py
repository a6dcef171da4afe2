"""An event is on disk before anybody is answered, decided once, in order within its lane, whatever fails on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot import inbox as taking
from config.errors import Busy
from handlers.events import Event, Facts, Photo
from store import Tx, inbox, photos
from tests.fakes import Disk, Gate, until
from tests.lanes import Lanes, said, settle


@pytest_asyncio.fixture
async def lanes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lanes]:
    built = Lanes(monkeypatch)
    await built.inbox.resume()
    yield built
    await built.close()


@pytest.mark.asyncio
async def test_a_lane_keeps_its_order_though_facts_arrive_out_of_order(lanes: Lanes) -> None:
    late = asyncio.Event()
    lanes.slow["keep 1"] = late.wait()
    await lanes.say(said("keep 1"), said("keep 2"), said("command 3"))
    await until(lambda: "keep 2" in lanes.prepared)  # preparing runs ahead
    assert lanes.decided == []
    late.set()
    await settle(lanes.inbox)
    assert lanes.decided == lanes.told == ["keep 1", "keep 2", "command 3"]


@pytest.mark.asyncio
async def test_lanes_run_side_by_side(lanes: Lanes) -> None:
    late = asyncio.Event()
    lanes.slow["keep 1"] = late.wait()
    await lanes.say(said("keep 1", group="g"), said("keep 2", group="h"))
    await until(lambda: lanes.decided == ["keep 2"])
    late.set()
    await settle(lanes.inbox)


@pytest.mark.asyncio
async def test_a_failing_decision_is_parked_with_its_reason_and_the_next_goes_on(lanes: Lanes) -> None:
    await lanes.say(said("keep 1"), said("boom 2"), said("keep 3"))
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 1", "keep 3"]
    (row, reason), *more = await lanes.store.read(inbox.parked)
    assert row.event_id == "a/boom 2" and "ValueError" in reason and "boom" not in reason and not more
    told = await lanes.store.read(lambda c: c.execute("select count(*) from outbox").fetchone()[0])
    assert told == 2  # what the failing one had written went with it


@pytest.mark.asyncio
async def test_a_parked_event_taken_up_by_a_person_is_decided_once_however_often_he_clicks(lanes: Lanes) -> None:
    await lanes.say(said("boom 1"))
    await settle(lanes.inbox)
    seq = (await lanes.store.read(inbox.parked))[0][0].seq
    rows = [await lanes.store.write(lambda tx: inbox.reopen(tx, seq)) for _ in range(2)]
    assert rows[1] is None
    mended = Event("web", "a/boom 1", group="g", sender="a", text="keep now", seq=seq)
    for _ in range(2):
        lanes.inbox._push(mended)
    await settle(lanes.inbox)
    assert lanes.decided.count("keep now") <= 2
    assert await lanes.states() == {"a/boom 1": "done"}
    told = await lanes.store.read(lambda c: c.execute("select count(*) from outbox").fetchone()[0])
    assert told == 1  # the second decision found the row settled and left nothing


@pytest.mark.asyncio
async def test_a_disk_that_refuses_decisions_gets_them_again_in_order_once(lanes: Lanes) -> None:
    disk, late = Disk(lanes.store), asyncio.Event()
    lanes.slow["keep 1"] = late.wait()
    await lanes.say(*(said(f"keep {n}") for n in range(1, 6)))
    disk.refusing = 7
    late.set()
    await settle(lanes.inbox)
    assert disk.refused == 7
    assert lanes.decided == [f"keep {n}" for n in range(1, 6)]


@pytest.mark.asyncio
async def test_a_redelivery_is_known_and_decided_no_second_time(lanes: Lanes) -> None:
    first, again = await lanes.say(said("keep 1")), await lanes.say(said("keep 1"))
    await settle(lanes.inbox)
    later = await lanes.say(said("keep 1"))
    assert (first, again, later) == (["kept"], ["known"], ["known"])
    assert lanes.decided == ["keep 1"]


@pytest.mark.asyncio
async def test_a_redelivery_side_by_side_or_before_the_decision_is_known(lanes: Lanes) -> None:
    late = asyncio.Event()
    lanes.slow["keep 1"] = late.wait()
    states = await asyncio.gather(*(lanes.say(said("keep 1")) for _ in range(10)))
    assert sorted(state for (state,) in states) == ["kept", *["known"] * 9]
    assert await lanes.say(said("keep 1")) == ["known"]
    late.set()
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 1"]


@pytest.mark.asyncio
async def test_a_command_side_by_side_with_its_redelivery_takes_its_step_once(lanes: Lanes) -> None:
    states = await asyncio.gather(*(lanes.say(said("command 1")) for _ in range(10)))
    await settle(lanes.inbox)
    assert sorted(state for (state,) in states) == ["kept", *["known"] * 9]
    assert lanes.decided == ["command 1"]


@pytest.mark.asyncio
async def test_one_delivery_with_the_same_event_twice_is_one(lanes: Lanes) -> None:
    receipts = await lanes.inbox.accept([said("keep 1"), said("keep 1"), said("keep 2")])
    await settle(lanes.inbox)
    assert [r.state for r in receipts] == ["kept", "known", "kept"]
    assert lanes.decided == ["keep 1", "keep 2"]


@pytest.mark.asyncio
async def test_past_the_bound_nothing_is_stored_and_the_sender_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lanes, late = Lanes(monkeypatch, bound=3), asyncio.Event()
    await lanes.inbox.resume()
    lanes.slow["keep 0"] = late.wait()
    await lanes.say(*(said(f"keep {n}") for n in range(3)))
    assert not lanes.inbox.has_room
    with pytest.raises(Busy):
        await lanes.say(said("keep 9"))
    assert "a/keep 9" not in await lanes.states()
    late.set()
    await settle(lanes.inbox)
    assert await lanes.say(said("keep 9")) == ["kept"]
    await lanes.close()


@pytest.mark.asyncio
async def test_the_bound_counts_what_is_still_on_its_way_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes, gate = Lanes(monkeypatch, bound=3), Gate()
    await lanes.inbox.resume()
    held = asyncio.create_task(lanes.store.write(gate))
    await asyncio.to_thread(gate.entered.wait, 10)
    tries = [asyncio.create_task(lanes.say(said(f"keep {n}"))) for n in range(10)]
    await asyncio.sleep(0)
    gate.opened.set()
    ends = await asyncio.gather(*tries, return_exceptions=True)
    await held
    await settle(lanes.inbox)
    assert sum(isinstance(end, Busy) for end in ends) == 7
    assert len(await lanes.states()) == 3
    await lanes.close()


@pytest.mark.asyncio
async def test_a_disk_that_refuses_an_event_leaves_no_trace_of_it(lanes: Lanes) -> None:
    Disk(lanes.store, refusing=1)
    with pytest.raises(Busy):
        await lanes.say(said("keep 1"))
    assert await lanes.say(said("keep 1")) == ["kept"]
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 1"] and lanes.inbox.open == 0 and lanes.inbox._coming == 0


@pytest.mark.asyncio
async def test_an_event_whose_caller_left_before_the_answer_is_decided_all_the_same(lanes: Lanes) -> None:
    gate = Gate()
    held = asyncio.create_task(lanes.store.write(gate))
    await asyncio.to_thread(gate.entered.wait, 10)
    callers = [asyncio.create_task(lanes.say(said(text))) for text in ("keep 1", "command 2")]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    gate.opened.set()
    await held
    await until(lambda: len(lanes.told) == 2)
    await settle(lanes.inbox)
    assert await lanes.states() == {"a/keep 1": "done", "a/command 2": "done"}
    assert await lanes.say(said("keep 1")) == ["known"]


@pytest.mark.asyncio
async def test_a_start_takes_up_what_was_accepted_and_not_decided_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lanes, never = Lanes(monkeypatch, tmp_path / "data"), asyncio.Event()
    await lanes.inbox.resume()
    lanes.slow["keep 1"] = never.wait()
    await lanes.say(said("keep 1"), said("keep 2"), said("keep 3", group="h"))
    await until(lambda: lanes.decided == ["keep 3"])
    await lanes.inbox.close()  # as death would
    del lanes.slow["keep 1"]
    assert await lanes.fresh().resume() == 2
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 3", "keep 1", "keep 2"]
    await lanes.close()


@pytest.mark.asyncio
async def test_nothing_is_accepted_before_what_was_left_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = Lanes(monkeypatch)
    with pytest.raises(Busy):
        await lanes.say(said("keep 1"))
    resuming = asyncio.create_task(lanes.inbox.resume())
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await lanes.say(said("keep 1"))
    await resuming
    assert await lanes.say(said("keep 1")) == ["kept"]
    await settle(lanes.inbox)
    await lanes.close()


@pytest.mark.asyncio
async def test_trouble_after_a_decision_stops_no_lane(lanes: Lanes) -> None:
    async def breaks(event: Event) -> None:
        raise KeyError(event.text)

    lanes.after = breaks
    await lanes.say(said("keep 1"), said("command 2"), said("keep 3"))
    await settle(lanes.inbox)
    lanes.after = None
    await lanes.say(said("keep 4"))
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 1", "command 2", "keep 3", "keep 4"]
    assert lanes.inbox.open == 0 and not lanes.inbox._lanes


@pytest.mark.asyncio
async def test_a_failing_prepare_goes_on_without_its_facts(lanes: Lanes) -> None:
    async def fails() -> None:
        raise ValueError

    lanes.slow["keep 1"] = fails()
    await lanes.say(said("keep 1", photos=(Photo("p"),)))
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 1"]


@pytest.mark.asyncio
async def test_a_quote_looked_up_on_disk_is_not_overtaken_by_what_came_after_it(lanes: Lanes) -> None:
    found = asyncio.Event()

    async def slow(event: Event) -> bool:
        await found.wait()
        return True

    lanes.inbox._speaks_of_task = slow  # type: ignore[method-assign]
    tries = [
        asyncio.create_task(lanes.say(said("words 1", quote="m"))),
        asyncio.create_task(lanes.say(said("keep 2"))),
        asyncio.create_task(lanes.say(said("words 3", quote="m"))),
        asyncio.create_task(lanes.say(said("keep 4"))),
        asyncio.create_task(lanes.say(said("keep 5", group="h"))),
    ]
    await until(lambda: lanes.decided == ["keep 5"])
    found.set()
    await asyncio.gather(*tries)
    await settle(lanes.inbox)
    assert lanes.decided == ["keep 5", "words 1", "keep 2", "words 3", "keep 4"]
    assert not lanes.inbox._door._gates


@pytest.mark.asyncio
async def test_photos_that_have_not_arrived_are_noted_in_the_decision(lanes: Lanes) -> None:
    lanes.facts["keep 1"] = Facts(waiting=("p1", "p2"))
    await lanes.say(said("keep 1", photos=(Photo("p1"), Photo("p2"))))
    await settle(lanes.inbox)
    assert await lanes.store.read(photos.waited_for) == [("web", "p1", 1), ("web", "p2", 1)]


@pytest.mark.asyncio
async def test_a_settled_row_cannot_be_settled_again(lanes: Lanes) -> None:
    await lanes.say(said("keep 1"))
    await settle(lanes.inbox)

    def again(tx: Tx) -> None:
        inbox.settle(tx, 1)

    with pytest.raises(inbox.SettledBefore):
        await lanes.store.write(again)


@pytest.mark.asyncio
async def test_many_senders_in_many_groups_lose_and_double_nothing(lanes: Lanes, monkeypatch: Any) -> None:
    monkeypatch.setattr(taking, "LANE_BATCH", 3)
    events = [said(f"keep {n}", group=f"g{n % 7}", sender=f"s{n % 5}") for n in range(300)]
    disk = Disk(lanes.store)

    async def insist(event: Event) -> None:
        while True:
            try:
                await lanes.say(event)
                return
            except Busy:
                await asyncio.sleep(0)

    for start in range(0, 300, 50):
        disk.refusing = 5
        await asyncio.gather(*(insist(event) for event in events[start : start + 50] * 2))
    await settle(lanes.inbox)
    assert sorted(lanes.decided) == sorted(event.text for event in events)
    stored = list(await lanes.states())
    for group in range(7):
        mine = [event.id for event in events if event.group == f"g{group}"]
        order = [f"s{int(text.split()[1]) % 5}/{text}" for text in lanes.decided]
        assert [i for i in order if i in mine] == [i for i in stored if i in mine]
