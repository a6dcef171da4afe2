"""What a timer does when it falls due. All of it private, capped at two reminders to one person per task (design 6a)."""

from __future__ import annotations

from collections.abc import Callable

from config.county import Person
from handlers.commands import Command
from handlers.office import LEAD_ROLES
from handlers.tasks import finding, lifecycle, limits, moving, opening, terms, work
from handlers.tasks.texts import lasted
from handlers.turn import Turn
from store import outbox, tasks, timers
from store.tasks import Task

RELAYS = 3  # dispatch.md F2: three waits, then 督办
LAST_WAIT = 3600  # working seconds before a leader hears that an ordinary task was not signed for


def ring(turn: Turn) -> None:
    """A task's timer: silent when the task moved on, is gone, or has more time under a newer calendar."""
    kind = turn.event.action
    if kind not in _DOES or not tasks.exists(turn.tx, turn.event.subject):
        return
    task = tasks.get(turn.tx, turn.event.subject)
    if task.state not in lifecycle.TIMER_STATES[kind]:
        return
    task = limits.refreshed(turn, task)
    if kind != "overdue" or task.due_at is None or task.due_at <= turn.at:
        _DOES[kind](turn, task)


def remind(turn: Turn, task: Task, person: str, kind: str, name: str, **more: object) -> bool:
    """One private reminder under the cap; where nobody can be reached, a line to the unit without a name."""
    cap = turn.office.rules.reminders
    if not person or outbox.count_to(turn.tx, task.id, person, moving.REMINDERS) >= cap:
        return False
    if turn.tell(person, kind, moving.say(turn, name, task, **more), task=task):
        return True
    if turn.office.private_address(person) is None:
        _unit_line(turn, task)
    return False


def _unit_line(turn: Turn, task: Task) -> None:
    """Unit and number, no name, under the same cap (design 6a)."""
    if outbox.count_to(turn.tx, task.id, "", moving.REMINDERS) < turn.office.rules.reminders:
        turn.tell_group("reminder", moving.say(turn, "unit_reminder", task), task)


def chain(turn: Turn, unit: str) -> list[Person]:
    """Who is told in turn that nobody signed: handler, deputy, unit leader."""
    staff = turn.office.staff(unit)
    firsts = (next((p for p in staff if role in p.roles), None) for role in LEAD_ROLES)
    return list({p.id: p for p in firsts if p is not None}.values())


def _relay(turn: Turn, task: Task) -> None:
    """Not signed for: the next in line is told (a first notice is no reminder, design 6a.3), at last the leader in charge."""
    line = chain(turn, task.unit)
    task = tasks.change(turn.tx, task, relays=task.relays + 1)
    moving.record(turn, task, "relay", task.state, amount=task.relays)
    if task.relays >= max(len(line), RELAYS):
        for leader in turn.office.with_role("leader")[:1]:
            remind(turn, task, leader.id, "escalation", "unsigned")
        return
    if task.relays < len(line):
        said, person = moving.say(turn, "relay", task), line[task.relays].id
        told = turn.tell(person, "dispatched", said, task=task, buttons=opening.unit_buttons(task))
        if not told and turn.office.private_address(person) is None:
            _unit_line(turn, task)
    last = task.relays + 1 >= max(len(line), RELAYS)
    opening.accept_timer(turn, task, LAST_WAIT if last and not task.urgent else 0)


def _due_soon(turn: Turn, task: Task) -> None:
    remind(turn, task, task.handler, "reminder", "due_soon")


def _overdue(turn: Turn, task: Task) -> None:
    moving.record(turn, task, "overdue", task.state)
    remind(turn, task, task.handler, "reminder", "overdue")
    for leader in _leaders(turn, task):
        remind(turn, task, leader.id, "escalation", "escalation")


def _leaders(turn: Turn, task: Task) -> tuple[Person, ...]:
    own = tuple(p for p in turn.office.staff(task.unit) if "unit_leader" in p.roles and p.id != task.handler)
    return own[:1] + turn.office.with_role("leader")[:1]


def _verify(turn: Turn, task: Task) -> None:
    """Nothing closes by silence (design 6a.5): a verifier of another unit is asked."""
    own = set(tasks.units(turn.tx, task.id))
    person = next((p.id for p in turn.office.with_role("verifier") if p.unit not in own), "")
    used = lasted(turn.at - (task.feedback_at or turn.at))
    if remind(turn, task, person, "reminder", "verify_wait", used=used):
        wait = turn.office.rules.verify_hours * 3600
        due = turn.office.worktime.resume(turn.allowed(task), wait, "work_hour").at
        timers.put(turn.tx, task.id, "verify", due, task.group_id)


def _confirm(turn: Turn, task: Task) -> None:
    for person in turn.office.with_role("dispatcher")[:1]:
        if outbox.count_to(turn.tx, task.id, person.id, moving.REMINDERS) < turn.office.rules.reminders:
            turn.tell(person.id, "reminder", opening.choice_text(turn, task), task=task)


def _arbitrate(turn: Turn, task: Task) -> None:
    for judge in (turn.office.with_role("arbiter") or turn.office.with_role("dispatcher"))[:1]:
        remind(turn, task, judge.id, "reminder", "arbitrate")


def _week(turn: Turn, task: Task) -> None:
    """Every Monday of a suspension, under the cap (dispatch.md F1 S9)."""
    until = terms.day(task.resume_at or turn.at)
    if remind(turn, task, task.handler, "reminder", "suspended_week", until=until):
        terms.next_week(turn, task)


_DOES: dict[str, Callable[[Turn, Task], None]] = {
    "accept": _relay,
    "due_soon": _due_soon,
    "overdue": _overdue,
    "verify": _verify,
    "confirm": _confirm,
    "arbitrate": _arbitrate,
    "compare": work.show_more,
    "suspended_week": _week,
    "resume": terms.go_on,
}


def urge(turn: Turn, command: Command) -> None:
    """催办: the reporter or a dispatcher asks for a private reminder; the cap holds for it too."""
    task = finding.meant(turn, "urge", command)
    if task is None or moving.permitted(turn, "urge", task) is None:
        return
    moving.record(turn, task, "urge", task.state)
    reminded = remind(turn, task, task.handler, "reminder", "urge")
    turn.reply("help", moving.say(turn, "urged" if reminded else "urged_enough", task), task=task)
