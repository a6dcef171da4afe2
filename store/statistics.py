"""The history as the statistics read it: whole lives of tasks, in order, and nothing but history rows (design 4).

A period needs only the lives that something happened in, or that are still open; `every` reads them all, for a check.
A step's time is when its cause was accepted: what is decided after a restart keeps the hour at which it was said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

_STEP = "task, n, at, event, from_state, to_state, unit, code, due_at"
_OPEN = "state not in ('closed', 'rejected', 'merged', 'withdrawn')"  # the partial index's own words


class Step(NamedTuple):
    """What counting needs of a history row; `due_at` is the limit after the step."""

    task: str
    n: int
    at: int
    event: str
    source: str
    target: str
    unit: str
    code: str
    due_at: int | None


Life = list[Step]


def since(connection: sqlite3.Connection, start: int) -> Iterator[Life]:
    """Every life that may count in a period beginning at `start`, by task id."""
    rows = connection.execute(
        f"select {_STEP} from history where task in (select task from history where at >= ?"
        f" union select id from task where {_OPEN}) order by task, n",
        (start,),
    )
    return _lives(rows)


def every(connection: sqlite3.Connection, upto: int | None = None) -> Iterator[Life]:
    """Every life, by task id, as it stood when row `upto` was the newest."""
    where, values = ("", ()) if upto is None else ("where seq <= ?", (upto,))
    return _lives(connection.execute(f"select {_STEP} from history {where} order by task, n", values))


def as_written(connection: sqlite3.Connection) -> Iterator[Life]:
    """Every life, gathered from the rows in the order in which they were written, the latest begun first."""
    found: dict[str, Life] = {}
    for row in connection.execute(f"select {_STEP} from history order by seq"):
        found.setdefault(row[0], []).append(Step._make(row))
    return reversed(found.values())


def last_at(connection: sqlite3.Connection) -> int:
    """The latest moment of any step; 0 before the first."""
    return int(connection.execute("select coalesce(max(at), 0) from history").fetchone()[0])


def newest(connection: sqlite3.Connection) -> int:
    """The number of the newest row; 0 before the first."""
    return int(connection.execute("select coalesce(max(seq), 0) from history").fetchone()[0])


def rows_before(connection: sqlite3.Connection, end: int) -> int:
    """How many steps were taken before a moment."""
    return int(connection.execute("select count(*) from history where at < ?", (end,)).fetchone()[0])


def _lives(rows: sqlite3.Cursor) -> Iterator[Life]:
    life: Life = []
    for row in rows:
        step = Step._make(row)
        if life and life[0].task != step.task:
            yield life
            life = []
        life.append(step)
    if life:
        yield life
