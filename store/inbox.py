"""What came in. A row exists before its platform is answered, and stays open until one transaction settles it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.writer import Tx

_COLUMNS = "seq, channel, event_id, kind, lane, sender, body, sent_at, at"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One accepted event. `lane` is what keeps its order; `body` is the event as JSON."""

    seq: int
    channel: str
    event_id: str
    kind: str
    lane: str
    sender: str
    body: str
    sent_at: int | None
    at: int


def add(
    tx: Tx, channel: str, event_id: str, kind: str, lane: str, sender: str, body: str, sent_at: int | None
) -> InboxRow | None:
    """Store an event once. None when this (channel, event id) is already here: a redelivery."""
    cursor = tx.execute(
        "insert into inbox (channel, event_id, kind, lane, sender, body, sent_at, at) values (?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict (channel, event_id) do nothing",
        (channel, event_id, kind, lane, sender, body, sent_at, tx.at),
    )
    if not cursor.rowcount:
        return None
    row = InboxRow(int(cursor.lastrowid or 0), channel, event_id, kind, lane, sender, body, sent_at, tx.at)
    tx.inboxed.append(row)
    return row


class SettledBefore(RuntimeError):
    """A row that is not open was decided again: the transaction must not stand, or its effect would be doubled."""


def settle(tx: Tx, seq: int, state: str = "done", reason: str = "", forget: bool = False) -> None:
    """Close an open row in the transaction that carries its effect; `forget` also erases what it said."""
    body = ", body = '{}'" if forget else ""
    sql = f"update inbox set state = ?, reason = ?{body} where seq = ? and state = 'open'"
    if not tx.execute(sql, (state, reason, seq)).rowcount:
        raise SettledBefore(seq)
    tx.erased = tx.erased or forget


def reopen(tx: Tx, seq: int) -> InboxRow | None:
    """Take a parked row up again. None when it is not parked."""
    if not tx.execute(
        "update inbox set state = 'open', reason = '' where seq = ? and state = 'parked'", (seq,)
    ).rowcount:
        return None
    return InboxRow(*tx.one(f"select {_COLUMNS} from inbox where seq = ?", (seq,)))


def undecided(connection: sqlite3.Connection) -> list[InboxRow]:
    """Every open row in accept order: what a start-up takes up again."""
    return [
        InboxRow(*row)
        for row in connection.execute(
            f"select {_COLUMNS} from inbox where state <> 'done' and state = 'open' order by seq"  # the index's own words
        )
    ]


def parked(connection: sqlite3.Connection) -> list[tuple[InboxRow, str]]:
    """Rows whose decision failed, with the reason; a person looks at them."""
    rows = connection.execute(
        f"select {_COLUMNS}, reason from inbox where state <> 'done' and state = 'parked' order by seq desc limit 200"
    )
    return [(InboxRow(*row[:-1]), row[-1]) for row in rows]


def find(connection: sqlite3.Connection, channel: str, event_id: str) -> InboxRow | None:
    """The row of one platform message."""
    row = connection.execute(
        f"select {_COLUMNS} from inbox where channel = ? and event_id = ?", (channel, event_id)
    ).fetchone()
    return InboxRow(*row) if row else None


def is_open(connection: sqlite3.Connection, seq: int) -> bool:
    """Whether an event is still undecided."""
    return connection.execute("select 1 from inbox where seq = ? and state = 'open'", (seq,)).fetchone() is not None


def bodies(connection: sqlite3.Connection, seqs: Sequence[int]) -> dict[int, InboxRow]:
    """Rows by sequence number."""
    marks = ",".join("?" * len(seqs))
    rows = connection.execute(f"select {_COLUMNS} from inbox where seq in ({marks})", tuple(seqs))
    return {row[0]: InboxRow(*row) for row in rows}


def blank(tx: Tx, seq: int) -> None:
    """Erase what a settled row said, keeping that it came."""
    tx.execute("update inbox set body = '{}' where seq = ?", (seq,))
    tx.erased = True
