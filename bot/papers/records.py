"""Plain lists to take away: rows of text as CSV or Excel, no cell a formula, marked with who took them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from bot.papers import Taker
from config.spreadsheets import escape

Rows = Sequence[Sequence[str]]


def as_csv(header: Sequence[str], rows: Rows) -> bytes:
    """UTF-8 with a byte order mark, so that Excel opens it rightly."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([escape(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_workbook(title: str, header: Sequence[str], rows: Rows, taker: Taker, asked: str) -> bytes:
    """One sheet; `asked` says in words what was looked for."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": title, "author": taker.name, "comments": taker.mark()})
        head, cell = book.add_format({"bold": True, "border": 1}), book.add_format({"border": 1, "num_format": "@"})
        sheet = book.add_worksheet(title)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, head)
        for at, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                sheet.write_string(at, column, value, cell)
        sheet.set_column(0, len(header) - 1, 18)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.write_string(len(rows) + 2, 0, f"{asked}，共 {len(rows)} 条。{taker.mark()}")
    return out.getvalue()
