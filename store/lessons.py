"""What people put right, and an office's imported history: rows that the learner is a pure function of (design 4).

Revoked, never deleted; every step in a lesson's life is a row, and so is what it would change among settled tasks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.writer import Tx

_FIELDS = (
    "seq, at, task, text, category, unit, place, actor, revoked_at, source, batch, was_category, was_unit, offered"
)
_STEP = "seq, at, actor, event, lesson, batch, looked, changed, done_at"
CORRECTED, IMPORTED = "corrected", "imported"
MADE, REVOKED, GIVEN_BACK = "made", "revoked", "given_back"
PAGE = 50


@dataclass(frozen=True, slots=True)
class LessonRow:
    """One lesson: these words meant this class, unit and place. `was_…` and `offered` are what the bot had said before."""

    seq: int
    at: int
    task: str | None
    text: str
    category: str
    unit: str
    place: str
    actor: str
    revoked_at: int | None
    source: str = CORRECTED
    batch: str = ""
    was_category: str = ""
    was_unit: str = ""
    offered: str = ""


@dataclass(frozen=True, slots=True)
class LessonStep:
    """A step of one lesson or batch. `looked` settled tasks were read again, `changed` would go elsewhere (None: not yet)."""

    seq: int
    at: int
    actor: str
    event: str
    lesson: int | None
    batch: str
    looked: int | None
    changed: int | None
    done_at: int | None


@dataclass(frozen=True, slots=True)
class Effect:
    """A settled task that would go to another unit now."""

    task: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One import: how many lessons, by whom, and how many still stand."""

    name: str
    at: int
    actor: str
    count: int
    standing: int


@dataclass(frozen=True, slots=True)
class Said:
    """What the bot had said about a task before somebody put it right."""

    category: str = ""
    unit: str = ""
    offered: str = ""


def add(
    tx: Tx, task: str, text: str, category: str, unit: str, place: str, actor: str, said: Said | None = None
) -> int:
    """Remember a correction; it takes effect when the office snapshot is next rebuilt, right after the commit."""
    before = said or Said()
    cursor = tx.execute(
        "insert into lesson (at, task, text, category, unit, place, actor, was_category, was_unit, offered)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (tx.at, task, text, category, unit, place, actor, before.category, before.unit, before.offered),
    )
    seq = int(cursor.lastrowid or 0)
    _step(tx, MADE, actor, seq, "")
    return seq


