"""What goes out. A row is written in the transaction that decided it and lives until sent, expired, unknown or dead.

States: due → (sending →) sent | unknown | dead | expired | held. `sending` is written before the attempt only for
channels that promise at-most-once; found at start it means nobody knows, and it becomes unknown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.writer import Tx

DATED = "('answer', 'policy', 'edition')"  # kinds that are said in force, or on their day, or not at all (design 1.3)
AWAITING = "等对方先开口"  # why a message waits that holds up no later one
HOLDS = 3  # failed attempts (some 20 s) after which a message no longer holds up its address

_COLUMNS = "seq, key, channel, address, lane, kind, task, person, body, origin, not_before, not_after, at, state, attempts, receipt, reason"
# conditions begin with the words of a partial index, or SQLite would read the whole table
_DUE = "state in ('due', 'sending') and state = 'due'"
_RESTS = f"{_DUE} and not_before > ? and reason not in ('', '{AWAITING}') and attempts <= ?"
_UNSETTLED = {"unknown": "state in ('unknown', 'dead') and", "dead": "state in ('unknown', 'dead') and"}


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


def begin(tx: Tx, seq: int) -> bool:
    """An attempt begins that nobody could repeat. False when the row is no longer due: then it must not be sent."""
    return bool(tx.execute("update outbox set state = 'sending' where seq = ? and state = 'due'", (seq,)).rowcount)


def mark(tx: Tx, seq: int, state: str, *, receipt: str | None = None, reason: str = "") -> None:
    """Record how an attempt ended."""
    tx.execute(
        "update outbox set state = ?, receipt = coalesce(?, receipt), reason = ?, attempts = attempts + 1, done_at = ? where seq = ?",
        (state, receipt, reason, tx.at, seq),
    )


def postpone(tx: Tx, seq: int, not_before: int, reason: str, tried: int = 1) -> None:
    """Try again later; `tried` 0 when there was nobody to try with."""
    tx.execute(
        "update outbox set state = 'due', attempts = attempts + ?, not_before = ?, reason = ? where seq = ?",
        (tried, not_before, reason, seq),
    )


def hasten(tx: Tx, channel: str, reason: str, address: str = "") -> int:
    """Make due now what was postponed for this reason (the channel is connected, the address spoke); how many."""
    return tx.execute(
        f"update outbox set not_before = ? where {_DUE} and not_before > ? and channel = ? and reason = ?"
        " and ? in ('', address)",
        (tx.at, tx.at, channel, reason, address),
    ).rowcount


def awaiting(connection: sqlite3.Connection, channel: str) -> set[str]:
    """Addresses where something waits for somebody to speak."""
    rows = connection.execute(
        f"select distinct address from outbox where {_DUE} and channel = ? and reason = ?", (channel, AWAITING)
    )
    return {address for (address,) in rows}


def resend(tx: Tx, seq: int) -> OutboxRow | None:
    """Put an unknown, dead or expired message back in line. None when it is in no such state, or would not be true now."""
    changed = tx.execute(
        "update outbox set state = 'due', not_before = ?, attempts = 0, reason = '',"
        f" not_after = case when kind in {DATED} then not_after end where seq = ?"
        f" and state in ('unknown', 'dead', 'expired') and (kind not in {DATED} or coalesce(not_after, ?) >= ?)",
        (tx.at, seq, tx.at, tx.at),
    ).rowcount
    if not changed:
        return None
    row = OutboxRow(*tx.one(f"select {_COLUMNS} from outbox where seq = ?", (seq,)))
    tx.outboxed.append(row)
    return row


def cancel(tx: Tx, task: str, *kinds: str) -> int:
    """Withdraw messages of these kinds about a task that have not left yet; how many.

    The rows stay: SQLite would give the number of a deleted newest row to the next one, and whoever still holds the
    old row in memory would then book the new one as sent.
    """
    marks = ", ".join("?" * len(kinds))
    gone = tx.execute(
        f"update outbox set state = 'expired', reason = '情况已变，不再发送', done_at = ? where task = ? and kind in ({marks})"
        " and state = 'due' and attempts = 0 and done_at is null returning seq",
        (tx.at, task, *kinds),
    ).fetchall()
    tx.withdrawn += [seq for (seq,) in gone]
    return len(gone)


def adopt_interrupted(tx: Tx) -> int:
    """At start: an attempt that was under way when the process died has an unknown end."""
    return tx.execute(
        "update outbox set state = 'unknown', reason = '发送途中程序中断，结果不明', done_at = ?"
        " where state in ('due', 'sending') and state = 'sending'",
        (tx.at,),
    ).rowcount


def due(connection: sqlite3.Connection, until: int, channels: Sequence[str], per_lane: int = 100) -> list[OutboxRow]:
    """Rows of these channels whose time has come, the oldest of each address, without addresses that rest."""
    marks = ", ".join("?" * len(channels))
    rows = connection.execute(
        f"select {_COLUMNS} from (select {_COLUMNS}, row_number() over (partition by lane order by seq) as place"
        f" from outbox where {_DUE} and not_before <= ? and channel in ({marks})"
        f" and lane not in (select lane from outbox where {_RESTS})) where place <= ? order by seq",
        (until, *channels, until, HOLDS, per_lane),
    )
    return [OutboxRow(*row) for row in rows]


def resting(connection: sqlite3.Connection, after: int) -> dict[str, int]:
    """Lanes whose first message is to be tried again, and when: what comes later must not overtake it."""
    rows = connection.execute(f"select lane, max(not_before) from outbox where {_RESTS} group by lane", (after, HOLDS))
    return dict(rows.fetchall())


def next_due(connection: sqlite3.Connection, after: int) -> int | None:
    """When the next waiting row becomes due."""
    row = connection.execute(f"select min(not_before) from outbox where {_DUE} and not_before > ?", (after,)).fetchone()
    return int(row[0]) if row[0] is not None else None


def by_seq(connection: sqlite3.Connection, seq: int) -> OutboxRow | None:
    """One row."""
    row = connection.execute(f"select {_COLUMNS} from outbox where seq = ?", (seq,)).fetchone()
    return OutboxRow(*row) if row else None


def listing(connection: sqlite3.Connection, state: str = "", limit: int = 200) -> list[OutboxRow]:
    """Newest first, for the delivery page."""
    where, values = (f"where {_UNSETTLED.get(state, '')} state = ?", [state]) if state else ("", [])
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
        "select state, count(*) from outbox where state in ('due', 'sending') group by state"
        " union all select state, count(*) from outbox where state in ('unknown', 'dead') group by state"
    )
    return dict(rows.fetchall())


def task_of_receipt(source: Tx | sqlite3.Connection, channel: str, receipt: str) -> str | None:
    """The task a bot message was about, by the platform's id of that message."""
    sql = "select task from outbox where channel = ? and receipt = ? and task is not null"
    row = source.execute(sql, (channel, receipt)).fetchone()
    return row[0] if row else None


def key_of_receipt(source: Tx | sqlite3.Connection, channel: str, receipt: str, kind: str) -> str:
    """The key of a message of one kind, by the platform's id of it; "" for any other."""
    sql = "select key from outbox where channel = ? and receipt = ? and kind = ?"
    row = source.execute(sql, (channel, receipt, kind)).fetchone()
    return str(row[0]) if row else ""


def count_to(tx: Tx, task: str, person: str, kinds: tuple[str, ...]) -> int:
    """How many messages of these kinds a person got or will get about a task (reminder cap, design 6a.3)."""
    marks = ",".join("?" * len(kinds))
    return int(
        tx.one(
            f"select count(*) from outbox where task = ? and person = ? and kind in ({marks})"
            " and not (state = 'expired' and attempts = 0)",
            (task, person, *kinds),
        )[0]
    )
