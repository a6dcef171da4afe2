"""Single changes to a part of the county (calendar, places, groups, texts): what each replaced, so the last can be undone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.writer import Tx

Row = tuple[str, ...]
_COLUMNS = "seq, at, actor, part, before, after"
TABLES = {  # part → table, its columns in the order of a row, how many of them are its key
    "calendar": ("calendar_day", ("date", "kind"), 1),
    "places": ("place", ("id", "name", "aliases", "kind", "town"), 1),
    "groups": ("work_group", ("id", "name", "purpose", "members", "owner"), 1),
}
TOUCHED = {"calendar": "county", "places": "county", "groups": "people"}  # a group's rows leave the reader as it is


@dataclass(frozen=True, slots=True)
class CountyStep:
    """One change: `before` are the rows it took away, `after` those it put."""

    seq: int
    at: int
    actor: str
    part: str
    before: tuple[Row, ...]
    after: tuple[Row, ...]


def change(tx: Tx, part: str, actor: str, before: Sequence[Row], after: Sequence[Row]) -> CountyStep | None:
    """Replace the rows `before` by `after` and keep what was done; None when the table no longer holds `before`."""
    if not replace_rows(tx, part, before, after):
        return None
    return keep(tx, part, actor, before, after)


def keep(tx: Tx, part: str, actor: str, before: Sequence[Row], after: Sequence[Row]) -> CountyStep:
    """Write a step down."""
    row = tx.execute(
        "insert into county_step (at, actor, part, before, after) values (?, ?, ?, ?, ?)",
        (tx.at, actor, part, _json(before), _json(after)),
    )
    return CountyStep(row.lastrowid or 0, tx.at, actor, part, tuple(before), tuple(after))


def undo(tx: Tx, step: CountyStep) -> bool:
    """Put back what the last change of a part replaced; False when it was undone or changed over since."""
    if last(tx, step.part) != step or not replace_rows(tx, step.part, step.after, step.before):
        return False
    mark_undone(tx, step)
    return True


def mark_undone(tx: Tx, step: CountyStep) -> None:
    """This step no longer holds."""
    tx.execute("update county_step set undone_at = ? where seq = ?", (tx.at, step.seq))


def last(source: Tx | sqlite3.Connection, part: str) -> CountyStep | None:
    """The last change of a part that was not undone."""
    row = source.execute(
        f"select {_COLUMNS} from county_step where part = ? and undone_at is null order by seq desc limit 1", (part,)
    ).fetchone()
    if row is None:
        return None
    seq, at, actor, name, before, after = row
    return CountyStep(seq, at, actor, name, _rows(before), _rows(after))


def replace_rows(tx: Tx, part: str, before: Sequence[Row], after: Sequence[Row]) -> bool:
    """Rows of a part's table, when it holds exactly `before` under all these keys."""
    table, columns, keys = TABLES[part]
    names, held = ", ".join(columns), {row[:keys]: row for row in before}
    for key in {row[:keys] for row in (*before, *after)}:
        where = " and ".join(f"{name} = ?" for name in columns[:keys])
        found = tx.one(f"select {names} from {table} where {where}", key)
        if (tuple(found) if found else None) != held.get(key):
            return False
    _put(tx, part, before, after)
    tx.touched.add(TOUCHED[part])
    return True


def _put(tx: Tx, part: str, before: Sequence[Row], after: Sequence[Row]) -> None:
    """A row that stays is updated in place, since a place or a group keeps its position and other columns."""
    table, columns, keys = TABLES[part]
    stays = {row[:keys] for row in before} & {row[:keys] for row in after}
    where = " and ".join(f"{name} = ?" for name in columns[:keys])
    for row in before:
        if row[:keys] not in stays:
            tx.execute(f"delete from {table} where {where}", row[:keys])
    for row in after:
        if row[:keys] in stays:
            to = ", ".join(f"{name} = ?" for name in columns[keys:])
            tx.execute(f"update {table} set {to} where {where}", (*row[keys:], *row[:keys]))
        elif part == "calendar":
            tx.execute(f"insert into {table} values (?, ?)", row)
        else:
            marks, pos = ", ".join("?" * len(row)), f"(select coalesce(max(pos), 0) + 1 from {table})"
            tx.execute(f"insert into {table} ({', '.join(columns)}, pos) values ({marks}, {pos})", row)


def _json(rows: Sequence[Row]) -> str:
    return json.dumps([list(row) for row in rows], ensure_ascii=False)


def _rows(text: str) -> tuple[Row, ...]:
    return tuple(tuple(row) for row in json.loads(text))
