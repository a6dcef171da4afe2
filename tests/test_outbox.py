"""What goes out leaves in order, as often as its platform can promise, and no failure is without an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot import outbox as delivery
from bot.clock import BusinessClock
from bot.outbox import ATTEMPTS, LANE_ROWS, Outbox
from config.errors import Awaiting, Offline, Parked, Refused, Retry, Unknown
from handlers.events import Message
from store import Store, Tx, outbox
from store.outbox import OutboxRow
from tests.fakes import CLASSES, NOON, Disk, FakePlatform, queue, row_of, until


class House:
    """A store, one or more platforms, an outbox, and the moments somebody asked to be woken at."""

    def __init__(self, *platforms: FakePlatform) -> None:
        self.clock = BusinessClock(start=NOON)
        self.store = Store.open(None, self.clock)
        self.platforms = {p.channel.name: p for p in platforms}
        self.wakes: list[int] = []
        self.outbox = Outbox(self.store, self.platforms, self.wakes.append)

    async def deliver(self, *rows: OutboxRow) -> None:
        self.outbox.take(rows)
        await self.outbox.idle()

    async def later(self, moment: int) -> None:
        """Time passes until the moment; what fell due is swept, as the clock would."""
        self.clock.advance_to(moment)
        await self.outbox.sweep()
        await self.outbox.idle()

    async def state(self, row: OutboxRow) -> tuple[str, int]:
        found = await row_of(self.store, row.seq)
        return found.state, found.attempts

    async def close(self) -> None:
        await self.outbox.close()
        self.store.close()


@pytest_asyncio.fixture
async def houses() -> AsyncIterator[Any]:
    built: list[House] = []

    def build(*platforms: FakePlatform) -> House:
        built.append(House(*platforms))
        return built[-1]

    yield build
    for house in built:
        await house.close()


@pytest.mark.asyncio
async def test_one_address_is_served_in_order_and_addresses_side_by_side(houses: Any) -> None:
    web = FakePlatform()
    house, slow = houses(web), asyncio.Event()
    first, second = await queue(house.store, "a"), await queue(house.store, "a")
    other = await queue(house.store, "b")
    web.answers.append(slow)
    house.outbox.take([first, second, other])
    await web.tries(2)
    await until(lambda: other.key in web.sent)
    assert web.tried == [first.key, other.key]  # the slow one holds up its own address only
    slow.set()
    await house.outbox.idle()
    assert web.sent == [other.key, first.key, second.key]


@pytest.mark.asyncio
async def test_a_stuck_channel_does_not_slow_another(houses: Any) -> None:
    stuck, web = FakePlatform(name="stuck"), FakePlatform(name="web")
    house = houses(stuck, web)
    stuck.answers.extend([asyncio.Event()])
    rows = [await queue(house.store, "a", "stuck") for _ in range(5)]
    rows += [await queue(house.store, "a", "web") for _ in range(5)]
    house.outbox.take(rows)
    await web.tries(5)
    assert len(stuck.tried) == 1


@pytest.mark.parametrize("delivery_class", CLASSES)
@pytest.mark.asyncio
async def test_certainly_not_sent_is_tried_again_after_the_time_the_platform_names(
    houses: Any, delivery_class: str
) -> None:
    web = FakePlatform(delivery_class)
    house = houses(web)
    web.answers.append(Retry("太快", 40.0))
    row = await queue(house.store)
    await house.deliver(row)
    assert await house.state(row) == ("due", 1)
    assert house.wakes == [NOON + 40]
    await house.later(NOON + 39)
    assert web.sent == []
    await house.later(NOON + 40)
    assert web.sent == [row.key]
    assert await house.state(row) == ("sent", 2)
    assert (await row_of(house.store, row.seq)).receipt == f"p{row.seq}"


@pytest.mark.parametrize("delivery_class", CLASSES)
@pytest.mark.asyncio
async def test_refused_is_dead_at_once_and_says_why(houses: Any, delivery_class: str) -> None:
    web = FakePlatform(delivery_class)
    house = houses(web)
    web.answers.append(Refused("群已解散"))
    row, following = await queue(house.store), await queue(house.store)
    await house.deliver(row, following)
    assert await house.state(row) == ("dead", 1)
    assert (await row_of(house.store, row.seq)).reason == "群已解散"
    assert web.sent == [following.key]


@pytest.mark.parametrize("failure", [Unknown("断线"), TimeoutError(), ConnectionResetError(), ValueError("bug")])
@pytest.mark.parametrize("delivery_class", CLASSES)
@pytest.mark.asyncio
async def test_an_unclear_end_is_parked_or_repeated_as_the_class_says(
    houses: Any, delivery_class: str, failure: Exception
) -> None:
    web = FakePlatform(delivery_class)
    house = houses(web)
    web.answers.append(failure)
    row = await queue(house.store)
    await house.deliver(row)
    if delivery_class == "at-most-once":
        assert await house.state(row) == ("unknown", 1)
        await house.later(NOON + 86400)
        assert web.tried == [row.key]
    else:
        assert (await house.state(row))[0] == "due"
        await house.later(NOON + 5)
        assert web.sent == [row.key]


@pytest.mark.parametrize("delivery_class", CLASSES)
@pytest.mark.asyncio
async def test_a_send_that_never_ends_is_unclear(
    houses: Any, delivery_class: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SEND_SECONDS", 0.01)
    web = FakePlatform(delivery_class)
    house = houses(web)
    web.answers.append(asyncio.Event())
    row = await queue(house.store)
    await house.deliver(row)
    assert (await house.state(row))[0] == ("unknown" if delivery_class == "at-most-once" else "due")


@pytest.mark.asyncio
async def test_six_attempts_with_growing_jittered_pauses_then_dead(houses: Any) -> None:
    web = FakePlatform("at-least-once")
    house = houses(web)
    web.answers.extend(Unknown("断线") for _ in range(20))
    row = await queue(house.store)
    await house.deliver(row)
    pauses = []
    while (await house.state(row))[0] == "due":
        pauses.append(house.wakes[-1] - house.clock())
        await house.later(house.wakes[-1])
    assert await house.state(row) == ("dead", ATTEMPTS)
    assert len(web.tried) == ATTEMPTS
    for pause, most in zip(pauses, delivery.BACKOFF, strict=True):
        assert max(1, round(most / 2)) <= pause <= max(1, most)


@pytest.mark.asyncio
async def test_nothing_overtakes_a_message_that_waits_for_its_second_try(houses: Any) -> None:
    web = FakePlatform()
    house = houses(web)
    web.answers.append(Retry("太快", 10.0))
    rows = [await queue(house.store, "a") for _ in range(3)]
    await house.deliver(*rows)
    late, elsewhere = await queue(house.store, "a"), await queue(house.store, "b")
    await house.deliver(late, elsewhere)
    assert web.sent == [elsewhere.key]
    await house.later(NOON + 10)
    assert web.sent == [elsewhere.key, *(row.key for row in rows), late.key]


@pytest.mark.asyncio
async def test_after_a_restart_it_is_still_not_overtaken(houses: Any) -> None:
    web = FakePlatform()
    house = houses(web)
    web.answers.append(Retry("太快", 10.0))
    first, second = await queue(house.store, "a"), await queue(house.store, "a")
    await house.deliver(first, second)
    again = Outbox(house.store, house.platforms, house.wakes.append)
    await again.resume()
    again.take([third := await queue(house.store, "a")])
    await again.idle()
    assert web.sent == []
    house.clock.advance_to(NOON + 10)
    await again.sweep()
    await again.idle()
    assert web.sent == [first.key, second.key, third.key]
    await again.close()


@pytest.mark.asyncio
async def test_a_message_that_keeps_failing_steps_aside_after_a_while(houses: Any) -> None:
    web = FakePlatform()
    house = houses(web)
    first, second = await queue(house.store, "a"), await queue(house.store, "a")
    web.answers.extend(Unknown("断线") for _ in range(outbox.HOLDS + 1))
    await house.deliver(first, second)
    for _ in range(outbox.HOLDS):
        assert second.key not in web.tried
        await house.later(house.wakes[-1])
    assert web.sent == [second.key]
    assert (await house.state(first))[0] == "due"


@pytest.mark.asyncio
async def test_a_channel_nobody_is_connected_to_uses_up_no_attempts(houses: Any) -> None:
    web = FakePlatform("at-most-once")
    house = houses(web)
    web.answers.extend(Offline("未连接", 20.0) for _ in range(9))
    row = await queue(house.store)
    await house.deliver(row)
    for _ in range(9):
        assert await house.state(row) == ("due", 0)
        await house.later(house.wakes[-1])
    assert web.sent == [row.key]


@pytest.mark.asyncio
async def test_what_waits_for_somebody_to_speak_holds_up_nothing_and_leaves_when_they_do(houses: Any) -> None:
    web = FakePlatform()
    house = houses(web)
    edition, answer = await queue(house.store, "a"), await queue(house.store, "a")
    web.answers += [Awaiting("", 3600.0), "m2"]
    await house.deliver(edition, answer)
    assert [await house.state(row) for row in (edition, answer)] == [("due", 0), ("sent", 1)]
    assert await house.store.read(lambda c: outbox.awaiting(c, "fake")) == {"a"}
    assert not await house.store.write(lambda tx: outbox.hasten(tx, "fake", outbox.AWAITING, "b"))
    await house.store.write(lambda tx: outbox.hasten(tx, "fake", outbox.AWAITING, "a"))
    await house.later(NOON + 1)
    assert await house.state(edition) == ("sent", 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("delivery_class", CLASSES)
async def test_what_must_not_be_repeated_is_parked_on_any_channel(houses: Any, delivery_class: str) -> None:
    web = FakePlatform(delivery=delivery_class)
    house = houses(web)
    row = await queue(house.store, "a")
    web.answers.append(Parked("没有回音"))
    await house.deliver(row)
    assert (await house.state(row))[0] == "unknown"


@pytest.mark.asyncio
async def test_a_message_past_its_use_is_not_sent(houses: Any) -> None:
    web = FakePlatform()
    house = houses(web)
    row = await queue(house.store, not_before=NOON + 60, not_after=NOON + 120)
    await house.deliver(row)
    assert house.wakes == [NOON + 60]
    await house.later(NOON + 121)
    assert (await house.state(row))[0] == "expired" and web.tried == []


@pytest.mark.asyncio
async def test_resending_by_hand_starts_afresh_under_the_same_key(houses: Any) -> None:
    web = FakePlatform("at-most-once")
    house = houses(web)
    web.answers.extend([Unknown("断线"), Retry("忙", 1.0)])
    row = await queue(house.store)
    await house.deliver(row)
    again = await house.store.write(lambda tx: outbox.resend(tx, row.seq))
    assert again is not None and again.key == row.key and again.attempts == 0
    await house.deliver(again)
    await house.later(NOON + 2)
    assert web.sent == [row.key] and len(web.tried) == 3
    assert await house.store.write(lambda tx: outbox.resend(tx, row.seq)) is None  # it is sent


@pytest.mark.asyncio
async def test_an_attempt_cut_off_by_death_is_unknown_and_never_repeated_by_itself(houses: Any) -> None:
    web = FakePlatform("at-most-once")
    house = houses(web)
    row = await queue(house.store)
    assert await house.store.write(lambda tx: outbox.begin(tx, row.seq))  # and then the process died
    await house.outbox.resume()
    await house.outbox.idle()
    assert await house.state(row) == ("unknown", 0) and web.tried == []


@pytest.mark.parametrize("delivery_class", ["idempotent", "at-least-once"])
@pytest.mark.asyncio
async def test_the_other_classes_go_on_after_a_death(houses: Any, delivery_class: str) -> None:
    web = FakePlatform(delivery_class)
    house = houses(web)
    rows = [await queue(house.store) for _ in range(3)]
    await house.outbox.resume()
    await house.outbox.idle()
    assert web.sent == [row.key for row in rows]


@pytest.mark.parametrize("delivery_class", CLASSES)
@pytest.mark.asyncio
async def test_a_full_disk_after_a_send_does_not_send_again(
    houses: Any, delivery_class: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "DISK_SECONDS", 0.0)
    web, sent = FakePlatform(delivery_class), asyncio.Event()
    house = houses(web)
    disk, row = Disk(house.store), await queue(house.store)
    web.answers.append(sent)
    house.outbox.take([row])
    await web.tries(1)
    disk.refusing = 20
    sent.set()
    await house.outbox.idle()
    assert disk.refused == 20 and web.tried == [row.key]
    assert (await house.state(row))[0] == "sent"


@pytest.mark.asyncio
async def test_a_sweep_that_read_too_early_sends_nothing_twice(houses: Any) -> None:
    """The row was due when the sweep began to read, and is sent and booked before the sweep is done with it."""
    web = FakePlatform("at-least-once")
    house = houses(web)
    row = await queue(house.store)
    stale = await house.store.read(lambda c: outbox.due(c, NOON, ("fake",)))
    read = house.store.read

    async def slow(query: Any) -> Any:
        found = await read(query)
        await house.deliver(row)
        return stale, found[1]

    house.store.read = slow
    await house.outbox.sweep()
    await house.outbox.idle()
    assert web.sent == [row.key]


@pytest.mark.asyncio
async def test_rows_of_a_channel_no_longer_configured_stay_due_and_visible(houses: Any) -> None:
    web = FakePlatform()
    house = houses(web)
    lost = [await queue(house.store, channel="gone") for _ in range(3)]
    row = await queue(house.store)
    await house.outbox.resume()
    await house.outbox.idle()
    assert web.sent == [row.key]
    assert [await house.state(r) for r in lost] == [("due", 0)] * 3
    assert await house.store.read(outbox.counts) == {"due": 3}


@pytest.mark.asyncio
async def test_a_long_queue_is_worked_off_in_order_without_holding_it_all(houses: Any) -> None:
    web = FakePlatform()
    house, gate = houses(web), asyncio.Event()
    rows = [await queue(house.store, "a") for _ in range(3 * LANE_ROWS + 7)]
    web.answers.append(gate)
    house.outbox.take(rows)
    assert len(house.outbox._held) <= LANE_ROWS + 1
    other = await queue(house.store, "b")
    house.outbox.take([other])
    await until(lambda: other.key in web.sent)
    gate.set()
    await house.outbox.idle()
    assert [key for key in web.sent if key != other.key] == [row.key for row in rows]


@pytest.mark.asyncio
async def test_what_is_leaving_at_a_shutdown_is_booked(houses: Any) -> None:
    web, sent = FakePlatform("at-least-once"), asyncio.Event()
    house = houses(web)
    row, following = await queue(house.store), await queue(house.store)
    web.answers.append(sent)
    house.outbox.take([row, following])
    await web.tries(1)
    closing = asyncio.create_task(house.outbox.close())
    await asyncio.sleep(0)
    sent.set()
    await closing
    assert await house.state(row) == ("sent", 1)
    assert await house.state(following) == ("due", 0)


@pytest.mark.asyncio
async def test_what_is_withdrawn_before_it_leaves_is_not_sent_and_its_number_is_not_given_again(houses: Any) -> None:
    web, slow = FakePlatform(), asyncio.Event()
    house = houses(web)
    first, second = await queue(house.store), await queue(house.store, task="t1")
    web.answers.append(slow)
    house.outbox.take([first, second])
    await web.tries(1)

    def withdraw(tx: Tx) -> list[int]:
        assert outbox.cancel(tx, "t1", "received", "reminder") == 1
        return tx.withdrawn

    house.outbox.drop(await house.store.write(withdraw))
    third = await queue(house.store)
    assert third.seq > second.seq
    house.outbox.take([third])
    slow.set()
    await house.outbox.idle()
    assert web.sent == [first.key, third.key]
    assert await house.state(second) == ("expired", 0)
    assert await house.store.write(lambda tx: outbox.count_to(tx, "t1", "", ("received",))) == 0


@pytest.mark.asyncio
async def test_the_same_key_is_queued_once(houses: Any) -> None:
    house = houses(FakePlatform())
    await queue(house.store, key="7/1")
    assert await house.store.write(lambda tx: outbox.add(tx, "7/1", "fake", "g", "x", Message("再").to_json())) is None


@pytest.mark.parametrize(
    "sql",
    [
        f"select seq from outbox where {outbox._DUE} and not_before <= 5",
        f"select lane from outbox where {outbox._RESTS.replace('?', '5')}",
        "select seq from inbox where state <> 'done' and state = 'open' order by seq",
        f"select seq from outbox where {outbox._UNSETTLED['dead']} state = 'dead'",
    ],
)
@pytest.mark.asyncio
async def test_looking_for_work_reads_no_whole_table(houses: Any, sql: str) -> None:
    house = houses(FakePlatform())
    plan = await house.store.read(lambda c: c.execute(f"explain query plan {sql}").fetchall())
    assert all("INDEX" in row[3] for row in plan), plan
