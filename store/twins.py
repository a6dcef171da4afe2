"""Two open tasks that may be one problem: suggested with reasons, decided by a person, forgotten when either has ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.tasks import ALL_COLUMNS, Task
from store.writer import Tx

_OPEN = "state not in ('closed', 'rejected', 'merged', 'withdrawn')"
_COLUMNS = ", ".join(f"t.{name}" for name in ALL_COLUMNS.split(", "))
LOOKED_AT = 50  # newest tasks whose photos are compared


@dataclass(frozen=True, slots=True)
class Twin:
    """A suggestion as one of the two sees it: the other task and why."""

    task: str
    other: Task
    reasons: tuple[str, ...]


def at_place(tx: Tx, task: Task, since: int, limit: int = 12) -> list[Task]:
    """Other open tasks at the same place, or at a place written the same way, opened since a moment; newest first."""
    found: dict[str, Task] = {}
    for column, value in (("place", task.place), ("place_text", task.place_text)):
        if value:
            rows = tx.execute(
                f"select {ALL_COLUMNS} from task where {column} = ? and {column} <> '' and opened_at >= ? and {_OPEN} and id <> ?"
                " order by opened_at desc limit ?",
                (value, since, task.id, limit),
            )
            found |= {row[0]: Task(*row) for row in rows}
    return list(found.values())


def with_photos(tx: Tx, task: Task, since: int) -> list[tuple[Task, str]]:
    """(open task, photo) of what was reported lately with photos."""
    rows = tx.execute(
        f"select {_COLUMNS}, p.sha from (select * from task where opened_at >= ? and id <> ? order by opened_at desc limit {LOOKED_AT}) t"
        f" join task_photo p on p.task = t.id and p.role = 'report' and p.hidden = 0 where {_OPEN}",
        (since, task.id),
    ).fetchall()
    return [(Task(*row[:-1]), row[-1]) for row in rows]


def left_just_now(tx: Tx, task: str) -> bool:
    """Whether somebody takes their report out of this task in this very transaction: they said it is another problem."""
    return tx.one("select 1 from history where task = ? and event = 'leave' and at = ?", (task, tx.at)) is not None


def suggest(tx: Tx, task: str, other: str, reasons: Sequence[str]) -> None:
    """Keep a suggestion; a person's earlier no stands."""
    tx.execute(
        "insert into task_like (task, other, reasons, at) values (?, ?, ?, ?) on conflict do nothing",
        (task, other, "|".join(reasons), tx.at),
    )


def apart(tx: Tx, one: str, other: str, actor: str) -> bool:
    """A person says they are two problems. False when nothing was suggested."""
    return bool(
        tx.execute(
            "update task_like set apart_by = ?, apart_at = ? where apart_at is null"
            " and ((task = ? and other = ?) or (task = ? and other = ?))",
            (actor, tx.at, one, other, other, one),
        ).rowcount
    )


def of(source: Tx | sqlite3.Connection, task: str) -> list[Twin]:
    """What a task may be one with: suggestions nobody answered, the other still open."""
    rows = source.execute(
        f"select {_COLUMNS}, l.reasons from task_like l join task t on t.id = case when l.task = ? then l.other else l.task end"
        f" where (l.task = ? or l.other = ?) and l.apart_at is null and t.{_OPEN} order by t.opened_at desc",
        (task, task, task),
    )
    return [Twin(task, Task(*row[:-1]), tuple(row[-1].split("|"))) for row in rows]


def standing(source: Tx | sqlite3.Connection, limit: int = 100) -> list[tuple[Task, Twin]]:
    """Every suggestion nobody answered between open tasks, newest first: (the newer task, the suggestion)."""
    rows = source.execute(
        f"select {_COLUMNS}, l.other, l.reasons from task t cross join task_like l on l.task = t.id join task o on o.id = l.other"
        f" where l.apart_at is null and t.{_OPEN} and o.{_OPEN} order by l.at desc limit ?",  # open tasks are few: go through those
        (limit,),
    ).fetchall()
    others = _tasks(source, [row[-2] for row in rows]) if rows else {}
    return [(Task(*row[:-2]), Twin(row[0], others[row[-2]], tuple(row[-1].split("|")))) for row in rows]


def _tasks(source: Tx | sqlite3.Connection, ids: Sequence[str]) -> dict[str, Task]:
    marks = ", ".join("?" * len(ids))
    return {
        row[0]: Task(*row)
        for row in source.execute(f"select {ALL_COLUMNS} from task where id in ({marks})", tuple(ids))
    }
