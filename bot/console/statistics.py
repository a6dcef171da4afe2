"""统计: one month's table, rebuilt from the history at each look, with denominators and formulas (ux.md A5)."""

from __future__ import annotations

import sqlite3

from aiohttp import web

from bot.console.rights import ALL_TASKS
from bot.console.session import ENGINE, guarded, render
from bot.statistics import Book, month_period, months, table_of
from handlers.tasks import figures
from handlers.tasks.lifecycle import STATES
from handlers.tasks.statistics import COUNTS, SPANS, Table

HREF = "/statistics"
SHOWN = ("received", "filed", "due", "closed")  # the columns before the rates; the rest is listed below the table


def add_routes(app: web.Application) -> None:
    """For those who see all tasks."""
    app.router.add_get(HREF, guarded(statistics_page, *ALL_TASKS))


async def statistics_page(request: web.Request) -> web.StreamResponse:
    """The month in the address, else the running one."""
    engine, asked = request.app[ENGINE], request.query.get("month", "")
    now, office = engine.store.now(), engine.office
    book = Book(office.county, office.worktime)

    def query(connection: sqlite3.Connection) -> tuple[list[str], str, Table]:
        listed = months(connection, now)
        month = asked if asked in listed else listed[0]
        return listed, month, table_of(connection, book, month_period(month, now))

    listed, month, table = await engine.store.read(query)
    return render(
        request,
        "statistics.html",
        months=listed,
        month=month,
        table=table,
        until=min(now, table.period.end - 1),
        parts=figures.parts(table, office.county),
        counts=COUNTS,
        columns=SHOWN,
        others=[name for name in COUNTS if name not in (*SHOWN, "punctual", "redone")],
        rates=figures.RATES,
        spans=SPANS,
        states=STATES,
        rate=figures.shown_rate,
        span=figures.shown_span,
        formulas=figures.FORMULAS,
    )
