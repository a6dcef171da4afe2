"""Single named values: which county is loaded, whether this is a demo, keys that must travel with the data."""

from __future__ import annotations

import sqlite3

from store.writer import Tx


def get(source: Tx | sqlite3.Connection, name: str, default: str = "") -> str:
    """A value, or the default."""
    row = source.execute("select value from meta where name = ?", (name,)).fetchone()
    return str(row[0]) if row else default


def put(tx: Tx, name: str, value: str) -> None:
    """Set a value."""
    tx.execute(
        "insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
        (name, value),
    )
