"""The one thread that writes: takes whatever transactions wait, runs each in its own savepoint, commits once.

Callers are woken only after the commit is on disk. A transaction that raises is rolled back alone; when the disk
or the lock fails, the whole batch is rolled back and every caller gets `Busy` (peers.md B.2: with group commit,
fsync costs the same CPU as without). Every commit counts itself, in the database and then with the witness.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog

from config.errors import Busy
from store.sqlite import LOCK_MS, engine_fault
from store.witness import Witness

log = structlog.get_logger()

T = TypeVar("T")
BATCH = 1000  # transactions in one commit; keeps the lock and the WAL frame count bounded
ERASE_SECONDS = 20.0  # at most so long erased words stay in the log of writes
SLOW = 2  # how many real seconds make one while the clock stands behind what was already given out


class Tx:
    """One transaction as its job sees it: SQL, the accept time, and notes for whoever waits on the commit."""

    __slots__ = (
        "_connection",
        "at",
        "erased",
        "execute",
        "inboxed",
        "moved",
        "outboxed",
        "timer_due",
        "touched",
        "withdrawn",
    )

    def __init__(self, connection: sqlite3.Connection, at: int) -> None:
        self._connection = connection
        self.execute = connection.execute
        self.at = at
        self.inboxed: list[Any] = []
        self.moved: list[str] = []  # tasks whose history grew
        self.outboxed: list[Any] = []
        self.withdrawn: list[int] = []
        self.timer_due: int | None = None
        self.touched: set[str] = set()
        self.erased = False

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        return self.execute(sql, parameters).fetchone()

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Every row."""
        return self.execute(sql, parameters).fetchall()

    @property
    def connection(self) -> sqlite3.Connection:
        """For sqlite-utils and bulk loads."""
        return self._connection


Job = Callable[[Tx], T]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What one job came to: a value or the error it raised, with the notes its transaction left."""

    tx: Tx
    value: T | None = None
    error: Exception | None = None

    def result(self) -> T:
        """The value; raises the job's own error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


Then = Callable[[list[Outcome[Any]] | None], None]


@dataclass(slots=True)
class _Request:
    jobs: Sequence[Job[Any]]
    future: asyncio.Future[list[Outcome[Any]]]
    loop: asyncio.AbstractEventLoop
    then: Then | None
    outcomes: list[Outcome[Any]] = field(default_factory=list)


