"""What a OneBot channel hears, stored in order: a bounded queue, history before what came after a gap, how far the disk is.

A full queue stops the reading, and while nothing can be stored nothing is dropped. The mark kept beside the events says
up to which moment they are on disk, so that what was read and not yet stored is pulled again after a death.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from bot.engine import Engine
from bot.platforms import onebot_events, onebot_history
from config.errors import Busy
from handlers.events import Event
from store import Tx, inbox, meta
from store.inbox import InboxRow

log = structlog.get_logger()

QUEUE = 256  # events read and not yet stored
BATCH = 64
BUSY_SECONDS = 0.5
CATCH_UP_SECONDS = 20.0
CLOSE_SECONDS = 5.0

Found = Mapping[str, Any]


class Hearing:
    """`pull` asks the implementation for its history, `parse` reads what it gives; without `wanted` gaps stay gaps."""

    def __init__(
        self, channel: str, pull: onebot_history.Call, parse: Callable[[Found], Event | None], *, wanted: bool
    ) -> None:
        self._channel, self._pull, self._parse, self._wanted = channel, pull, parse, wanted
        self._cursor = f"heard/{channel}"
        self._engine: Engine | None = None
        self.queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        self._caught_up = asyncio.Event()
        self._caught_up.set()
        self._since = 0  # when something was last heard
        self._taking: asyncio.Task[None] | None = None
        self._catching: asyncio.Task[None] | None = None

    async def start(self, engine: Engine) -> None:
        """Store from now on what is heard."""
        self._engine = engine
        self._since = int(await engine.store.read(lambda c: meta.get(c, self._cursor, "0")))
        self._taking = asyncio.create_task(self._take())

    async def close(self) -> None:
        """What was read is stored first."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.queue.join()
            if self._since and self._caught_up.is_set():
                await self._live.store.write(lambda tx: meta.put(tx, self._cursor, str(self._since)))
        except (TimeoutError, Busy):
            log.error("onebot_unstored", channel=self._channel, events=self.queue.qsize())
        under_way = [task for task in (self._taking, self._catching) if task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def take(self, event: Event | None, moment: int | None) -> None:
        """From a line: waits while the queue is full."""
        if event is not None:
            await self.queue.put(event)
        if self._caught_up.is_set():
            self._since = max(self._since, moment or 0)

    async def take_now(self, event: Event, seconds: float) -> bool:
        """From a post, whose answer waits for the commit; False when there was no room for so long.

        What is being pulled goes first, if it is quick: nobody posts again what was not taken.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds / 2):
                await self._caught_up.wait()
        try:
            async with asyncio.timeout(seconds / 2):
                await self._store([event])
        except TimeoutError:
            return False
        return True

    def look_back(self) -> None:
        """What was missed since the last word comes before what is heard from now on."""
        now = int(time.time())
        since, self._since = self._since, now
        if self._wanted and since:
            self._caught_up.clear()
            self._catching = asyncio.create_task(self._catch_up(max(since, now - onebot_history.LONGEST_GAP)))

    @property
    def _live(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self._engine

    async def _catch_up(self, since: int) -> None:
        groups = [address for name, address in self._live.office.group_at if name == self._channel]
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                found = await onebot_history.missed(self._pull, groups, since)
                events = [event for one in found if (event := self._parse(one)) is not None]
                log.info(
                    "onebot_caught_up", channel=self._channel, seconds=int(time.time()) - since, events=len(events)
                )
                if events:
                    await self._store(events)
        except TimeoutError:
            self._since = since
            log.warning("onebot_history_late", channel=self._channel)
        finally:
            self._caught_up.set()

    async def _take(self) -> None:
        while True:
            batch = [await self.queue.get()]
            await self._caught_up.wait()
            while len(batch) < BATCH and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            await self._store(batch)
            for _ in batch:
                self.queue.task_done()

    async def _store(self, batch: list[Event]) -> None:
        """Until it is stored; nothing read is dropped."""
        newest = max(event.sent_at or 0 for event in batch)
        while True:
            try:
                receipts = await self._live.inbox.accept(batch, partial(self._beside, newest))
                break
            except Busy:
                await asyncio.sleep(BUSY_SECONDS)
        for event, receipt in zip(batch, receipts, strict=True):
            if receipt.state == "known" and event.kind == "message" and "@" not in event.id:
                await self._store_again(event)

    async def _store_again(self, event: Event) -> None:
        """Message ids are 32-bit and do collide: another sender or another time is another message, not a redelivery."""
        known = await self._live.store.read(lambda c: inbox.find(c, event.channel, event.id))
        if known is not None and event.sent_at and (known.sender, known.sent_at) != (event.sender, event.sent_at):
            await self._store([onebot_events.again(event)])

    def _beside(self, newest: int, tx: Tx, rows: Sequence[InboxRow | None]) -> None:
        if newest and self._caught_up.is_set():
            meta.put(tx, self._cursor, str(newest))
