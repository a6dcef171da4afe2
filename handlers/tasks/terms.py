"""延期 and 挂账: the unit asks, the dispatcher answers; the limit grows or stands still and nothing of it is lost."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

from handlers.calendar import local
from handlers.commands import Command, folded
from handlers.tasks import checking, finding, lifecycle, limits, moving
from handlers.tasks.texts import short
from handlers.turn import Turn
from store import tasks, timers
from store.tasks import Task

DAY = 86400
LONGEST_SUSPENSION = 366 * DAY  # dispatch.md A1: at most a year
REQUESTS = {"extend": ("extend_ok", "extend_no"), "suspend": ("suspend_ok", "suspend_no")}

_DATE = re.compile(r"(?:(20\d{2})\s*[-年/.])?\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})\s*[日号]?")
_DAYS = re.compile(r"(\d{1,3})\s*(天|日|周|个?星期|个?月)")


def extend(turn: Turn, command: Command) -> None:
    """延期: asked for before the limit ends, with a reason; each grants one more original limit."""
    task = finding.meant(turn, "extend", command)
    if task is None or moving.permitted(turn, "extend", task, command.rest) is None:
        return
    task = moving.move(turn, task, "extend", task.state, {"asked": "extend"}, words=command.rest)
    _ask(turn, task, moving.say(turn, "extend_asked", task, words=short(command.rest)), "extended", "延期")


def suspend(turn: Turn, command: Command) -> None:
    """挂账 until a date: asked by the unit, or decided by a dispatcher at once."""
    task = finding.meant(turn, "suspend", command)
    step = moving.permitted(turn, "suspend", task, command.rest) if task else None
    if task is None or step is None:
        return
    until = date_in(turn, command.rest)
    if until is None:
        return turn.refuse("unclear", moving.say(turn, "suspend_date", task), task=task)
    if step.to:
        return _suspend(turn, task, until, command.rest)
    fields = {"asked": "suspend", "asked_until": until}
    task = moving.move(turn, task, "suspend", task.state, fields, words=command.rest)
    said = moving.say(turn, "suspend_asked", task, words=short(command.rest), until=day(until))
    _ask(turn, task, said, "suspended", "挂账")


def _ask(turn: Turn, task: Task, said: str, kind: str, what: str) -> None:
    person = moving.first_here(turn, task, turn.office.with_role("dispatcher"))
    buttons = ((f"同意{what}", f"同意{what} {task.number}"), (f"不同意{what}", f"不同意{what} {task.number}"))
    mention = person if turn.office.member(task.group_id, person) else ""
    moving.announce(turn, kind, said, task, mention=mention, buttons=buttons)
    moving.reach(turn, task, person, kind, said, buttons)


def grant(turn: Turn, command: Command) -> None:
    """同意 what was asked."""
    _answer(turn, command, granted=True)


def deny(turn: Turn, command: Command) -> None:
    """不同意: the limit stays, and a refusal uses no extension up."""
    _answer(turn, command, granted=False)


def _answer(turn: Turn, command: Command, *, granted: bool) -> None:
    task = _asked(turn, command)
    if task is None:
        return None
    if task.state == "closed" and not ("延期" in command.word or "挂账" in command.word):
        does = checking.exempt_ok if granted else checking.exempt_no
        return does(turn, replace(command, numbers=(task.number,)))
    said_what = "suspend" if "挂账" in command.word else "extend" if "延期" in command.word else task.asked or "extend"
    event = REQUESTS[said_what][0 if granted else 1]
    if lifecycle.may(event, task.state, moving.relations(turn, task)) == "wrong_state":
        return turn.refuse("wrong_state", moving.say(turn, "nothing_asked", task), task=task)
    if moving.permitted(turn, event, task) is None:
        return None
    if event == "suspend_ok":
        if task.asked_until is None or task.asked_until <= turn.at:  # the day asked for has passed meanwhile
            return turn.refuse("unclear", moving.say(turn, "suspend_date", task), task=task)
        return _suspend(turn, task, task.asked_until, command.rest, event)
    if event == "extend_ok":
        fields = {"asked": "", "extensions": task.extensions + 1, **limits.longer(turn, task)}
        task = moving.move(turn, task, event, task.state, fields, words=command.rest)
        limits.set_timers(turn, task)
        said = moving.say(turn, "extended", task, count=task.extensions)
        return moving.announce(turn, "extended", said, task)
    task = moving.move(turn, task, event, task.state, {"asked": "", "asked_until": None}, words=command.rest)
    name, kind = ("suspend_denied", "suspended") if said_what == "suspend" else ("extend_denied", "extended")
    return moving.announce(turn, kind, moving.say(turn, name, task), task)


def _asked(turn: Turn, command: Command) -> Task | None:
    """The task whose request is answered; a bare 同意 means the only one waiting."""
    if not command.numbers and not finding.quoted(turn):
        waiting = [task for task in finding.candidates(turn, "extend_ok") if task.asked]
        waiting += tasks.exemptions(turn.tx) if not waiting and "arbiter" in turn.actor.roles else []
        if len(waiting) == 1:
            return waiting[0]
        if not waiting:
            turn.forget = not (turn.event.addressed or turn.event.private)
            return None
        finding.ask_which(turn, "extend_ok", command.rest, waiting)
        return None
    return finding.meant(turn, "extend_ok", command)


def _suspend(turn: Turn, task: Task, until: int, words: str, event: str = "suspend") -> None:
    asked = {"asked": "", "asked_until": None, "suspensions": task.suspensions + 1, "resume_at": until}
    task = moving.move(turn, task, event, "suspended", {**asked, **limits.pause(turn, task)}, words=words)
    timers.put(turn.tx, task.id, "resume", until, task.group_id)
    next_week(turn, task)
    moving.announce(turn, "suspended", moving.say(turn, "suspended", task, until=day(until)), task)


def next_week(turn: Turn, task: Task) -> None:
    """Ring on the next Monday morning that comes before the suspension ends."""
    today = local(turn.at)
    monday = today.date() + datetime.timedelta(days=7 - today.weekday())
    opens = turn.office.worktime.calendar.spans[0][0]
    at = int(datetime.datetime(monday.year, monday.month, monday.day, tzinfo=today.tzinfo).timestamp()) + opens
    if task.resume_at is not None and at < task.resume_at:
        timers.put(turn.tx, task.id, "suspended_week", at, task.group_id)


def resume(turn: Turn, command: Command) -> None:
    """恢复办理: before the date, by the dispatcher or the unit."""
    task = finding.meant(turn, "resume", command)
    if task is not None and moving.permitted(turn, "resume", task) is not None:
        go_on(turn, task)


def go_on(turn: Turn, task: Task) -> None:
    """The limit runs on with what was left of it."""
    task = moving.move(turn, task, "resume", "in_progress", {"resume_at": None, **limits.go_on(turn, task)})
    limits.set_timers(turn, task)
    said = moving.say(turn, "resumed", task)
    moving.announce(turn, "suspended", said, task)
    if turn.event.kind == "timer" and task.handler:
        turn.tell(task.handler, "suspended", said, task=task)


def date_in(turn: Turn, words: str) -> int | None:
    """The morning of the date in words, in the future and within a year; None when there is none."""
    found = _day_in(folded(words), local(turn.at).date())
    if found is None:
        return None
    opens = turn.office.worktime.calendar.spans[0][0]
    at = int(datetime.datetime(found.year, found.month, found.day, tzinfo=local(turn.at).tzinfo).timestamp()) + opens
    return at if turn.at < at <= turn.at + LONGEST_SUSPENSION else None


def _day_in(words: str, today: datetime.date) -> datetime.date | None:
    if found := _DATE.search(words):
        try:
            day = datetime.date(int(found[1] or today.year), int(found[2]), int(found[3]))
        except ValueError:
            return None
        return day if found[1] or day > today else day.replace(year=today.year + 1)
    if found := _DAYS.search(words):
        length = {"天": 1, "日": 1, "周": 7}.get(found[2], 7 if "星期" in found[2] else 30)
        return today + datetime.timedelta(days=int(found[1]) * length)
    return None


def day(at: int) -> str:
    """A date as people write it."""
    then = local(at)
    return f"{then.year}年{then.month}月{then.day}日"
