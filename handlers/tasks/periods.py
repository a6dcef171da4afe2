"""The periods an office reports on: a week, a month, a quarter, a year, or from one day to another.

A period has a key as it stands in an address: 2026-11, 2026-W47 (ISO 8601), 2026-Q4, 2026. What is none, or has not begun,
means the running month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.calendar import local
from handlers.tasks.figures import period_of
from handlers.tasks.statistics import Period

KINDS = {"month": "月", "week": "周", "quarter": "季", "year": "年"}
PAPERS = {"month": "月报", "week": "周报", "quarter": "季报", "year": "年报", "free": "通报"}
FIRST_YEAR = 2000
OFFERED_WEEKS = 26
POINTS = 12  # of a trend
SHORT = POINTS * 7  # days: a free period up to this is followed by weeks
_QUARTERS = "一二三四"
_KEY = re.compile(r"(20[0-9]{2})(?:-(?:(0[1-9]|1[0-2])|W(0[1-9]|[1-4][0-9]|5[0-3])|Q([1-4])))?")


@dataclass(frozen=True, slots=True)
class Reported:
    """A period with its name; `first` and `last` are its whole days, `period` as much of it as has passed."""

    kind: str
    key: str
    label: str
    first: date
    last: date
    period: Period

    @property
    def paper(self) -> str:
        """What a bulletin about it is called."""
        return PAPERS[self.kind]


def asked(key: str, first: str, last: str, now: int) -> Reported:
    """The period an address asks for, else the running month."""
    found = _free(first, last, now) if first or last else _named(key, now)
    return found or _month(local(now).date(), now)


def _free(first: str, last: str, now: int) -> Reported | None:
    try:
        begin, end = date.fromisoformat(first), min(date.fromisoformat(last), local(now).date())
    except ValueError:
        return None
    if begin.year < FIRST_YEAR or end < begin:
        return None
    label = f"{begin.year}年{begin.month}月{begin.day}日至{end.year}年{end.month}月{end.day}日"
    return _made("free", f"{begin}至{end}", label, begin, end, now)


def _named(key: str, now: int) -> Reported | None:
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    year, month, week, quarter = found.groups()
    try:
        begin = date.fromisocalendar(int(year), int(week), 1) if week else date(int(year), int(month or 1), 1)
    except ValueError:
        return None
    if quarter:
        begin = date(int(year), 3 * int(quarter) - 2, 1)
    if begin > local(now).date():
        return None
    kind = "week" if week else "month" if month else "quarter" if quarter else "year"
    return _containing(kind, begin, now)


def _containing(kind: str, day: date, now: int) -> Reported:
    return {"week": _week, "month": _month, "quarter": _quarter, "year": _year}[kind](day, now)


def _week(day: date, now: int) -> Reported:
    begin = day - timedelta(days=day.weekday())
    year, week, _ = day.isocalendar()
    end = begin + timedelta(days=6)
    label = f"{year}年第{week}周（{begin.month}月{begin.day}日至{end.month}月{end.day}日）"
    return _made("week", f"{year}-W{week:02d}", label, begin, end, now)


def _month(day: date, now: int) -> Reported:
    label = f"{day.year}年{day.month}月"
    return _made("month", f"{day:%Y-%m}", label, day.replace(day=1), _ends(day.year, day.month), now)


def _quarter(day: date, now: int) -> Reported:
    n = (day.month + 2) // 3
    begin, end = date(day.year, 3 * n - 2, 1), _ends(day.year, 3 * n)
    return _made("quarter", f"{day.year}-Q{n}", f"{day.year}年第{_QUARTERS[n - 1]}季度", begin, end, now)


def _year(day: date, now: int) -> Reported:
    return _made("year", f"{day.year}", f"{day.year}年", date(day.year, 1, 1), date(day.year, 12, 31), now)


def _ends(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _made(kind: str, key: str, label: str, first: date, last: date, now: int) -> Reported:
    return Reported(kind, key, label, first, last, period_of(f"{first}", f"{last}", now))


def offered(since: int, now: int) -> dict[str, tuple[Reported, ...]]:
    """What to choose from, by kind, the newest first: everything since the first step, of weeks only the last."""
    return {kind: tuple(_back(kind, since, now)) for kind in KINDS}


def _back(kind: str, since: int, now: int) -> Iterator[Reported]:
    day, begun, given = local(now).date(), local(since).date(), 0
    while given == 0 or (day >= begun and not (kind == "week" and given >= OFFERED_WEEKS)):
        found = _containing(kind, day, now)
        yield found
        day, given = found.first - timedelta(days=1), given + 1


def followed(shown: Reported, now: int) -> tuple[Reported, ...]:
    """The twelve months, or weeks where the period is short, that end with it: the oldest first."""
    days = (shown.last - shown.first).days + 1
    kind = "week" if shown.kind == "week" or (shown.kind == "free" and days <= SHORT) else "month"
    found = [_containing(kind, min(shown.last, local(now).date()), now)]
    while len(found) < POINTS:
        found.append(_containing(kind, found[-1].first - timedelta(days=1), now))
    return tuple(reversed(found))
