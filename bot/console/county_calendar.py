"""节假日: which days are off or worked by exception, month by month; days added singly or by pasting the yearly notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from aiohttp import web

from bot.console import county_parts as parts
from bot.console.session import ENGINE, guarded
from config.county import CalendarDay
from config.errors import Rejected
from config.holidays import read_notice, span
from config.sheets import DAY_KINDS
from handlers.calendar import Calendar

PART = "calendar"
BACK, AHEAD = 1, 2  # years around this one that may be looked at and edited
NOTICE_LIMIT = 4000
LOOKS = {True: "班", False: "休"}


@dataclass(frozen=True, slots=True)
class Square:
    """One day as the page shows it: `mark` where it differs from the weekday rule, `own` where our rows say so."""

    day: date
    works: bool
    mark: str
    own: bool


def add_routes(app: web.Application) -> None:
    """Both administrators look; the system administrator edits."""
    app.router.add_get("/county/calendar", guarded(page, *parts.LOOK))
    app.router.add_post("/county/calendar", guarded(put, parts.EDIT))
    app.router.add_post("/county/calendar/remove", guarded(remove, parts.EDIT))
    app.router.add_post("/county/calendar/undo", guarded(undo, parts.EDIT))


async def page(request: web.Request) -> web.StreamResponse:
    """A year."""
    engine = request.app[ENGINE]
    now = parts.today(engine)
    missing = parts.unknown_year(engine)
    asked = request.query.get("year", "")
    years = range(now.year - BACK, now.year + AHEAD + 1)
    year = int(asked) if asked.isdecimal() and int(asked) in years else missing or now.year
    rows = [row for row in engine.office.county.calendar if row.date.startswith(f"{year}-")]
    calendar = engine.office.worktime.calendar
    return await parts.show(
        request,
        "county_calendar.html",
        PART,
        year=year,
        years=years,
        missing=missing,
        published=calendar.published(year),
        days=len(calendar.year(year).working),
        months=[_month(year, month, rows, calendar) for month in range(1, 13)],
        rows=rows,
        kinds=DAY_KINDS,
        today=now,
    )


def _month(year: int, month: int, rows: list[CalendarDay], calendar: Calendar) -> list[list[Square | None]]:
    """Weeks from Monday; None where another month has the day."""
    own = {row.date for row in rows}
    first = date(year, month, 1)
    day, weeks = first - timedelta(days=first.weekday()), []
    while day <= first or day.month == month:
        week = [day + timedelta(days=n) for n in range(7)]
        weeks.append([_square(one, own, calendar) if one.month == month else None for one in week])
        day += timedelta(days=7)
    return weeks


def _square(day: date, own: set[str], calendar: Calendar) -> Square:
    works = calendar.is_workday(day)
    ours = day.isoformat() in own
    return Square(day, works, LOOKS[works] if ours or works == (day.weekday() > 4) else "", ours)


async def put(request: web.Request) -> web.StreamResponse:
    """Form fields year, and notice (the pasted text) or first, last and kind."""
    form, engine = await request.post(), request.app[ENGINE]
    field = {name: str(form.get(name, "")).strip() for name in ("year", "notice", "first", "last", "kind")}
    days = (
        read_notice(field["notice"][:NOTICE_LIMIT], _year(field["year"]))
        if field["notice"]
        else _days(field["first"], field["last"] or field["first"], field["kind"])
    )
    now = parts.today(engine).year
    strange = [day.date for day in days if not now - BACK <= int(day.date[:4]) <= now + AHEAD]
    if strange:
        raise Rejected(f"{strange[0]} 不在 {now - BACK} 到 {now + AHEAD} 年之间，请核对年份。")
    return await _change(request, {day.date: day.kind for day in days}, field["year"] or days[0].date[:4])


def _year(text: str) -> int:
    if len(text) != 4 or not text.isdecimal():
        raise Rejected("请选择年份。")
    return int(text)


def _days(first: str, last: str, kind: str) -> tuple[CalendarDay, ...]:
    if kind not in DAY_KINDS:
        raise Rejected("请选择放假还是上班。")
    try:
        days = span(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError as error:
        raise Rejected("日期写法不对，应为 2026-01-31。") from error
    return tuple(CalendarDay(day.isoformat(), kind) for day in days)


async def remove(request: web.Request) -> web.StreamResponse:
    """Let a day follow the national calendar again (form field date)."""
    day = str((await request.post()).get("date", ""))
    if day not in {row.date for row in request.app[ENGINE].office.county.calendar}:
        raise Rejected(parts.OVERTAKEN, "wrong_state")
    return await _change(request, {day: ""}, day[:4])


async def _change(request: web.Request, wanted: dict[str, str], year: str) -> web.StreamResponse:
    engine = request.app[ENGINE]
    held = {row.date: row.kind for row in engine.office.county.calendar}
    before = tuple((day, held[day]) for day in wanted if day in held)
    step = await parts.change(request, PART, before, tuple((day, kind) for day, kind in wanted.items() if kind))
    await engine.recompute(f"/{step.seq}")
    raise web.HTTPSeeOther(f"/county/calendar?year={year}&told=ok")


async def undo(request: web.Request) -> web.StreamResponse:
    """Put the last change back."""
    step = await parts.undo(request, PART)
    await request.app[ENGINE].recompute(f"/{step.seq}/undone")
    year = (step.before or step.after)[0][0][:4]
    raise web.HTTPSeeOther(f"/county/calendar?year={year}&told=undone")
