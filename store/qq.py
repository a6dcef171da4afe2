"""The QQ official bot's books: windows in which somebody may be answered, the slot of a window each message took, addresses
that refuse unasked messages, and how far the gateway was read. A slot is written before its message leaves, so that a
repetition carries the same numbers and the platform knows it for the same message (platforms.md 5.6, security.md D.2).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.writer import Tx

KEPT = 30 * 86400  # seconds a window's books outlive it: so long its message can be quoted


@dataclass(frozen=True, slots=True)
class Window:
    """Until when `address` may be answered: `field` (msg_id or event_id) = `id` goes into each answer.

    `idx` is what quoting that message calls it.
    """

    id: str
    field: str
    address: str
    until: int
    idx: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a message leaves as: `parts` numbers from `first` within the window `id`. An empty id is a push."""

    id: str
    field: str
    first: int
    parts: int


PUSH = Slot("", "", 0, 0)


def open_window(tx: Tx, channel: str, window: Window) -> None:
    """Somebody spoke; said again, it changes nothing."""
    tx.execute(
        "insert into qq_window (channel, id, field, address, until, idx) values (?, ?, ?, ?, ?, ?) on conflict do nothing",
        (channel, window.id, window.field, window.address, window.until, window.idx),
    )


def windows(connection: sqlite3.Connection, channel: str, now: int) -> list[tuple[Window, int]]:
    """Windows still open and how many slots each has given, oldest first."""
    rows = connection.execute(
        "select w.id, w.field, w.address, w.until, w.idx, coalesce(sum(s.parts), 0) from qq_window w"
        " left join qq_slot s on s.channel = w.channel and s.window = w.id where w.channel = ? and w.until > ?"
        " group by w.id order by w.until",
        (channel, now),
    )
    return [(Window(*row[:5]), row[5]) for row in rows]


def slot_of(connection: sqlite3.Connection, seq: int) -> Slot | None:
    """What an earlier attempt at this message took."""
    row = connection.execute(
        "select s.window, coalesce(w.field, ''), s.first, s.parts from qq_slot s"
        " left join qq_window w on w.channel = s.channel and w.id = s.window where s.outbox = ?",
        (seq,),
    ).fetchone()
    return Slot(*row) if row else None


def quoted(connection: sqlite3.Connection, channel: str, idx: str) -> str:
    """The id of the message a quotation calls so; empty when unknown."""
    row = connection.execute(
        "select id from qq_window where channel = ? and idx = ? and idx <> ''", (channel, idx)
    ).fetchone()
    return row[0] if row else ""


def claim(tx: Tx, channel: str, seq: int, window: Window | None, parts: int) -> tuple[Slot, bool]:
    """What a message leaves as, and whether an earlier attempt took it: then nobody knows how that one ended."""
    if (held := slot_of(tx.connection, seq)) is not None:
        return held, True
    slot = PUSH if window is None else _next(tx, channel, window, parts)
    tx.execute(
        "insert into qq_slot (outbox, channel, window, first, parts) values (?, ?, ?, ?, ?)",
        (seq, channel, slot.id, slot.first, slot.parts),
    )
    return slot, False


def _next(tx: Tx, channel: str, window: Window, parts: int) -> Slot:
    open_window(tx, channel, window)
    last = tx.one(
        "select coalesce(max(first + parts), 1) from qq_slot where channel = ? and window = ?", (channel, window.id)
    )
    return Slot(window.id, window.field, int(last[0]), parts)


def give_back(tx: Tx, seq: int) -> None:
    """The message certainly did not leave, or a person decides about it."""
    tx.execute("delete from qq_slot where outbox = ?", (seq,))


def silence(tx: Tx, channel: str, address: str, seq: int = 0) -> None:
    """The address refuses unasked messages, said when this one was tried."""
    give_back(tx, seq)
    tx.execute(
        "insert into qq_silent (channel, address, at) values (?, ?, ?) on conflict do update set at = excluded.at",
        (channel, address, tx.at),
    )


def unsilence(tx: Tx, channel: str, address: str) -> None:
    """It allows them again, says the platform."""
    tx.execute("delete from qq_silent where channel = ? and address = ?", (channel, address))


def silent(connection: sqlite3.Connection, channel: str) -> dict[str, int]:
    """Addresses that refused, and when."""
    rows = connection.execute("select address, at from qq_silent where channel = ?", (channel,))
    return dict(rows.fetchall())


def reach(tx: Tx, channel: str, session: str, last: int) -> None:
    """How far the gateway's events are stored; an empty session starts afresh."""
    tx.execute(
        "insert into qq_session (channel, session, last) values (?, ?, ?)"
        " on conflict do update set session = excluded.session, last = excluded.last",
        (channel, session, last),
    )


def reached(connection: sqlite3.Connection, channel: str) -> tuple[str, int]:
    """The session to resume and its last stored event."""
    row = connection.execute("select session, last from qq_session where channel = ?", (channel,)).fetchone()
    return (row[0], row[1]) if row else ("", 0)


def forget(tx: Tx, before: int) -> None:
    """Windows long closed, with their slots, and pushes that came to an end."""
    tx.execute(
        "delete from qq_slot where window = ''"
        " and outbox not in (select seq from outbox where state in ('due', 'sending'))"
    )
    tx.execute(
        "delete from qq_slot where (channel, window) in (select channel, id from qq_window where until < ?)",
        (before - KEPT,),
    )
    tx.execute("delete from qq_window where until < ?", (before - KEPT,))
