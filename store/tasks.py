"""工单: a problem being handled, with its photos, reporters, units and the messages that speak of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.writer import Tx

_FIELDS = (
    "id", "day", "serial", "state", "group_id", "reporter", "text", "category", "place", "place_text", "unit", "handler",
    "urgent", "choices", "provisional", "opened_at", "dispatched_at", "accepted_at", "arrived_at", "feedback_at",
    "closed_at", "due_at", "limit_n", "limit_unit", "returns", "reworks", "relays", "merged_into", "version",
)  # fmt: skip
_COLUMNS = ", ".join(_FIELDS)
ALL_COLUMNS = _COLUMNS
_OPEN = "state not in ('closed', 'rejected', 'merged', 'withdrawn')"


@dataclass(frozen=True, slots=True)
class Task:
    """One row. Times are epoch seconds; `choices` the codes last offered to the dispatcher, joined by |."""

    id: str
    day: str | None
    serial: int | None
    state: str
    group_id: str
    reporter: str
    text: str
    category: str = ""
    place: str = ""
    place_text: str = ""
    unit: str = ""
    handler: str = ""
    urgent: int = 0
    choices: str = ""
    provisional: int = 0
    opened_at: int = 0
    dispatched_at: int | None = None
    accepted_at: int | None = None
    arrived_at: int | None = None
    feedback_at: int | None = None
    closed_at: int | None = None
    due_at: int | None = None
    limit_n: int | None = None
    limit_unit: str | None = None
    returns: int = 0
    reworks: int = 0
    relays: int = 0
    merged_into: str | None = None
    version: int = 1

    @property
    def number(self) -> str:
        """The short number people type: month-day, serial ("1122-017"); empty before it is named."""
        return f"{self.day[4:]}-{self.serial:03d}" if self.day and self.serial else ""


def add(tx: Tx, task: Task) -> None:
    """Store a new task."""
    tx.execute(
        f"insert into task ({_COLUMNS}) values ({', '.join('?' * len(_FIELDS))})",
        tuple(getattr(task, name) for name in _FIELDS),
    )


def change(tx: Tx, task: Task, **fields: Any) -> Task:
    """Update named columns and return the task as it now stands. Raises KeyError on a column that is none."""
    unknown = fields.keys() - set(_FIELDS)
    if unknown:
        raise KeyError(f"no such task column: {sorted(unknown)}")
    sets = ", ".join(f"{name} = ?" for name in fields)
    tx.execute(f"update task set {sets}, version = version + 1 where id = ?", (*fields.values(), task.id))
    return get(tx, task.id)


def name(tx: Tx, task: Task, day: str) -> Task:
    """Give the task its number on `day` (YYYYMMDD), once: the moment the bot first says it (design 6)."""
    if task.serial is not None:
        return task
    serial = tx.one("select coalesce(max(serial), 0) + 1 from task where day = ?", (day,))[0]
    return change(tx, task, day=day, serial=serial)


def get(source: Tx | sqlite3.Connection, task_id: str) -> Task:
    """One task. Raises KeyError when there is none."""
    row = source.execute(f"select {_COLUMNS} from task where id = ?", (task_id,)).fetchone()
    if row is None:
        raise KeyError(task_id)
    return Task(*row)


def by_number(source: Tx | sqlite3.Connection, number: str) -> Task | None:
    """The newest task with this short number within three years, or with this full number (YYYYMMDD-serial)."""
    day, _, serial = number.partition("-")
    if not serial.isdigit() or not day.isdigit():
        return None
    newest = source.execute("select max(day) from task").fetchone()[0]
    if newest is None:
        return None
    days = (day,) * 3 if len(day) == 8 else tuple(f"{int(newest[:4]) - ago}{day}" for ago in range(3))
    row = source.execute(
        f"select {_COLUMNS} from task where day in (?, ?, ?) and serial = ? order by day desc limit 1",
        (*days, int(serial)),
    ).fetchone()
    return Task(*row) if row else None


def by_serial_today(source: Tx | sqlite3.Connection, day: str, serial: int) -> Task | None:
    """Today's task of that serial: people write "17" for the one just named."""
    row = source.execute(f"select {_COLUMNS} from task where day = ? and serial = ?", (day, serial)).fetchone()
    return Task(*row) if row else None


def open_of_units(source: Tx | sqlite3.Connection, units: Sequence[str], states: Sequence[str]) -> list[Task]:
    """Tasks of these units in these states, newest first."""
    if not units or not states:
        return []
    rows = source.execute(
        f"select {_COLUMNS} from task where unit in ({_marks(units)}) and state in ({_marks(states)}) order by opened_at desc limit 50",
        (*units, *states),
    )
    return [Task(*row) for row in rows]


def of_states(
    source: Tx | sqlite3.Connection, states: Sequence[str], limit: int = 500, group_id: str = ""
) -> list[Task]:
    """Tasks in these states, most urgent deadline first."""
    where, values = ("and group_id = ?", (group_id,)) if group_id else ("", ())
    rows = source.execute(
        f"select {_COLUMNS} from task where state in ({_marks(states)}) {where} order by due_at is null, due_at, opened_at limit ?",
        (*states, *values, limit),
    )
    return [Task(*row) for row in rows]


