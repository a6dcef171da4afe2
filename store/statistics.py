"""The history as the statistics read it: whole lives of tasks, in order, and nothing but history rows (design 4).

A period needs only the lives that something happened in, or that are still open; `every` reads them all, for a check.
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
        f"select {_STEP} from history where task in (select task from history where seq >= ?"
        f" union select id from task where {_OPEN}) order by task, n",
        (_first_since(connection, start),),
    )
    return _lives(rows)


def every(connection: sqlite3.Connection) -> Iterator[Life]:
    """Every life, by task id."""
    return _lives(connection.execute(f"select {_STEP} from history order by task, n"))


def as_written(connection: sqlite3.Connection) -> Iterator[Life]:
    """Every life, gathered from the rows in the order in which they were written, the latest begun first."""
    found: dict[str, Life] = {}
    for row in connection.execute(f"select {_STEP} from history order by seq"):
        found.setdefault(row[0], []).append(Step._make(row))
    return reversed(found.values())


def last_at(connection: sqlite3.Connection) -> int:
    """When the newest step was taken; 0 before the first."""
    return int(
        connection.execute("select coalesce((select at from history order by seq desc limit 1), 0)").fetchone()[0]
    )


def rows_before(connection: sqlite3.Connection, end: int) -> int:
    """How many steps were taken before a moment."""
    return _first_since(connection, end) - 1


def _first_since(connection: sqlite3.Connection, start: int) -> int:
    """The first row not older than `start`, by halving: accept times never decrease, and no row is ever taken out."""
    low, high = 1, int(connection.execute("select coalesce(max(seq), 0) + 1 from history").fetchone()[0])
    while low < high:
        middle = (low + high) // 2
        if (
            connection.execute("select at from history where seq >= ? order by seq limit 1", (middle,)).fetchone()[0]
            < start
        ):
            low = middle + 1
        else:
            high = middle
    return low


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
