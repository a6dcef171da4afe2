"""Views of the board a person saved: his own, by name; nobody else reads or changes them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.writer import Tx

MOST = 12  # of one person


@dataclass(frozen=True, slots=True)
class View:
    """`query`: the board's filters as in its address."""

    n: int
    name: str
    query: str


def of(source: Tx | sqlite3.Connection, person: str) -> list[View]:
    """One person's, in the order in which they were saved."""
    rows = source.execute("select n, name, query from board_view where person = ? order by n", (person,))
    return [View(*row) for row in rows.fetchall()]


def save(tx: Tx, person: str, name: str, query: str) -> bool:
    """Keep the filters under a name, a known name anew; False when there are too many."""
    known = {view.name for view in of(tx, person)}
    if name not in known and len(known) >= MOST:
        return False
    tx.execute(
        "insert into board_view (person, name, query, at) values (?, ?, ?, ?)"
        " on conflict (person, name) do update set query = excluded.query, at = excluded.at",
        (person, name, query, tx.at),
    )
    return True


def rename(tx: Tx, person: str, n: int, name: str) -> bool:
    """False when there is no such view, or the name is another's."""
    return bool(
        tx.execute("update or ignore board_view set name = ? where n = ? and person = ?", (name, n, person)).rowcount
    )


def delete(tx: Tx, person: str, n: int) -> bool:
    """False when there is no such view."""
    return bool(tx.execute("delete from board_view where n = ? and person = ?", (n, person)).rowcount)
