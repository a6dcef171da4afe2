"""Moving a task along the table: who stands how to it, whether the step is allowed, and what every step writes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from config.county import Person
from handlers.calendar import local
from handlers.office import LEAD_ROLES
from handlers.tasks import lifecycle
from handlers.tasks.texts import short, text
from handlers.turn import Buttons, Turn
from handlers.worktime import shown
from store import history, tasks, timers
from store.tasks import Task

DEFAULT_LIMIT = (5, "work_day")  # dispatch.md A5: a class without a standard gets the commonest long limit


def day_of(at: int) -> str:
    """The Shanghai day of an instant, YYYYMMDD."""
    return f"{local(at):%Y%m%d}"


def clock_of(at: int) -> str:
    """The Shanghai time of day, HH:MM."""
    return f"{local(at):%H:%M}"


def relations(turn: Turn, task: Task) -> frozenset[str]:
    """How the sender stands to a task, in the table's words; "own_unit" when a check would be of their own work."""
    if turn.sender is None:
        return frozenset()
    return standing(turn.sender, task, tasks.units(turn.tx, task.id), tasks.reporters(turn.tx, task.id))


def standing(person: Person, task: Task, units: Sequence[str], reporters: Sequence[str]) -> frozenset[str]:
    """The same for anybody, without a turn: the console offers exactly the steps the table will permit."""
    roles, found = frozenset(person.roles), set()
    own = person.unit in (units or (task.unit,)) and bool(person.unit)
    if own and roles.intersection(LEAD_ROLES):
        found.add("unit")
    if person.id == task.reporter:
        found.add("opener")
    if person.id in reporters:
        found.add("own_unit" if own else "reporter")
    if "verifier" in roles:
        found.add("own_unit" if own else "checker")
    if "dispatcher" in roles:
        found.update({"dispatcher", "own_unit" if own else "outside_dispatcher"})
    return frozenset(found | roles.intersection({"arbiter", "leader"}))


def permitted(turn: Turn, event: str, task: Task, words: str = "") -> lifecycle.Step | None:
    """The step the sender may take; otherwise they are refused with a reason and None comes back."""
    verdict = lifecycle.may(event, task.state, relations(turn, task))
    label = lifecycle.EVENTS[event][0].label
    if isinstance(verdict, str):
        who = "、".join(
            dict.fromkeys(lifecycle.RELATIONS[r] for s in lifecycle.allowed(event, task.state) for r in s.who)
        )
        state = lifecycle.STATES[task.state]
        turn.refuse(verdict, text(verdict, number=task.number, label=label, who=who, state=state), task=task)
        return None
    if verdict.reason and not words.strip():
        turn.refuse("unclear", text("reason", word=label, number=task.number), task=task)
        return None
    return verdict


def move(
    turn: Turn,
    task: Task,
    event: str,
    to: str,
    *,
    words: str = "",
    code: str = "",
    amount: int | None = None,
    **fields: Any,
) -> Task:
    """Take a step: the row, its history, its words and the timers that may no longer run."""
    changed = tasks.change(turn.tx, task, state=to, **fields)
    record(turn, changed, event, task.state, words=words, code=code, amount=amount)
    for kind in lifecycle.timers_to_clear(to):
        timers.clear(turn.tx, task.id, kind)
    return changed


def record(
    turn: Turn, task: Task, event: str, from_state: str, *, words: str = "", code: str = "", amount: int | None = None
) -> None:
    """Append to the task's history; words go to an erasable row, the history keeps only their mark."""
    actor = turn.actor
    n = history.append(
        turn.tx,
        task.id,
        event,
        from_state,
        task.state,
        actor=actor.id,
        role="|".join(actor.roles),
        unit=task.unit,
        code=code,
        amount=amount,
        due_at=task.due_at,
        mark=history.keyed_mark(turn.office.key, words),
    )
    tasks.note(turn.tx, task.id, n, words)


def limit(turn: Turn, task: Task) -> dict[str, Any]:
    """The task's due time from now, in the clock of its limit."""
    n, unit = (task.limit_n, task.limit_unit) if task.limit_n and task.limit_unit else DEFAULT_LIMIT
    deadline = turn.office.worktime.due(turn.at, n, unit)
    return {"due_at": deadline.at, "limit_n": n, "limit_unit": unit}


def start_limit_timers(turn: Turn, task: Task, start: int) -> None:
    """临期 at four fifths of the limit and 超时 at its end (ux.md F1)."""
    if task.due_at is None:
        return
    soon = start + (task.due_at - start) * 4 // 5
    timers.put(
        turn.tx, task.id, "due_soon", turn.office.worktime.next_open(soon) if not task.urgent else soon, task.group_id
    )
    timers.put(turn.tx, task.id, "overdue", task.due_at, task.group_id)


def about(turn: Turn, task: Task) -> dict[str, object]:
    """The fields every text about a task may use."""
    office = turn.office
    place = office.place_name(task.place) or task.place_text
    return {
        "number": task.number,
        "where": f"{short(place, 24)} · " if place else "",
        "category": office.category_name(task.category),
        "unit": office.unit_name(task.unit) if task.unit else "待定",
        "text": short(task.text),
        "state": lifecycle.STATES[task.state],
        "due": due_text(turn, task),
    }


def due_text(turn: Turn, task: Task) -> str:
    """The deadline as people read it."""
    if task.due_at is None:
        return "时限待定"
    return shown(task.due_at, turn.at, turn.office.worktime.provisional(task.due_at))


def announce(
    turn: Turn,
    kind: str,
    said: str,
    task: Task,
    *,
    mention: str = "",
    photos: tuple[str, ...] = (),
    buttons: Buttons = (),
) -> None:
    """One message per step: in the group where the step was taken, or there and to the person who took it alone."""
    if turn.event.group == task.group_id:
        turn.reply(kind, said, task=task, mention=mention, photos=photos, buttons=buttons)
        return
    if turn.event.channel in turn.office.channels:
        turn.reply(kind, said, task=task)
    turn.tell_group(kind, said, task, mention=mention, photos=photos, buttons=buttons)


def today(turn: Turn) -> datetime.date:
    """The Shanghai date of the event."""
    return local(turn.at).date()
