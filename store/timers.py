"""Moments at which something must happen, as rows: unique by (subject, kind, due_at), so each happens once."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.writer import Tx


@dataclass(frozen=True, slots=True)
class Timer:
    """`subject` is what it is about (a task or draft id), `lane` whose order its event joins."""

    subject: str
    kind: str
    due_at: int
    lane: str


def put(tx: Tx, subject: str, kind: str, due_at: int, lane: str) -> None:
    """Set the one timer of this kind for a subject, replacing an earlier one."""
    tx.execute("delete from timer where subject = ? and kind = ?", (subject, kind))
    tx.execute("insert into timer (subject, kind, due_at, lane) values (?, ?, ?, ?)", (subject, kind, due_at, lane))
    tx.timer_due = due_at if tx.timer_due is None else min(tx.timer_due, due_at)


def clear(tx: Tx, subject: str, *kinds: str) -> None:
    """Remove a subject's timers of these kinds, or all of them."""
    which = f" and kind in ({', '.join('?' * len(kinds))})" if kinds else ""
    tx.execute(f"delete from timer where subject = ?{which}", (subject, *kinds))


def take(tx: Tx, timer: Timer) -> bool:
    """Remove a timer as it fires; False when it was cleared meanwhile."""
    found = tx.execute(
        "delete from timer where subject = ? and kind = ? and due_at = ?", (timer.subject, timer.kind, timer.due_at)
    )
    return bool(found.rowcount)


def due(connection: sqlite3.Connection, now: int, limit: int = 500) -> list[Timer]:
    """Timers whose moment has come, in order."""
    rows = connection.execute(
        "select subject, kind, due_at, lane from timer where due_at <= ? order by due_at, subject limit ?", (now, limit)
    )
    return [Timer(*row) for row in rows]


def next_due(connection: sqlite3.Connection) -> int | None:
    """The earliest moment waiting."""
    row = connection.execute("select min(due_at) from timer").fetchone()
    return int(row[0]) if row[0] is not None else None


def of(connection: sqlite3.Connection, subject: str) -> list[Timer]:
    """A subject's timers."""
    return [
        Timer(*row)
        for row in connection.execute(
            "select subject, kind, due_at, lane from timer where subject = ? order by due_at", (subject,)
        )
    ]
