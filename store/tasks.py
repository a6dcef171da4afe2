"""工单: a problem being handled, with its photos, reporters, units and the messages that speak of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store import task_words
from store.photos import forget
from store.writer import Tx

_FIELDS = (
    "id", "day", "serial", "state", "group_id", "reporter", "text", "category", "place", "place_text", "unit", "handler",
    "urgent", "choices", "provisional", "opened_at", "dispatched_at", "accepted_at", "arrived_at", "feedback_at",
    "closed_at", "due_at", "limit_n", "limit_unit", "returns", "reworks", "relays", "allowed_n", "used", "began",
    "extensions", "suspensions", "asked", "asked_until", "resume_at", "final", "exempt", "before_state", "ended_at",
    "merged_into", "version", "overran",
)  # fmt: skip
_COLUMNS = ", ".join(_FIELDS)
ALL_COLUMNS = _COLUMNS
_OPEN = "state not in ('closed', 'rejected', 'merged', 'withdrawn')"


@dataclass(frozen=True, slots=True)
class Task:
    """One row. Times are epoch seconds; `choices` the codes last offered to the dispatcher, joined by |.

    The limit runs as `handlers.worktime` says: `allowed_n` × `limit_unit` in all, `used` seconds of it gone when it last
    began to run at `began`. `asked` is a request waiting for the dispatcher (extend, suspend), `final` says that the unit
    may not return it any more, `exempt` counts the approvals of an exemption (2 = granted; the overrun itself stays), `overran` says that
    a round before the present one ran over its limit.
    """

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
    allowed_n: int | None = None
    used: int = 0
    began: int | None = None
    extensions: int = 0
    suspensions: int = 0
    asked: str = ""
    asked_until: int | None = None
    resume_at: int | None = None
    final: int = 0
    exempt: int = 0
    before_state: str = ""
    ended_at: int | None = None
    merged_into: str | None = None
    version: int = 1
    overran: int = 0

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
    task_words.enter(tx, task.id, task.text)


def change(tx: Tx, task: Task, **fields: Any) -> Task:
    """Update named columns and return the task as it now stands. Raises KeyError on a column that is none."""
    unknown = fields.keys() - set(_FIELDS)
    if unknown:
        raise KeyError(f"no such task column: {sorted(unknown)}")
    sets = ", ".join(f"{name} = ?" for name in fields)
    row = tx.one(
        f"update task set {sets}, version = version + 1 where id = ? returning {_COLUMNS}", (*fields.values(), task.id)
    )
    if row is None:
        raise KeyError(task.id)
    if "text" in fields:
        task_words.change(tx, task.id, task.text, fields["text"])
    return Task(*row)


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
    days = [day]
    if len(day) != 8:
        newest = source.execute("select max(day) from task").fetchone()[0] or "2000"
        days = [f"{int(newest[:4]) - ago}{day}" for ago in range(3)]
    row = source.execute(
        f"select {_COLUMNS} from task where day in ({_marks(days)}) and serial = ? order by day desc limit 1",
        (*days, int(serial)),
    ).fetchone()
    return Task(*row) if row else None


def by_serial(source: Tx | sqlite3.Connection, serial: int, upto: str) -> Task | None:
    """The newest task of that serial, none newer than the day `upto`: people write "17" for the one just named."""
    row = source.execute(
        f"select {_COLUMNS} from task where day <= ? and serial = ? order by day desc limit 1", (upto, serial)
    ).fetchone()
    return Task(*row) if row else None


def of_unit(source: Tx | sqlite3.Connection, unit: str, states: Sequence[str]) -> list[Task]:
    """Tasks a unit leads or assists in, in these states, newest first."""
    if not unit or not states:
        return []
    rows = source.execute(
        f"select {_COLUMNS} from task where state in ({_marks(states)}) and (unit = ? or id in"
        " (select task from task_unit where unit = ? and lead = 0)) order by opened_at desc, serial desc limit 50",
        (*states, unit, unit),
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


def any_provisional(source: Tx | sqlite3.Connection) -> bool:
    """Whether an open task has a deadline beyond the published calendar."""
    return source.execute(f"select 1 from task where provisional = 1 and {_OPEN} limit 1").fetchone() is not None


def exemptions(source: Tx | sqlite3.Connection, limit: int = 20) -> list[Task]:
    """Closed tasks whose exemption waits for an arbiter, newest first."""
    rows = source.execute(
        f"select {_COLUMNS} from task where exempt = 1 and state = 'closed' order by opened_at desc limit ?", (limit,)
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


def reported_lately(source: Tx | sqlite3.Connection, person: str, since: int) -> list[Task]:
    """Tasks this person reported or joined, with anything since a moment, newest first."""
    columns = ", ".join(f"t.{name}" for name in _FIELDS)
    rows = source.execute(
        f"select {columns} from task_reporter r join task t on t.id = r.task where r.person = ? and r.at >= ?"
        " order by r.at desc limit 20",
        (person, since),
    )
    return [Task(*row) for row in rows]


def set_units(tx: Tx, task: str, lead: str, assistants: Sequence[str] = ()) -> None:
    """Replace the units of a task; the lead is the one whose limit counts."""
    tx.execute("delete from task_unit where task = ?", (task,))
    for unit in dict.fromkeys((lead, *assistants)):
        tx.execute("insert into task_unit (task, unit, lead) values (?, ?, ?)", (task, unit, unit == lead))


def widen_units(tx: Tx, task: str, lead: str, assistants: Sequence[str]) -> None:
    """The units of a task being worked on: who stays keeps what it signed and reported."""
    named = tuple(dict.fromkeys((lead, *assistants)))
    tx.execute(f"delete from task_unit where task = ? and unit not in ({_marks(named)})", (task, *named))
    for unit in named:
        tx.execute(
            "insert into task_unit (task, unit, lead) values (?, ?, ?) on conflict (task, unit) do update set lead = excluded.lead",
            (task, unit, unit == lead),
        )


def units(source: Tx | sqlite3.Connection, task: str) -> tuple[str, ...]:
    """Unit ids, the lead first."""
    return tuple(
        row[0] for row in source.execute("select unit from task_unit where task = ? order by lead desc, unit", (task,))
    )


def report_part(tx: Tx, task: str, unit: str, column: str, at: int | None) -> None:
    """Note when one of several units signed (accepted_at) or reported (reported_at) its part; None takes it back."""
    if column not in ("accepted_at", "reported_at"):
        raise KeyError(column)
    tx.execute(f"update task_unit set {column} = ? where task = ? and (unit = ? or ? = '')", (at, task, unit, unit))


def unreported(source: Tx | sqlite3.Connection, task: str) -> tuple[str, ...]:
    """The units of a task that have not reported their part, the lead first."""
    rows = source.execute(
        "select unit from task_unit where task = ? and reported_at is null order by lead desc, unit", (task,)
    )
    return tuple(row[0] for row in rows)


def round_began(source: Tx | sqlite3.Connection, task: str) -> int | None:
    """When the first unit of this round reported its part."""
    row = source.execute("select min(reported_at) from task_unit where task = ?", (task,)).fetchone()
    return row[0] if row else None


def add_reporter(tx: Tx, task: str, person: str) -> None:
    """One more person who reported the same problem."""
    tx.execute(
        "insert into task_reporter (task, person, at) values (?, ?, ?) on conflict do nothing", (task, person, tx.at)
    )


def remove_reporter(tx: Tx, task: str, person: str) -> None:
    """Their report was another problem after all."""
    tx.execute("delete from task_reporter where task = ? and person = ?", (task, person))


def reporters(source: Tx | sqlite3.Connection, task: str) -> tuple[str, ...]:
    """Person ids in the order they reported."""
    return tuple(
        row[0] for row in source.execute("select person from task_reporter where task = ? order by at, person", (task,))
    )


def add_photo(tx: Tx, task: str, sha: str, role: str, person: str, event_seq: int | None) -> bool:
    """Attach a photo; role is report or evidence. False when it is already there."""
    added = tx.execute(
        "insert into task_photo (task, sha, role, person, event_seq, at, n) values (?, ?, ?, ?, ?, ?,"
        " (select coalesce(max(n), 0) + 1 from task_photo where task = ?)) on conflict do nothing",
        (task, sha, role, person, event_seq, tx.at, task),
    ).rowcount
    if added:
        tx.execute("update photo set kept = kept + 1 where sha = ?", (sha,))
    return bool(added)


def hide_photos(tx: Tx, task: str, event_seq: int) -> list[str]:
    """Hide the photos one message brought (a recall): files go, hashes stay. Returns the files no other task shows."""
    return _hide(
        tx,
        tx.all(
            "select task, sha, role from task_photo where task = ? and event_seq = ? and hidden = 0", (task, event_seq)
        ),
    )


def retire_photos(tx: Tx, before: int, limit: int = 500) -> tuple[int, list[str]]:
    """Hide photos of tasks that ended before a moment: how many, and the files no task shows any more (PIPL 19)."""
    rows = tx.all(
        "select p.task, p.sha, p.role from task_photo p join task t on t.id = p.task where p.hidden = 0"
        f" and not ({_OPEN}) and coalesce(t.closed_at, t.opened_at) < ? limit ?",
        (before, limit),
    )
    return len(rows), _hide(tx, rows)


def _hide(tx: Tx, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    for task, sha, role in rows:
        tx.execute("update task_photo set hidden = 1 where task = ? and sha = ? and role = ?", (task, sha, role))
        tx.execute("update photo set kept = kept - 1 where sha = ? and kept > 0", (sha,))
    shas = dict.fromkeys(sha for _, sha, _ in rows)
    gone = [sha for sha in shas if not tx.one("select 1 from task_photo where sha = ? and hidden = 0", (sha,))]
    return gone + forget(tx, gone)


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
        "select sha, role, person, at, hidden from task_photo where task = ? and (? = '' or role = ?) order by n, sha",
        (task, role, role),
    )
    return [TaskPhoto(*row) for row in rows]


def move_photo(tx: Tx, sha: str, task: str, to: str, role: str = "report") -> None:
    """A photo belongs to another task than it was thought to (or plays another part in it)."""
    tx.execute("update or ignore task_photo set task = ?, role = ? where task = ? and sha = ?", (to, role, task, sha))
    if task != to:
        tx.execute("delete from task_photo where task = ? and sha = ?", (task, sha))


def showing(source: Tx | sqlite3.Connection, sha: str) -> list[tuple[str, str]]:
    """(task, role) wherever this photo is shown."""
    return source.execute("select task, role from task_photo where sha = ? and hidden = 0", (sha,)).fetchall()


def using(source: Tx | sqlite3.Connection, sha: str, role: str) -> list[str]:
    """Tasks a photo came to in this role, taken back or not, the first one first."""
    rows = source.execute("select task from task_photo where sha = ? and role = ? order by at, task", (sha, role))
    return [row[0] for row in rows]


def arrived_since(source: Tx | sqlite3.Connection, task: str, person: str, since: int) -> list[str]:
    """Report photos this person added to a task after it was opened, none older than `since`."""
    rows = source.execute(
        "select p.sha from task_photo p join task t on t.id = p.task where p.task = ? and p.person = ? and p.role = 'report'"
        " and p.hidden = 0 and p.at > t.opened_at and p.at >= ? order by p.n",
        (task, person, since),
    )
    return [row[0] for row in rows]


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


def unlink_message(tx: Tx, task: str, channel: str, message: str) -> None:
    """A message no longer speaks of this task."""
    tx.execute("delete from task_message where task = ? and channel = ? and message = ?", (task, channel, message))


def recent_at(
    source: Tx | sqlite3.Connection, states: Sequence[str], category: str, place: str, since: int
) -> list[Task]:
    """Open tasks of one category at one place, opened since a moment, oldest first: is it the same problem?"""
    rows = source.execute(
        f"select {_COLUMNS} from task where opened_at >= ? and category = ? and place = ? and state in ({_marks(states)})"
        " order by opened_at, id limit 20",
        (since, category, place, *states),
    )
    return [Task(*row) for row in rows]


def note(tx: Tx, task: str, n: int, text: str) -> None:
    """The words that went with history step n; erasable, unlike the step."""
    if text:
        tx.execute("insert into task_note (task, n, text) values (?, ?, ?)", (task, n, text))


def notes(source: Tx | sqlite3.Connection, task: str) -> dict[int, str]:
    """Words by history step."""
    return dict(source.execute("select n, text from task_note where task = ?", (task,)).fetchall())


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def exists(source: Tx | sqlite3.Connection, task: str) -> bool:
    """Whether an id is a task's; a draft's is not one yet."""
    return source.execute("select 1 from task where id = ?", (task,)).fetchone() is not None


def shown_photos(source: Tx | sqlite3.Connection, task: str) -> int:
    """How many photos of the problem a task still shows."""
    sql = "select count(*) from task_photo where task = ? and role = 'report' and hidden = 0"
    return int(source.execute(sql, (task,)).fetchone()[0])
