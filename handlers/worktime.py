"""When a limit falls due, and how much of it is used: arithmetic on epoch seconds, without a clock of its own.

Two clocks. The wall clock never stops (urgent_hour, day). The office clock W runs only in working hours of working days
(work_hour, work_day); hours are half open: 08:30:00 is open, 18:00:00 is closed. 工作时/工作日 run in duty hours only,
紧急 ones round the clock (dispatch.md A1). With C the clock of a unit and H the working seconds of a day:

    seconds(n, unit) = n × (3600 | 3600 | H | 86400)
    spent(a, b)      = C(b) − C(a)                        so spent(a, b) + spent(b, c) = spent(a, c); negative if b < a
    resume(a, r)     = the first instant t ≥ a with spent(a, t) = r;  a itself when r ≤ 0
    due(a, n)        = resume(a, seconds(n))

A work_day is thus H seconds of the office clock: the same clock time n working days later; begun outside hours it is
counted from the next opening and ends at a close of business (18:01 on Friday + 1 → 18:00 of the next working day),
never at the opening after it. This is the metered clock of 数字城管, not the count of days in 民法典第201条.

Pausing keeps used seconds, not wall time (dispatch.md F2, glpi #6902). A task keeps its limit as (n, unit) rows, `used`
and the instant it last began to run; whatever happened, in whatever order,

    pause at t   used += spent(began, t)           resume at t   began = t
    extend by n  limits += (n, unit)               reopen at t   began = t, with the old limits or with new ones
    due          resume(began, Σ seconds(limits) − used)

and for every t between a and due(a, n): resume(t, seconds(n) − spent(a, t)) = due(a, n). A new calendar or new hours
mean a new Worktime and the same formula again; recompute `used` from the history if it reaches into changed days.
Any other duration runs too: 5 minutes of duty time are resume(at, 300, "work_hour").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from config.errors import Rejected
from handlers.calendar import DAY, LAST, LAST_YEAR, OFFSET, Calendar, Year, local

IN_HOURS = {"urgent_hour": False, "work_hour": True, "work_day": True, "day": False}
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant; provisional (shown 预计) where it rests on a year whose holidays are not published yet."""

    at: int
    provisional: bool = False


class Worktime:
    """Limits and quiet hours under one calendar. Immutable and cheap to replace when the calendar changes."""

    __slots__ = ("_seconds", "calendar")

    def __init__(self, calendar: Calendar | None = None) -> None:
        self.calendar = calendar or Calendar()
        self._seconds = {"urgent_hour": 3600, "work_hour": 3600, "work_day": self.calendar.day_seconds, "day": DAY}

    def is_workday(self, day: date) -> bool:
        return self.calendar.is_workday(day)

    def is_quiet(self, at: int) -> bool:
        """Outside working hours (design 6a.9); with a lunch break configured, lunch too."""
        return self.next_open(at) != at

    def next_open(self, at: int) -> int:
        """`at` itself when the office is open, else the second it next opens."""
        day, second = _split(at)
        if self.calendar.works(day):
            for opens, closes in self.calendar.spans:
                if second < closes:
                    return at + max(0, opens - second)
        return self._after(day) * DAY + self.calendar.spans[0][0] - OFFSET

    def seconds(self, n: int, unit: str) -> int:
        """A limit in seconds of its own clock."""
        return n * self._seconds[unit]

    def due(self, start: int, n: int, unit: str) -> Deadline:
        """When a limit that begins to run at `start` ends."""
        return self.resume(start, self.seconds(n, unit), unit)

    def resume(self, at: int, remaining: int, unit: str) -> Deadline:
        """When `remaining` seconds of the unit's clock, running on from `at`, are used up."""
        in_hours = IN_HOURS[unit]
        if remaining <= 0:
            return Deadline(at)
        return self._run(at, remaining) if in_hours else Deadline(_bounded(at + remaining))

    def spent(self, start: int, end: int, unit: str) -> int:
        """Seconds of the unit's clock from `start` to `end`; negative when `end` comes first."""
        if not IN_HOURS[unit]:
            return end - start
        if end < start:
            return -self.spent(end, start, unit)
        (first, used), (last, worked) = self._place(start), self._place(end)
        between = sum(len(self.calendar.year(number).working) for number in range(first.number, last.number))
        return between * self.calendar.day_seconds + worked - used

    def provisional(self, at: int) -> bool:
        """Whether the year of `at` still goes by the bare weekday rule."""
        return not self.calendar.published(local(at).year)

    def _run(self, at: int, remaining: int) -> Deadline:
        year, worked = self._place(at)
        left = worked + remaining
        published = year.published
        while left > (whole := len(year.working) * self.calendar.day_seconds):
            left -= whole
            year = self.calendar.year(year.number + 1)
            published = published and year.published
        days, rest = divmod(left - 1, self.calendar.day_seconds)
        return Deadline(year.working[days] * DAY + self._moment(rest + 1) - OFFSET, not published)

    def _place(self, at: int) -> tuple[Year, int]:
        """The year `at` lies in, and the working seconds of that year before it."""
        day, second = _split(at)
        year = self.calendar.year_of(day)
        index = day - year.first
        worked = year.before[index] * self.calendar.day_seconds
        if year.before[index + 1] > year.before[index]:
            worked += sum(min(second, closes) - opens for opens, closes in self.calendar.spans if second > opens)
        return year, worked

    def _moment(self, worked: int) -> int:
        """The second of a working day at which so many seconds of it, at least one, have been worked."""
        for opens, closes in self.calendar.spans:
            if worked <= closes - opens:
                return opens + worked
            worked -= closes - opens
        raise AssertionError(f"{worked} s beyond the close of a day")

    def _after(self, day: int) -> int:
        """The next working day."""
        year = self.calendar.year_of(day)
        index = year.before[day - year.first + 1]
        while index >= len(year.working):
            year, index = self.calendar.year(year.number + 1), 0
        return year.working[index]


def shown(at: int, now: int, provisional: bool = False) -> str:
    """A deadline as people read it: 今日18:00前, 明日10:30前, 11月26日(周四)18:00前; 预计 before a provisional one."""
    then, today = local(at), local(now).date()
    near = {today: "今日", today + timedelta(days=1): "明日"}
    year = "" if then.year == today.year else f"{then.year}年"
    day = near.get(then.date()) or f"{year}{then.month}月{then.day}日(周{WEEKDAYS[then.weekday()]})"
    return f"{'预计' if provisional else ''}{day}{then:%H:%M}前"


def _split(at: int) -> tuple[int, int]:
    return divmod(_bounded(at) + OFFSET, DAY)


def _bounded(at: int) -> int:
    if at > LAST:
        raise Rejected(f"时限超出{LAST_YEAR}年，请改短。")
    return at
