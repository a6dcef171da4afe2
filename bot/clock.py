"""Business time and what falls due in it.

Business time is real time plus an offset kept in the data directory; only a demo or a rehearsal moves it, only
forward, firing what falls due on the way in order. Retries, pacing and sessions never use it.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from bot import failpoints
from bot.inbox import Inbox
from bot.outbox import Outbox
from config.errors import Busy, ConfigError, Rejected
from store import Store, outbox, timers

ZONE = "Asia/Shanghai"
LONGEST_SLEEP = 30  # seconds between ticks at most (design 3)


class BusinessClock:
    """Callable: epoch seconds. `start` freezes it there (rehearsal) instead of following real time."""

    def __init__(self, file: Path | None = None, start: int | None = None) -> None:
        self._file = file
        self._frozen = start
        self._offset = _read_offset(file) if file and file.exists() else 0

    def __call__(self) -> int:
        return self._frozen if self._frozen is not None else int(time.time()) + self._offset

    @property
    def moved(self) -> bool:
        """Whether this clock was ever set ahead."""
        return self._offset > 0

    def advance_to(self, moment: int) -> None:
        """Move forward; earlier moments are ignored, since time never runs back."""
        ahead = moment - self()
        if ahead <= 0:
            return
        if self._frozen is not None:
            self._frozen = moment
            return
        self._offset += ahead
        if self._file is not None:
            _write_whole(self._file, str(self._offset))


def _write_whole(path: Path, text: str) -> None:
    """A process killed here leaves the old offset or the new one, never an empty file."""
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if failpoints.ARMED:
        failpoints.reach("clock.before_replace")
    os.replace(draft, path)


def _read_offset(file: Path) -> int:
    try:
        return int(file.read_text("ascii") or 0)
    except (OSError, ValueError) as error:
        raise ConfigError(f"演示时钟文件读不懂:{file}。删除它，时间就回到现在。") from error


class Clock:
    """Wakes `tick` when the next timer or waiting message is due, at most every 30 s."""

    def __init__(
        self,
        store: Store,
        business: BusinessClock,
        inbox: Inbox,
        outbox_: Outbox,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._business = business
        self._inbox = inbox
        self._outbox = outbox_
        self._settle = settle
        self._scheduler: AsyncIOScheduler | None = None
        self._beat: asyncio.Task[None] | None = None
        self._next: int | None = None
        self._busy = asyncio.Lock()
        self._running_ahead = asyncio.Lock()
        self._waiting = False

    def start(self, scheduler: AsyncIOScheduler) -> None:
        """Tick from now on."""
        self._scheduler = scheduler
        self._beat = asyncio.get_running_loop().create_task(self._keep_beat())

    async def close(self) -> None:
        """No further tick."""
        if self._beat is not None:
            self._beat.cancel()

    async def _keep_beat(self) -> None:
        """Monotonic, unlike the scheduler's dates: a machine whose clock is set back an hour still ticks."""
        while True:
            await asyncio.sleep(LONGEST_SLEEP)
            await self._tick_quietly()

    def wake(self, due_at: int) -> None:
        """Something will be due then."""
        if self._scheduler is None or (self._next is not None and self._business() < self._next <= due_at):
            return
        self._next = due_at
        after = max(0.0, due_at - self._business())
        when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=after)
        self._scheduler.add_job(
            self._tick_quietly,
            DateTrigger(when),
            id="wake",
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=3,  # one rings, one waits for it, a third may go
        )

    async def tick(self) -> int:
        """Fire every timer and take up every message whose moment has come; how many timers."""
        async with self._busy:
            return await self._ring()

    async def _ring(self) -> int:
        fired = 0
        while due := await self._store.read(lambda c: timers.due(c, self._store.now())):
            if failpoints.ARMED:
                failpoints.reach("tick.read")
            fired += await self._inbox.accept_timers(due)
            if failpoints.ARMED:
                failpoints.reach("tick.after_commit")
        await self._outbox.sweep()
        self._next = None  # before the look: whoever sets a timer meanwhile wakes for himself
        if (following := await self._next_due()) is not None:
            self.wake(following)
        return fired

    async def forward(self, seconds: int) -> int:
        """Let business time run ahead, firing what falls due on the way, in order; returns the new time."""
        if not 0 < seconds <= 400 * 86400:
            raise Rejected("快进时间须在 1 秒到 400 天之间。")
        async with self._running_ahead:
            return await self._run_ahead(self._business() + seconds)

    async def _run_ahead(self, target: int) -> int:
        await self._settle()
        while (following := await self._next_due()) is not None and following <= target:
            self._business.advance_to(following)
            if failpoints.ARMED:
                failpoints.reach("clock.moved")
            await self.tick()
            await self._settle()
        self._business.advance_to(target)
        await self.tick()
        await self._settle()
        return target

    async def _next_due(self) -> int | None:
        now = self._store.now()
        found = (await self._store.read(timers.next_due), await self._store.read(lambda c: outbox.next_due(c, now)))
        return min((moment for moment in found if moment is not None), default=None)

    async def _tick_quietly(self) -> None:
        """A tick that meets a full disk tries again at the next one; nothing is lost, since timers are rows."""
        if self._waiting:
            return  # one is about to look anyway
        self._waiting = True
        try:
            async with self._busy:
                self._waiting = False
                await self._ring()
        except Busy:
            self._next = None
        finally:
            self._waiting = False
