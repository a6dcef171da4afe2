"""Exports larger than one person may take alone: asked for, decided by another, valid for a day."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.writer import Tx

Reader = Tx | sqlite3.Connection
_COLUMNS = "n, at, person, query, rows, why, state, decided_by, decided_at"
LASTS = 86400  # seconds a grant may be used


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """`state`: asked, granted or denied."""

    n: int
    at: int
    person: str
    query: str
    rows: int
    why: str
    state: str = "asked"
    decided_by: str = ""
    decided_at: int | None = None

    def usable(self, person: str, query: str, now: int) -> bool:
        """Whether this person may take exactly this with it now."""
        fresh = self.decided_at is not None and now - self.decided_at <= LASTS
        return self.state == "granted" and fresh and (self.person, self.query) == (person, query)


def ask(tx: Tx, person: str, query: str, rows: int, why: str) -> int:
    """A new request; the standing one of the same person for the same rows is reused."""
    known = tx.one("select n from export_request where person = ? and query = ? and state = 'asked'", (person, query))
    if known is not None:
        return int(known[0])
    cursor = tx.execute(
        "insert into export_request (at, person, query, rows, why) values (?, ?, ?, ?, ?)",
        (tx.at, person, query, rows, why),
    )
    return int(cursor.lastrowid or 0)


def decide(tx: Tx, n: int, person: str, state: str) -> bool:
    """Grant or deny; False when it is decided already or one's own."""
    return bool(
        tx.execute(
            "update export_request set state = ?, decided_by = ?, decided_at = ?"
            " where n = ? and state = 'asked' and person <> ?",
            (state, person, tx.at, n, person),
        ).rowcount
    )


def get(source: Reader, n: int) -> ExportRequest | None:
    """One request."""
    row = source.execute(f"select {_COLUMNS} from export_request where n = ?", (n,)).fetchone()
    return ExportRequest(*row) if row else None


def listing(source: Reader, person: str = "", limit: int = 100) -> list[ExportRequest]:
    """Newest first; one person's, or everybody's."""
    rows = source.execute(
        f"select {_COLUMNS} from export_request where ? in ('', person) order by n desc limit ?", (person, limit)
    )
    return [ExportRequest(*row) for row in rows.fetchall()]


def waiting(source: Reader, but: str) -> int:
    """How many wait for a decision that is not this person's to ask."""
    sql = "select count(*) from export_request where state = 'asked' and person <> ?"
    return int(source.execute(sql, (but,)).fetchone()[0])
