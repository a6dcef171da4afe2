"""Deliver: due rows leave in order per address, paced, and every attempt ends in the books.

A timeout is unknown, not failed. What that means is the channel's delivery class: an idempotent or at-least-once
channel is tried again, an at-most-once channel parks the row as 结果不明 for one-click resend (design 1.2). A message
to be tried again holds up its own address (at most some 20 s of failures), never another.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from bot import failpoints
from bot.pacing import Pacing
from bot.platforms import Platform
from config.errors import Awaiting, Busy, Offline, Parked, Paused, Refused, Retry, SendError, Unknown
from handlers.events import Message
from store import Store, Tx, outbox
from store.outbox import OutboxRow

log = structlog.get_logger()
T = TypeVar("T")

ATTEMPTS = 6  # security.md D.3 #2
SEND_SECONDS = 30.0
BACKOFF = (1.0, 4.0, 15.0, 60.0, 300.0)  # seconds; jittered, at most five minutes
DISK_SECONDS = 1.0  # between two tries to book what has been sent
GRACE_SECONDS = 4.0  # what is leaving at a shutdown gets so long to be booked, so that it need not leave twice
LANE_ROWS = 100  # rows of one address in memory; the rest waits on disk


@dataclass(frozen=True, slots=True)
class _End:
    state: str
    receipt: str | None = None
    reason: str = ""
    again_in: float = 0.0
    tried: int = 1


class Outbox:
    """`take` rows after their commit; `sweep` finds those whose time has come; `finish` makes pictures a message names."""

    def __init__(self, store: Store, platforms: Mapping[str, Platform], wake: Callable[[int], None]) -> None:
        self.finish: Callable[[Message], Awaitable[Message]] | None = None
        self._store = store
        self._wake = wake
        self._platforms = platforms
        self._pacing = Pacing()
        self._lanes: dict[str, deque[OutboxRow]] = {}
        self._held: set[int] = set()
        self._dropped: set[int] = set()
        self._resting: dict[str, int] = {}
        self._paused: dict[str, int] = {}  # channel → until
        self._sweeping = asyncio.Lock()
        self._ended: set[int] = set()
        self._long: set[str] = set()
        self._skipped: set[str] = set()
        self._sweeps = 0
        self._closing = False
        self._workers: set[asyncio.Task[None]] = set()
        self._to_book: list[tuple[Callable[[Tx], Any], asyncio.Future[Any]]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, rows: Iterable[OutboxRow]) -> None:
        """Queue rows that are due; later ones, and those that would overtake others, wait on disk for a sweep."""
        now = self._store.now()
        for row in rows:
            if row.not_before > now:
                self._wake(row.not_before)
            elif row.lane in self._resting or row.lane in self._long:
                self._skipped.add(row.lane)
            elif row.channel in self._platforms and not self._is_paused(row.channel):
                self._hold(row)

    def drop(self, seqs: Iterable[int]) -> None:
        """These were withdrawn before they left."""
        self._dropped.update(self._held.intersection(seqs))

    async def sweep(self) -> None:
        """Take up everything due that is not under way."""
        async with self._sweeping:
            while await self._sweep_once():
                pass

    async def _sweep_once(self) -> bool:
        """True when a row stayed on disk meanwhile for a reason that has passed: then once more."""
        now, before = self._store.now(), dict(self._resting)
        channels = tuple(name for name in self._platforms if not self._is_paused(name))
        self._ended.clear()
        self._skipped.clear()
        rows, resting = await self._store.read(
            lambda c: (outbox.due(c, now, channels, LANE_ROWS), outbox.resting(c, now))
        )
        fresh = {lane: until for lane, until in self._resting.items() if before.get(lane) != until}
        self._resting = resting | fresh
        places = Counter(row.lane for row in rows)
        self._long = {lane for lane, count in places.items() if count >= LANE_ROWS}
        for row in rows:  # the rows are as they were when the read began: some may have ended since
            if row.seq not in self._ended and row.lane not in self._resting:
                self._hold(row)
        return bool(self._skipped - self._resting.keys() - self._long)

    async def resume(self) -> None:
        """At start: attempts cut off by the last death become unknown, the rest goes on."""
        await self._store.write(outbox.adopt_interrupted)
        await self.sweep()

    @property
    def busy(self) -> bool:
        """Whether a message is under way."""
        return not self._idle.is_set()

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await self._idle.wait()

    async def close(self) -> None:
        """Stop; what is leaving is booked, unfinished rows stay due."""
        self._closing = True
        for worker in self._workers - self._leaving:
            worker.cancel()
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=GRACE_SECONDS)
        for worker in tuple(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _hold(self, row: OutboxRow) -> None:
        if row.seq in self._held or self._closing:
            return
        lane = self._lanes.get(row.lane)
        if lane is not None and len(lane) >= LANE_ROWS:
            self._long.add(row.lane)
            return
        self._held.add(row.seq)
        self._idle.clear()
        if lane is not None:
            lane.append(row)
            return
        self._lanes[row.lane] = deque((row,))
        self._begin(self._work(row.lane))

    def _is_paused(self, channel: str) -> bool:
        return self._paused.get(channel, 0) > self._store.now()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        worker = asyncio.get_running_loop().create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, name: str) -> None:
        lane = self._lanes[name]
        try:
            while lane and name not in self._resting and not self._is_paused(lane[0].channel) and not self._closing:
                row = lane.popleft()
                try:
                    await self._deliver(row)
                finally:
                    self._let_go(row)
        finally:
            for row in lane:
                self._let_go(row)
            del self._lanes[name]
            if name in self._long and name not in self._resting and not self._closing:
                self._sweeps += 1
                self._begin(self._sweep_on())
            self._rest()

    def _let_go(self, row: OutboxRow) -> None:
        self._held.discard(row.seq)
        self._dropped.discard(row.seq)
        if self._sweeping.locked():
            self._ended.add(row.seq)

    def _rest(self) -> None:
        if not self._lanes and not self._sweeps:
            self._idle.set()

    async def _sweep_on(self) -> None:
        """Fetch what found no room in memory."""
        try:
            await self.sweep()
        except Busy:
            log.warning("sweep_postponed")  # the next tick asks again
        finally:
            self._sweeps -= 1
            self._rest()

    async def _deliver(self, row: OutboxRow) -> None:
        platform, task = self._platforms[row.channel], asyncio.current_task()
        if row.not_after is not None and row.not_after < self._store.now():
            return await self._book(row, _End("expired", reason="已过有效时间"))
        await self._pacing.slot(platform, row.address)
        if row.seq in self._dropped:
            return None
        if task is not None:
            self._leaving.add(task)
        try:
            if platform.channel.delivery == "at-most-once" and not await self._write(
                lambda tx: outbox.begin(tx, row.seq)
            ):
                return None
            await self._book(row, await self._attempt(platform, row))
        finally:
            self._leaving.discard(task)

    async def _attempt(self, platform: Platform, row: OutboxRow) -> _End:
        if failpoints.ARMED:
            failpoints.reach("send.before")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                message = Message.from_json(row.body)
                if self.finish is not None and message.photos:
                    message = await self.finish(message)
                return _End("sent", await platform.send(row, message))
        except Paused as error:
            self._paused[row.channel] = self._store.now() + max(1, round(error.after))
            return _End("due", reason=str(error), again_in=error.after, tried=0)
        except Awaiting as error:
            return _End("due", reason=outbox.AWAITING, again_in=error.after, tried=0)
        except Offline as error:
            return _End("due", reason=str(error), again_in=error.after, tried=0)
        except Retry as error:
            return self._later(row, str(error), error.after)
        except Refused as error:
            return _End("dead", reason=str(error))
        except Parked as error:
            return _End("unknown", reason=f"结果不明:{error}")
        except (Unknown, TimeoutError) as error:
            return self._unclear(platform, row, str(error) or "超时")
        except (SendError, Exception) as error:  # noqa: BLE001 - the one place around a send: a bug must not stop the others
            log.error("send_failed", seq=row.seq, channel=row.channel, error=type(error).__name__)
            return self._unclear(platform, row, type(error).__name__)

    def _unclear(self, platform: Platform, row: OutboxRow, reason: str) -> _End:
        if platform.channel.delivery == "at-most-once":
            return _End("unknown", reason=f"结果不明:{reason}")
        return self._later(row, reason, 0.0)

    def _later(self, row: OutboxRow, reason: str, after: float) -> _End:
        if row.attempts + 1 >= ATTEMPTS:
            return _End("dead", reason=f"重试{ATTEMPTS}次未成:{reason}")
        wait = BACKOFF[min(row.attempts, len(BACKOFF) - 1)]
        return _End("due", reason=reason, again_in=max(after, wait * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter

    async def _book(self, row: OutboxRow, end: _End) -> None:
        if end.state != "due":
            if failpoints.ARMED and end.state == "sent":
                failpoints.reach("send.after")
            await self._write(lambda tx: _mark(tx, row, end))
            if failpoints.ARMED:
                failpoints.reach("mark.after_commit")
            return
        again = self._store.now() + max(1, round(end.again_in))
        await self._write(lambda tx: outbox.postpone(tx, row.seq, again, end.reason or "稍后再试", end.tried))
        if row.attempts + end.tried <= outbox.HOLDS and end.reason != outbox.AWAITING:
            self._resting[row.lane] = again
        self._wake(again)

    async def _write(self, job: Callable[[Tx], T]) -> T:
        """The result of an attempt is kept in memory until the disk takes it: never sent again for a full disk."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._to_book.append((job, future))
        if len(self._to_book) == 1:
            asyncio.get_running_loop().call_soon(self._open_books)
        return await future

    def _open_books(self) -> None:
        clerk = asyncio.get_running_loop().create_task(self._book_all())
        for crew in (self._workers, self._leaving):
            crew.add(clerk)
            clerk.add_done_callback(crew.discard)

    async def _book_all(self) -> None:
        """Everything that ended in this turn of the loop goes into the books as one transaction."""
        pages, self._to_book = self._to_book, []
        try:
            found = await self._persist(lambda tx: [job(tx) for job, _ in pages])
            for (_, future), value in zip(pages, found, strict=True):
                if not future.done():
                    future.set_result(value)
        finally:
            for _, future in pages:
                future.cancel()

    async def _persist(self, job: Callable[[Tx], list[Any]]) -> list[Any]:
        while True:
            try:
                return await self._store.write(job)
            except Busy:
                await asyncio.sleep(DISK_SECONDS)


def _mark(tx: Tx, row: OutboxRow, end: _End) -> None:
    outbox.mark(tx, row.seq, end.state, receipt=end.receipt, reason=end.reason)
    if failpoints.ARMED:
        failpoints.reach("mark.end")
