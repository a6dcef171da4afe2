"""Stand-ins for what a test cannot have: platforms of each delivery class, a clock that waits for orders, a leaping loop."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.platforms import Pace
from config.errors import Busy
from handlers.events import Message, Photo
from handlers.office import Channel
from store import Outcome, Store, Tx, outbox
from store.outbox import OutboxRow
from store.writer import Job, Then

NOON = 1_795_579_200  # 2026-11-25 12:00 in Shanghai, a working day
CLASSES = ("idempotent", "at-least-once", "at-most-once")


class FakeClock:
    """Stands still until told."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def advance_to(self, moment: int) -> None:
        """As business time does: never back."""
        self.at = max(self.at, moment)


class FakePlatform:
    """`answers` are played one per send: an exception to raise, an Event to wait for, or anything else for success."""

    def __init__(self, delivery: str = "idempotent", name: str = "fake", pace: Pace | None = None) -> None:
        self.channel = Channel(name, can_private=True, delivery=delivery, label=name)
        self.pace = pace or Pace()
        self.answers: deque[Any] = deque()
        self.tried: list[str] = []
        self.sent: list[str] = []
        self.trying = asyncio.Condition()

    async def send(self, row: OutboxRow, message: Message) -> str:
        self.tried.append(row.key)
        async with self.trying:
            self.trying.notify_all()
        answer = self.answers.popleft() if self.answers else None
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        elif isinstance(answer, BaseException):
            raise answer
        self.sent.append(row.key)
        return f"p{row.seq}"

    async def tries(self, count: int) -> None:
        """Wait until so many sends have begun."""
        async with self.trying:
            await self.trying.wait_for(lambda: len(self.tried) >= count)

    async def fetch(self, photo: Photo) -> bytes:
        return photo.ref.encode()

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def add_routes(self, app: web.Application) -> None: ...


@dataclass
class Disk:
    """Makes a store refuse: the next `refusing` submissions are answered Busy, as a full disk would."""

    store: Store
    refusing: int = 0
    refused: int = 0
    _submit: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        self._submit = self.store.submit
        self.store.submit = self._through  # type: ignore[method-assign]
        self.store.write = self._write  # type: ignore[method-assign, assignment]

    async def _through(self, jobs: Sequence[Job[Any]], then: Then | None = None) -> list[Outcome[Any]]:
        if self.refusing > 0:
            self.refusing -= 1
            self.refused += 1
            if then is not None:
                then(None)
            raise Busy("磁盘满")
        outcomes: list[Outcome[Any]] = await self._submit(jobs, then)
        return outcomes

    async def _write(self, job: Job[Any]) -> Any:
        return (await self._through((job,)))[0].result()


class Gate:
    """Holds the writer's thread inside a transaction until opened, so that others have to wait."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, tx: Tx) -> None:
        self.entered.set()
        assert self.opened.wait(10)


class LeapingLoop(asyncio.SelectorEventLoop):
    """Nobody waits: when nothing is ready, time leaps to the next thing scheduled. Only for code without threads."""

    _ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._ahead += max(0.0, self._scheduled[0].when() - self.time())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


_keys = itertools.count(1)


async def queue(store: Store, address: str = "g", channel: str = "fake", key: str = "", **more: Any) -> OutboxRow:
    """An outbox row, committed."""
    name, body = key or f"k{next(_keys)}", Message("好").to_json()
    row = await store.write(lambda tx: outbox.add(tx, name, channel, address, "received", body, **more))
    assert row is not None
    return row


async def row_of(store: Store, seq: int) -> OutboxRow:
    """How a row stands now."""
    row = await store.read(lambda c: outbox.by_seq(c, seq))
    assert row is not None
    return row


async def until(condition: Callable[[], bool]) -> None:
    """Let others work until something is so."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")
