"""Moving a task along the table: who stands how to it, whether the step is allowed, and what every step writes and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.county import Person
from handlers import commands
from handlers.calendar import local
from handlers.office import LEAD_ROLES
from handlers.tasks import asking, guards, lifecycle
from handlers.tasks.texts import short, text
from handlers.turn import Buttons, Turn
from handlers.worktime import shown
from store import history, outbox, tasks, timers
from store.tasks import Task

REMINDERS = ("reminder", "escalation")
MATTER = ("open", "correct", "supplement")  # steps that say what a task is about: `code` is class|place
QUEUED = ("dispatched", "ruling", "verify_request", "ask_choice", "returned", "rework")  # waiting for 08:30


def day_of(at: int) -> str:
    """The Shanghai day of an instant, YYYYMMDD."""
    return f"{local(at):%Y%m%d}"


def clock_of(at: int) -> str:
    """The Shanghai time of day, HH:MM."""
    return f"{local(at):%H:%M}"


def relations(turn: Turn, task: Task) -> frozenset[str]:
    """How the sender stands to a task, in the table's words; "own_unit" for someone of a unit that handles it."""
    person = turn.sender
    if person is None:
        return frozenset({"system"} if turn.event.kind == "timer" else ())
    return standing(person, task, tasks.units(turn.tx, task.id), tasks.reporters(turn.tx, task.id))


def standing(person: Person, task: Task, units: Sequence[str], reporters: Sequence[str]) -> frozenset[str]:
    """The same for anybody, without a turn: the console offers exactly the steps the table will permit."""
    roles, found = frozenset(person.roles), set()
    own = bool(person.unit) and person.unit in (units or (task.unit,))
    if own:
        found.add("own_unit")
        if roles.intersection(LEAD_ROLES):
            found.add("lead" if person.unit == task.unit else "assistant")
    if person.id == task.reporter:
        found.add("opener")
    if not own and person.id in reporters:
        found.add("reporter")
    if "verifier" in roles and not own:
        found.add("checker")
    if "dispatcher" in roles:
        found.update({"dispatcher"} if own else {"dispatcher", "outside_dispatcher"})
    return frozenset(found | roles.intersection({"arbiter", "leader"}))


def permitted(turn: Turn, event: str, task: Task, words: str = "") -> lifecycle.Step | None:
    """The step the sender may take now; otherwise they are told once why not and None comes back."""
    verdict = lifecycle.may(event, task.state, relations(turn, task))
    label = lifecycle.EVENTS[event][0].label
    if isinstance(verdict, str):
        steps = tuple(lifecycle.allowed(event, task.state))
        who = "、".join(dict.fromkeys(lifecycle.RELATIONS[r] for step in steps for r in step.who))
        _refused(turn, verdict, verdict, task, label=label, who=who)
        return None
    if guard := guards.failing(turn, task, verdict):
        _refused(turn, guard.code, guard.text, task, label=verdict.label)
        return None
    if verdict.reason and not words.strip():
        asking.ask(turn, "why", event, task.number)
        _refused(turn, "unclear", "reason", task, word=commands.WORDS[event].split()[0])
        return None
    return verdict


def _refused(turn: Turn, code: str, name: str, task: Task, **more: object) -> None:
    figures = {"days": turn.office.rules.reopen_days, "count": task.returns, "extensions": task.extensions}
    turn.refuse(code, say(turn, name, task, **{**figures, **more}), task=task)


def move(
    turn: Turn,
    task: Task,
    event: str,
    to: str,
    fields: Mapping[str, Any] | None = None,
    *,
    words: str = "",
    code: str = "",
    amount: int | None = None,
) -> Task:
    """Take a step: the row, its history, its words; timers and waiting messages that no longer fit go."""
    ended = {"ended_at": turn.at} if to in lifecycle.ENDED else {}
    changed = tasks.change(turn.tx, task, state=to, **ended, **(fields or {}))
    record(turn, changed, event, task.state, words=words, code=code, amount=amount)
    if stopped := lifecycle.timers_to_clear(to):
        timers.clear(turn.tx, task.id, *stopped)
    if to != task.state:
        outbox.cancel(turn.tx, task.id, *(REMINDERS if to in lifecycle.WORKING else (*REMINDERS, *QUEUED)))
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
        code=code or (f"{task.category}|{task.place}" if event in MATTER else ""),
        amount=amount,
        due_at=task.due_at,
        mark=history.keyed_mark(turn.office.key, words),
        at=turn.at,
    )
    tasks.note(turn.tx, task.id, n, words)


def about(turn: Turn, task: Task) -> dict[str, object]:
    """The fields every text about a task may use."""
    office = turn.office
    place = task.place_text or office.place_name(task.place)
    return {
        "number": task.number,
        "where": f"{short(place, 24)} · " if place else "",
        "category": office.category_name(task.category),
        "unit": office.unit_name(task.unit) if task.unit else "待定",
        "text": short(task.text),
        "state": lifecycle.STATES[task.state],
        "due": due_text(turn, task),
        "person": turn.actor.name,
        "own": office.unit_name(turn.actor.unit),
        "time": clock_of(turn.at),
    }


def say(turn: Turn, text_name: str, task: Task, **more: object) -> str:
    """A text about a task, in the office's own words where it has some."""
    return text(text_name, turn.office.rules.texts, **{**about(turn, task), **more})


def due_text(turn: Turn, task: Task) -> str:
    """The deadline as people read it."""
    if task.due_at is None:
        return "时限暂停" if task.state == "suspended" else "时限待定"
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
    """One message per step: in the group where it was taken, or there and to the person who took it elsewhere."""
    event = turn.event
    if event.kind == "message" and event.group == task.group_id and not event.alone:
        return turn.reply(kind, said, task=task, mention=mention, photos=photos, buttons=buttons)
    if event.kind in ("message", "click"):
        turn.reply(kind, said, task=task)
    turn.tell_group(kind, said, task, mention=mention, photos=photos, buttons=buttons)


def reach(turn: Turn, task: Task, person: str, kind: str, said: str, buttons: Buttons = ()) -> bool:
    """Write to somebody an announcement could not call: not in the group, or it is their quiet time. False if nobody can."""
    if not person or (called(turn, task, person) and not turn.quiet(task)):
        return True
    return turn.tell(person, kind, said, task=task, buttons=buttons) or (
        turn.office.private_address(person) is not None  # they asked for quiet
    )


def called(turn: Turn, task: Task, person: str) -> bool:
    """Whether the group's line reaches a person who can answer it there."""
    office, where = turn.office, turn.office.address_of(task.group_id, turn.event.channel)
    if where is None or not office.member(task.group_id, person) or office.channels[where[0]].hears == "none":
        return False
    return any(account.startswith(f"{where[0]}:") for account in office.people[person].accounts)


def first_here(turn: Turn, task: Task, people: tuple[Person, ...]) -> str:
    """The first of these people who is in the task's group, else the first."""
    here = (p.id for p in people if turn.office.member(task.group_id, p.id))
    return next(here, people[0].id if people else "")


def at_name(turn: Turn, task: Task, person: str) -> str:
    """ " @张强" where calling them is possible and allowed, else nothing."""
    called = person and turn.office.member(task.group_id, person) and not turn.quiet(task)
    return f" @{turn.office.person_name(person)}" if called else ""
