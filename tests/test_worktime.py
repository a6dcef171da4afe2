"""Working time: due times against a walk minute by minute, quiet hours, and pauses in any order."""

from __future__ import annotations

import subprocess
import sys
import timeit
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.county import LIMIT_UNITS, CalendarDay
from config.errors import ConfigError, Rejected
from handlers.calendar import OFFICE_HOURS, SHANGHAI, Calendar, Spans, parse_hours
from handlers.worktime import IN_HOURS, Deadline, Worktime, shown

ROOT = Path(__file__).parent.parent
LUNCH: Spans = ((8 * 60, 12 * 60), (14 * 60, 18 * 60))  # dispatch.md A1
ODD: Spans = ((0, 45), (7 * 60 + 59, 8 * 60), (23 * 60 + 1, 24 * 60))
HOURS = (OFFICE_HOURS, LUNCH, ODD)
FIRST, LAST = date(2020, 1, 1), date(2027, 12, 31)
WORKTIMES = {hours: Worktime(Calendar(day=hours)) for hours in HOURS}
WEEKDAYS_OFF_2027 = {(1, 1), (10, 1)}  # fixed statutory days that fall on a weekday; 1 and 2 May are a weekend

# Not the real notice: rows in its shape.
NOTICE_2027 = (
    CalendarDay("2027-01-01", "holiday"),
    CalendarDay("2027-01-02", "workday"),
    CalendarDay("2027-01-04", "holiday"),
    CalendarDay("2027-10-01", "holiday"),
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp())


def read(instant: int) -> str:
    return datetime.fromtimestamp(instant, SHANGHAI).isoformat(" ").removesuffix("+08:00").removesuffix(":00")


@cache
def open_minutes(hours: Spans) -> bytes:
    """One byte a minute, 2020–2027, from the package's own answer and none of our tables."""
    from chinese_calendar import is_workday

    working = bytearray(24 * 60)
    for opens, closes in hours:
        working[opens:closes] = b"\1" * (closes - opens)
    days = []
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        works = (
            is_workday(day) if day.year <= 2026 else day.weekday() < 5 and (day.month, day.day) not in WEEKDAYS_OFF_2027
        )
        days.append(bytes(working) if works else bytes(24 * 60))
    return b"".join(days)


ORIGIN = at(f"{FIRST} 00:00")
END = at("2027-09-01 00:00")  # starts this late leave the walk room to finish