def everything(source: Tx | sqlite3.Connection) -> list[Task]:
    """All tasks in opening order; for rehearsals and small exports."""
    return [Task(*row) for row in source.execute(f"select {_COLUMNS} from task order by opened_at, id")]


def recent(source: Tx | sqlite3.Connection, since: int, limit: int = 200) -> list[Task]:
    """Open or closed tasks opened since a moment, newest first."""
    rows = source.execute(
        f"select {_COLUMNS} from task where opened_at >= ? order by opened_at desc limit ?", (since, limit)
    )
    return [Task(*row) for row in rows]


def reported_by(source: Tx | sqlite3.Connection, person: str, group_id: str, since: int) -> list[Task]:
    """Tasks this person opened in a group since a moment, newest first."""
    rows = source.execute(
        f"select {_COLUMNS} from task where reporter = ? and group_id = ? and opened_at >= ? order by opened_at desc, id desc limit 20",
        (person, group_id, since),
    )
    return [Task(*row) for row in rows]


def set_units(tx: Tx, task: str, lead: str, assistants: Sequence[str] = ()) -> None:
    """Replace the units of a task; the lead is the one whose limit counts."""
    tx.execute("delete from task_unit where task = ?", (task,))
    for unit in dict.fromkeys((lead, *assistants)):
        tx.execute("insert into task_unit (task, unit, lead) values (?, ?, ?)", (task, unit, unit == lead))


def units(source: Tx | sqlite3.Connection, task: str) -> tuple[str, ...]:
    """Unit ids, the lead first."""
    return tuple(
        row[0] for row in source.execute("select unit from task_unit where task = ? order by lead desc, unit", (task,))
    )


def add_reporter(tx: Tx, task: str, person: str) -> None:
    """One more person who reported the same problem."""
    tx.execute(
        "insert into task_reporter (task, person, at) values (?, ?, ?) on conflict do nothing", (task, person, tx.at)
    )


def reporters(source: Tx | sqlite3.Connection, task: str) -> tuple[str, ...]:
    """Person ids in the order they reported."""
    return tuple(
        row[0] for row in source.execute("select person from task_reporter where task = ? order by at, person", (task,))
    )


def add_photo(tx: Tx, task: str, sha: str, role: str, person: str, event_seq: int | None) -> bool:
    """Attach a photo; role is report or evidence. False when it is already there."""
    added = tx.execute(
        "insert into task_photo (task, sha, role, person, event_seq, at) values (?, ?, ?, ?, ?, ?) on conflict do nothing",
        (task, sha, role, person, event_seq, tx.at),
    ).rowcount
    if added:
        tx.execute("update photo set kept = kept + 1 where sha = ?", (sha,))
    return bool(added)


def hide_photos(tx: Tx, task: str, event_seq: int) -> list[str]:
    """Hide the photos one message brought (a recall): files go, hashes stay. Returns the files no other task shows."""
    shas = [
        row[0]
        for row in tx.all(
            "select sha from task_photo where task = ? and event_seq = ? and hidden = 0", (task, event_seq)
        )
    ]
    tx.execute("update task_photo set hidden = 1 where task = ? and event_seq = ?", (task, event_seq))
    for sha in shas:
        tx.execute("update photo set kept = kept - 1 where sha = ? and kept > 0", (sha,))
    return [sha for sha in shas if not tx.one("select 1 from task_photo where sha = ? and hidden = 0", (sha,))]


@dataclass(frozen=True, slots=True)
class TaskPhoto:
    """A photo as a task shows it."""

    sha: str
    role: str
    person: str
    at: int
    hidden: int


def photos(source: Tx | sqlite3.Connection, task: str, role: str = "") -> list[TaskPhoto]:
    """A task's photos in the order they came."""
    rows = source.execute(
        "select sha, role, person, at, hidden from task_photo where task = ? and (? = '' or role = ?) order by at, event_seq, sha",
        (task, role, role),
    )
    return [TaskPhoto(*row) for row in rows]


def link_message(tx: Tx, task: str, channel: str, message: str) -> None:
    """Remember that a platform message speaks of this task, so that quoting it finds the task."""
    tx.execute(
        "insert into task_message (channel, message, task) values (?, ?, ?) on conflict do nothing",
        (channel, message, task),
    )


def of_message(source: Tx | sqlite3.Connection, channel: str, message: str) -> list[str]:
    """Tasks a platform message speaks of."""
    return [
        row[0]
        for row in source.execute("select task from task_message where channel = ? and message = ?", (channel, message))
    ]


def messages(source: Tx | sqlite3.Connection, task: str) -> list[tuple[str, str]]:
    """(channel, message id) of everything linked to a task."""
    return source.execute("select channel, message from task_message where task = ?", (task,)).fetchall()


def note(tx: Tx, task: str, n: int, text: str) -> None:
    """The words that went with history step n; erasable, unlike the step."""
    if text:
        tx.execute("insert into task_note (task, n, text) values (?, ?, ?)", (task, n, text))


def notes(source: Tx | sqlite3.Connection, task: str) -> dict[int, str]:
    """Words by history step."""
    return dict(source.execute("select n, text from task_note where task = ?", (task,)).fetchall())


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
