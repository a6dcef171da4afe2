"""What a timer does when it falls due. All of it private, capped at two reminders to one person per task (design 6a)."""

from __future__ import annotations

from collections.abc import Callable

from config.county import Person
from handlers.tasks import lifecycle, moving
from handlers.tasks.texts import lasted, text
from handlers.turn import Turn
from store import outbox, tasks, timers
from store.tasks import Task

COUNTED = ("reminder", "escalation")


def ring(turn: Turn) -> None:
    """A task's timer: silent when the task moved on or is gone."""
    try:
        task = tasks.get(turn.tx, turn.event.subject)
    except KeyError:
        return
    if task.state in lifecycle.TIMER_STATES.get(turn.event.action, ()):
        _DOES[turn.event.action](turn, task)


def remind(turn: Turn, task: Task, person: str, kind: str, said: str) -> bool:
    """One private reminder under the cap; where nobody can be reached, a line to the unit without a name."""
    if outbox.count_to(turn.tx, task.id, person, COUNTED) >= turn.office.rules.reminders:
        return False
    if turn.tell(person, kind, said, task=task):
        return True
    if turn.office.private_address(person) is None and _unit_lines(turn, task) < turn.office.rules.reminders:
        turn.tell_group("reminder", text("unit_reminder", **moving.about(turn, task)), task)
    return False


def _unit_lines(turn: Turn, task: Task) -> int:
    return outbox.count_to(turn.tx, task.id, "", COUNTED)


def _relay(turn: Turn, task: Task) -> None:
    """Not signed for: the next in line (deputy, then leader) is told; a first notice is no reminder (design 6a.3)."""
    staff = turn.office.staff(task.unit)
    following = staff[task.relays + 1 : task.relays + 2]
    if not following:
        return
    task = tasks.change(turn.tx, task, relays=task.relays + 1)
    moving.record(turn, task, "relay", task.state, amount=task.relays)
    turn.tell(following[0].id, "dispatched", text("relay", **moving.about(turn, task)), task=task)
    wait, start = turn.office.rules.accept, turn.allowed(task)
    due = start + wait if task.urgent else turn.office.worktime.resume(start, wait, "work_hour").at
    timers.put(turn.tx, task.id, "accept", due, task.group_id)


def _due_soon(turn: Turn, task: Task) -> None:
    if task.handler:
        remind(turn, task, task.handler, "reminder", text("due_soon", **moving.about(turn, task)))


def _overdue(turn: Turn, task: Task) -> None:
    moving.record(turn, task, "overdue", task.state)
    fields = moving.about(turn, task)
    if task.handler:
        remind(turn, task, task.handler, "reminder", text("overdue", **fields))
    for leader in _leaders(turn, task):
        remind(turn, task, leader.id, "escalation", text("escalation", **fields))


def _leaders(turn: Turn, task: Task) -> tuple[Person, ...]:
    unit_leaders = tuple(p for p in turn.office.staff(task.unit) if "unit_leader" in p.roles and p.id != task.handler)
    return unit_leaders[:1] + turn.office.with_role("leader")[:1]


def _verify(turn: Turn, task: Task) -> None:
    """Nothing closes by silence (design 6a.5): a verifier of another unit is asked."""
    own = set(tasks.units(turn.tx, task.id))
    checker = next((p for p in turn.office.with_role("verifier") if p.unit not in own), None)
    if checker is not None:
        fields = {**moving.about(turn, task), "used": lasted(turn.at - (task.feedback_at or turn.at))}
        remind(turn, task, checker.id, "reminder", text("verify_wait", **fields))


def _confirm(turn: Turn, task: Task) -> None:
    for person in turn.office.with_role("dispatcher")[:1]:
        said = text("ask_choice", **moving.about(turn, task), choices=_numbered(turn, task))
        remind(turn, task, person.id, "reminder", said)


def _numbered(turn: Turn, task: Task) -> str:
    units = [unit for unit in task.choices.split("|") if unit]
    return (
        "  ".join(f"{n} {turn.office.unit_name(unit)}" for n, unit in enumerate(units, 1)) or "没有把握，请直接指定单位"
    )


def _arbitrate(turn: Turn, task: Task) -> None:
    judges = turn.office.with_role("arbiter") or turn.office.with_role("dispatcher")
    for judge in judges[:1]:
        remind(turn, task, judge.id, "reminder", text("arbitrate", number=task.number))


_DOES: dict[str, Callable[[Turn, Task], None]] = {
    "accept": _relay,
    "due_soon": _due_soon,
    "overdue": _overdue,
    "verify": _verify,
    "confirm": _confirm,
    "arbitrate": _arbitrate,
}
