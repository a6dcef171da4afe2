"""What the task board shows: tasks within what one person may see, filtered, most pressing first, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.task_words import NEWEST
from store.tasks import ALL_COLUMNS, Task

PAGE = 50
RUNNING = ("dispatched", "accepted", "in_progress", "rework", "returned")  # states in which the unit's limit runs
ENDED = ("closed", "rejected", "merged", "withdrawn")
_OPEN = "state not in ('closed', 'rejected', 'merged', 'withdrawn')"  # the partial index's own words
_RUNNING = ", ".join(f"'{state}'" for state in RUNNING)
_PRESSING = f"(state in ({_RUNNING}) and due_at is not null and due_at < ?) desc, due_at is null, due_at, opened_at"
_NEWEST = "opened_at desc"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose tasks: everybody's, or those of one unit and those one person reported."""

    everything: bool
    unit: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody typed: a query of the words, and the people and places it may name."""

    query: str
    people: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """What was asked for; empty fields do not narrow. A typed number asks for `serial` on one of these `days`."""

    unit: str = ""
    states: tuple[str, ...] = ()
    overdue: bool = False
    days: tuple[str, ...] = ()
    serial: int | None = None
    ended: bool = False
    words: Words | None = None
    anywhere: bool = False  # words among open and ended alike


def find(connection: sqlite3.Connection, scope: Scope, wanted: Filter, now: int, page: int = 0) -> list[Task]:
    """One page and one row more (so that a next page shows): overdue first, then by deadline; what ended newest first."""
    where, values = _where(scope, wanted, now)
    order, more = _NEWEST, []
    if not (wanted.ended or set(wanted.states).intersection(ENDED)):
        order, more = _PRESSING, [now]
    rows = connection.execute(
        f"select {ALL_COLUMNS} from task where {where} order by {order} limit ? offset ?",
        (*values, *more, PAGE + 1, page * PAGE),
    )
    return [Task(*row) for row in rows]


def first(connection: sqlite3.Connection, scope: Scope, wanted: Filter, now: int, most: int) -> list[Task]:
    """The first `most` of all pages, and one more where there are more."""
    found: list[Task] = []
    for page in range(-(-(most + 1) // PAGE)):
        some = find(connection, scope, wanted, now, page)
        found += some[:PAGE]
        if len(some) <= PAGE:
            break
    return found[: most + 1]


def count_overdue(connection: sqlite3.Connection, scope: Scope, now: int) -> int:
    """How many of them are past their limit."""
    where, values = _where(scope, Filter(overdue=True), now)
    return int(connection.execute(f"select count(*) from task where {where}", values).fetchone()[0])


def standing(connection: sqlite3.Connection) -> dict[str, int]:
    """How many open tasks stand in each state."""
    return dict(
        connection.execute(f"select state, count(*) from task where {_OPEN} group by state order by state").fetchall()
    )


def _where(scope: Scope, wanted: Filter, now: int) -> tuple[str, list[object]]:
    """Conditions begin with the words of a partial index where one can serve, or SQLite would read the whole table."""
    parts: list[str] = []
    values: list[object] = []

    def need(sql: str, *bound: object) -> None:
        parts.append(sql)
        values.extend(bound)

    if wanted.serial is not None:
        need(f"day in ({_marks(wanted.days)}) and serial = ?", *wanted.days, wanted.serial)
    elif wanted.words is not None and wanted.anywhere:
        pass
    elif wanted.states:
        open_only = "" if set(wanted.states).intersection(ENDED) else f"{_OPEN} and "
        need(f"{open_only}state in ({_marks(wanted.states)})", *wanted.states)
    else:
        need(f"not ({_OPEN})" if wanted.ended else _OPEN)
    few = "" if wanted.ended or set(wanted.states).intersection(ENDED) else "+"  # open ones are few: go through those
    if not scope.everything:
        need(
            f"({few}unit = ? or {few}id in (select task from task_unit where unit = ? and lead = 0)"
            f" or {few}id in (select task from task_reporter where person = ?))",
            scope.unit or " ",
            scope.unit or " ",
            scope.person,
        )
    if wanted.unit:
        need("(unit = ? or id in (select task from task_unit where unit = ? and lead = 0))", wanted.unit, wanted.unit)
    if wanted.words is not None:
        need(*_worded(wanted.words))
    if wanted.overdue:
        need(f"{_OPEN} and state in ({_RUNNING}) and due_at < ?", now)
    return " and ".join(parts), values


def _worded(words: Words) -> tuple[str, ...]:
    """Ids of whatever the words may mean, each kind through its own index, the newest hits of the text only."""
    some: list[str] = ["select id from task where place_text <> '' and place_text = ?"]
    bound: list[str] = [words.typed]
    if words.query:
        some.append(
            "select task from task_entry where n in"
            f" (select rowid from task_words where task_words match ? order by rowid desc limit {NEWEST})"
        )
        bound.append(words.query)
    if words.places:
        some.append(f"select id from task where place <> '' and place in ({_marks(words.places)})")
        bound += words.places
    if words.people:
        some.append(f"select task from task_reporter where person in ({_marks(words.people)})")
        some.append(f"select id from task where {_OPEN} and handler in ({_marks(words.people)})")
        bound += [*words.people, *words.people]
    return (f"id in ({' union '.join(some)})", *bound)


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
        " left join draft d on d.id = p.task where p.sha = ? and p.hidden = 0"
        " union all select t.id, t.group_id from photo_pair p join task t on t.id = p.task where p.sha = ?",
        (sha, sha),
    ).fetchall()


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
