"""What only a demo needs: emptying the database while it runs, and looking behind a message."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from config.errors import Rejected
from store import meta
from store.writer import Tx

KEPT = frozenset({"meta", "inbox", "ledger", "_sqlite_migrations", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})


def wipe(tx: Tx) -> list[str]:
    """Delete every row; returns the hashes of the photos whose files go too.

    The newest inbox row stays, blank: a witness outside the database remembers its number (store.witness), and accept
    times must not fall behind it. The append-only guards step aside for this transaction and stand again after it.
    """
    if not meta.get(tx.connection, "demo"):
        raise Rejected("只有演示数据可以清空。", "not_allowed")
    shas = [row[0] for row in tx.all("select sha from photo")]
    guards = tx.all("select name, sql from sqlite_master where type = 'trigger'")
    for name, _ in guards:
        tx.execute(f"drop trigger {name}")
    for table, contentless in _tables(tx):
        tx.execute(f"insert into {table} ({table}) values ('delete-all')" if contentless else f"delete from {table}")
    tx.execute("delete from inbox where seq < (select max(seq) from inbox)")
    tx.execute("update inbox set body = '{}', sender = '', event_id = 'reset/' || seq, state = 'done', reason = ''")
    for _, sql in guards:
        tx.execute(sql)
    return shas


def _tables(tx: Tx) -> list[tuple[str, bool]]:
    """Every table of ours but those kept; of a search index only the index itself, not the tables it hides in.

    Beside each: whether it is an index that keeps no text, which is emptied by a command of its own.
    """
    rows = tx.all("select name, sql from sqlite_master where type = 'table'")
    indexes = [name for name, sql in rows if (sql or "").lower().startswith("create virtual table")]
    hidden = {name for name, _ in rows for index in indexes if name.startswith(f"{index}_")}
    shown = [
        (name, "content=''" in (sql or "").replace(" ", ""))
        for name, sql in rows
        if name not in KEPT and name not in hidden
    ]
    return [(f'"{name}"', contentless) for name, contentless in shown]


@dataclass(frozen=True, slots=True)
class Event:
    """One inbox row with how it was settled."""

    seq: int
    channel: str
    event_id: str
    kind: str
    lane: str
    sender: str
    at: int
    state: str
    reason: str
    body: str


def event(connection: sqlite3.Connection, seq: int) -> Event | None:
    """An inbox row as an inspector shows it."""
    sql = "select seq, channel, event_id, kind, lane, sender, at, state, reason, body from inbox where seq = ?"
    row = connection.execute(sql, (seq,)).fetchone()
    return Event(*row) if row else None
