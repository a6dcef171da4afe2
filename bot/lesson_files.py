"""An office's own history as lessons: rows of what was written and who handled it, read from CSV or Excel and out again.

Nothing is taken before everything is right; what must not be written down (design 4) is refused or masked like a
message. A long history is thinned: the newest of every unit and class, as many as reading stays quick with.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.cells import Record, read_table
from config.county import County
from config.errors import ConfigError, Fault
from config.sheets import Column, Sheet
from config.spreadsheets import Table, read_csv, read_workbook, write_csv, write_sheets
from digests.screening import find_personal, find_secret, mask
from store.lessons import LessonRow

MOST = 3000  # imported lessons that may stand: 1.3 ms a message with as many (design 9 allows 1.5)
TEXT_LIMIT = 2000
SHOWN = 20  # faults a person reads at once

TEXT = Column("text", ("内容", "原话", "文字", "问题描述", "诉求内容"), "prose", required=True, limit=TEXT_LIMIT)
CATEGORY = Column("category", ("类别", "小类", "代码"))
UNIT = Column("unit", ("单位", "承办单位", "责任单位"), required=True)
PLACE = Column("place", ("地点", "地名", "位置"))
SHEET = Sheet("lessons", ("经验", "历史"), dict, (TEXT, CATEGORY, UNIT, PLACE))
OUT = ("text", "category", "unit", "place", "unit_name", "category_name", "source", "revoked")

Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class History:
    """A file that can be taken in. `rows` are (text, category, unit, place), oldest first; `read` rows were in it."""

    file: str
    rows: tuple[Row, ...]
    read: int
    doubles: int
    masked: int
    warnings: tuple[Fault, ...]

    def by_unit(self) -> list[tuple[str, int]]:
        """(unit id, rows), the most first."""
        return Counter(row[2] for row in self.rows).most_common()

    @property
    def classed(self) -> int:
        """Rows that name a class."""
        return sum(bool(row[1]) for row in self.rows)


def read_history(path: Path, county: County, room: int = MOST) -> History:
    """Everything in a file, checked; ConfigError carries every fault with its row and column."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    records = read_table(SHEET, _table(path), faults, warnings)
    found = [_row(record, _Names.of(county), faults) for record in records] if not _headless(faults) else []
    if not records and not faults:
        faults.append(Fault(path.name, None, None, "没有内容"))
    if faults:
        raise ConfigError(faults)
    clean = [row for row, _ in found]
    single = list(dict.fromkeys(clean))
    if room <= 0:
        raise ConfigError(f"导入的经验已有 {MOST} 条，请先在“学习”页撤回旧的一批，再导入。")
    masked = sum(hidden for _, hidden in found)
    return History(path.name, tuple(thin(single, room)), len(clean), len(clean) - len(single), masked, tuple(warnings))


def thin(rows: Sequence[Row], most: int) -> list[Row]:
    """At most so many rows in their order: the newest of every unit and class in turn."""
    if len(rows) <= most:
        return list(rows)
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        kinds[row[2], row[1]].append(at)
    kept: list[int] = []
    while len(kept) < most:
        for places in kinds.values():
            if places:
                kept.append(places.pop())
    return [rows[at] for at in sorted(kept[:most])]


def write_history(path: Path, rows: Iterable[LessonRow], county: County) -> int:
    """Every lesson as a file that `read_history` takes back; how many."""
    lines = list(lines_of(rows, county))
    if path.suffix.lower() == ".xlsx":
        write_sheets(path, [("lessons", OUT, lines)])
    else:
        write_csv(path, OUT, lines)
    return len(lines)


def lines_of(rows: Iterable[LessonRow], county: County) -> Iterable[tuple[str, ...]]:
    """Lessons as rows of an export; the last columns are for people and are not read back."""
    units = {unit.id: unit.name for unit in county.units}
    classes = {category.code: category.name for category in county.categories}
    sources = {"corrected": "更正", "imported": "导入"}
    for row in rows:
        yield (
            row.text, row.category, row.unit, row.place, units.get(row.unit, ""), classes.get(row.category, ""),
            sources.get(row.source, row.source), "已撤回" if row.revoked_at else "",
        )  # fmt: skip


def _table(path: Path) -> Table:
    suffix = path.suffix.lower()
    if not path.is_file() or suffix not in (".csv", ".xlsx"):
        raise ConfigError([Fault(path.name, None, None, "请给出一个 .csv 或 .xlsx 文件")])
    if suffix == ".csv":
        return read_csv(path)
    sheets = read_workbook(path)
    named = [table for title, table in sheets.items() if title in (SHEET.name, *SHEET.titles)]
    if not named and len(sheets) != 1:
        raise ConfigError([Fault(path.name, None, None, "有好几张表，请把要导入的一张命名为“经验”")])
    return named[0] if named else next(iter(sheets.values()))


def _headless(faults: Sequence[Fault]) -> bool:
    """A missing column is one fault, not one a row."""
    return any(fault.row == 1 for fault in faults)


@dataclass(frozen=True, slots=True)
class _Names:
    """What a cell may say for a unit, a class, a place: the key, or a name that only one has."""

    units: Mapping[str, str]
    classes: Mapping[str, str]
    places: Mapping[str, str]

    @staticmethod
    def of(county: County) -> _Names:
        return _Names(
            _index([(u.id, (u.name, *u.aliases)) for u in county.units]),
            _index([(c.code, (c.name,)) for c in county.categories]),
            _index([(p.id, (p.name, *p.aliases)) for p in county.places]),
        )


def _index(keys: Sequence[tuple[str, Sequence[str]]]) -> dict[str, str]:
    owners: dict[str, set[str]] = defaultdict(set)
    for key, names in keys:
        for name in names:
            owners[name].add(key)
    single = {name: next(iter(found)) for name, found in owners.items() if len(found) == 1}
    return single | {key: key for key, _ in keys}


def _row(record: Record, names: _Names, faults: list[Fault]) -> tuple[Row, bool]:
    """The row in our own words, and whether a personal number was starred out of it."""
    values: dict[str, Any] = record.values
    text = str(values["text"])
    unit, category, place = (str(values[name]) for name in ("unit", "category", "place"))
    if unit and unit not in names.units:
        faults.append(record.fault("unit", f"没有叫“{unit}”的单位"))
    if category and category not in names.classes:
        faults.append(record.fault("category", f"没有叫“{category}”的类别，或不止一个，请写代码"))
    if place and place not in names.places:
        faults.append(record.fault("place", f"地点表里没有“{place}”，可以不填"))
    if text and find_secret(text) is not None:
        faults.append(record.fault("text", "疑似涉密，不能导入，请删去这一行"))
    marks = find_personal(text)
    masked = mask(text, marks) if marks else text
    row = (masked, names.classes.get(category, ""), names.units.get(unit, ""), names.places.get(place, ""))
    return row, masked != text
