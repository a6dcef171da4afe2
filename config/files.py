"""A county as files: one CSV per sheet in a folder, or one Excel workbook (design 7).

    read_county(path)      every mistake at once as ConfigError, nothing half read
    examine(path)          the same, plus what is odd but allowed
    write_county(...)      the CSV folder; read back it is the same county
    write_workbook(...)    the same as one .xlsx
    shipped_county()       云溪县, the invented county that comes with the product

Only units, people and groups must be there. Categories, standards, calendar and phrases that are missing come from
the product. Missing places and duties stay empty: one county's roads and responsibilities are not another's, and
duties are then proposed from the units' prose elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from config.cells import Record, read_table
from config.checks import check_records, warn_records
from config.county import County
from config.errors import ConfigError, Fault
from config.sheets import SHEETS, Column, Sheet
from config.spreadsheets import Table, read_csv, read_workbook, write_csv, write_sheets

SHIPPED = Path(__file__).parent / "county"


@dataclass(frozen=True, slots=True)
class Examined:
    """What an import found. `county` is None as long as there are faults; warnings never stop it."""

    county: County | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def read_county(path: Path, base: County | None = None) -> County:
    """The county in a folder of CSV files or an .xlsx; ConfigError carries every fault. `base` fills missing files."""
    found = examine(path, base)
    if found.county is None:
        raise ConfigError(found.faults)
    return found.county


def examine(path: Path, base: County | None = None) -> Examined:
    """Check everything and say everything: faults with file, row and column, and warnings."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    tables = _tables(path, faults)
    if faults and not tables:
        return Examined(None, tuple(faults), ())
    faults.extend(_missing(tables, faults))
    records = {name: read_table(_SHEET[name], table, faults, warnings) for name, table in tables.items()}
    product = base if base is not None else _product(records)
    check_records(records, product, faults)
    if faults:
        return Examined(None, tuple(faults), tuple(warnings))
    warnings.extend(warn_records(records))
    return Examined(_assemble(records, product), (), tuple(warnings))


def write_county(county: County, folder: Path) -> None:
    """Every sheet as CSV with a header, UTF-8 with byte order mark, inert in a spreadsheet."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in SHEETS:
        write_csv(folder / f"{sheet.name}.csv", _header(sheet), _lines(sheet, county))


def write_workbook(county: County, path: Path) -> None:
    """Every sheet in one .xlsx, all cells text."""
    write_sheets(path, [(sheet.name, _header(sheet), _lines(sheet, county)) for sheet in SHEETS])


@cache
def shipped_county() -> County:
    """云溪县: what a first start shows and where missing sheets come from."""
    return read_county(SHIPPED, base=County())


_SHEET = {sheet.name: sheet for sheet in SHEETS}
TITLES = {title.lower(): sheet.name for sheet in SHEETS for title in (sheet.name, *sheet.titles)}


def _tables(path: Path, faults: list[Fault]) -> dict[str, Table]:
    if path.is_dir():
        books = sorted(path.glob("*.xlsx"))
        if len(books) != 1 or any(path.glob("*.csv")):
            return _folder(path, faults)
        path = books[0]
    if not path.is_file():
        faults.append(Fault(path.name, None, None, "没有这个文件夹或文件"))
    elif path.suffix.lower() != ".xlsx":
        faults.append(Fault(path.name, None, None, "请给出装 CSV 的文件夹，或一个 .xlsx 文件"))
    else:
        return _workbook(path, faults)
    return {}


def _workbook(path: Path, faults: list[Fault]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    try:
        book = read_workbook(path)
    except ConfigError as error:
        faults.extend(error.faults)
        return tables
    for title, table in book.items():
        if (name := TITLES.get(title.lower())) is not None:
            _keep(tables, name, table, faults)
    return tables


def _folder(path: Path, faults: list[Fault]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for file in sorted(path.iterdir()):
        name = TITLES.get(file.stem.lower())
        if name is None or file.suffix.lower() != ".csv":
            continue
        try:
            _keep(tables, name, read_csv(file), faults)
        except ConfigError as error:
            faults.extend(error.faults)
    return tables


def _keep(tables: dict[str, Table], name: str, table: Table, faults: list[Fault]) -> None:
    if name in tables:
        faults.append(Fault(table.file, None, None, f"与 {tables[name].file} 是同一张表，请只留一个"))
    tables[name] = table


def _missing(tables: dict[str, Table], faults: Sequence[Fault]) -> list[Fault]:
    unreadable = {TITLES.get(Path(fault.file).stem.lower()) for fault in faults}
    return [
        Fault(f"{sheet.name}.csv", None, None, f"缺少这张表（{sheet.titles[0]}），必须有")
        for sheet in SHEETS
        if sheet.required and sheet.name not in tables and sheet.name not in unreadable
    ]


def _product(records: dict[str, list[Record]]) -> County:
    """What the product gives to a county that is not its own."""
    needed = any(sheet.shared and sheet.name not in records for sheet in SHEETS)
    return shipped_county() if needed else County()


def _assemble(records: dict[str, list[Record]], product: County) -> County:
    own: dict[str, Any] = {
        name: tuple(_SHEET[name].row(**record.values) for record in found) for name, found in records.items()
    }
    given = {sheet.name: getattr(product, sheet.name) for sheet in SHEETS if sheet.shared}
    return _coherent(County(**(given | own)), own)


def _coherent(county: County, own: dict[str, Any]) -> County:
    """Where only the categories are the county's own, product rows about other codes are left out."""
    if "categories" not in own:
        return county
    codes = {category.code for category in county.categories}
    return replace(
        county,
        standards=tuple(row for row in county.standards if row.code in codes),
        phrases=tuple(row for row in county.phrases if not row.code or row.code in codes),
    )


def _header(sheet: Sheet) -> list[str]:
    return [column.name for column in sheet.columns]


def _lines(sheet: Sheet, county: County) -> list[list[str]]:
    rows: Sequence[object] = getattr(county, sheet.name)
    return [[_cell(column, getattr(row, column.name)) for column in sheet.columns] for row in rows]


def _cell(column: Column, value: object) -> str:
    return "|".join(value) if isinstance(value, tuple) else str(value)
