"""What the task board shows: tasks within what one person may see, filtered, most pressing first, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.tasks import ALL_COLUMNS, Task

PAGE = 50
RUNNING = ("dispatched", "accepted", "in_progress", "rework", "returned")  # states in which the unit's limit runs
_ENDED = ("closed", "rejected", "merged", "withdrawn")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose tasks: everybody's, or those of one unit and those one person reported."""

    everything: bool
    unit: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """What was asked for; empty fields do not narrow. `day` and `serial` come from a typed number."""

    unit: str = ""
    states: tuple[str, ...] = ()
    overdue: bool = False
    day: str = ""
    serial: int | None = None
    ended: bool = False


def find(connection: sqlite3.Connection, scope: Scope, wanted: Filter, now: int, page: int = 0) -> list[Task]:
    """One page and one row more (so that a next page shows), overdue first, then by deadline."""
    where, values = _where(scope, wanted, now)
    running = _marks(RUNNING)
    order = (
        "closed_at desc, opened_at desc" if wanted.ended and not wanted.states else "due_at is null, due_at, opened_at"
    )
    rows = connection.execute(
        f"select {ALL_COLUMNS} from task where {where}"
        f" order by (state in ({running}) and coalesce(due_at, {now + 1:d}) < {now:d}) desc, {order} limit ? offset ?",
        (*values, *RUNNING, PAGE + 1, page * PAGE),
    )
    return [Task(*row) for row in rows]


def count_overdue(connection: sqlite3.Connection, scope: Scope, now: int) -> int:
    """How many of them are past their limit."""
    where, values = _where(scope, Filter(overdue=True), now)
    return int(connection.execute(f"select count(*) from task where {where}", values).fetchone()[0])


def _where(scope: Scope, wanted: Filter, now: int) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []

    def need(sql: str, *bound: object) -> None:
        parts.append(sql)
        values.extend(bound)

    if not scope.everything:
        need(
            "(unit = ? or id in (select task from task_unit where unit = ?)"
            " or id in (select task from task_reporter where person = ?))",
            scope.unit or " ",
            scope.unit or " ",
            scope.person,
        )
    if wanted.serial is not None:
        need("serial = ? and day like ?", wanted.serial, f"%{wanted.day}")
    elif wanted.states:
        need(f"state in ({_marks(wanted.states)})", *wanted.states)
    else:
        need(f"state {'' if wanted.ended else 'not '}in ({_marks(_ENDED)})", *_ENDED)
    if wanted.unit:
        need("(unit = ? or id in (select task from task_unit where unit = ?))", wanted.unit, wanted.unit)
    if wanted.overdue:
        need(f"state in ({_marks(RUNNING)}) and due_at < ?", *RUNNING, now)
    return " and ".join(parts), values


def sides(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Units and reporters of several tasks: (by task id, by task id)."""
    if not ids:
        return {}, {}
    marks = _marks(ids)
    units = connection.execute(
        f"select task, unit from task_unit where task in ({marks}) order by lead desc, unit", ids
    )
    people = connection.execute(
        f"select task, person from task_reporter where task in ({marks}) order by at, person", ids
    )
    return _grouped(units), _grouped(people)


def _grouped(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return found


def showing(connection: sqlite3.Connection, sha: str) -> list[tuple[str, str]]:
    """(task or draft id, group) of everything that shows a photo."""
    return connection.execute(
        "select p.task, coalesce(t.group_id, d.group_id, '') from task_photo p left join task t on t.id = p.task"
        " left join draft d on d.id = p.task where p.sha = ? and p.hidden = 0",
        (sha,),
    ).fetchall()


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
