"""The event vocabulary: everything that can happen to the bot, as one frozen value, and its form in the inbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

CONSOLE = "console"  # the channel of clicks in the web console: its senders are person ids, signed in, and it takes no answers
KINDS = ("message", "recall", "joined", "timer", "click", "photo", "read", "secret", "calendar", "sources")


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture in an event: `ref` is how its platform names it, `sha` our hash once it is fetched and cleaned."""

    ref: str
    sha: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. Empty fields say that it does not apply.

    `address` is where its platform would be answered; `group` our group id; `sender` the platform's user id;
    `subject` and `action` name what a recall, timer or click is about.
    """

    channel: str
    id: str
    kind: str = "message"
    address: str = ""
    group: str = ""
    sender: str = ""
    name: str = ""
    text: str = ""
    photos: tuple[Photo, ...] = ()
    quote: str = ""
    addressed: bool = False
    voice: bool = False
    subject: str = ""
    action: str = ""
    due_at: int = 0
    sent_at: int | None = None
    seq: int = 0
    at: int = 0

    @property
    def private(self) -> bool:
        """Whether it came outside any group."""
        return self.kind == "message" and not self.group and self.address == self.sender

    @property
    def alone(self) -> bool:
        """Whether it was said to the bot alone, even when it is about a group's work."""
        return self.kind == "message" and self.address == self.sender != ""

    @property
    def lane(self) -> str:
        """What keeps its order: its group, or its sender."""
        return self.group or f"{self.channel}:{self.address or self.sender}"


_STORED = tuple(
    field.name
    for field in fields(Event)
    if field.name not in ("channel", "id", "kind", "sender", "sent_at", "seq", "at", "photos")
)
_DEFAULTS = {field.name: field.default for field in fields(Event)}


def body_of(event: Event) -> str:
    """The event as JSON, without what the inbox row's own columns say and without defaults."""
    body: dict[str, Any] = {name: getattr(event, name) for name in _STORED if getattr(event, name) != _DEFAULTS[name]}
    if event.photos:
        body["photos"] = [[photo.ref, photo.sha] for photo in event.photos]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def restored(
    channel: str, event_id: str, kind: str, sender: str, body: str, sent_at: int | None, seq: int, at: int
) -> Event:
    """The event an inbox row holds."""
    stored = json.loads(body)
    stored["photos"] = tuple(Photo(ref, sha) for ref, sha in stored.get("photos", ()))
    return Event(channel, event_id, kind, sender=sender, sent_at=sent_at, seq=seq, at=at, **stored)


def stamped(event: Event, seq: int, at: int) -> Event:
    """The event as accepted."""
    e = event  # spelled out: this runs for every event, and `replace` costs five times as much
    return Event(
        e.channel, e.id, e.kind, e.address, e.group, e.sender, e.name, e.text, e.photos, e.quote, e.addressed, e.voice,
        e.subject, e.action, e.due_at, e.sent_at, seq, at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What `prepare` found out before the decision. `photos` are cleaned ones; `bad_photos` sentences saying why not."""

    photos: tuple[str, ...] = ()
    bad_photos: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    reading: Any = None
    hearing: Any = None
    terms: tuple[tuple[str, ...], ...] | None = None  # an archive search's words; None: not cut in time


@dataclass(frozen=True, slots=True)
class Message:
    """One outgoing message, as the outbox keeps it: platforms render it within their own limits.

    `mention` are person ids; `buttons` (label, the text that clicking stands for), never the only way. `form` says how
    `text` is meant ("" plain, "markdown", or "news": then `articles`, (title, description, address) each, are what is
    shown and `text` is for whoever cannot show them). Only a channel that lists a form is given one.
    """

    text: str
    mention: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    quote: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    form: str = ""
    articles: tuple[tuple[str, str, str], ...] = ()

    def to_json(self) -> str:
        """For the outbox."""
        body: dict[str, Any] = {"text": self.text}
        for name in ("mention", "photos", "quote", "buttons", "form", "articles"):
            if value := getattr(self, name):
                body[name] = value
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Message:
        """From the outbox."""
        body = json.loads(text)
        return cls(
            body["text"],
            tuple(body.get("mention", ())),
            tuple(body.get("photos", ())),
            body.get("quote", ""),
            tuple((label, said) for label, said in body.get("buttons", ())),
            body.get("form", ""),
            tuple((title, about, url) for title, about, url in body.get("articles", ())),
        )
