"""The knowledge base as a sheet: what an entry is, and how CSV and Excel files of entries are read and written.

shipped_entries()   the starter base (facts checked against two sources are live, the rest wait for the bureau)
read_entries(path)  every mistake at once as ConfigError, with file, row and column
write_entries(...)  a CSV that reads back to the same entries; write_entries_workbook the same as .xlsx
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config.cells import Record, read_table
from config.errors import ConfigError, Fault
from config.sheets import Column, Sheet
from config.spreadsheets import Table, read_csv, read_workbook, write_csv, write_sheets

SHIPPED = Path(__file__).parent / "faq.csv"
STATES = {"draft": "草稿", "live": "已生效", "retired": "已停用"}
TITLE = "问答"


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with its approved answer. Dates are ISO days in Shanghai, both included; "" = unlimited.

    `taxpayer_type` and `tax` are words as offices write them; empty = everyone, every tax.
    """

    id: str
    question: str
    answer: str
    basis: str
    similar: tuple[str, ...] = ()
    source: str = ""
    valid_from: str = ""
    valid_to: str = ""
    taxpayer_type: tuple[str, ...] = ()
    tax: tuple[str, ...] = ()
    region: str = ""
    maintainer: str = ""
    status: str = "live"
    successor: str = ""
    version: int = 1


SHEET = Sheet(
    "faq",
    (TITLE, "知识库"),
    Entry,
    (
        Column("id", ("编号", "ID"), "id", required=True),
        Column("question", ("问题", "标准问题"), required=True, limit=200),
        Column("similar", ("相似问", "相似问题"), "list", limit=200),
        Column("answer", ("答案", "回答"), "prose", required=True, limit=4000),
        Column("basis", ("依据", "文号"), required=True, limit=400),
        Column("source", ("来源",), limit=300),
        Column("valid_from", ("生效日期", "生效"), "date"),
        Column("valid_to", ("失效日期", "失效"), "date"),
        Column("taxpayer_type", ("适用对象", "纳税人类型"), "list"),
        Column("tax", ("税种", "税费种"), "list"),
        Column("region", ("地区",)),
        Column("maintainer", ("维护人", "维护单位")),
        Column("status", ("状态",), "word", words=STATES, default="draft"),
        Column("successor", ("替代条目",), "id"),
        Column("version", ("版本",), "count", default="1"),
    ),
    unique=("id",),
)
HEADER = [column.name for column in SHEET.columns]


@cache
def shipped_entries() -> tuple[Entry, ...]:
    """The starter base, read once."""
    return read_entries(SHIPPED)


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The entries of a .csv or the sheet 问答 (or the only sheet) of an .xlsx."""
    table = read_csv(path) if path.suffix.lower() == ".csv" else _sheet(path)
    faults: list[Fault] = []
    records = read_table(SHEET, table, faults, [])
    _check(records, faults)
    if faults:
        raise ConfigError(faults)
    return tuple(Entry(**record.values) for record in records)


def write_entries(entries: Iterable[Entry], path: Path) -> None:
    """UTF-8 CSV with byte order mark, inert in a spreadsheet."""
    write_csv(path, HEADER, (_line(entry) for entry in entries))


def write_entries_workbook(entries: Iterable[Entry], path: Path) -> None:
    """The same as one .xlsx, all cells text."""
    write_sheets(path, [(TITLE, HEADER, [_line(entry) for entry in entries])])


def _sheet(path: Path) -> Table:
    book = read_workbook(path)
    named = [table for title, table in book.items() if title.lower() in ("faq", *SHEET.titles)]
    if len(named or book) != 1:
        raise ConfigError([Fault(path.name, None, None, f"应有且只有一张名为“{TITLE}”的表")])
    return named[0] if named else next(iter(book.values()))


def _check(records: Sequence[Record], faults: list[Fault]) -> None:
    """What only whole rows show: ids twice, validity the wrong way round, a successor that is not there."""
    rows: dict[object, int] = {}
    for record in records:
        value = record.values
        if value["id"] in rows:
            faults.append(record.fault("id", f"编号“{value['id']}”与第{rows[value['id']]}行重复"))
        rows.setdefault(value["id"], record.row)
        if value["valid_from"] and value["valid_to"] and value["valid_to"] < value["valid_from"]:
            faults.append(record.fault("valid_to", "失效日期早于生效日期"))
    for record in records:
        if record.values["successor"] and record.values["successor"] not in rows:
            faults.append(record.fault("successor", f"没有编号为“{record.values['successor']}”的条目"))


def _line(entry: Entry) -> list[str]:
    return ["|".join(cell) if isinstance(cell := getattr(entry, name), tuple) else str(cell) for name in HEADER]
