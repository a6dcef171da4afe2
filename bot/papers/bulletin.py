"""周报, 月报, 季报, 年报 in Word, set as official papers are (GB/T 9704-2012; ux.md A5), to be read over and edited before it goes out.

No ranking of people or units (security.md A.1): units stand in the county's order, few cases give no rate.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.papers import Taker
from config.county import County
from handlers.calendar import local
from handlers.tasks import figures
from handlers.tasks.statistics import SPANS, Cell, Table

if TYPE_CHECKING:
    from docx.document import Document

MARGINS = {"top": 37, "bottom": 35, "left": 28, "right": 26}  # mm, GB/T 9704 5.2.1
BODY, TITLE, HEADING = ("仿宋_GB2312", 16), ("方正小标宋简体", 22), ("黑体", 16)  # 三号, 二号, 三号
SMALL = ("仿宋_GB2312", 12)
LINE = 28  # points, exact: 22 lines a page
SHOWN = ("received", "filed", "due", "closed", "late", "running")
LABELS = ("受理", "立案", "应结案", "结案", "逾期未结", "期末在办")


def write(table: Table, county: County, title: str, office_name: str, taker: Taker) -> bytes:
    """The paper as .docx bytes."""
    import docx

    paper = docx.Document()
    _page(paper, taker)
    _line(paper, title, TITLE, centred=True)
    _line(paper, _span_of(table), BODY, centred=True)
    for heading, lines in _text(table):
        _line(paper, heading, HEADING)
        for line in lines:
            _line(paper, line, BODY, indent=True)
    for part in figures.parts(table, county):
        if part.rows:
            _line(paper, f"按{part.label}", HEADING)
            _table(paper, part.label, [(name, cell) for _, name, cell in part.rows])
    _line(paper, "计算口径", HEADING)
    for formula in figures.FORMULAS:
        _line(paper, formula, SMALL, indent=True)
    _line(paper, office_name, BODY, right=True)
    _line(paper, _day(taker.at), BODY, right=True)
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _text(table: Table) -> Sequence[tuple[str, list[str]]]:
    total = table.total
    counts = total.counts
    return (
        ("一、总体情况", [
            f"本期受理{counts['received']}件，立案{counts['filed']}件，应结案{counts['due']}件，结案{counts['closed']}件，"
            f"期末在办{counts['running']}件，其中逾期未结{counts['late']}件。",
            "；".join(f"{rate.label}{figures.shown_rate(total, name)}" for name, rate in figures.RATES.items()) + "。",
        ]),
        ("二、办理时长", [
            "；".join(f"平均{label}{figures.shown_span(total.spans[name])}" for name, label in SPANS.items())
            + "（先工作时间，后自然时间）。",
        ]),
        ("三、过程情况", [
            f"退单{counts['returned']}次，返工{counts['reworks']}次，延期{counts['extended']}次，挂账{counts['suspended']}次，"
            f"重开{counts['reopened']}件，强制办结{counts['forced']}件，撤回{counts['withdrawn']}件，"
            f"并案{counts['merged']}件，不予受理{counts['rejected']}件。",
        ]),
    )  # fmt: skip


def _page(paper: Document, taker: Taker) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(MARGINS["top"]), Mm(MARGINS["bottom"])
    section.left_margin, section.right_margin = Mm(MARGINS["left"]), Mm(MARGINS["right"])
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _set(foot.add_run(taker.mark()), ("仿宋_GB2312", 9))
    paper.core_properties.author = taker.name
    paper.core_properties.comments = taker.mark()


def _line(
    paper: Document,
    text: str,
    font: tuple[str, int],
    *,
    centred: bool = False,
    right: bool = False,
    indent: bool = False,
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
    from docx.shared import Pt

    paragraph = paper.add_paragraph()
    form = paragraph.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(max(LINE, font[1] + 8))
    form.space_before = form.space_after = Pt(0)
    if centred or right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centred else WD_ALIGN_PARAGRAPH.RIGHT
    if indent:
        form.first_line_indent = Pt(2 * font[1])
    _set(paragraph.add_run(text), font)


def _table(paper: Document, label: str, rows: Sequence[tuple[str, Cell]]) -> None:
    heads = (label, *LABELS, *(rate.label for rate in figures.RATES.values()))
    grid = paper.add_table(rows=1, cols=len(heads))
    grid.style = "Table Grid"
    _fill(grid.rows[0].cells, heads, bold=True)
    for name, cell in rows:
        rates = (figures.shown_rate(cell, rate) for rate in figures.RATES)
        _fill(grid.add_row().cells, (name, *(str(cell.counts[count]) for count in SHOWN), *rates))


def _fill(cells: Sequence[Any], texts: Sequence[str], *, bold: bool = False) -> None:
    for cell, text in zip(cells, texts, strict=True):
        run = cell.paragraphs[0].add_run(text)
        _set(run, ("仿宋_GB2312", 10))
        run.bold = bold


def _set(run: Any, font: tuple[str, int]) -> None:
    """Word picks fonts for Chinese by the eastAsia attribute, which python-docx leaves alone."""
    from docx.oxml.ns import qn
    from docx.shared import Pt

    run.font.name, run.font.size = font[0], Pt(font[1])
    run._element.rPr.rFonts.set(qn("w:eastAsia"), font[0])


def _span_of(table: Table) -> str:
    return f"（{_day(table.period.start)}至{_day(table.period.end - 1)}）"


def _day(at: int) -> str:
    day = local(at)
    return f"{day.year}年{day.month}月{day.day}日"
