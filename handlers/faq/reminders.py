"""Filing reminders: 09:30 on the 5th, 3rd and 1st working day before the deadline and on the day itself, by group.

A plan puts one timer a reminder for this month and the next; a timer rings once. What was missed while the program was
off is caught up by the newest of them alone. A computed deadline (预计) has no reminders.
"""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta

from handlers.calendar import DAY, OFFSET
from handlers.faq import speaking
from handlers.faq.filing import WEEKDAYS, Deadline, FilingCalendar
from handlers.faq.knowledge import office_day
from handlers.faq.texts import say
from handlers.office import Office
from handlers.turn import Turn
from store import Tx, tax, timers

HOUR = 9 * 3600 + 30 * 60
QUARTERLY = (1, 4, 7, 10)  # months after a quarter's end
PLAN = "filing"


def plan(tx: Tx, office: Office) -> None:
    """Set what lies ahead of every tax group for this month and the next, and the next plan."""
    if office.hall is None:
        return
    today, filing = office_day(tx.at), office.hall.filing
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    for group in (group.id for group in office.county.groups if group.purpose == "tax"):
        for month in (today, following):
            _plan_month(tx, filing, group, month)
    timers.put(tx, PLAN, "filing_plan", _moment(following), PLAN)


def _plan_month(tx: Tx, filing: FilingCalendar, group: str, month: date) -> None:
    name = f"{month.year}-{month.month:02d}"
    done = tax.reminders(tx, group, name)
    for n, day in filing.reminders(month.year, month.month).items():
        subject, due = f"{PLAN}/{group}/{name}/{n}", _moment(day)
        if n not in done and due >= tx.at:
            timers.put(tx, subject, "filing", due, group)
        elif not _overdue(tx.connection, subject):
            timers.clear(tx, subject)


def _overdue(connection: sqlite3.Connection, subject: str) -> bool:
    """Missed and still to be caught up: a plan does not take it away."""
    return bool(timers.of(connection, subject))


def _moment(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY - OFFSET + HOUR


def ring(turn: Turn) -> None:
    """A reminder's moment, or a new plan."""
    hall = turn.office.hall
    if hall is None:
        return None
    if turn.event.action == "filing_plan":
        return plan(turn.tx, turn.office)
    _, group, name, n = turn.event.subject.split("/")
    year, month = map(int, name.split("-"))
    deadline, today = hall.filing.deadline(year, month), office_day(turn.at)
    when = hall.filing.reminders(year, month)
    newest = min((m for m, day in when.items() if _moment(day) <= turn.at), default=int(n))
    if not deadline.document or today > deadline.day or int(n) != newest or tax.profile(turn.tx, group).off:
        return None
    if turn.quiet(None) and office_day(turn.allowed(None)) > deadline.day:
        return None  # it would be read when it is over
    if tax.reminded(turn.tx, group, name, int(n)):
        _remind(turn, group, deadline, hall.filing)
    return None


def _remind(turn: Turn, group: str, deadline: Deadline, filing: FilingCalendar) -> None:
    where, profile = turn.office.address_of(group), tax.profile(turn.tx, group)
    if where is None:
        return
    taxes = [profile.monthly, profile.quarterly if deadline.month in QUARTERLY else ""]
    text = say(
        "filing",
        month=deadline.month,
        day=f"{deadline.day.month}月{deadline.day.day}日（周{WEEKDAYS[deadline.day.weekday()]}）",
        left=_left(turn, deadline.day),
        taxes="、".join(filter(None, taxes)),
        document=deadline.document,
    )
    speaking.place(turn, where, "filing", text, not_before=turn.allowed(None))


def _left(turn: Turn, last: date) -> str:
    """How many working days remain, counted from the day it is read."""
    day, count = office_day(turn.allowed(None)), 0
    if day == last:
        return "今天是最后一天"
    while day < last:
        day += timedelta(days=1)
        count += turn.office.worktime.is_workday(day)
    return f"还有{count}个工作日"
