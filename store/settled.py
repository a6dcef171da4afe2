"""Tasks whose unit is decided, as the learner's judges: what a lesson would change, and how often the first word stood."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

SETTLED = ("accepted", "in_progress", "feedback_given", "suspended", "rework", "closed")  # a unit has taken it on
WEEK = 7 * 86400
_MARKS = ", ".join("?" * len(SETTLED))
_FIRST = "substr(t.choices, 1, instr(t.choices || '|', '|') - 1)"
_OPENED = "(select h.code from history h where h.task = t.id and h.event = 'open' limit 1)"
_CLASS = f"substr({_OPENED}, 1, instr({_OPENED} || '|', '|') - 1)"
_CHOSEN = "exists (select 1 from history h where h.task = t.id and h.event in ('confirm', 'reassign', 'joint'))"
_DECIDED = f"(t.state in ({_MARKS}) or (t.state = 'dispatched' and {_CHOSEN}))"  # signed for, or a person said so
_ALONE = "exists (select 1 from history h where h.task = t.id and h.event = 'dispatch')"


@dataclass(frozen=True, slots=True)
class Settled:
    """One settled task: what was written, and who took it on."""

    id: str
    number: str
    text: str
    unit: str


@dataclass(frozen=True, slots=True)
class Week:
    """How first proposals fared among the tasks opened in one week whose unit signed or was chosen by a person since.

    `stood` of `settled`: the unit first proposed is the unit that took it; of these `alone` went out without asking
    (`alone_stood` were right), the rest were asked about. `named` had a class at first, `class_stood` kept it.
    """

    start: int
    settled: int
    stood: int
    alone: int
    alone_stood: int
    named: int
    class_stood: int


def newest(connection: sqlite3.Connection, since: int, limit: int) -> list[Settled]:
    """Settled tasks opened since a moment, the newest first, at most `limit`."""
    rows = connection.execute(
        f"select id, day, serial, text, unit from task where opened_at >= ? and state in ({_MARKS}) and text <> ''"
        " and unit <> '' order by opened_at desc, id desc limit ?",
        (since, *SETTLED, limit),
    )
    return [Settled(id_, f"{day}-{serial:03d}" if day else "", text, unit) for id_, day, serial, text, unit in rows]


def numbers(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Task id → (full number, text, unit) of those that still exist."""
    marks = ", ".join("?" * len(ids))
    rows = connection.execute(f"select id, day, serial, text, unit from task where id in ({marks})", tuple(ids))
    return {id_: (f"{day}-{serial:03d}" if day else "", text, unit) for id_, day, serial, text, unit in rows}


def weeks(connection: sqlite3.Connection, until: int, count: int) -> list[Week]:
    """The last `count` weeks ending at `until`, the newest first; weeks without settled tasks are left out."""
    rows = connection.execute(
        f"select (? - t.opened_at) / {WEEK} as ago, count(*), sum({_FIRST} = t.unit), sum({_ALONE}),"
        f" sum({_ALONE} and {_FIRST} = t.unit), sum({_CLASS} <> ''), sum({_CLASS} <> '' and {_CLASS} = t.category)"
        f" from task t where t.opened_at > ? and t.opened_at <= ? and {_DECIDED} and t.choices <> ''"
        " group by ago order by ago",
        (until, until - count * WEEK, until, *SETTLED),
    )
    return [Week(until - (ago + 1) * WEEK, *map(int, figures)) for ago, *figures in rows]
