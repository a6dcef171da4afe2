"""Micro-classes and micro-warnings as a sheet: what a card file holds, and how it is read and written.

shipped_cards()    the starter library; every card of it is a sample (范例) until an office makes it its own
read_cards(path)   every mistake at once as ConfigError, with file, row and column
write_cards(...)   a CSV that reads back to the same cards
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config.cells import Record, read_table
from config.errors import ConfigError, Fault
from config.sheets import Column, Sheet
from config.spreadsheets import Table, read_csv, write_csv

SHIPPED = Path(__file__).parent / "cards.csv"
KINDS = {"class": "微课堂", "warning": "微警示"}
STATES = {"ready": "在用", "retired": "停用"}
ORIGINS = {"own": "自写", "sample": "范例"}
SHORTEST, LONGEST = 15, 400  # characters of text: a card is read in one go


@dataclass(frozen=True, slots=True)
class CardRow:
    """One card as a file has it; kind and title together name it. Dates are yyyy-mm-dd or empty."""

    kind: str
    title: str
    text: str
    basis: str = ""
    url: str = ""
    source_name: str = ""
    plan_on: str = ""
    valid_from: str = ""
    valid_to: str = ""
    state: str = "ready"
    origin: str = "own"


SHEET = Sheet(
    "cards",
    ("微课堂微警示", "卡片"),
    CardRow,
    (
        Column("kind", ("栏目", "类型"), "word", required=True, words=KINDS),
        Column("title", ("标题",), required=True, limit=40),
        Column("text", ("正文", "内容"), "prose", required=True, limit=LONGEST),
        Column("basis", ("依据",), limit=120),
        Column("url", ("链接", "网址"), limit=300),
        Column("source_name", ("来源",)),
        Column("plan_on", ("安排日期", "哪天发"), "date"),
        Column("valid_from", ("生效日期",), "date"),
        Column("valid_to", ("失效日期",), "date"),
        Column("state", ("状态",), "word", words=STATES, default="ready"),
        Column("origin", ("出处",), "word", words=ORIGINS, default="own"),
    ),
    unique=("kind", "title"),
)
HEADER = [column.name for column in SHEET.columns]


@cache
def shipped_cards() -> tuple[CardRow, ...]:
    """The starter library, read once."""
    return read_cards(SHIPPED)


def nothing_wrong(row: CardRow) -> str:
    """A screen that lets everything pass."""
    return ""


def read_cards(path: Path, screen: Callable[[CardRow], str] = nothing_wrong) -> tuple[CardRow, ...]:
    """The cards of a CSV file; `screen` says why one's words may not be printed, or ""."""
    return cards_of(read_csv(path), screen)


def cards_of(table: Table, screen: Callable[[CardRow], str] = nothing_wrong) -> tuple[CardRow, ...]:
    """The cards of a table of text; ConfigError carries every fault."""
    faults: list[Fault] = []
    records = read_table(SHEET, table, faults, [])
    seen: dict[tuple[str, str], int] = {}
    screened: list[Fault] = []
    for record in records:
        faults.extend(_odd(record, seen))
        if not faults and (why := screen(CardRow(**record.values))):
            screened.append(record.fault("text", why))
    faults += screened
    if faults:
        raise ConfigError(faults)
    return tuple(CardRow(**record.values) for record in records)


def write_cards(cards: Iterable[CardRow], path: Path) -> None:
    """UTF-8 CSV with byte order mark, inert in a spreadsheet."""
    write_csv(path, HEADER, ([str(getattr(card, name)) for name in HEADER] for card in cards))


def _odd(record: Record, seen: dict[tuple[str, str], int]) -> list[Fault]:
    """What only a whole row shows."""
    value, found = record.values, []
    key = (value["kind"], value["title"])
    if key in seen:
        found.append(record.fault("title", f"“{value['title']}”与第{seen[key]}行重复"))
    seen.setdefault(key, record.row)
    if value["text"] and len("".join(value["text"].split())) < SHORTEST:
        found.append(record.fault("text", f"正文太短，至少 {SHORTEST} 字"))
    if value["url"] and not value["url"].startswith(("https://", "http://")):
        found.append(record.fault("url", "网址应以 http:// 或 https:// 开头"))
    if value["valid_from"] and value["valid_to"] and value["valid_to"] < value["valid_from"]:
        found.append(record.fault("valid_to", "失效日期早于生效日期"))
    return found
