"""Putting a county into a data directory: what would change, what stands in the way, and the change itself.

In a real office it is one transaction. A demo ends for good (design 6b): its database is set aside whole, with its
sessions and its clock that may run ahead, and the county begins in a fresh one.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from config.county import County
from config.texts import FILE, load_texts
from handlers import wording
from store import Store, Tx, audit, county, meta
from store.peeking import glance, reading
from store.switching import own, switch

NAMED = 6
DEMO_FILES = ("photos", "backups", "drill.json")
SHEETS = {
    "units": ("单位", "id"),
    "people": ("人员", "id"),
    "places": ("地点", "id"),
    "groups": ("工作群", "id"),
    "categories": ("类别", "code"),
    "standards": ("立案条件", ""),
    "duties": ("职责", ""),
    "calendar": ("节假日", "date"),
    "phrases": ("说法", ""),
}
OPEN = "state not in ('closed', 'rejected', 'merged', 'withdrawn')"


def standing(data: Path) -> str:
    """What a data directory is now: new, demo or real."""
    seen = glance(data)
    if seen is None or not seen.loaded:
        return "new"
    return "demo" if seen.demo else "real"


def current(data: Path) -> County | None:
    """The county a directory holds."""
    if standing(data) == "new":
        return None
    with reading(data) as connection:
        return county.load(connection)


def changes(before: County | None, after: County) -> list[str]:
    """One line a sheet that differs."""
    old = before or County()
    lines = (_change(name, getattr(old, name), getattr(after, name)) for name in SHEETS)
    return [line for line in lines if line]


def _change(sheet: str, before: Sequence[object], after: Sequence[object]) -> str:
    title, key = SHEETS[sheet]
    old = {getattr(row, key): row for row in before} if key else {row: row for row in before}
    new = {getattr(row, key): row for row in after} if key else {row: row for row in after}
    added = [new[k] for k in new if k not in old]
    gone = [old[k] for k in old if k not in new]
    changed = [new[k] for k in new if k in old and old[k] != new[k]]
    parts = (_part(word, rows) for word, rows in (("新增", added), ("修改", changed), ("删除", gone)) if rows)
    text = "；".join(parts)
    return f"{title}:{text}" if text else ""


def _part(word: str, rows: Sequence[object]) -> str:
    names = [str(getattr(row, "name", "")) for row in rows[:NAMED]]
    shown = f"（{'、'.join(names)}{'…' if len(rows) > NAMED else ''}）" if all(names) and len(rows) <= 200 else ""
    return f"{word} {len(rows)}{shown}"


def obstacles(data: Path, after: County) -> list[str]:
    """Units that still have open tasks cannot go."""
    if standing(data) != "real":
        return []
    with reading(data) as connection:
        return obstacles_in(connection, after)


def obstacles_in(connection: sqlite3.Connection, after: County) -> list[str]:
    """The same of an open database."""
    kept = {unit.id for unit in after.units}
    rows = connection.execute(
        f"select u.unit, coalesce(unit.name, u.unit), count(distinct t.id) from task t join task_unit u on u.task = t.id"  # noqa: S608 - constant
        f" left join unit on unit.id = u.unit where t.{OPEN} group by u.unit"
    ).fetchall()
    return [
        f"单位“{name}”({unit})还有 {count} 件没办结的工单，不能删除。请先改派或办结。"
        for unit, name, count in rows
        if unit not in kept
    ]


def losses(before: County | None, after: County) -> list[str]:
    """Bindings made by check-in that the files do not know and the import would undo."""
    kept = {a for p in after.people for a in p.accounts} | {a for g in after.groups for a in g.accounts}
    found = before or County()
    people = [p.name for p in found.people if set(p.accounts) - kept]
    groups = [g.name for g in found.groups if set(g.accounts) - kept]
    return [
        f"△ 这些{word}现在绑定的账号不在文件里，导入后要重新{how}:{'、'.join(names[:NAMED])}{'…' if len(names) > NAMED else ''}"
        for word, how, names in (("人员", "报到", people), ("工作群", "绑定", groups))
        if names
    ]


def new_texts(source: Path, data: Path) -> bool:
    """Whether a county folder brings words of its own that the data folder has not; ConfigError when they cannot be used."""
    if not (source / FILE).is_file():
        return False
    wording.own(load_texts(source))
    return load_texts(source) != load_texts(data)


def lay_texts(source: Path, data: Path) -> None:
    """Put the office's own words where every start reads them, whole or not at all."""
    fresh = data / f".{FILE}"
    fresh.write_bytes((source / FILE).read_bytes())
    fresh.replace(data / FILE)


async def put_in(data: Path, after: County) -> Path | None:
    """Load the county; returns where a demo's data was set aside."""
    if standing(data) != "demo":
        await _save(data, after)
        return None
    with own(data):
        fresh = Path(tempfile.mkdtemp(prefix=".fresh-", dir=data))
        await _save(fresh, after)
        (fresh / "lock").unlink()  # the directory keeps the one we hold
        return switch(data, fresh, also=DEMO_FILES)


async def _save(data: Path, after: County) -> None:
    store = Store.open(data)
    try:
        await store.write(partial(_replace, after))
    finally:
        store.close()


def _replace(after: County, tx: Tx) -> None:
    county.save(tx, after)
    meta.put(tx, "demo", "")
    audit.append(tx, "", "", "cli", "county", "import", "ok")
