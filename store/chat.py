"""Lines of the built-in work group. A line only points at the inbox or outbox row that holds its words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.writer import Tx

_OURS = re.compile(r"o[0-9]{1,15}")
_SELECT = (
    "select l.pos, l.room, l.recalled_at, l.inbox_seq, l.outbox_seq, i.event_id, i.sender, i.body, i.kind, i.at, o.body, o.kind, o.task, o.at"
    " from chat_line l left join inbox i on i.seq = l.inbox_seq left join outbox o on o.seq = l.outbox_seq"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as stored: from a member (inbox) or from the bot (outbox)."""

    pos: int
    room: str
    recalled_at: int | None
    inbox_seq: int | None
    outbox_seq: int | None
    event_id: str | None
    sender: str | None
    said: str | None
    said_kind: str | None
    said_at: int | None
    told: str | None
    told_kind: str | None
    task: str | None
    told_at: int | None


def add_said(tx: Tx, room: str, inbox_seq: int) -> int:
    """A member's kept message takes its place in the room."""
    return int(tx.execute("insert into chat_line (room, inbox_seq) values (?, ?)", (room, inbox_seq)).lastrowid or 0)


def add_told(tx: Tx, room: str, outbox_seq: int) -> int:
    """The bot's message takes its place, once; its position."""
    tx.execute(
        "insert into chat_line (room, outbox_seq) values (?, ?) on conflict (outbox_seq) where outbox_seq is not null do nothing",
        (room, outbox_seq),
    )
    return int(tx.one("select pos from chat_line where outbox_seq = ?", (outbox_seq,))[0])


def recall(tx: Tx, inbox_seq: int) -> None:
    """The line stays as 已撤回."""
    tx.execute("update chat_line set recalled_at = ? where inbox_seq = ?", (tx.at, inbox_seq))


def lines(source: Tx | sqlite3.Connection, room: str, before: int | None = None, limit: int = 60) -> list[Line]:
    """A room's newest lines before a position, oldest first."""
    rows = source.execute(
        f"{_SELECT} where l.room = ? and l.pos < ? order by l.pos desc limit ?", (room, before or 1 << 62, limit)
    ).fetchall()
    return [Line(*row) for row in reversed(rows)]


def after(source: Tx | sqlite3.Connection, rooms: Sequence[str], pos: int, limit: int = 200) -> list[Line]:
    """Lines of these rooms behind a position, in order: what a reconnecting browser missed."""
    marks = ", ".join("?" * len(rooms))
    rows = source.execute(
        f"{_SELECT} where l.room in ({marks}) and l.pos > ? order by l.pos limit ?", (*rooms, pos, limit)
    )
    return [Line(*row) for row in rows]


def at(source: Tx | sqlite3.Connection, pos: int) -> Line | None:
    """One line."""
    row = source.execute(f"{_SELECT} where l.pos = ?", (pos,)).fetchone()
    return Line(*row) if row else None


def of_inbox(source: Tx | sqlite3.Connection, inbox_seq: int) -> Line | None:
    """The line of a member's message."""
    row = source.execute(f"{_SELECT} where l.inbox_seq = ?", (inbox_seq,)).fetchone()
    return Line(*row) if row else None


def of_message(source: Tx | sqlite3.Connection, channel: str, message: str) -> Line | None:
    """The line a message id names: "o5" is the bot's outbox row 5, anything else a member's event."""
    if _OURS.fullmatch(message):
        row = source.execute(f"{_SELECT} where l.outbox_seq = ?", (int(message[1:]),)).fetchone()
    else:
        sought = "l.inbox_seq = (select seq from inbox where channel = ? and event_id = ?)"
        row = source.execute(f"{_SELECT} where {sought}", (channel, message)).fetchone()
    return Line(*row) if row else None


def remove(tx: Tx, inbox_seq: int) -> None:
    """A member's message was forgotten after all: its line goes too."""
    tx.execute("delete from chat_line where inbox_seq = ?", (inbox_seq,))


def recalled(source: Tx | sqlite3.Connection, rooms: Sequence[str], pos: int) -> list[Line]:
    """Lines behind a position that were taken back."""
    marks = ", ".join("?" * len(rooms))
    sql = f"{_SELECT} where l.room in ({marks}) and l.pos > ? and l.recalled_at is not null order by l.pos"
    return [Line(*row) for row in source.execute(sql, (*rooms, pos))]


def read_pos(source: Tx | sqlite3.Connection, person: str, room: str) -> int:
    """How far a member has read."""
    row = source.execute("select pos from chat_read where person = ? and room = ?", (person, room)).fetchone()
    return int(row[0]) if row else 0


def last_pos(source: Tx | sqlite3.Connection) -> int:
    """The newest position anywhere."""
    return int(source.execute("select coalesce(max(pos), 0) from chat_line").fetchone()[0])


def mark_read(tx: Tx, person: str, room: str, pos: int) -> None:
    """A member has seen a room up to here."""
    tx.execute(
        "insert into chat_read (person, room, pos) values (?, ?, ?) on conflict (person, room) do update set pos = max(pos, excluded.pos)",
        (person, room, pos),
    )


def unread(source: Tx | sqlite3.Connection, person: str, rooms: Sequence[str]) -> dict[str, int]:
    """Unread lines by room, other people's and the bot's."""
    marks = ", ".join("?" * len(rooms))
    rows = source.execute(
        f"select l.room, count(*) from chat_line l left join chat_read r on r.person = ? and r.room = l.room"
        f" left join inbox i on i.seq = l.inbox_seq where l.room in ({marks}) and l.pos > coalesce(r.pos, 0)"
        " and coalesce(i.sender, '') <> ? group by l.room",
        (person, *rooms, person),
    )
    return dict(rows.fetchall())
