"""Deliver: due rows leave in order per address, paced, and every attempt ends in the books.

A timeout is unknown, not failed. What that means is the channel's delivery class: an idempotent or at-least-once
channel is tried again, an at-most-once channel parks the row as 结果不明 for one-click resend (design 1.2).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from bot.pacing import Pacing
from bot.platforms import Platform
from config.errors import Busy, Offline, Refused, Retry, SendError, Unknown
from handlers.events import Message
from store import Store, Tx, outbox
from store.outbox import OutboxRow

log = structlog.get_logger()

ATTEMPTS = 6  # security.md D.3 #2
SEND_SECONDS = 30.0
BACKOFF = (1.0, 4.0, 15.0, 60.0, 300.0)  # seconds; jittered, at most five minutes


@dataclass(frozen=True, slots=True)
class _End:
    state: str
    receipt: str | None = None
    reason: str = ""
    again_in: float = 0.0
    tried: int = 1


class Outbox:
    """`take` rows after their commit; `sweep` finds those whose time has come."""

    def __init__(self, store: Store, platforms: Mapping[str, Platform], wake: Callable[[int], None]) -> None:
        self._store = store
        self._wake = wake
        self._platforms = platforms
        self._pacing = Pacing()
        self._lanes: dict[str, deque[OutboxRow]] = {}
        self._held: set[int] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, rows: Iterable[OutboxRow]) -> None:
        """Queue rows that are due; later ones wait on disk for a sweep."""
        now = self._store.now()
        for row in rows:
            if row.not_before > now:
                self._wake(row.not_before)
            elif row.seq not in self._held and row.channel in self._platforms:
                self._held.add(row.seq)
                self._push(row)

    async def sweep(self) -> None:
        """Take up everything due that is not under way."""
        self.take(await self._store.read(lambda c: outbox.due(c, self._store.now())))

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
        """Stop; unfinished rows stay due."""
        for worker in tuple(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _push(self, row: OutboxRow) -> None:
        self._idle.clear()
        lane = self._lanes.get(row.lane)
        if lane is not None:
            lane.append(row)
            return
        self._lanes[row.lane] = deque((row,))
        worker = asyncio.get_running_loop().create_task(self._work(row.lane))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, name: str) -> None:
        lane = self._lanes[name]
        while lane:
            row = lane.popleft()
            try:
                await self._deliver(row)
            finally:
                self._held.discard(row.seq)
        del self._lanes[name]
        if not self._lanes:
            self._idle.set()

    async def _deliver(self, row: OutboxRow) -> None:
        platform = self._platforms[row.channel]
        if row.not_after is not None and row.not_after < self._store.now():
            return await self._book(row, _End("expired", reason="已过有效时间"))
        await self._pacing.slot(platform, row.address)
        if platform.channel.delivery == "at-most-once":
            await self._write(lambda tx: outbox.mark(tx, row.seq, "sending"))
        await self._book(row, await self._attempt(platform, row))

    async def _attempt(self, platform: Platform, row: OutboxRow) -> _End:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return _End("sent", await platform.send(row, Message.from_json(row.body)))
        except Offline as error:
            return _End("due", reason=str(error), again_in=error.after, tried=0)
        except Retry as error:
            return self._later(row, str(error), error.after)
        except Refused as error:
            return _End("dead", reason=str(error))
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
            return await self._write(
                lambda tx: outbox.mark(tx, row.seq, end.state, receipt=end.receipt, reason=end.reason)
            )
        again = self._store.now() + max(1, round(end.again_in))
        await self._write(lambda tx: outbox.postpone(tx, row.seq, again, end.reason, end.tried))
        self._wake(again)

    async def _write(self, job: Callable[[Tx], None]) -> None:
        """The result of an attempt is kept in memory until the disk takes it: never sent again for a full disk."""
        while True:
            try:
                return await self._store.write(job)
            except Busy:
                await asyncio.sleep(1.0)
