"""A line of the built-in work group as browsers show it, made from the rows that hold its words."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, replace

from handlers.events import Event, Message, restored
from handlers.office import Office
from store import chat
from store.outbox import OutboxRow

QUOTED = 40  # characters of a quoted message that are shown above the answer
OURS = "群办"
WEB_ADDRESS = re.compile("https?://")


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line. `pos` orders it; chatter shares the position of the line before it and is not `kept`.

    `quoted` is who and what the line answers, cut short; `sender` is empty for the bot.
    """

    pos: int
    room: str
    id: str
    sender: str
    name: str
    text: str
    at: int
    photos: tuple[str, ...] = ()
    quote: str = ""
    kind: str = ""
    task: str | None = None
    mention: tuple[str, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    articles: tuple[tuple[str, str, str], ...] = ()
    recalled: bool = False
    kept: bool = True
    quoted: tuple[str, str] = ("", "")

    @property
    def empty(self) -> bool:
        """Whether nothing of it may be shown: its words were erased and nobody took it back."""
        return not (self.text or self.photos or self.recalled)


def private_room(person: str) -> str:
    """The room in which the bot and one person talk alone."""
    return f"@{person}"


def told(pos: int, room: str, row: OutboxRow, message: Message) -> ChatLine:
    """What the bot said, as it leaves."""
    return _told(pos, room, f"o{row.seq}", row.kind, row.task, row.at, message)


def chatter(pos: int, room: str, event: Event, person: str, name: str, at: int) -> ChatLine:
    """What a member said and nobody keeps."""
    shas = tuple(photo.sha for photo in event.photos if photo.sha)
    return ChatLine(pos, room, event.id, person, name, event.text, at, shas, event.quote, "message", kept=False)


def stored(line: chat.Line, office: Office, channel: str) -> ChatLine:
    """A stored line with names."""
    if line.told is not None:
        message = Message.from_json(line.told)
        line_id, kind = f"o{line.outbox_seq}", line.told_kind or ""
        return _told(line.pos, line.room, line_id, kind, line.task, line.told_at or 0, message)
    event = _event(line, channel)
    person = office.person_at.get((channel, event.sender))
    shown = chatter(
        line.pos,
        line.room,
        event,
        person.id if person else event.sender,
        person.name if person else event.name or "未登记",
        event.at,
    )
    if line.recalled_at is not None:
        return replace(shown, text="", photos=(), quote="", recalled=True, kept=True)
    return replace(shown, text=shown.text if event.kind != "secret" else "", kept=True)


def _event(line: chat.Line, channel: str) -> Event:
    return restored(
        channel,
        line.event_id or "",
        line.said_kind or "",
        line.sender or "",
        line.said or "{}",
        None,
        line.inbox_seq or 0,
        line.said_at or 0,
    )


def quoted(connection: sqlite3.Connection, office: Office, channel: str, message: str) -> tuple[str, str]:
    """Who said the quoted message and how it begins; empty when it is not here."""
    line = chat.of_message(connection, channel, message)
    return opening(stored(line, office, channel)) if line else ("", "")


def opening(line: ChatLine) -> tuple[str, str]:
    """A line's speaker and its first words."""
    words = line.text.strip().splitlines()[0] if line.text.strip() else "[照片]" if line.photos else "已撤回"
    return line.name, words if len(words) <= QUOTED else words[: QUOTED - 1] + "…"


def _told(pos: int, room: str, line_id: str, kind: str, task: str | None, at: int, message: Message) -> ChatLine:
    return ChatLine(
        pos,
        room,
        line_id,
        "",
        OURS,
        message.text,
        at,
        message.photos,
        message.quote,
        kind,
        task,
        message.mention,
        message.buttons,
        tuple((title, about, url if WEB_ADDRESS.match(url) else "") for title, about, url in message.articles),
    )
