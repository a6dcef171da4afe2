"""The pipeline without a face: store, inbox, outbox and clock wired together. `serve`, `rehearse` and the tests share it."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from bot.clock import BusinessClock, Clock
from bot.inbox import Inbox, Prepare
from bot.outbox import Outbox
from bot.platforms import Platform
from config.county import County
from config.errors import ConfigError
from handlers import Decision
from handlers.events import Event
from handlers.office import Office, Rules, open_office
from handlers.reports.reading import Lesson
from store import Outcome, Store, Tx, county, lessons, meta

log = structlog.get_logger()
T = TypeVar("T")

Listener = Callable[[Event, Outcome[Decision]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What an engine is built from besides its store."""

    rules: Rules
    key: bytes
    demo: bool = False


class Engine:
    """`await Engine.start(...)`; then `inbox.accept`, `clock.tick`, `settle`, `close`."""

    def __init__(
        self,
        store: Store,
        business: BusinessClock,
        platforms: Mapping[str, Platform],
        prepare: Prepare,
        frame: Frame,
        erase_photo: Callable[[str], None] = lambda sha: None,
        bound: int = 2000,
    ) -> None:
        self.store = store
        self.business = business
        self.platforms = platforms
        self.frame = frame
        self.listeners: list[Listener] = []
        self._erase_photo = erase_photo
        self._office: Office | None = None
        self.inbox = Inbox(store, lambda: self.office, prepare, self._settled, bound)
        self.outbox = Outbox(store, platforms, lambda due_at: self.clock.wake(due_at))
        self.clock = Clock(store, business, self.inbox, self.outbox, self.settle)

    @property
    def office(self) -> Office:
        """The current snapshot."""
        if self._office is None:
            raise RuntimeError("the engine has not started")
        return self._office

    async def start(self, shipped: County | None = None) -> None:
        """Load the county (writing `shipped` when there is none), then take up what the last process left."""
        if shipped is not None and await self.store.read(county.empty):
            await self.store.write(partial(_found, shipped, self.frame.demo))
        await self.reload({"county"})
        await self.inbox.resume()
        await self.outbox.resume()

    async def reload(self, touched: set[str]) -> None:
        """Rebuild the office snapshot; the reader only when the county or the lessons changed."""
        found, learned = await self.store.read(lambda c: (county.load(c), lessons.standing(c)))
        keep = self._office.reader if self._office and not touched & {"county", "lessons"} else None
        self._office = await asyncio.to_thread(
            open_office,
            found,
            {name: platform.channel for name, platform in self.platforms.items()},
            self.frame.rules,
            self.frame.key,
            demo=self.frame.demo,
            lessons=tuple(Lesson(*row) for row in learned),
            reader=keep,
        )

    async def settle(self) -> None:
        """Wait until nothing is undecided or under way; what waits for a later moment may remain."""
        while self.inbox.open or self.outbox.busy:
            await self.inbox.idle()
            await self.outbox.idle()

    async def apply(self, job: Callable[[Tx], T]) -> T:
        """Run one job beside the pipeline (a page's form), then take up what it touched, queued or set."""
        outcome: Outcome[T] = (await self.store.submit((job,)))[0]
        value = outcome.result()
        await self._take_up(outcome.tx)
        return value

    async def close(self) -> None:
        """Stop in order; everything unfinished is on disk."""
        await self.inbox.close()
        await self.outbox.close()
        self.store.close()

    async def _settled(self, event: Event, outcome: Outcome[Decision]) -> None:
        await self._take_up(outcome.tx)
        if outcome.value is not None:
            for sha in outcome.value.erase_photos:
                self._erase_photo(sha)
        for listener in self.listeners:
            await listener(event, outcome)

    async def _take_up(self, tx: Tx) -> None:
        if tx.touched:
            await self.reload(tx.touched)
        if tx.outboxed:
            self.outbox.take(tx.outboxed)
        if tx.timer_due is not None:
            self.clock.wake(tx.timer_due)


def _found(shipped: County, demo: bool, tx: Tx) -> None:
    county.save(tx, shipped)
    meta.put(tx, "demo", "1" if demo else "")


def read_key(path: Path) -> bytes:
    """The data directory's own key, made at first start; refuses a file others can read."""
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(f"密钥文件 {path} 其他用户可读，请执行:chmod 600 {path}")
    key = path.read_bytes()
    if len(key) < 32:
        raise ConfigError(f"密钥文件 {path} 不完整，请从备份恢复。")
    return key
