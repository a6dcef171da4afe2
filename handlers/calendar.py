"""Which days a county works, and between which hours.

The county's own rows (calendar.csv) win; under them lies the State Council's yearly notice as chinesecalendar knows it
(2004–2026; it refuses later years). A year beyond goes by Monday to Friday without the statutory days that have a fixed
date, and is not published until the county's rows name a day off in 1–3 October: every notice does, since one of those
days is always a weekday, while a single local day off does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from itertools import pairwise

from config.county import CalendarDay
from config.errors import ConfigError, Rejected

Spans = tuple[tuple[int, int], ...]

SHANGHAI = timezone(timedelta(hours=8), "CST")  # no summer time since 1992
OFFSET = 8 * 3600
DAY = 86400
EPOCH = date(1970, 1, 1).toordinal()
LAST_YEAR = 2099
LAST = (date(LAST_YEAR + 1, 1, 1).toordinal() - EPOCH) * DAY - OFFSET - 1
FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))  # 全国年节及纪念日放假办法, 国务院令第795号
OFFICE_HOURS: Spans = ((8 * 60 + 30, 18 * 60),)  # design 6a.9, minutes of the day


@dataclass(frozen=True, slots=True)
class Year:
    """One year, counted. Days are numbered from 1970-01-01; `before[i]` working days precede its i-th day."""

    number: int
    first: int
    before: tuple[int, ...]
    working: tuple[int, ...]
    published: bool


class Calendar:
    """Working days and hours. Immutable; a changed calendar is a new one. `day` is open–close in minutes of the day."""

    __slots__ = ("_exceptions", "_years", "day_seconds", "spans")

    def __init__(self, exceptions: Iterable[CalendarDay] = (), day: Spans = OFFICE_HOURS) -> None:
        edges = [minute for span in day for minute in span]
        if not edges or edges[0] < 0 or edges[-1] > 24 * 60 or any(b <= a for a, b in pairwise(edges)):
            raise ConfigError("工作时间应从早到晚、互不重叠，如 08:30-12:00,14:00-18:00。")
        self.spans: Spans = tuple((opens * 60, closes * 60) for opens, closes in day)
        self.day_seconds = sum(closes - opens for opens, closes in self.spans)
        self._exceptions = {date.fromisoformat(row.date): row.kind == "workday" for row in exceptions}
        self._years: dict[int, Year] = {}

    def is_workday(self, day: date) -> bool:
        return self.works(day.toordinal() - EPOCH)

    def published(self, year: int) -> bool:
        return self.year(year).published

    def works(self, day: int) -> bool:
        """Whether this day, numbered from 1970-01-01, is worked."""
        year = self.year_of(day)
        index = day - year.first
        return year.before[index + 1] > year.before[index]

    def year_of(self, day: int) -> Year:
        return self.year(date.fromordinal(day + EPOCH).year)

    def year(self, number: int) -> Year:
        """The counted year; counted once (threads may count it twice, to the same result)."""
        known = self._years.get(number)
        return known if known is not None else self._years.setdefault(number, self._count(number))

    def _count(self, number: int) -> Year:
        if number > LAST_YEAR:
            raise Rejected(f"时限超出{LAST_YEAR}年，请改短。")
        notice = notices().get(number)
        base = notice if notice is not None else {date(number, *fixed): False for fixed in FIXED}
        own = {day: works for day, works in self._exceptions.items() if day.year == number}
        special = {day.toordinal(): works for day, works in {**base, **own}.items()}
        first, end = (date(n, 1, 1).toordinal() for n in (number, number + 1))
        before, working = [0], []
        for day in range(first, end):
            if special.get(day, (day - 1) % 7 < 5):  # 0001-01-01 was a Monday
                working.append(day - EPOCH)
            before.append(len(working))
        published = notice is not None or any(not works and d.month == 10 and d.day <= 3 for d, works in own.items())
        return Year(number, first - EPOCH, tuple(before), tuple(working), published)


@cache
def notices() -> Mapping[int, Mapping[date, bool]]:
    """Year → exceptions to the weekday rule. The import takes 25 ms and 8 MB: it waits for the first question."""
    from chinese_calendar.constants import holidays, workdays

    years: dict[int, dict[date, bool]] = {}
    for days, works in ((holidays, False), (workdays, True)):
        for day in days:
            years.setdefault(day.year, {})[day] = works
    return years


_SPAN = re.compile(r"(\d{1,2})[:：]([0-5]\d)\s*[-–—~～至]\s*(\d{1,2})[:：]([0-5]\d)")


def parse_hours(text: str) -> Spans:
    """Read "08:30-12:00,14:00-18:00", as typed with either width of punctuation, into minutes of the day."""
    if re.sub(r"[\s,，、;；]", "", _SPAN.sub("", text)) or not text.strip():
        raise ConfigError(f"看不懂工作时间“{text}”，应写成 08:30-12:00,14:00-18:00。")
    found = [[int(n) for n in span] for span in _SPAN.findall(text)]
    return tuple((h1 * 60 + m1, h2 * 60 + m2) for h1, m1, h2, m2 in found)


def local(at: int) -> datetime:
    """The clock on the office wall."""
    return datetime.fromtimestamp(at, SHANGHAI)
