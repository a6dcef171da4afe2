"""One thread writes: who waits together commits together, who fails falls alone, what is submitted gets an end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Busy
from store import Outcome, Store, Tx, inbox, meta, outbox
from store.writer import Writer
from tests.fakes import FakeClock, Gate, queue


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    opened = Store.open(None, FakeClock())
    yield opened
    opened.close()


def _put(name: str, value: str = "1") -> Any:
    return lambda tx: meta.put(tx, name, value)


def _writer(store: Store) -> Writer:
    return store._writer


async def _held(store: Store) -> tuple[Gate, asyncio.Task[None]]:
    gate = Gate()
    task = asyncio.create_task(store.write(gate))
    await asyncio.sleep(0)
    await asyncio.to_thread(gate.entered.wait, 10)
    return gate, task


@pytest.mark.asyncio
async def test_transactions_that_wait_together_share_one_commit(store: Store) -> None:
    gate, first = await _held(store)
    statements: list[str] = []
    _writer(store)._connection.set_trace_callback(statements.append)
    waiting = [asyncio.create_task(store.write(_put(f"n{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(first, *waiting)
    assert [s.lower() for s in statements].count("commit") == 2  # the one that held the gate, and all the others


@pytest.mark.asyncio
async def test_a_failing_transaction_falls_alone_with_its_rows_and_notes(store: Store) -> None:
    def fails(tx: Tx) -> None:
        inbox.add(tx, "web", "bad", "message", "g", "a", "{}", None)
        outbox.add(tx, "bad", "web", "g", "received", "{}")
        raise KeyError("bad")

    def works(tx: Tx) -> None:
        inbox.add(tx, "web", "good", "message", "g", "a", "{}", None)
        outbox.add(tx, "good", "web", "g", "received", "{}")

    outcomes = await store.submit([works, fails, _put("after")])
    assert [type(o.error).__name__ for o in outcomes] == ["NoneType", "KeyError", "NoneType"]
    with pytest.raises(KeyError):
        outcomes[1].result()
    assert [row.key for o in outcomes if o.error is None for row in o.tx.outboxed] == ["good"]
    kept = await store.read(
        lambda c: c.execute("select event_id from inbox union all select key from outbox").fetchall()
    )
    assert kept == [("good",), ("good",)]
    assert await store.read(lambda c: meta.get(c, "after")) == "1"


@pytest.mark.asyncio
async def test_the_order_of_submission_is_the_order_of_writing(store: Store) -> None:
    gate, first = await _held(store)
    done: list[int] = []
    waiting = [asyncio.create_task(store.write(lambda tx, n=n: done.append(n))) for n in range(2500)]
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(first, *waiting)
    assert done == list(range(2500))


@pytest.mark.asyncio
async def test_past_the_bound_nothing_is_stored_and_the_caller_is_told(store: Store) -> None:
    _writer(store)._bound = 3
    gate, first = await _held(store)
    waiting = [asyncio.create_task(store.write(_put(f"n{n}"))) for n in range(2)]
    await asyncio.sleep(0)
    told: list[object] = []
    with pytest.raises(Busy):
        await store.submit([_put("late")], told.append)
    gate.opened.set()
    await asyncio.gather(first, *waiting)
    assert told == [None]
    assert await store.read(lambda c: meta.get(c, "late")) == ""
    await store.write(_put("late"))  # there is room again


@pytest.mark.asyncio
async def test_a_cancelled_caller_breaks_nobody_and_its_commit_is_not_forgotten(store: Store) -> None:
    gate, first = await _held(store)
    told: list[str] = []

    def name(outcomes: list[Outcome[Any]] | None) -> None:
        told.append("stored" if outcomes is not None else "not")

    gone = asyncio.create_task(store.submit([_put("gone")], name))
    stays = asyncio.create_task(store.write(_put("stays")))
    await asyncio.sleep(0)
    gone.cancel()
    gate.opened.set()
    await asyncio.gather(first, stays)
    assert gone.cancelled()
    assert told == ["stored"]
    assert await store.read(lambda c: (meta.get(c, "gone"), meta.get(c, "stays"))) == ("1", "1")


@pytest.mark.asyncio
async def test_what_follows_a_commit_runs_in_commit_order_before_its_callers_wake(store: Store) -> None:
    gate, first = await _held(store)
    seen: list[str] = []

    async def call(n: int) -> None:
        await store.submit([_put(f"n{n}")], lambda _: seen.append(f"behind {n}"))
        seen.append(f"woken {n}")

    waiting = [asyncio.create_task(call(n)) for n in range(3)]
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(first, *waiting)
    assert seen == ["behind 0", "woken 0", "behind 1", "woken 1", "behind 2", "woken 2"]


@pytest.mark.asyncio
async def test_a_fault_of_the_disk_rolls_back_the_whole_batch_and_heals(store: Store) -> None:
    def full(tx: Tx) -> None:
        fault = sqlite3.OperationalError("database or disk is full")
        fault.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise fault

    gate, first = await _held(store)
    waiting = [asyncio.create_task(store.write(job)) for job in (_put("before"), full, _put("behind"))]
    await asyncio.sleep(0)
    gate.opened.set()
    await first
    assert [type(e) for e in await asyncio.gather(*waiting, return_exceptions=True)] == [Busy, Busy, Busy]
    assert not store.healthy and store.fault
    assert await store.read(lambda c: (meta.get(c, "before"), meta.get(c, "behind"))) == ("", "")
    await store.write(_put("again"))
    assert store.healthy


@pytest.mark.asyncio
async def test_closing_finishes_what_was_submitted_and_refuses_what_comes_later() -> None:
    store = Store.open(None, FakeClock())
    connection = _writer(store)._connection
    done: list[int] = []
    waiting = [asyncio.create_task(store.write(lambda tx, n=n: done.append(n))) for n in range(20)]
    await asyncio.sleep(0)
    store.close()
    await asyncio.gather(*waiting)
    assert done == list(range(20))
    with pytest.raises(Busy):
        await store.write(_put("late"))
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("select 1")


@pytest.mark.asyncio
async def test_time_never_runs_back_over_commits() -> None:
    clock = FakeClock()
    store = Store.open(None, clock)
    times = []
    for moved in (0, 10, -3600, 0):
        clock.at += moved
        times.append((await queue(store)).at)
    store.close()
    assert times == sorted(times)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=5), max_size=12))
def test_the_books_hold_exactly_what_the_good_jobs_wrote(requests: list[list[tuple[int, bool]]]) -> None:
    """Each job adds to a row; a bad one writes, then raises. The sums are those of the good ones alone."""

    def job(name: int, good: bool) -> Any:
        def run(tx: Tx) -> int:
            now = int(meta.get(tx, f"n{name}", "0")) + 1
            meta.put(tx, f"n{name}", str(now))
            if not good:
                raise ValueError
            return now

        return run

    async def play() -> dict[str, str]:
        store = Store.open(None, FakeClock())
        await asyncio.gather(*(store.submit([job(*one) for one in request]) for request in requests))
        found = await store.read(
            lambda c: dict(c.execute("select name, value from meta where name like 'n_'").fetchall())
        )
        store.close()
        return found

    wanted: dict[str, int] = {}
    for name, good in (one for request in requests for one in request):
        wanted[f"n{name}"] = wanted.get(f"n{name}", 0) + good
    assert asyncio.run(play()) == {name: str(count) for name, count in wanted.items() if count}
