"""What people put right: rows that the learner is a pure function of (design 4). Revoked, never deleted."""

from __future__ import annotations

import sqlite3

from store.writer import Tx


def add(tx: Tx, task: str, text: str, category: str, unit: str, place: str, actor: str) -> None:
    """Remember a correction; it takes effect when the office snapshot is next rebuilt, right after the commit."""
    tx.execute(
        "insert into lesson (at, task, text, category, unit, place, actor) values (?, ?, ?, ?, ?, ?, ?)",
        (tx.at, task, text, category, unit, place, actor),
    )
    tx.touched.add("lessons")


def standing(source: Tx | sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    """(text, category, unit, place) of every lesson not revoked, in order."""
    return source.execute(
        "select text, category, unit, place from lesson where revoked_at is null order by seq"
    ).fetchall()
