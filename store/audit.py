"""Who looked at, asked for or was refused what: chained, purged at 400 days with the chain's head kept (security.md A.3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from store.history import digest
from store.writer import Tx

Row = tuple[int, int, str, str, str, str, str, str]  # seq, at, actor, role, source, object, action, result
_ROW = "seq, at, actor, role, source, object, action, result"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows: by any of these actors, with these letters in object or action, with or without these results, since and before."""

    actors: tuple[str, ...] = ()
    what: str = ""
    results: tuple[str, ...] = ()
    others: bool = False  # results are those not wanted
    since: int | None = None
    until: int | None = None


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


def listing(connection: sqlite3.Connection, limit: int = 200) -> list[Row]:
    """Newest first."""
    return search(connection, Sought(), limit)


def search(connection: sqlite3.Connection, sought: Sought, limit: int, before: int | None = None) -> list[Row]:
    """The newest rows that fit, below a row's number when one is given."""
    terms, values = _terms(sought)
    if before is not None:
        terms, values = [*terms, "seq < ?"], [*values, before]
    where = f" where {' and '.join(terms)}" if terms else ""
    return connection.execute(f"select {_ROW} from audit{where} order by seq desc limit ?", (*values, limit)).fetchall()


def _terms(sought: Sought) -> tuple[list[str], list[str | int]]:
    letters = sought.what.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    found: list[tuple[str, tuple[str | int, ...]]] = []
    if sought.actors:
        found.append((f"actor in ({', '.join('?' * len(sought.actors))})", sought.actors))
    if sought.what:
        found.append((r"(object like ? escape '\' or action like ? escape '\')", (f"%{letters}%", f"%{letters}%")))
    if sought.results:
        found.append((f"result {'not ' * sought.others}in ({', '.join('?' * len(sought.results))})", sought.results))
    if sought.since is not None:
        found.append(("at >= ?", (sought.since,)))
    if sought.until is not None:
        found.append(("at < ?", (sought.until,)))
    return [term for term, _ in found], [value for _, some in found for value in some]


def count(connection: sqlite3.Connection) -> int:
    """How many rows there are."""
    return int(connection.execute("select count(*) from audit").fetchone()[0])