def walked(hours: Spans, start: int, remaining: int) -> int:
    minutes, now = open_minutes(hours), start
    while remaining:
        step = 60 - now % 60
        if minutes[(now - ORIGIN) // 60]:
            if remaining <= step:
                return now + remaining
            remaining -= step
        now += step
    return now


def counted(hours: Spans, start: int, end: int) -> int:
    minutes, now, total = open_minutes(hours), start, 0
    while now < end:
        step = min(60 - now % 60, end - now)
        total += step * minutes[(now - ORIGIN) // 60]
        now += step
    return total


instants = st.integers(ORIGIN, END)
edges = st.builds(
    lambda day, minute, second: ORIGIN + day * 86400 + minute * 60 + second,
    st.integers(0, (date(2027, 9, 1) - FIRST).days),
    st.sampled_from([0, 45, 8 * 60, 8 * 60 + 30, 12 * 60, 14 * 60, 18 * 60, 23 * 60 + 1]),
    st.integers(-1, 1),
).filter(lambda instant: ORIGIN <= instant <= END)
starts = instants | edges
hours_ = st.sampled_from(HOURS)
in_hours = st.sampled_from(["work_hour", "work_day"])


def check_due(hours: Spans, start: int, n: int, unit: str) -> None:
    time = WORKTIMES[hours]
    due = time.due(start, n, unit)
    assert due.at == walked(hours, start, time.seconds(n, unit))
    crossed = range(int(read(start)[:4]), int(read(due.at)[:4]) + 1)
    assert due.provisional == (2027 in crossed and n > 0)
    assert time.spent(start, due.at, unit) == time.seconds(n, unit)


@settings(max_examples=500, deadline=None)
@given(hours_, starts, st.integers(0, 20), in_hours)
def test_a_limit_falls_due_where_a_walk_minute_by_minute_ends(hours: Spans, start: int, n: int, unit: str) -> None:
    check_due(hours, start, n, unit)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(hours_, starts, st.integers(0, 40), in_hours)
def test_many_limits_fall_due_where_a_walk_ends(hours: Spans, start: int, n: int, unit: str) -> None:
    check_due(hours, start, n, unit)


@settings(max_examples=500, deadline=None)
@given(hours_, starts, st.integers(0, 40 * 86400))
def test_time_spent_is_what_a_walk_counts_and_adds_up(hours: Spans, start: int, length: int) -> None:
    time, end, middle = WORKTIMES[hours], start + length, start + length // 3
    assert time.spent(start, end, "work_day") == counted(hours, start, end)
    assert time.spent(end, start, "work_day") == -counted(hours, start, end)
    assert time.spent(start, middle, "work_hour") + time.spent(middle, end, "work_hour") == counted(hours, start, end)


@settings(max_examples=200, deadline=None)
@given(hours_, starts)
def test_quiet_ends_at_the_next_open_minute_of_the_walk(hours: Spans, now: int) -> None:
    time, minutes = WORKTIMES[hours], open_minutes(hours)
    assert time.is_quiet(now) == (not minutes[(now - ORIGIN) // 60])
    opening = minutes.find(1, (now - ORIGIN) // 60)
    assert time.next_open(now) == max(now, ORIGIN + opening * 60)


@settings(max_examples=500, deadline=None)
@given(hours_, starts, st.integers(1, 20), st.sampled_from(sorted(IN_HOURS)), st.floats(0, 1))
def test_stopping_and_going_on_at_once_changes_nothing(
    hours: Spans, start: int, n: int, unit: str, part: float
) -> None:
    time = WORKTIMES[hours]
    due = time.due(start, n, unit).at
    stop = start + round((due - start) * part)
    assert time.resume(stop, time.seconds(n, unit) - time.spent(start, stop, unit), unit).at == due


moves = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "extend", "reopen"]), st.integers(0, 4 * 86400)), max_size=12
)


@settings(max_examples=500, deadline=None)
@given(hours_, instants.filter(lambda i: i < at("2027-06-01 00:00")), st.integers(1, 5), in_hours, moves)
def test_pause_extend_and_reopen_in_any_order_use_what_a_walk_of_the_running_minutes_counts(
    hours: Spans, start: int, n: int, unit: str, steps: list[tuple[str, int]]
) -> None:
    time = WORKTIMES[hours]
    now, began, used, limit, ran = start, start, 0, time.seconds(n, unit), [(start, start)]
    running = True
    for step, gap in steps:
        now += gap
        if running and step in ("pause", "reopen"):  # a reopened task was stopped when it was closed
            used, running = used + time.spent(began, now, unit), False
            ran[-1] = (began, now)
        if not running and step in ("resume", "reopen"):
            began, running = now, True
            ran.append((now, now))
        if step == "extend":
            limit += time.seconds(n, unit)
    if not running:
        began = now
    expected = sum(counted(hours, a, b) for a, b in ran)
    assert used == expected
    left = limit - expected
    assert time.resume(began, limit - used, unit).at == (walked(hours, began, left) if left > 0 else began)


def test_an_extension_before_during_or_after_a_pause_gives_the_same_due_time() -> None:
    time = Worktime()
    start, stop, go = at("2026-09-24 16:00"), at("2026-09-25 10:00"), at("2026-10-08 09:00")
    used = time.spent(start, stop, "work_day")
    assert used == 2 * 3600  # 25 September 2026 is a holiday
    extended_while_running = time.seconds(1, "work_day") + time.seconds(1, "work_day") - used
    extended_while_paused = time.seconds(1, "work_day") - used + time.seconds(1, "work_day")
    first = time.resume(go, extended_while_running, "work_day")
    again = time.resume(at("2026-10-08 15:00"), extended_while_paused - 6 * 3600, "work_day")
    assert first == again == time.resume(go, time.seconds(2, "work_day") - used, "work_day")
    assert read(first.at) == "2026-10-09 16:30"


@pytest.mark.parametrize(
    ("start", "n", "unit", "due"),
    [
        ("2026-05-08 18:01", 1, "work_day", "2026-05-09 18:00"),  # Friday; the Saturday is a 调休 workday
        ("2026-05-08 18:01", 2, "work_day", "2026-05-11 18:00"),
        ("2026-05-08 18:01", 4, "work_hour", "2026-05-09 12:30"),
        ("2026-05-08 17:00", 1, "work_day", "2026-05-09 17:00"),
        ("2026-11-20 18:01", 1, "work_day", "2026-11-23 18:00"),  # an ordinary weekend
        ("2026-09-30 17:00", 2, "work_hour", "2026-10-08 09:30"),  # National Day 2026
        ("2026-09-30 10:30", 3, "work_day", "2026-10-10 10:30"),  # 8, 9 and the worked Saturday
        ("2026-10-03 11:00", 1, "work_day", "2026-10-08 18:00"),
        ("2026-10-03 11:00", 2, "urgent_hour", "2026-10-03 13:00"),
        ("2026-10-03 11:00", 2, "day", "2026-10-05 11:00"),
        ("2024-02-28 10:00", 1, "work_day", "2024-02-29 10:00"),
        ("2024-02-29 10:00", 1, "work_day", "2024-03-01 10:00"),
        ("2024-02-28 10:00", 2, "day", "2024-03-01 10:00"),
        ("2023-02-28 10:00", 1, "work_day", "2023-03-01 10:00"),
        ("2025-12-31 17:00", 2, "work_hour", "2026-01-04 09:30"),  # year change, a worked Sunday
        ("2026-11-24 08:30", 1, "work_day", "2026-11-24 18:00"),  # at the opening: that very day
        ("2026-11-24 08:29:59", 1, "work_day", "2026-11-24 18:00"),
        ("2026-11-24 08:30:01", 1, "work_day", "2026-11-25 08:30:01"),
        ("2026-11-24 18:00", 1, "work_day", "2026-11-25 18:00"),  # at the close: from tomorrow
        ("2026-11-24 17:59:59", 1, "work_day", "2026-11-25 17:59:59"),
        ("2026-11-24 18:00", 1, "work_hour", "2026-11-25 09:30"),
        ("2026-11-24 17:00", 1, "work_hour", "2026-11-24 18:00"),  # ends with the day, not at the next opening
        ("2026-12-31 17:00", 1, "work_hour", "2026-12-31 18:00"),
        ("2026-11-22 03:00", 0, "work_day", "2026-11-22 03:00"),
    ],
)
def test_limits_people_know(start: str, n: int, unit: str, due: str) -> None:
    deadline = Worktime().due(at(start), n, unit)
    assert (read(deadline.at), deadline.provisional) == (due, False)


@pytest.mark.parametrize(
    ("start", "n", "unit", "due"),
    [
        ("2026-12-31 17:01", 1, "work_hour", "2027-01-04 08:31"),
        ("2026-12-31 18:30", 1, "work_day", "2027-01-04 18:00"),
        ("2026-11-24 09:00", 30, "work_day", "2027-01-06 09:00"),
        ("2027-09-30 10:00", 2, "work_day", "2027-10-05 10:00"),
        ("2028-02-28 10:00", 1, "work_day", "2028-02-29 10:00"),
        ("2028-02-29 10:00", 1, "work_day", "2028-03-01 10:00"),
    ],
)
def test_beyond_the_published_years_a_working_limit_is_provisional(start: str, n: int, unit: str, due: str) -> None:
    deadline = Worktime().due(at(start), n, unit)
    assert (read(deadline.at), deadline.provisional) == (due, True)


def test_the_wall_clock_needs_no_calendar_and_is_never_provisional() -> None:
    time = Worktime()
    assert time.due(at("2026-12-31 23:00"), 2, "urgent_hour") == Deadline(at("2027-01-01 01:00"))
    assert time.due(at("2028-02-28 10:00"), 2, "day") == Deadline(at("2028-03-01 10:00"))


def test_loading_the_new_years_notice_makes_provisional_limits_real_and_moves_them() -> None:
    start = at("2026-12-31 10:00")
    before, after = Worktime(), Worktime(Calendar(NOTICE_2027))
    assert before.due(start, 2, "work_day") == Deadline(at("2027-01-05 10:00"), provisional=True)
    assert after.due(start, 2, "work_day") == Deadline(at("2027-01-05 10:00"))  # the worked 2nd stands for the 4th
    assert before.due(start, 1, "work_day") == Deadline(at("2027-01-04 10:00"), provisional=True)
    assert after.due(start, 1, "work_day") == Deadline(at("2027-01-02 10:00"))
    assert before.provisional(at("2027-01-01 00:00"))
    assert not after.provisional(at("2027-12-31 23:59:59"))
    assert not before.provisional(at("2026-12-31 23:59:59"))
    assert after.provisional(at("2028-01-01 00:00"))


@pytest.mark.parametrize("day", [date(2027, 3, 2), date(2027, 10, 8)])
def test_one_local_day_off_is_kept_but_does_not_publish_a_year(day: date) -> None:
    time = Worktime(Calendar([CalendarDay(day.isoformat(), "holiday")]))
    assert not time.is_workday(day)
    assert time.provisional(at(f"{day} 10:00"))


def test_a_limit_across_an_unpublished_year_stays_provisional_in_a_published_one() -> None:
    time = Worktime(Calendar([CalendarDay("2028-10-02", "holiday")]))
    assert not time.provisional(at("2028-05-08 10:00"))
    assert time.due(at("2026-12-01 10:00"), 400, "work_day").provisional


def test_the_countys_rows_win_over_the_published_notice_and_leave_its_other_days() -> None:
    rows = [
        CalendarDay("2026-10-08", "holiday"),
        CalendarDay("2026-10-07", "workday"),
        CalendarDay("2026-10-01", "holiday"),
    ]
    time = Worktime(Calendar(rows))
    assert not time.is_workday(date(2026, 10, 8))
    assert time.is_workday(date(2026, 10, 7))
    assert not time.is_workday(date(2026, 2, 17))  # Spring Festival


def test_a_county_row_may_call_a_fixed_holiday_a_working_day() -> None:
    assert not Worktime().is_workday(date(2027, 1, 1))
    assert Worktime(Calendar([CalendarDay("2027-01-01", "workday")])).is_workday(date(2027, 1, 1))


@pytest.mark.parametrize("unit", sorted(IN_HOURS))
def test_nothing_left_is_due_at_once_and_an_absurd_limit_is_refused_in_words(unit: str) -> None:
    time, now = Worktime(), at("2026-11-22 03:00")
    assert time.due(now, 0, unit) == time.resume(now, -1, unit) == Deadline(now)
    with pytest.raises(Rejected, match="2099年"):
        time.due(now, 10**9, unit)
    assert read(time.due(now, 10_000, unit).at) < "2070"


def test_every_unit_a_county_may_write_has_a_clock() -> None:
    assert IN_HOURS.keys() == LIMIT_UNITS.keys()
    with pytest.raises(KeyError):
        Worktime().due(0, 1, "week")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-24 08:29:59", "2026-11-24 08:30"),
        ("2026-11-24 08:30", None),
        ("2026-11-24 17:59:59", None),
        ("2026-11-24 18:00", "2026-11-25 08:30"),
        ("2026-11-27 22:00", "2026-11-30 08:30"),  # Friday night, security.md A.1
        ("2026-09-20 09:00", None),  # a worked Sunday
        ("2026-10-01 09:00", "2026-10-08 08:30"),
        ("2026-12-31 18:00", "2027-01-04 08:30"),
    ],
)
def test_quiet_hours_end_at_the_next_opening(now: str, opens: str | None) -> None:
    time = Worktime()
    assert time.is_quiet(at(now)) == (opens is not None)
    assert read(time.next_open(at(now))) == (opens or now)


