"""The door: before the first write it is settled whether an event is kept at all, and in which form.

Secret words leave only a keyed hash, personal numbers only their masked form, chatter nothing (design 3 and 4).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from bot.windows import Windows
from config.county import Person
from digests.personal import IN_TAX, find_personal, mask
from digests.screening import find_secret
from handlers import listening
from handlers.editions import responses
from handlers.events import Event
from handlers.faq.hall import PERSONAL, in_tax_group
from handlers.faq.speech import PRIVATE
from handlers.listening import Heard
from handlers.office import Office
from store import Store, outbox, questions, tasks
from store.history import keyed_mark

TEXT_LIMIT = 4000  # characters; longer texts are cut here, before screening (security.md T25)


@dataclass(slots=True)
class _Gate:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    guests: int = 0


class Door:
    """Screens one event at a time, in order within its lane."""

    def __init__(self, store: Store, windows: Windows) -> None:
        self._store = store
        self._windows = windows
        self._gates: dict[str, _Gate] = {}

    async def screen(self, event: Event, office: Office) -> tuple[Event | None, str]:
        """The event as it may be stored, and why it is kept; None to forget it.

        A quote is looked up on disk; meanwhile nothing of its lane may overtake it.
        """
        doubt = listening.doubtful(event, office) if event.kind == "message" else None
        if not event.quote and doubt is None and event.lane not in self._gates:
            return self._screen(event, office, Heard())
        gate = self._gates.setdefault(event.lane, _Gate())
        gate.guests += 1
        try:
            async with gate.lock:
                return self._screen(event, office, await self._surroundings(event, doubt))
        finally:
            gate.guests -= 1
            if not gate.guests:
                del self._gates[event.lane]

    def _screen(self, event: Event, office: Office, heard: Heard) -> tuple[Event | None, str]:
        if event.kind == "recall" and self._windows.forget(event.group, event.sender, event.subject):
            return None, ""
        if event.kind not in ("message", "click"):
            return event, event.kind
        if len(event.text) > TEXT_LIMIT:
            event = replace(event, text=event.text[:TEXT_LIMIT])
        secret = find_secret(event.text) if event.text else None
        if secret is not None and secret.level != "warn":
            mark = keyed_mark(office.key, event.text)
            bare = replace(event, text="", photos=(), quote="", name="", action=secret.rule, subject=mark)
            return replace(bare, kind="secret"), "secret"
        now, event = self._store.now(), masked(event, office)
        heard = replace(heard, window_open=self._windows.is_open(event, now), now=now)
        reason = listening.keep(event, office, heard)
        if office.hall is not None and event.kind == "message" and in_tax_group(event, office):
            office.hall.note(event, now, office.hall.hear(event, now))
        if not reason:
            self._windows.remember(event, now)
            return None, ""
        if event.kind == "message" and event.group and reason != "reaction":
            self._windows.open(event.group, event.sender, now)  # before the commit: the next piece may come sooner
        return event, reason

    async def _surroundings(self, event: Event, doubt: tuple[str, Person] | None) -> Heard:
        if event.quote and await self._speaks_of_task(event):
            return Heard(quotes_task=True)
        if event.quote and event.group and await self._speaks_of_edition(event):
            return Heard(quotes_edition=True)
        if doubt is None:
            return Heard()
        verb, person = doubt
        return Heard(step_open=await self._store.read(lambda c: listening.step_open(c, verb, person, event.group)))

    async def _speaks_of_edition(self, event: Event) -> bool:
        channel, quote, group = event.channel, event.quote, event.group
        return bool(await self._store.read(lambda c: responses.edition_quoted(c, channel, quote, group)))

    async def _speaks_of_task(self, event: Event) -> bool:
        channel, quote = event.channel, event.quote

        def find(connection: Any) -> bool:
            return bool(
                tasks.of_message(connection, channel, quote)
                or outbox.task_of_receipt(connection, channel, quote)
                or questions.about(connection, channel, quote)
            )

        return await self._store.read(find)


def masked(event: Event, office: Office) -> Event:
    """The event without anybody's numbers; in a tax group without a firm's too, and its decision knows there were some."""
    marks = find_personal(event.text) if event.text else ()
    if not marks:
        return event
    if not in_tax_group(event, office) and not (event.private and office.hall is not None):
        return replace(event, text=mask(event.text, marks))
    told = PERSONAL if event.kind == "message" and any(found.kind in PRIVATE for found in marks) else event.action
    return replace(event, text=mask(event.text, marks, IN_TAX), action=told)
