"""Who looked at, asked for or was refused what: chained, purged at 400 days with the chain's head kept (security.md A.3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from store.history import digest
from store.writer import Tx


def append(tx: Tx, actor: str, role: str, source: str, object_: str, action: str, result: str) -> None:
    """Record one access or refusal. Only ids and codes, never words."""
    last = tx.one("select hash from audit order by seq desc limit 1")
    prev = last[0] if last else ""
    values = (tx.at, actor, role, source, object_, action, result, prev)
    tx.execute(
        "insert into audit (at, actor, role, source, object, action, result, prev, hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, digest(values)),
    )


def purge(tx: Tx, before: int) -> int:
    """Drop rows older than `before`, leaving one that carries the hash where the chain now begins."""
    gone = tx.one("select count(*), max(seq) from audit where at < ?", (before,))
    if not gone[0]:
        return 0
    head = tx.one("select hash from audit where seq = ?", (gone[1],))[0]
    tx.execute(
        "insert into meta (name, value) values ('audit_head', ?) on conflict (name) do update set value = excluded.value",
        (head,),
    )
    tx.execute("delete from audit where seq <= ?", (gone[1],))
    return int(gone[0])


def verify(connection: sqlite3.Connection) -> Iterator[str]:
    """Every contradiction found, in Chinese."""
    start = connection.execute("select value from meta where name = 'audit_head'").fetchone()
    prev = start[0] if start else ""
    for row in connection.execute(
        "select seq, at, actor, role, source, object, action, result, prev, hash from audit order by seq"
    ):
        if row[8] != prev:
            yield f"审计记录 {row[0]} 与前一条不相连"
        if digest(row[1:9]) != row[9]:
            yield f"审计记录 {row[0]} 被改动"
        prev = row[9]


def listing(connection: sqlite3.Connection, limit: int = 200) -> list[tuple[int, int, str, str, str, str, str, str]]:
    """Newest first: (seq, at, actor, role, source, object, action, result)."""
    return connection.execute(
        "select seq, at, actor, role, source, object, action, result from audit order by seq desc limit ?", (limit,)
    ).fetchall()
