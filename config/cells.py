"""From a table of text to checked values: headers, required cells, words, lists, dates, counts, accounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.errors import Fault
from config.sheets import OTHER_WORDS, Column, Sheet
from config.spreadsheets import Table

ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}:\S+")  # the channel is a path segment: /in/NAME
DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")  # Excel saves 2026-01-01 again as 2026/1/1
MAX_COUNT = 9999
INVISIBLE = re.compile(  # controls, zero-width and direction marks, line separators, lone surrogates
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


@dataclass(slots=True)
class Record:
    """One row on its way in. `row` counts as the spreadsheet does; `values` are the fields of the sheet's row type."""

    file: str
    row: int
    values: dict[str, Any]
    titles: dict[str, str]

    def fault(self, column: str, message: str) -> Fault:
        """A fault in this row, naming the column as the file does."""
        return Fault(self.file, self.row, self.titles.get(column, column), message)


class Bad(Exception):
    """A cell that cannot be used; its text says why, in Chinese."""


def read_table(sheet: Sheet, table: Table, faults: list[Fault], warnings: list[Fault]) -> list[Record]:
    """Every row of one sheet. What is wrong goes to `faults`; the record is kept so that later checks can go on."""
    places = _columns(sheet, table, faults, warnings)
    titles = {name: table.header[place] for name, place in places.items()}
    records = []
    for number, cells in table.rows:
        record = Record(table.file, number, {}, titles)
        for column in sheet.columns:
            place = places.get(column.name, len(cells))
            _fill(record, column, cells[place] if place < len(cells) else "", faults)
        if any(cells[len(table.header) :]):
            faults.append(Fault(table.file, number, None, "这一行比表头多出内容，请检查逗号"))
        records.append(record)
    warnings.extend(
        Fault(table.file, row, table.header[place], "是公式，已按文字读入")
        for row, place in table.formulas
        if place < len(table.header)
    )
    return records


def _columns(sheet: Sheet, table: Table, faults: list[Fault], warnings: list[Fault]) -> dict[str, int]:
    known = {title.lower(): column.name for column in sheet.columns for title in (column.name, *column.titles)}
    places: dict[str, int] = {}
    for place, title in enumerate(table.header):
        name = known.get(title.lower())
        if name is None:
            warnings.append(Fault(table.file, 1, title or None, "不认识这一列，没有读入"))
        elif name in places:
            faults.append(Fault(table.file, 1, title, "这一列出现了两次"))
        else:
            places[name] = place
    for column in sheet.columns:
        if column.required and column.name not in places:
            faults.append(Fault(table.file, 1, column.name, f"缺少这一列（{column.titles[0]}）"))
    return places


def _fill(record: Record, column: Column, cell: str, faults: list[Fault]) -> None:
    try:
        record.values[column.name] = _read(column, cell)
    except Bad as bad:
        record.values[column.name] = () if column.form in LISTS else ""
        if column.name in record.titles:
            faults.append(record.fault(column.name, str(bad)))


def _read(column: Column, cell: str) -> object:
    _visible(column, cell)
    if not cell:
        if column.required:
            raise Bad("不能为空")
        cell = column.default
    return READERS[column.form](column, cell)


def _visible(column: Column, cell: str) -> None:
    if INVISIBLE.search(cell.replace("\n", "") if column.form == "prose" else cell):
        raise Bad("有换行或看不见的字符，请删去重输")


def _text(column: Column, cell: str) -> str:
    if len(cell) > column.limit:
        raise Bad(f"太长：{len(cell)} 字，最多 {column.limit} 字")
    return cell


def _id(column: Column, cell: str) -> str:
    if any(character.isspace() or character in "|｜" for character in cell):
        raise Bad("编号里不能有空格或竖线")
    return _text(column, cell)


def _parts(cell: str) -> list[str]:
    return [part for part in (piece.strip() for piece in re.split(r"[|｜]", cell)) if part]


def _list(column: Column, cell: str) -> tuple[str, ...]:
    return tuple(_text(column, part) for part in _parts(cell))


def _accounts(column: Column, cell: str) -> tuple[str, ...]:
    accounts = _list(column, cell)
    for account in accounts:
        if not ACCOUNT.fullmatch(account):
            raise Bad(f"账号“{account}”写法不对，应为“渠道:用户号”，如 web:zhangsan")
    return accounts


def _word(column: Column, cell: str) -> str:
    return _code(column, cell) if cell else ""


def _words(column: Column, cell: str) -> tuple[str, ...]:
    return tuple(_code(column, part) for part in _parts(cell))


def _code(column: Column, word: str) -> str:
    words = column.words or {}
    if word in words:
        return word
    for code, chinese in words.items():
        if word in (chinese, code.upper()) or OTHER_WORDS.get(word) == code:
            return code
    if column.other:
        return column.other
    raise Bad(f"不认识“{word}”，可填：{'、'.join(words.values())}")


def _date(column: Column, cell: str) -> str:
    if not cell:  # a required one was refused before
        return ""
    found = DATE.fullmatch(cell)
    if found is None:
        raise Bad(f"日期“{cell}”写法不对，应为 2026-01-31")
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError as error:
        raise Bad(f"没有“{cell}”这一天") from error


def _count(column: Column, cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", cell) or not 1 <= int(cell) <= MAX_COUNT:
        raise Bad(f"“{cell}”应为 1 到 {MAX_COUNT} 的整数")
    return int(cell)


READERS: dict[str, Callable[[Column, str], object]] = {
    "text": _text,
    "prose": _text,
    "id": _id,
    "list": _list,
    "accounts": _accounts,
    "word": _word,
    "words": _words,
    "date": _date,
    "count": _count,
}
LISTS = {"list", "accounts", "words"}
