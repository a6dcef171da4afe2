"""Files of an office as plain rows of text: CSV in UTF-8 or GBK, or one Excel workbook.

A cell that looks like a formula gets an apostrophe when written and loses it when read (security.md T10), so an
export is inert in a spreadsheet and still comes back unchanged.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from config.errors import ConfigError, Fault

if TYPE_CHECKING:
    from openpyxl import Workbook


class Cell(Protocol):
    """What is asked of a workbook's cell."""

    @property
    def value(self) -> object: ...
    @property
    def data_type(self) -> str: ...


MAX_BYTES = 32 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024  # an .xlsx is a zip archive and may be a bomb
MAX_ROWS = 200_000
MAX_COLUMNS = 64
FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")  # security.md T10
QUOTED_FORMULA = re.compile(r"''*[=+\-@＝＋－＠\t\r\n]")


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet as text. `rows` pairs each non-empty row with the number the spreadsheet shows for it."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    formulas: tuple[tuple[int, int], ...] = ()


def escape(cell: str) -> str:
    """What to write so that no spreadsheet computes the cell."""
    return "'" + cell if FORMULA.match(cell) else cell


def unescape(cell: str) -> str:
    """The cell as it was before `escape`."""
    return cell[1:] if QUOTED_FORMULA.match(cell) else cell


def read_csv(path: Path) -> Table:
    """One CSV file; raises ConfigError when it cannot be taken apart."""
    text = _decode(path.name, _bytes(path))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[str, ...]] = []
    try:
        lines.extend(tuple(row) for row in reader)
    except csv.Error as error:
        raise ConfigError([Fault(path.name, len(lines) + 1, None, f"这一行拆不开，请检查引号（{error}）")]) from error
    return _table(path.name, list(enumerate(lines, start=1)), ())


def read_workbook(path: Path) -> dict[str, Table]:
    """Every sheet of an .xlsx by its title. Formulas are kept as their text and reported."""
    from xml.etree.ElementTree import ParseError
    from zipfile import BadZipFile, ZipFile
    from zlib import error as ZlibError

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with ZipFile(io.BytesIO(_bytes(path))) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                raise ConfigError([Fault(path.name, None, None, "文件展开后太大，请删去多余内容再导入")])
        with closing(load_workbook(path, read_only=True, data_only=False)) as book:
            return dict(_sheets(path.name, book))
    except (BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, ZlibError) as broken:
        raise ConfigError([Fault(path.name, None, None, "不是能读的 Excel 文件，请另存为 .xlsx")]) from broken


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """UTF-8 with a byte order mark, so that Excel opens it rightly."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([escape(cell) for cell in row] for row in rows)


def write_sheets(path: Path, sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[str]]]]) -> None:
    """One workbook; every cell is written as text, never as a formula, number or link."""
    from xlsxwriter import Workbook

    with Workbook(str(path), {"in_memory": True}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@", "text_wrap": False})
        for title, header, rows in sheets:
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(header) - 1, 20, text)
            for column, name in enumerate(header):
                sheet.write_string(0, column, name, bold)
            for number, row in enumerate(rows, start=1):
                for column, cell in enumerate(row):
                    if cell:
                        sheet.write_string(number, column, escape(cell), text)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Fault(path.name, None, None, f"打不开这个文件（{error.strerror}）")]) from error
    if len(data) > MAX_BYTES:
        raise ConfigError([Fault(path.name, None, None, f"文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆小")])
    return data


def _decode(name: str, data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError([Fault(name, None, None, "文字编码认不出，请另存为 UTF-8 编码的 CSV")])


def _sheets(file: str, book: Workbook) -> Iterator[tuple[str, Table]]:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    for sheet in book.worksheets:
        if isinstance(sheet, ReadOnlyWorksheet):
            sheet.reset_dimensions()  # the stated size is often a million empty rows
            grid = cast("Iterable[Sequence[Cell]]", sheet.rows)
            title = sheet.title.strip()
            yield title, _read_sheet(f"{file}「{title}」", grid)


def _read_sheet(file: str, grid: Iterable[Sequence[Cell]]) -> Table:
    formulas: list[tuple[int, int]] = []
    lines: list[tuple[int, Sequence[str]]] = []
    for number, cells in enumerate(grid, start=1):
        row = cells[:MAX_COLUMNS]
        if any(cell.value is not None for cell in row):
            formulas.extend((number, place) for place, cell in enumerate(row) if cell.data_type == "f")
            lines.append((number, [_text(cell.value) for cell in row]))
    return _table(file, lines, formulas)


def _text(value: object) -> str:
    """A cell as the office sees it: whole numbers without a point, dates as ISO."""
    if value is None:
        return ""
    value = getattr(value, "text", value)  # an array formula is an object
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _table(file: str, lines: Sequence[tuple[int, Sequence[str]]], formulas: Sequence[tuple[int, int]]) -> Table:
    if len(lines) > MAX_ROWS:
        raise ConfigError([Fault(file, lines[MAX_ROWS][0], None, f"超过 {MAX_ROWS} 行，请拆小")])
    cleaned = [(number, tuple(_clean(cell) for cell in line)) for number, line in lines]
    header = cleaned[0][1] if cleaned and cleaned[0][0] == 1 else ()
    while header and not header[-1]:
        header = header[:-1]
    rows = tuple((number, line) for number, line in cleaned if number > 1 and any(line))
    return Table(file, header, rows, tuple(formulas))


def _clean(cell: str) -> str:
    return unescape(cell.replace("\r\n", "\n").strip())
