"""What goes out. A row is written in the transaction that decided it and lives until sent, expired, unknown or dead.

States: due → (sending →) sent | unknown | dead | expired | held. `sending` is written before the attempt only for
channels that promise at-most-once; found at start it means nobody knows, and it becomes unknown.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.writer import Tx

_COLUMNS = "seq, key, channel, address, lane, kind, task, person, body, origin, not_before, not_after, at, state, attempts, receipt, reason"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message to one address. `key` makes it unique; `body` is the message as JSON; `origin` the inbox row it answers."""

    seq: int
    key: str
    channel: str
    address: str
    lane: str
    kind: str
    task: str | None
    person: str
    body: str
    origin: int | None
    not_before: int
    not_after: int | None
    at: int
    state: str = "due"
    attempts: int = 0
    receipt: str | None = None
    reason: str = ""


def add(
    tx: Tx,
    key: str,
    channel: str,
    address: str,
    kind: str,
    body: str,
    *,
    task: str | None = None,
    person: str = "",
    origin: int | None = None,
    not_before: int | None = None,
    not_after: int | None = None,
) -> OutboxRow | None:
    """Queue a message once per key; None when the key is known."""
    due, lane = tx.at if not_before is None else not_before, f"{channel}/{address}"
    cursor = tx.execute(
        "insert into outbox (key, channel, address, lane, kind, task, person, body, origin, not_before, not_after, at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (key) do nothing",
        (key, channel, address, lane, kind, task, person, body, origin, due, not_after, tx.at),
    )
    if not cursor.rowcount:
        return None
    row = OutboxRow(
        int(cursor.lastrowid or 0), key, channel, address, lane, kind, task, person, body, origin, due, not_after, tx.at
    )
    tx.outboxed.append(row)
    return row


def mark(tx: Tx, seq: int, state: str, *, receipt: str | None = None, reason: str = "") -> None:
    """Record how an attempt ended (or, with `sending`, that it begins)."""
    tx.execute(
        "update outbox set state = ?, receipt = coalesce(?, receipt), reason = ?, attempts = attempts + ?, done_at = ? where seq = ?",
        (state, receipt, reason, state != "sending", tx.at if state != "sending" else None, seq),
    )


def postpone(tx: Tx, seq: int, not_before: int, reason: str, tried: int = 1) -> None:
    """Try again later; `tried` 0 when there was nobody to try with."""
    tx.execute(
        "update outbox set state = 'due', attempts = attempts + ?, not_before = ?, reason = ? where seq = ?",
        (tried, not_before, reason, seq),
    )


def hasten(tx: Tx, channel: str, reason: str) -> int:
    """Make due now what was postponed for this reason (the channel is connected again); how many."""
    return tx.execute(
        "update outbox set not_before = ? where state = 'due' and not_before > ? and channel = ? and reason = ?",
        (tx.at, tx.at, channel, reason),
    ).rowcount


def resend(tx: Tx, seq: int) -> OutboxRow | None:
    """Put an unknown, dead or expired message back in line. None when it is in no such state."""
    changed = tx.execute(
        "update outbox set state = 'due', not_before = ?, not_after = null, reason = '' where seq = ? and state in ('unknown', 'dead', 'expired')",
        (tx.at, seq),
    ).rowcount
    if not changed:
        return None
    row = OutboxRow(*tx.one(f"select {_COLUMNS} from outbox where seq = ?", (seq,)))
    tx.outboxed.append(row)
    return row


def cancel(tx: Tx, task: str, kind: str) -> int:
    """Withdraw messages of a kind about a task that have not left yet; how many."""
    return tx.execute(
        "delete from outbox where task = ? and kind = ? and state = 'due' and attempts = 0", (task, kind)
    ).rowcount


def adopt_interrupted(tx: Tx) -> int:
    """At start: an attempt that was under way when the process died has an unknown end."""
    return tx.execute(
        "update outbox set state = 'unknown', reason = '发送途中程序中断，结果不明' where state = 'sending'"
    ).rowcount


def due(connection: sqlite3.Connection, until: int, limit: int = 5000) -> list[OutboxRow]:
    """Unsettled rows whose time has come, oldest first."""
    rows = connection.execute(
        f"select {_COLUMNS} from outbox where state = 'due' and not_before <= ? order by not_before, seq limit ?",
        (until, limit),
    )
    return [OutboxRow(*row) for row in rows]


def next_due(connection: sqlite3.Connection, after: int) -> int | None:
    """When the next waiting row becomes due."""
    row = connection.execute(
        "select min(not_before) from outbox where state = 'due' and not_before > ?", (after,)
    ).fetchone()
    return int(row[0]) if row[0] is not None else None


def by_seq(connection: sqlite3.Connection, seq: int) -> OutboxRow | None:
    """One row."""
    row = connection.execute(f"select {_COLUMNS} from outbox where seq = ?", (seq,)).fetchone()
    return OutboxRow(*row) if row else None


def listing(connection: sqlite3.Connection, state: str = "", limit: int = 200) -> list[OutboxRow]:
    """Newest first, for the delivery page."""
    where, values = ("where state = ?", [state]) if state else ("", [])
    return [
        OutboxRow(*row)
        for row in connection.execute(
            f"select {_COLUMNS} from outbox {where} order by seq desc limit ?", (*values, limit)
        )
    ]


def of_origin(connection: sqlite3.Connection, origin: int) -> list[OutboxRow]:
    """What one inbox row led to."""
    return [
        OutboxRow(*row)
        for row in connection.execute(f"select {_COLUMNS} from outbox where origin = ? order by seq", (origin,))
    ]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows stand in each state that is not final."""
    rows = connection.execute(
        "select state, count(*) from outbox where state not in ('sent', 'expired') group by state"
    )
    return dict(rows.fetchall())


def task_of_receipt(source: Tx | sqlite3.Connection, channel: str, receipt: str) -> str | None:
    """The task a bot message was about, by the platform's id of that message."""
    sql = "select task from outbox where channel = ? and receipt = ? and task is not null"
    row = source.execute(sql, (channel, receipt)).fetchone()
    return row[0] if row else None


def count_to(tx: Tx, task: str, person: str, kinds: tuple[str, ...]) -> int:
    """How many messages of these kinds were ever queued to a person about a task (reminder cap, design 6a.3)."""
    marks = ",".join("?" * len(kinds))
    return int(
        tx.one(
            f"select count(*) from outbox where task = ? and person = ? and kind in ({marks})", (task, person, *kinds)
        )[0]
    )
