"""One decision under way: the transaction, the event, who sent it, and the means to answer.

Everything said here becomes outbox rows in the same transaction; nothing leaves before the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from config.county import Person
from handlers.events import Event, Facts, Message
from handlers.office import Office
from store import Tx, audit, outbox, people, tasks
from store.outbox import OutboxRow
from store.tasks import Task

SYSTEM = Person("", "系统", "")
Buttons = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Turn:
    """What a handler gets. `refused` is a design 8 word when the request was turned down; `forget` erases the words.

    `answer_here` is the last answer to an event whose channel takes none: a console click reads it on its page.
    """

    tx: Tx
    event: Event
    facts: Facts
    office: Office
    sender: Person | None = None
    refused: str = ""
    forget: bool = False
    said: int = 0
    answer_here: str = ""
    erase_photos: list[str] = field(default_factory=list)

    @property
    def at(self) -> int:
        """The event's accept time."""
        return self.event.at

    @property
    def actor(self) -> Person:
        """The sender, or the system for timers."""
        return self.sender or SYSTEM

    def reply(
        self,
        kind: str,
        text: str,
        *,
        task: Task | None = None,
        mention: str = "",
        photos: tuple[str, ...] = (),
        buttons: Buttons = (),
    ) -> None:
        """Answer where the event came from, quoting it; at once, whatever the hour (design 6a.9)."""
        event = self.event
        if event.channel not in self.office.channels:
            self.answer_here = text
        else:
            called = (mention,) if mention and not self.quiet(task) else ()
            message = Message(text, called, photos, event.id if event.group else "", buttons)
            self.post(event.channel, event.address, kind, message, task=task)

    def tell_group(
        self,
        kind: str,
        text: str,
        task: Task,
        *,
        mention: str = "",
        photos: tuple[str, ...] = (),
        buttons: Buttons = (),
    ) -> None:
        """Speak in the task's group; outside duty hours only urgent tasks do so at once."""
        where = self.office.address_of(task.group_id, self.event.channel)
        if where is None:
            return
        quote = next((m for c, m in tasks.messages(self.tx, task.id) if c == where[0]), "")
        message = Message(text, (mention,) if mention else (), photos, quote, buttons)
        self.post(*where, kind, message, task=task, not_before=self.allowed(task))

    def tell(
        self, person: str, kind: str, text: str, *, task: Task | None = None, now: bool = False, buttons: Buttons = ()
    ) -> bool:
        """Write to one person alone. False when no channel reaches them or they asked for quiet."""
        where = self.office.private_address(person)
        if where is None or (people.muted(self.tx, person, self.at) and not (task and task.urgent)):
            return False
        due = self.at if now else self.allowed(task)
        self.post(*where, kind, Message(text, buttons=buttons), task=task, person=person, not_before=due)
        return True

    def answer(self, channel: str, address: str, kind: str, text: str, *, quote: str = "") -> None:
        """Answer at a given place, as a reply to what was said there earlier."""
        self.post(channel, address, kind, Message(text, quote=quote))

    def quiet(self, task: Task | None) -> bool:
        """Whether a notice about this task must wait: quiet hours, unless urgent."""
        return not (task and task.urgent) and self.office.worktime.is_quiet(self.at)

    def allowed(self, task: Task | None) -> int:
        """The first moment a notice about this task may leave; timers that wait for an answer start there."""
        return self.office.worktime.next_open(self.at) if self.quiet(task) else self.at

    def refuse(self, code: str, text: str, *, task: Task | None = None) -> None:
        """Turn a request down once, politely, and record it (deny by default)."""
        self.refused = code
        if text:
            self.reply("refused", text, task=task)
        role = "|".join(self.sender.roles) if self.sender else ""
        actor = self.sender.id if self.sender else f"{self.event.channel}:{self.event.sender}"
        audit.append(
            self.tx,
            actor,
            role,
            self.event.channel,
            task.id if task else "",
            self.event.action or self.event.kind,
            code,
        )

    def post(
        self,
        channel: str,
        address: str,
        kind: str,
        message: Message,
        *,
        task: Task | None = None,
        person: str = "",
        not_before: int | None = None,
        not_after: int | None = None,
        key: str = "",
    ) -> OutboxRow | None:
        """Queue a message to a place, beside everything this decision changes; `key`: once, whoever decides it."""
        self.said += 1
        return outbox.add(
            self.tx,
            key or f"{self.event.seq}/{self.said}",
            channel,
            address,
            kind,
            message.to_json(),
            task=task.id if task else None,
            person=person,
            origin=self.event.seq,
            not_before=not_before,
            not_after=not_after,
        )
