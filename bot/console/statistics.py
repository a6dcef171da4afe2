"""统计: one period's table, hours and trend, rebuilt from the history at each look, with denominators and formulas (ux.md A5)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from aiohttp import web

from bot.console.charts import Lines, grid, lines
from bot.console.rights import ALL_TASKS
from bot.console.session import ENGINE, guarded, render
from bot.statistics import Book, first_at, heat_of, table_of, trend_of
from config.county import County
from handlers.tasks import figures
from handlers.tasks.lifecycle import STATES
from handlers.tasks.patterns import WEEKDAYS, Heat, in_order
from handlers.tasks.periods import KINDS, Reported, asked, followed, offered
from handlers.tasks.statistics import COUNTS, SPANS, Cell, Table

HREF = "/statistics"
SHOWN = ("received", "filed", "due", "closed")  # the columns before the rates; the rest is listed below the table
WANTED = ("period", "from", "to")


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at the history gives."""

    table: Table
    heat: Heat
    points: tuple[tuple[Reported, Cell], ...]
    since: int


def add_routes(app: web.Application) -> None:
    """For those who see all tasks."""
    app.router.add_get(HREF, guarded(statistics_page, *ALL_TASKS))


def period_asked(request: web.Request) -> Reported:
    """What the address names (`period`, once `month`; or `from` and `to`), else the running month."""
    query = request.query
    key = query.get("period", "") or query.get("month", "")
    return asked(key, query.get("from", ""), query.get("to", ""), request.app[ENGINE].store.now())


async def statistics_page(request: web.Request) -> web.StreamResponse:
    """The period in the address, else the running month."""
    engine, shown = request.app[ENGINE], period_asked(request)
    now, office = engine.store.now(), engine.office
    book = Book(office.county, office.worktime)

    def query(c: sqlite3.Connection) -> Found:
        table, heat = table_of(c, book, shown.period), heat_of(c, book, shown.period)
        since = first_at(c, now)
        points = tuple(point for point in followed(shown, now) if point.period.end > since) or (shown,)
        return Found(table, heat, tuple(zip(points, trend_of(c, points), strict=True)), since)

    found = await engine.store.read(query)
    weekdays, towns = (
        list(zip(WEEKDAYS, found.heat.weekdays, strict=True)),
        in_order(found.heat.towns, _towns(office.county)),
    )
    return render(
        request,
        "statistics.html",
        shown=shown,
        kinds=KINDS,
        offered=offered(found.since, now),
        table=found.table,
        until=min(now, found.table.period.end - 1),
        parts=figures.parts(found.table, office.county),
        counts=COUNTS,
        columns=SHOWN,
        others=[name for name in COUNTS if name not in (*SHOWN, "punctual", "redone")],
        rates=figures.RATES,
        spans=SPANS,
        states=STATES,
        rate=figures.shown_rate,
        span=figures.shown_span,
        formulas=figures.FORMULAS,
        weekdays=weekdays,
        weekday_grid=grid(weekdays),
        towns=towns,
        town_grid=grid(towns),
        points=found.points,
        trend=_trend(found.points),
        unit="周" if found.points[0][0].kind == "week" else "个月",
    )  # fmt: skip


def _towns(county: County) -> list[str]:
    return [place.town or place.name for place in county.places if place.town or place.kind == "town"]


def _trend(points: tuple[tuple[Reported, Cell], ...]) -> Lines:
    names = [_short(point) for point, _ in points]
    received, closed = ([cell.counts[name] for _, cell in points] for name in ("received", "closed"))
    return lines(names, received, closed)


def _short(point: Reported) -> str:
    return (
        f"{point.first.month}月{point.first.day}日"
        if point.kind == "week"
        else f"{point.first:%y}年{point.first.month}月"
    )