class Writer:
    """Owns the writing connection. `submit` from any event loop; `close` waits for what was submitted."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Callable[[], int],
        witness: Witness,
        bound: int = 4000,
        intact: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._witness = witness
        self._bound = bound
        self._intact = intact
        self._waiting = 0
        self._closed = False
        self._queue: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._last_at = 0
        self._slow: tuple[int, float] | None = None
        self._erase_by: float | None = None
        self.proved_at = 0.0
        self.healthy = True
        self.fault = ""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self, last_at: int) -> None:
        """Begin; `last_at` is the newest accept time on disk, below which no new one may fall."""
        self._last_at = last_at
        self._thread.start()

    async def submit(self, jobs: Sequence[Job[Any]], then: Then | None = None) -> list[Outcome[Any]]:
        """Run jobs one after another inside one commit. Raises Busy when the queue is full or the disk refuses.

        `then` is called once in any case: in the event loop behind the commit, in commit order, even if the caller was
        cancelled meanwhile, so that what is on disk is never unknown to the process that put it there; or with None
        when nothing was stored.
        """
        if self._closed or self._waiting >= self._bound:
            if then is not None:
                then(None)
            raise Busy("系统正忙，请稍后再试。")
        loop = asyncio.get_running_loop()
        request = _Request(jobs, loop.create_future(), loop, then)
        self._waiting += 1
        self._queue.put(request)
        return await request.future

    def now(self) -> int:
        """The accept time a transaction beginning now would get: never below an earlier one.

        When the machine's clock was set back, time goes on at half speed until the clock has caught up, so that
        nothing happens before what it follows and no timer waits for hours.
        """
        clock = self._clock()
        if self._slow is None:
            if clock >= self._last_at:
                return clock
            self._slow = (self._last_at, time.monotonic())
        base, since = self._slow
        slow = base + int((time.monotonic() - since) / SLOW)
        if clock < slow:
            return slow
        self._slow = None
        return max(clock, self._last_at)

    def close(self) -> None:
        """Finish what was submitted, then checkpoint and close; whoever comes later is told Busy."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        self._witness.close()

    def _run(self) -> None:
        while (first := self._next()) is not None:
            batch, size, stop = [first], len(first.jobs), False
            while size < BATCH:
                try:
                    request = self._queue.get_nowait()
                except queue.Empty:
                    break
                if request is None:
                    stop = True
                    break
                batch.append(request)
                size += len(request.jobs)
            self._commit(batch)
            if stop:
                return

    def _next(self) -> _Request | None:
        while self._erase_by is not None:
            left = self._erase_by - time.monotonic()
            try:
                if left > 0:
                    return self._queue.get(timeout=left)
            except queue.Empty:
                pass
            self._empty_log()
        return self._queue.get()

    def _empty_log(self) -> None:
        """Bring the log of writes into the database and cut it, so that no erased words stand in it (secure_delete)."""
        self._erase_by = None
        run = self._connection.execute
        try:
            run("pragma busy_timeout=50")
            if run("pragma wal_checkpoint(truncate)").fetchone()[0]:
                self._erase_by = time.monotonic() + ERASE_SECONDS  # a long reader is in the way
            run(f"pragma busy_timeout={LOCK_MS}")
        except sqlite3.Error:
            self._erase_by = time.monotonic() + ERASE_SECONDS

    def _commit(self, batch: list[_Request]) -> None:
        at, commits = self.now(), self._witness.commits + 1
        run = self._connection.execute
        try:
            if not self._intact():
                raise sqlite3.OperationalError("the database file was moved, removed or replaced")
            run("begin immediate")
            for request in batch:
                request.outcomes = [self._one(job, at) for job in request.jobs]
            run("update ledger set commits = ?, at = ? where id = 1", (commits, at))
            run("commit")
        except sqlite3.Error as error:
            self._abandon(batch, error)
            return
        self._last_at = at
        self._witness.write(commits)
        if not self.healthy:
            log.warning("commits_resumed")
        self.healthy, self.fault, self.proved_at = True, "", time.monotonic()
        if self._erase_by is None and any(outcome.tx.erased for request in batch for outcome in request.outcomes):
            self._erase_by = time.monotonic() + ERASE_SECONDS
        self._wake(batch, None)

    def _one(self, job: Job[Any], at: int) -> Outcome[Any]:
        tx = Tx(self._connection, at)
        self._connection.execute("savepoint job")
        try:
            value = job(tx)
        except Exception as error:  # the one place around a decide: the caller parks it with a row a person sees
            if isinstance(error, sqlite3.Error) and engine_fault(error):
                raise
            self._connection.execute("rollback to job")
            self._connection.execute("release job")
            return Outcome(tx, error=error)
        self._connection.execute("release job")
        return Outcome(tx, value)

    def _abandon(self, batch: list[_Request], error: sqlite3.Error) -> None:
        fault = f"{type(error).__name__}: {error}"
        if fault != self.fault:
            log.error("commit_failed", fault=fault)
        self.healthy, self.fault = False, fault
        if self._connection.in_transaction:
            try:
                self._connection.execute("rollback")
            except sqlite3.Error as trouble:
                log.error("rollback_failed", fault=str(trouble))  # the next begin fails and it is tried again
        self._wake(batch, Busy("数据暂时写不进磁盘，请稍后再试。"))

    def _wake(self, batch: list[_Request], error: Exception | None) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Request]] = {}
        for request in batch:
            by_loop.setdefault(request.loop, []).append(request)
        for loop, requests in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._settle, requests, error)

    def _settle(self, requests: list[_Request], error: Exception | None) -> None:
        for request in requests:
            self._waiting -= 1
            if request.then is not None:
                request.loop.call_soon(request.then, request.outcomes if error is None else None)
            if request.future.done():
                continue
            if error is None:
                request.future.set_result(request.outcomes)
            else:
                request.future.set_exception(error)
