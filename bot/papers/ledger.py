"""台账: one row a task, as the board filters them, in an Excel file no cell of which is a formula.

Text goes in as text: a report that begins with = or @ stays what somebody wrote (CWE-1236). Photos are thumbnails when
asked for and few enough, else only counted.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.papers import Taker, moment
from handlers.office import Office
from handlers.tasks.lifecycle import STATES
from store import board, tasks
from store.board import Filter, Scope
from store.tasks import Task

PICTURED = 300  # rows up to which thumbnails are put in: some 6 MB
EVERYTHING = 1_000_000
CELL = 32_000  # Excel takes 32,767 characters
ROW_HEIGHT = 66
COLUMNS: tuple[tuple[str, int], ...] = (
    ("单号", 15), ("状态", 9), ("上报时间", 16), ("地点", 22), ("类别", 16), ("内容", 44), ("承办单位", 18), ("协办单位", 18),
    ("经办人", 9), ("上报人", 12), ("派单时间", 16), ("签收时间", 16), ("到场时间", 16), ("反馈时间", 16), ("办结时间", 16),
    ("时限", 16), ("是否超时", 9), ("退单次数", 9), ("返工次数", 9), ("上报照片数", 10), ("办理照片数", 10),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One task with what stands beside it."""

    task: Task
    units: Sequence[str]
    reporters: Sequence[str]
    report: Sequence[str] = field(default=())
    evidence: Sequence[str] = field(default=())


def entries(connection: sqlite3.Connection, scope: Scope, wanted: Filter, now: int, most: int) -> list[Entry]:
    """What the board would list, at most `most` and one more, so that too many shows."""
    found = board.first(connection, scope, wanted, now, most)
    units: dict[str, list[str]] = {}
    reporters: dict[str, list[str]] = {}
    for begin in range(0, len(found), 500):
        some_units, some_reporters = board.sides(connection, [task.id for task in found[begin : begin + 500]])
        units |= some_units
        reporters |= some_reporters
    return [_entry(connection, task, units.get(task.id, []), reporters.get(task.id, [])) for task in found]


def numbers(connection: sqlite3.Connection, scope: Scope, wanted: Filter, now: int) -> list[str]:
    """The ids of everything the board would list."""
    return [task.id for task in board.first(connection, scope, wanted, now, EVERYTHING)]


def whole(connection: sqlite3.Connection, entry: Entry) -> Entry:
    """The same task with its photos."""
    return _entry(connection, entry.task, entry.units, entry.reporters)


def _entry(connection: sqlite3.Connection, task: Task, units: Sequence[str], reporters: Sequence[str]) -> Entry:
    shown = [photo for photo in tasks.photos(connection, task.id) if not photo.hidden]
    return Entry(
        task,
        [unit for unit in units if unit] or ([task.unit] if task.unit else []),
        reporters,
        [photo.sha for photo in shown if photo.role == "report"],
        [photo.sha for photo in shown if photo.role != "report"],
    )


def write(
    rows: Sequence[Entry], office: Office, taker: Taker, asked: str, picture: Callable[[str], Path] | None = None
) -> bytes:
    """The workbook. `asked` says in words which filter it shows; `picture` gives a thumbnail's file."""
    import xlsxwriter

    out = io.BytesIO()
    pictured = picture is not None and len(rows) <= PICTURED
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    try:
        book.set_properties({"title": "工单台账", "author": taker.name, "comments": taker.mark()})
        head = book.add_format(
            {"bold": True, "bg_color": "#E8EEF4", "border": 1, "text_wrap": True, "valign": "vcenter"}
        )
        cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top", "num_format": "@"})
        number = book.add_format({"border": 1, "valign": "top"})
        sheet = book.add_worksheet("工单台账")
        titles = [*COLUMNS, *([("上报照片", 20), ("办理照片", 20)] if pictured else [])]
        for column, (title, width) in enumerate(titles):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, head)
        for at, entry in enumerate(rows, 1):
            for column, value in enumerate(values(entry, office, taker.at)):
                if isinstance(value, int):
                    sheet.write_number(at, column, value, number)
                else:
                    sheet.write_string(at, column, value[:CELL], cell)
            if pictured and picture is not None:
                _pictures(sheet, at, entry, picture)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(rows)), len(COLUMNS) - 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{_plain(taker.mark())}&R第 &P 页 共 &N 页")
        sheet.write_string(len(rows) + 2, 0, f"{asked}，共 {len(rows)} 件。{taker.mark()}")
    finally:
        book.close()
    return out.getvalue()


def values(entry: Entry, office: Office, now: int) -> Iterator[str | int]:
    """A row's cells in the order of COLUMNS."""
    task = entry.task
    yield f"{task.day}-{task.serial:03d}" if task.day and task.serial else task.id
    yield STATES.get(task.state, task.state)
    yield moment(task.opened_at)
    yield office.place_name(task.place) or task.place_text
    yield office.category_name(task.category) if task.category else ""
    yield task.text or "（只有照片）"
    yield _names(entry.units[:1], office.unit_name)
    yield _names(entry.units[1:], office.unit_name)
    yield office.person_name(task.handler)
    yield _names(entry.reporters, office.person_name)
    for at in (task.dispatched_at, task.accepted_at, task.arrived_at, task.feedback_at, task.closed_at, task.due_at):
        yield moment(at)
    yield "是" if late(task, now) else "否"
    yield from (task.returns, task.reworks, len(entry.report), len(entry.evidence))


def late(task: Task, now: int) -> bool:
    """Whether any round ran, or is running, over its limit."""
    running = task.state in board.RUNNING and task.due_at is not None and task.due_at < now
    answered = task.feedback_at is not None and task.due_at is not None and task.feedback_at > task.due_at
    return bool(task.overran) or running or answered


def _names(ids: Iterable[str], called: Callable[[str], str]) -> str:
    return "、".join(filter(None, map(called, ids)))


def _pictures(sheet: object, at: int, entry: Entry, picture: Callable[[str], Path]) -> None:
    sheet.set_row(at, ROW_HEIGHT)  # type: ignore[attr-defined]
    for column, shas in ((len(COLUMNS), entry.report), (len(COLUMNS) + 1, entry.evidence)):
        path = picture(shas[0]) if shas else None
        if path is not None and path.exists():
            options = {"object_position": 1, "x_offset": 2, "y_offset": 2, "x_scale": 0.4, "y_scale": 0.4}
            sheet.insert_image(at, column, str(path), options)  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    """& begins a code in Excel's footers."""
    return text.replace("&", "&&")
