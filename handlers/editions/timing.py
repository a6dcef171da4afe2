"""When an edition is made, reminded of, sent and given up: one set of timers a working day, each ring planning the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta

from handlers.calendar import DAY, OFFSET, local
from handlers.office import Office
from store import Tx, editions, timers

LANE = "edition"
EPOCH = date(1970, 1, 1)
OPEN = 15 * 60 + 30  # minute of the working day before
REMIND = ((True, 16 * 60 + 30), (True, 17 * 60 + 30), (False, 8 * 60 + 30))  # (the day before, minute)
CLOSED = ("sent", "recalled", "none")
WEEKDAYS = "一二三四五六日"


def plan(tx: Tx, office: Office) -> None:
    """Set the timers of this working day and the next two; nothing where nobody edits. Safe to repeat."""
    if not staffed(office):
        return
    today = local(tx.at).date()
    first = next_workday(office, today)
    days = [today] if office.worktime.is_workday(today) else []
    for day in (*days, first, next_workday(office, first)):
        for subject, kind, due in moments(office, day.isoformat()):
            if due >= tx.at:
                timers.put(tx, subject, kind, due, LANE)


def staffed(office: Office) -> bool:
    """Whether anybody edits here."""
    return bool(office.with_role("editor"))


def moments(office: Office, day: str) -> Iterator[tuple[str, str, int]]:
    """(subject, kind, due) of everything that rings for a day."""
    before = previous_workday(office, date.fromisoformat(day)).isoformat()
    yield f"edition/{day}", "edition_open", moment(before, OPEN)
    for n, due in reminders(office, day).items():
        yield f"edition/{day}/{n}", "edition_remind", due
    yield f"edition/{day}", "edition_send", send_at(office, day)
    yield f"edition/{day}", "edition_lapse", lapse_at(office, day)


def reminders(office: Office, day: str) -> dict[int, int]:
    """n → moment, those before the edition goes out."""
    before = previous_workday(office, date.fromisoformat(day)).isoformat()
    found = {n: moment(before if early else day, minute) for n, (early, minute) in enumerate(REMIND, 1)}
    return {n: due for n, due in found.items() if due < send_at(office, day)}


def edition_day(source: Tx | sqlite3.Connection, office: Office, at: int) -> str:
    """The day whose edition is being made at a moment: today's until it went out or noon passed, else the next one's."""
    today = local(at).date()
    if office.worktime.is_workday(today) and at < lapse_at(office, today.isoformat()):
        found = editions.get(source, today.isoformat())
        if found is None or found.state not in CLOSED:
            return today.isoformat()
    return next_workday(office, today).isoformat()


def send_at(office: Office, day: str) -> int:
    """The minute it goes out."""
    return moment(day, office.rules.digest_at)


def lapse_at(office: Office, day: str) -> int:
    """From then on it does not go out any more."""
    return moment(day, office.rules.digest_until)


def open_at(office: Office, day: str) -> int:
    """When its draft is composed."""
    return moment(previous_workday(office, date.fromisoformat(day)).isoformat(), OPEN)


def moment(day: str, minute: int) -> int:
    """A minute of a Shanghai day."""
    return (date.fromisoformat(day) - EPOCH).days * DAY - OFFSET + minute * 60


def next_workday(office: Office, day: date) -> date:
    """The first working day after one."""
    day += timedelta(days=1)
    while not office.worktime.is_workday(day):
        day += timedelta(days=1)
    return day


def previous_workday(office: Office, day: date) -> date:
    """The last working day before one."""
    day -= timedelta(days=1)
    while not office.worktime.is_workday(day):
        day -= timedelta(days=1)
    return day


def spoken(day: str) -> str:
    """11月25日（周三）."""
    found = date.fromisoformat(day)
    return f"{found.month}月{found.day}日（周{WEEKDAYS[found.weekday()]}）"


def clock(minute: int) -> str:
    """08:47."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
