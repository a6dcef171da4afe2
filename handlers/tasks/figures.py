"""The statistics as they are read: rates with both their numbers, means, the formulas in words, one fixed JSON text.

Rates follow the bulletins of 数字城管 (ux.md A5): the denominator is 应结案, two decimals, halves up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from config.county import County
from handlers.calendar import SHANGHAI, local
from handlers.tasks.lifecycle import STATES
from handlers.tasks.statistics import COUNTS, NOBODY, SPANS, Cell, Period, Span, Table

FEW = 10  # dispatch.md F3: no rate is made of fewer
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate by the names of its counts."""

    label: str
    numerator: str
    denominator: str


RATES: dict[str, Rate] = {
    "closing": Rate("结案率", "closed", "due"),
    "punctuality": Rate("按期结案率", "punctual", "due"),
    "redoing": Rate("返工率", "redone", "closed"),
}

FORMULAS: tuple[str, ...] = (
    "受理:本期上报并成单的件数。立案:本期首次派单的件数。",
    "应结案:本期结案的，加上期末已过时限仍未结案的。挂账期间不计；撤回、并案、不予受理不计。",
    "结案:本期核查通过或强制办结、期末仍为已办结的件数。",
    "按期结案:结案中，每一轮都在时限内反馈的件数。豁免超时另列，不改变按期与否。",
    "结案率=结案÷应结案。按期结案率=按期结案÷应结案。返工率=返工结案÷结案，返工结案指结案中返工过的。",
    "接单:每次派单到签收。到场:上报到首次到场。办结:上报到结案。均为本期发生的平均数，先工作时间，后自然时间。",
    f"分母不足{FEW}件的不算率，只列件数。单位按固定顺序，不排名。",
)


def percent(numerator: int, denominator: int) -> str:
    """ "93.72"; halves go up; empty without a denominator."""
    if denominator <= 0:
        return ""
    hundredths = (numerator * 20000 + denominator) // (2 * denominator)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def shown_rate(cell: Cell, name: str) -> str:
    """ "93.72%(911/972)"; of few cases only "3/4(样本少)"; of none a dash."""
    rate = RATES[name]
    over, under = cell.counts[rate.numerator], cell.counts[rate.denominator]
    if not under:
        return "—"
    return f"{over}/{under}(样本少)" if under < FEW else f"{percent(over, under)}%({over}/{under})"


def shown_span(span: Span) -> str:
    """ "1小时5分 / 17小时40分(12件)": working time, raw time, of how many."""
    if not span.count:
        return "—"
    return f"{lasted(span.working // span.count)} / {lasted(span.seconds // span.count)}({span.count}件)"


def lasted(seconds: int) -> str:
    """A mean duration, to the minute; below a minute in seconds."""
    if seconds < 60:
        return f"{seconds}秒"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}小时{minutes}分" if hours else f"{minutes}分"


@dataclass(frozen=True, slots=True)
class Part:
    """One way of cutting the whole: its heading and its rows (id, name, cell) in fixed order."""

    name: str
    label: str
    rows: tuple[tuple[str, str, Cell], ...]


def parts(table: Table, county: County) -> tuple[Part, ...]:
    """The cuts, each in the county's own order; what the county does not know any more comes last, by id."""
    kinds = dict.fromkeys(category.kind for category in county.categories)
    towns = dict.fromkeys(place.town or place.name for place in county.places if place.town or place.kind == "town")
    categories = {category.code: category.name for category in county.categories}
    units = {unit.id: unit.name for unit in county.units}
    return (
        Part("kind", "类型", _ordered(table.kinds, {kind: kind for kind in kinds}, "未分类")),
        Part("category", "类别", _ordered(table.categories, categories, "未分类")),
        Part("town", "地点", _ordered(table.towns, {town: town for town in towns}, "地点不明")),
        Part("unit", "承办单位", _ordered(table.units, units, "未派单")),
    )


def _ordered(cells: Mapping[str, Cell], names: Mapping[str, str], nobody: str) -> tuple[tuple[str, str, Cell], ...]:
    order = [*(key for key in names if key != NOBODY), *sorted(cells.keys() - names.keys() - {NOBODY}), NOBODY]
    found = ((key, names.get(key) or key or nobody, cells[key]) for key in order if key in cells)
    return tuple(row for row in found if not row[2].empty)


def as_text(table: Table, county: County, rows: int) -> str:
    """The table as one JSON text, the same bytes for the same history. `rows`: how many steps it rests on."""
    made: dict[str, Any] = {
        "format": FORMAT,
        "from": _day(table.period.start),
        "to": _day(table.period.end - 1),
        "until": table.period.end,
        "steps": rows,
        "total": _cell(table.total),
        "stages": [
            {"id": state, "name": STATES[state], "standing": stage.standing, "left": _span(stage.left)}
            for state, stage in table.stages.items()
        ],
        "by": {
            part.name: [{"id": key, "name": name, **_cell(cell)} for key, name, cell in part.rows]
            for part in parts(table, county)
        },
        "formulas": list(FORMULAS),
    }
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def _cell(cell: Cell) -> dict[str, Any]:
    rates = {
        name: {
            "numerator": cell.counts[rate.numerator],
            "denominator": cell.counts[rate.denominator],
            "percent": percent(cell.counts[rate.numerator], cell.counts[rate.denominator])
            if cell.counts[rate.denominator] >= FEW
            else None,
        }
        for name, rate in RATES.items()
    }
    return {"counts": cell.counts, "rates": rates, "spans": {name: _span(span) for name, span in cell.spans.items()}}


def _span(span: Span) -> dict[str, int]:
    return {"count": span.count, "seconds": span.seconds, "working_seconds": span.working}


def as_lines(table: Table, county: County) -> Iterator[str]:
    """The table for a terminal."""
    yield f"统计 {_day(table.period.start)} 至 {_day(table.period.end - 1)}"
    yield from _cell_lines("合计", table.total)
    for part in parts(table, county):
        yield f"\n按{part.label}"
        for _, name, cell in part.rows:
            yield from _cell_lines(name, cell)
    yield "\n按环节"
    for state, stage in table.stages.items():
        yield f"  {STATES[state]}:期末{stage.standing}件，本期离开的平均停留 {shown_span(stage.left)}"
    yield ""
    yield from FORMULAS


def _cell_lines(name: str, cell: Cell) -> Iterator[str]:
    counted = " ".join(f"{label}{cell.counts[key]}" for key, label in COUNTS.items() if cell.counts[key])
    rated = " ".join(
        f"{rate.label}{shown_rate(cell, key)}" for key, rate in RATES.items() if cell.counts[rate.denominator]
    )
    timed = " ".join(f"{SPANS[key]}{shown_span(span)}" for key, span in cell.spans.items() if span.count)
    yield f"  {name}:{counted or '无'}"
    yield from (f"    {line}" for line in (rated, timed) if line)


def period_of(first: str, last: str, now: int) -> Period:
    """Whole days from `first` to `last` (YYYY-MM-DD), as far as they have passed. Raises ValueError for no such days."""
    begin, beyond = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    start, end = (int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp()) for day in (begin, beyond))
    if end <= start:
        raise ValueError(f"{last} lies before {first}")
    return Period(start, max(start + 1, min(end, now + 1)))


def _day(at: int) -> str:
    return f"{local(at):%Y-%m-%d}"
