"""Statistics of a data directory, and the proof that the history alone yields them (design 4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from config.county import County
from handlers.calendar import local
from handlers.tasks import patterns
from handlers.tasks.figures import as_text, period_of
from handlers.tasks.guards import overran
from handlers.tasks.patterns import Heat
from handlers.tasks.periods import Reported
from handlers.tasks.statistics import Cell, Period, Story, Table, count, names_of, tell
from handlers.worktime import Worktime
from store import statistics, tasks
from store.statistics import Life
from store.tasks import Task


@dataclass(frozen=True, slots=True)
class Book:
    """What is needed besides the history: the county and its working hours."""

    county: County
    clock: Worktime


def table_of(connection: sqlite3.Connection, book: Book, period: Period) -> Table:
    """The table of a period, from the lives that can matter to it."""
    return count(statistics.since(connection, period.start), period, names_of(book.county), book.clock)


def text_of(connection: sqlite3.Connection, book: Book, period: Period, lives: Iterable[Life] | None = None) -> str:
    """Its JSON; `lives` when they were gathered another way."""
    found = statistics.since(connection, period.start) if lives is None else lives
    table = count(found, period, names_of(book.county), book.clock)
    return as_text(table, book.county, statistics.rows_before(connection, period.end))


def heat_of(connection: sqlite3.Connection, book: Book, period: Period) -> Heat:
    """The hours of a period."""
    return patterns.heat(statistics.since(connection, period.start), period, names_of(book.county))


def trend_of(connection: sqlite3.Connection, points: tuple[Reported, ...]) -> tuple[Cell, ...]:
    """The totals of periods, the oldest first."""
    return patterns.trend(statistics.since(connection, points[0].period.start), [point.period for point in points])


def first_at(connection: sqlite3.Connection, now: int) -> int:
    """When the history begins; now before its first step."""
    found = connection.execute("select min(at) from history").fetchone()[0]
    return now if found is None else int(found)


def months(connection: sqlite3.Connection, now: int) -> list[str]:
    """Every month since the first step, YYYY-MM, the newest first."""
    month, found = local(now).date().replace(day=1), []
    begin = local(first_at(connection, now)).date().replace(day=1)
    while month >= begin:
        found.append(f"{month:%Y-%m}")
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def month_period(month: str, now: int) -> Period:
    """A month as far as it has passed. Raises ValueError for no month."""
    first = local(period_of(f"{month}-01", f"{month}-01", now).start).date()
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return period_of(f"{first}", f"{last}", now)


def differences(connection: sqlite3.Connection, book: Book, now: int) -> Iterator[str]:
    """Three rebuilds of the whole and of every month must give the same bytes; each life must end where its task stands."""
    names = months(connection, now)
    periods = [Period(month_period(names[-1], now).start, now + 1), *(month_period(name, now) for name in names)]
    by_task, as_written = list(statistics.every(connection)), list(statistics.as_written(connection))
    for period in periods:
        texts = {text_of(connection, book, period, lives) for lives in (None, by_task, as_written)}
        texts_of_hours = {
            patterns.as_text(patterns.heat(lives, period, names_of(book.county)), patterns.trend(lives, [period]))
            for lives in (list(statistics.since(connection, period.start)), by_task, as_written)
        }
        if len(texts) > 1 or len(texts_of_hours) > 1:
            yield f"{local(period.start):%Y-%m-%d} 至 {local(period.end - 1):%Y-%m-%d} 的统计，几次重建结果不同"
    yield from _unlike(connection, by_task, now)


def _unlike(connection: sqlite3.Connection, lives: list[Life], now: int) -> Iterator[str]:
    told = {life[0].task: (tell(life, Period(0, now + 1)), life) for life in lives}
    for task in tasks.everything(connection):
        if task.id not in told:
            yield f"工单 {task.number or task.id} 没有流水"
            continue
        story, life = told.pop(task.id)
        yield from (f"工单 {task.number or task.id} 的{what}与流水不符" for what in _differing(task, story, life))
    yield from (f"流水里的工单 {task} 不存在" for task in told)


def _differing(task: Task, story: Story, life: Life) -> Iterator[str]:
    seen = [step.event for step in life]
    pairs = (
        ("状态", task.state, story.state),
        ("单位", task.unit, story.unit),
        ("类别", task.category, story.category),
        ("地点", task.place, story.place),
        ("时限", task.due_at, story.due),
        ("上报时间", task.opened_at, story.opened),
        ("办结时间", task.closed_at, story.closed),
        ("返工次数", task.reworks, story.reworked),
        ("退单次数", task.returns, seen.count("return_")),
        ("延期次数", task.extensions, seen.count("extend_ok")),
        ("挂账次数", task.suspensions, sum(step.target == "suspended" != step.source for step in life)),
        ("豁免", task.exempt == 2, story.exempt),
        ("超时", task.state == "closed" and overran(task), task.state == "closed" and story.overran),
    )
    return (what for what, row, history in pairs if row != history)