def test_a_lunch_break_is_quiet_and_no_limit_runs_in_it() -> None:
    time = Worktime(Calendar(day=parse_hours("08:00-12:00，14：00～18：00")))
    assert read(time.next_open(at("2026-11-24 12:00"))) == "2026-11-24 14:00"
    assert read(time.due(at("2026-11-24 11:30"), 1, "work_hour").at) == "2026-11-24 14:30"
    assert read(time.due(at("2026-11-24 11:00"), 1, "work_hour").at) == "2026-11-24 12:00"
    assert read(time.due(at("2026-11-24 11:30"), 1, "work_day").at) == "2026-11-25 11:30"


@pytest.mark.parametrize(
    "text",
    ["", "8点到18点", "08:30", "18:00-08:30", "08:30-08:30", "08:30-12:00,11:00-18:00", "08:30-25:00", "08:60-18:00"],
)
def test_impossible_hours_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="08:30-12:00"):
        Calendar(day=parse_hours(text))


@pytest.mark.parametrize(
    ("instant", "provisional", "words"),
    [
        ("2026-11-24 18:00", False, "今日18:00前"),
        ("2026-11-25 10:30:59", False, "明日10:30前"),
        ("2026-11-26 18:00", False, "11月26日(周四)18:00前"),
        ("2026-11-23 18:00", False, "11月23日(周一)18:00前"),
        ("2027-01-04 18:00", True, "预计2027年1月4日(周一)18:00前"),
    ],
)
def test_a_deadline_reads_as_the_office_says_it(instant: str, provisional: bool, words: str) -> None:
    assert shown(at(instant), at("2026-11-24 23:59:59"), provisional) == words


def test_tomorrow_may_be_next_year() -> None:
    assert shown(at("2027-01-01 09:00"), at("2026-12-31 20:00")) == "明日09:00前"


def test_importing_working_time_does_not_read_the_published_calendar() -> None:
    code = "import sys, handlers.worktime as w; w.Worktime(); sys.exit('chinese_calendar' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_thirty_day_limit_takes_less_than_twenty_microseconds() -> None:
    time, start = Worktime(), at("2026-11-24 09:13:05")
    time.due(start, 30, "work_day")
    assert min(timeit.repeat(lambda: time.due(start, 30, "work_day"), number=500, repeat=7)) / 500 < 20e-6