def add_batch(tx: Tx, batch: str, rows: Iterable[tuple[str, str, str, str]], actor: str) -> int:
    """Take in an office's own history, (text, category, unit, place) oldest first; how many."""
    values = [(tx.at, text, category, unit, place, actor, IMPORTED, batch) for text, category, unit, place in rows]
    tx.connection.executemany(
        "insert into lesson (at, text, category, unit, place, actor, source, batch) values (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    _step(tx, MADE, actor, None, batch)
    return len(values)


def revoke(tx: Tx, actor: str, *, lesson: int | None = None, batch: str = "") -> bool:
    """Take a lesson or a whole batch out of what the reader knows. False when none of it stood."""
    return _turn(tx, REVOKED, actor, lesson, batch, "revoked_at = ?", "revoked_at is null", (tx.at,))


def give_back(tx: Tx, actor: str, *, lesson: int | None = None, batch: str = "") -> bool:
    """Let it count again, in its old place. False when all of it stands."""
    return _turn(tx, GIVEN_BACK, actor, lesson, batch, "revoked_at = null", "revoked_at is not null", ())


def _turn(
    tx: Tx, event: str, actor: str, lesson: int | None, batch: str, change: str, where: str, values: tuple[int, ...]
) -> bool:
    which, key = ("seq = ?", lesson) if lesson is not None else ("batch <> '' and batch = ?", batch)
    done = tx.execute(f"update lesson set {change} where {which} and {where}", (*values, key)).rowcount
    if done:
        _step(tx, event, actor, lesson, "" if lesson is not None else batch)
    return bool(done)


def _step(tx: Tx, event: str, actor: str, lesson: int | None, batch: str) -> None:
    tx.execute(
        "insert into lesson_step (at, actor, event, lesson, batch) values (?, ?, ?, ?, ?)",
        (tx.at, actor, event, lesson, batch),
    )
    tx.touched.add("lessons")


def standing(source: Tx | sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    """(text, category, unit, place) of every lesson not revoked, in order."""
    return source.execute(
        "select text, category, unit, place from lesson where revoked_at is null order by seq"
    ).fetchall()


def standing_but(
    source: Tx | sqlite3.Connection, lesson: int | None, batch: str, counted: bool
) -> list[tuple[str, str, str, str]]:
    """What would stand if this lesson or batch counted, or did not, everything else as it is."""
    which, key = ("seq = ?", lesson) if lesson is not None else ("batch = ?", batch)
    where = f"revoked_at is null or {which}" if counted else f"revoked_at is null and not {which}"
    return source.execute(
        f"select text, category, unit, place from lesson where {where} order by seq", (key,)
    ).fetchall()


def get(source: Tx | sqlite3.Connection, seq: int) -> LessonRow | None:
    """One lesson."""
    row = source.execute(f"select {_FIELDS} from lesson where seq = ?", (seq,)).fetchone()
    return LessonRow(*row) if row else None


def listing(
    source: Tx | sqlite3.Connection, page: int = 0, *, source_kind: str = "", revoked: bool | None = None
) -> list[LessonRow]:
    """Newest first, one row more than a page shows."""
    parts, values = ["1"], []
    if source_kind:
        parts.append("source = ?")
        values.append(source_kind)
    if revoked is not None:
        parts.append(f"revoked_at is {'not ' if revoked else ''}null")
    rows = source.execute(
        f"select {_FIELDS} from lesson where {' and '.join(parts)} order by seq desc limit {PAGE + 1} offset ?",
        (*values, page * PAGE),
    )
    return [LessonRow(*row) for row in rows]


def everything(source: Tx | sqlite3.Connection) -> list[LessonRow]:
    """All of them in order, for an export."""
    return [LessonRow(*row) for row in source.execute(f"select {_FIELDS} from lesson order by seq")]


def counts(source: Tx | sqlite3.Connection) -> tuple[int, int, int]:
    """(corrected that stand, imported that stand, revoked)."""
    row = source.execute(
        "select coalesce(sum(revoked_at is null and source = 'corrected'), 0),"
        " coalesce(sum(revoked_at is null and source = 'imported'), 0), coalesce(sum(revoked_at is not null), 0) from lesson"
    ).fetchone()
    return int(row[0]), int(row[1]), int(row[2])


def batches(source: Tx | sqlite3.Connection) -> list[Batch]:
    """Imports, newest first."""
    rows = source.execute(
        "select batch, min(at), min(actor), count(*), sum(revoked_at is null) from lesson where batch <> ''"
        " group by batch order by min(seq) desc"
    )
    return [Batch(*row) for row in rows]


def steps(source: Tx | sqlite3.Connection, lesson: int) -> list[LessonStep]:
    """A lesson's life, its batch's steps included, oldest first."""
    rows = source.execute(
        f"select {_STEP} from lesson_step where lesson = ?"
        f" union all select {_STEP} from lesson_step where batch <> '' and batch = (select batch from lesson where seq = ?)"
        " order by seq",
        (lesson, lesson),
    )
    return [LessonStep(*row) for row in rows]


def latest_steps(source: Tx | sqlite3.Connection, lessons: Sequence[int]) -> dict[int, LessonStep]:
    """The last step of each of these lessons that was taken alone."""
    marks = ", ".join("?" * len(lessons))
    rows = source.execute(
        f"select {_STEP} from lesson_step where seq in (select max(seq) from lesson_step where lesson in ({marks}) group by lesson)",
        tuple(lessons),
    )
    return {row[4]: LessonStep(*row) for row in rows}


def waiting(source: Tx | sqlite3.Connection) -> LessonStep | None:
    """The oldest step whose effect nobody has looked at."""
    row = source.execute(f"select {_STEP} from lesson_step where done_at is null order by seq limit 1").fetchone()
    return LessonStep(*row) if row else None


def seen(tx: Tx, step: int, looked: int, effects: Sequence[Effect]) -> bool:
    """Keep what a step would change among settled tasks. False when that is kept already."""
    done = tx.execute(
        "update lesson_step set looked = ?, changed = ?, done_at = ? where seq = ? and done_at is null",
        (looked, len(effects), tx.at, step),
    ).rowcount
    if done:
        tx.connection.executemany(
            "insert into lesson_effect (step, task, before, after) values (?, ?, ?, ?)",
            ((step, effect.task, effect.before, effect.after) for effect in effects),
        )
    return bool(done)


def effects(source: Tx | sqlite3.Connection, step: int, limit: int = 200) -> list[Effect]:
    """Settled tasks a step would send elsewhere."""
    rows = source.execute(
        "select task, before, after from lesson_effect where step = ? order by task limit ?", (step, limit)
    )
    return [Effect(*row) for row in rows]


def latest_batch_steps(source: Tx | sqlite3.Connection) -> dict[str, LessonStep]:
    """The last step of each import."""
    rows = source.execute(
        f"select {_STEP} from lesson_step where seq in (select max(seq) from lesson_step where batch <> '' group by batch)"
    )
    return {row[5]: LessonStep(*row) for row in rows}
