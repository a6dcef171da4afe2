"""An inbox with the real store and no office: a message says in its own words how it wants to be treated.

"keep …" is kept, "boom …" is kept and cannot be decided, "command …" needs nothing prepared, anything else is chatter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bot import door
from bot import inbox as taking
from bot.inbox import Inbox, Rest
from handlers import Decision
from handlers.events import Event, Facts
from handlers.listening import Heard
from store import Outcome, Store, Tx, inbox, outbox
from tests.fakes import FakeClock

OFFICE: Any = SimpleNamespace(key=b"k" * 32, person_at={}, groups={}, hall=None)


def said(text: str, id: str = "", group: str = "g", sender: str = "a", **more: Any) -> Event:
    """A message; its text is its id unless told otherwise."""
    return Event("web", id or f"{sender}/{text}", group=group, sender=sender, address=group, text=text, **more)


class Lanes:
    """`decided` are the texts in the order their decisions were committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Any = None, bound: int = 2000) -> None:
        self.clock = FakeClock()
        self.store = Store.open(folder, self.clock)
        self.decided: list[str] = []
        self.told: list[str] = []
        self.facts: dict[str, Facts] = {}
        self.slow: dict[str, Awaitable[object]] = {}
        self.prepared: list[str] = []
        self.deciding: Callable[[Tx, Event], None] = lambda tx, event: None
        self.after: Callable[[Event], Awaitable[None]] | None = None
        self._bound = bound
        monkeypatch.setattr(taking, "RETRY_SECONDS", (0.0,))
        monkeypatch.setattr(taking, "decide", self._decide)
        fake = SimpleNamespace(keep=_keep, doubtful=lambda event, office: None)
        monkeypatch.setattr(door, "listening", fake)
        self.inbox = self.fresh()

    def fresh(self) -> Inbox:
        """Another inbox on the same store, as after a restart."""
        self.inbox = Inbox(self.store, lambda: OFFICE, self._prepare, self._settled, self._bound)
        return self.inbox

    async def say(self, *events: Event) -> list[str]:
        """Accept, one by one; what became of each."""
        return [(await self.inbox.accept((event,)))[0].state for event in events]

    async def states(self) -> dict[str, str]:
        """Text (event id) → state of its row, in accept order."""
        rows = await self.store.read(lambda c: c.execute("select event_id, state from inbox order by seq").fetchall())
        return dict(rows)

    async def close(self) -> None:
        await self.inbox.close()
        self.store.close()

    async def _prepare(self, event: Event, office: Any) -> Facts:
        self.prepared.append(event.text)
        if event.text in self.slow:
            await self.slow[event.text]
        return self.facts.get(event.text, Facts())

    def _decide(self, tx: Tx, event: Event, facts: Facts, office: Any) -> Decision:
        name = event.text or event.id
        outbox.add(tx, f"{event.seq}/1", "web", "g", "received", "{}", origin=event.seq)
        if event.text.startswith("boom"):
            raise ValueError(event.text)
        self.deciding(tx, event)
        inbox.settle(tx, event.seq)
        self.decided.append(name)
        return Decision("", False, ())

    def _settled(self, event: Event, outcome: Outcome[Decision]) -> Rest | None:
        self.told.append(event.text or event.id)
        after = self.after
        return (lambda: after(event)) if after is not None else None


def _keep(event: Event, office: Any, heard: Heard) -> str:
    if event.kind != "message":
        return event.kind
    word = event.text.partition(" ")[0]
    if word in ("keep", "boom"):
        return "report"
    if word == "command":
        return "command"
    return "quote" if heard.quotes_task else "window" if heard.window_open else ""


async def settle(inbox_: Inbox) -> None:
    """Until nothing is undecided."""
    async with asyncio.timeout(10):
        await inbox_.idle()
