"""Who holds which post, as a sheet: names and titles in notices are compared with it, never corrected by it.

read_leaders(path)   every mistake at once as ConfigError, with file, row and column
read_typed(text)     the same of lines typed or pasted on a page (姓名,职务,起,止)
write_leaders(...)   a CSV that reads back to the same table
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from config.cells import Record, read_table
from config.errors import ConfigError, Fault
from config.sheets import Column, Sheet
from config.spreadsheets import Table, read_csv, unescape, write_csv

MOST = 500
PAGE = "名录"  # how a page's own lines are called in a fault


@dataclass(frozen=True, slots=True)
class LeaderRow:
    """One person in one post. Dates are yyyy-mm-dd, both included; "" = no limit."""

    name: str
    title: str
    valid_from: str = ""
    valid_to: str = ""


SHEET = Sheet(
    "leaders",
    ("领导名录", "职务表"),
    LeaderRow,
    (
        Column("name", ("姓名",), required=True, limit=20),
        Column("title", ("职务",), required=True, limit=60),
        Column("valid_from", ("任职日期", "起", "开始日期"), "date"),
        Column("valid_to", ("离任日期", "止", "结束日期"), "date"),
    ),
)
HEADER = tuple(column.name for column in SHEET.columns)


def read_leaders(path: Path) -> tuple[LeaderRow, ...]:
    """The table of a CSV file."""
    return _rows(read_csv(path))


def read_typed(text: str) -> tuple[LeaderRow, ...]:
    """One person a line: name, title and, where known, the two dates; commas of either kind or tabs between them."""
    plain = text.replace("\r\n", "\n").replace("，", ",").replace("\t", ",")
    lines = [(n, [cell.strip() for cell in row]) for n, row in enumerate(csv.reader(plain.split("\n")), 1)]
    rows = tuple((n, tuple(map(unescape, row))) for n, row in lines if any(row))
    return _rows(Table(PAGE, HEADER, rows))


def typed(rows: Iterable[LeaderRow]) -> str:
    """The table as `read_typed` takes it."""
    return "\n".join(",".join(astuple(row)).rstrip(",") for row in rows)


def write_leaders(rows: Iterable[LeaderRow], path: Path) -> None:
    """UTF-8 CSV with byte order mark, inert in a spreadsheet."""
    write_csv(path, HEADER, (list(astuple(row)) for row in rows))


def _rows(table: Table) -> tuple[LeaderRow, ...]:
    faults: list[Fault] = []
    records = read_table(SHEET, table, faults, [])
    seen: dict[tuple[str, ...], int] = {}
    for record in records:
        faults.extend(_odd(record, seen))
    if len(records) > MOST:
        faults.append(Fault(table.file, None, None, f"最多 {MOST} 行"))
    if faults:
        raise ConfigError(faults)
    return tuple(LeaderRow(**record.values) for record in records)


def _odd(record: Record, seen: dict[tuple[str, ...], int]) -> list[Fault]:
    value, found = record.values, []
    key = (value["name"], value["title"], value["valid_from"])
    if all(key[:2]) and key in seen:
        found.append(record.fault("name", f"与第{seen[key]}行重复"))
    seen.setdefault(key, record.row)
    if value["valid_from"] and value["valid_to"] and value["valid_to"] < value["valid_from"]:
        found.append(record.fault("valid_to", "离任日期早于任职日期"))
    if len(value["name"]) == 1:
        found.append(record.fault("name", "姓名至少两个字"))
    return found
