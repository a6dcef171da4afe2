"""Opening a task and handing it to a unit: the message everybody waits for."""

from __future__ import annotations

from dataclasses import replace

from handlers.events import Event
from handlers.office import Office
from handlers.reports.reading import Reading
from handlers.tasks import moving
from handlers.tasks.texts import short, text
from handlers.turn import Turn
from store import tasks, timers
from store.tasks import Task

EMERGENCY = (
    ("火", "119"),
    ("烟", "119"),
    ("漏气", "119"),
    ("燃气", "119"),
    ("伤", "120"),
    ("触电", "120"),
    ("晕", "120"),
)


def open_task(turn: Turn, task_id: str, words: str, reading: Reading, reporter: str) -> Task:
    """Create the task a report becomes and dispatch it, or ask the dispatcher when not sure enough."""
    task = Task(
        id=task_id,
        day=None,
        serial=None,
        state="pending_confirmation",
        group_id=turn.event.group or turn.event.subject,
        reporter=reporter,
        text=words,
        category=reading.category or "",
        place=reading.place_id or "",
        place_text=reading.place_text,
        urgent=int(reading.urgent),
        opened_at=turn.at,
        limit_n=reading.standard[1] if reading.standard else None,
        limit_unit=reading.standard[2] if reading.standard else None,
        choices="|".join(guess.value for guess in reading.units[:3]),
    )
    tasks.add(turn.tx, task)
    tasks.add_reporter(turn.tx, task.id, reporter)
    moving.record(turn, task, "open", "", code=task.category)
    task = tasks.name(turn.tx, task, moving.day_of(turn.at))
    if reading.units and (reading.sure or reading.urgent):
        return dispatch(turn, task, reading.units[0].value, "dispatch", phone=emergency_phone(reading))
    return ask_dispatcher(turn, task)


def emergency_phone(reading: Reading) -> str:
    """Which number to ring for an urgent report; 110 when nothing more special fits (dispatch.md F4.25)."""
    return next((phone for word, phone in EMERGENCY if word in reading.text + reading.urgent_word), "110")


def dispatch(turn: Turn, task: Task, unit: str, event: str, *, phone: str = "", words: str = "") -> Task:
    """Hand a task to a unit: its limit starts, its officer is told, the group sees one message."""
    tasks.set_units(turn.tx, task.id, unit)
    staff = turn.office.staff(unit)
    officer = staff[0].id if staff else ""
    start = turn.allowed(task)
    task = moving.move(
        turn,
        task,
        event,
        "dispatched",
        words=words,
        unit=unit,
        handler=officer,
        dispatched_at=turn.at,
        relays=0,
        **moving.limit(turn, task),
    )
    moving.start_limit_timers(turn, task, turn.at)
    wait = turn.office.rules.accept
    due = start + wait if task.urgent else turn.office.worktime.resume(start, wait, "work_hour").at
    timers.put(turn.tx, task.id, "accept", due, task.group_id)
    _say_dispatched(turn, task, event, officer, phone)
    return task


def _say_dispatched(turn: Turn, task: Task, event: str, officer: str, phone: str) -> None:
    fields = moving.about(turn, task)
    quiet = turn.quiet(task)
    in_group = bool(officer) and turn.office.member(task.group_id, officer)
    name = {"reassign": "reassigned"}.get(
        event, "dispatched_urgent" if task.urgent else "dispatched_quiet" if quiet else "dispatched"
    )
    called = f" @{turn.office.person_name(officer)}" if in_group and not quiet else ""
    said = text(name, **fields, officer=called, phone=phone)
    buttons = (("签收", f"签收 {task.number}"), ("退单", f"退单 {task.number} 原因:"))
    moving.announce(turn, "dispatched", said, task, mention=officer if called else "", buttons=buttons)
    if officer and (quiet or not in_group):
        told = turn.tell(officer, "dispatched", text("dispatched_unit", **fields), task=task)
        if not told and quiet:
            turn.tell_group("dispatched", text("dispatched", **fields, officer=""), task)


def ask_dispatcher(turn: Turn, task: Task) -> Task:
    """Not sure enough: three numbered units for the dispatcher to choose from; nothing is guessed in public."""
    units = [unit for unit in task.choices.split("|") if unit]
    lines = (
        "  ".join(f"{n} {turn.office.unit_name(unit)}" for n, unit in enumerate(units, 1)) or "没有把握，请直接指定单位"
    )
    fields = moving.about(turn, task)
    dispatchers = turn.office.with_role("dispatcher")
    here = next((p for p in dispatchers if turn.office.member(task.group_id, p.id)), None)
    said = text("ask_choice", **{**fields, "text": short(task.text, 30)}, choices=lines)
    buttons = tuple((turn.office.unit_name(unit), f"派 {task.number} {turn.office.unit_name(unit)}") for unit in units)
    if here is not None:
        moving.announce(turn, "ask_choice", said, task, mention=here.id, buttons=buttons)
    else:
        moving.announce(turn, "received", text("received", **fields), task)
        for person in dispatchers:
            turn.tell(person.id, "ask_choice", said, task=task, buttons=buttons)
    wait = turn.office.rules.confirm
    start = turn.allowed(task)
    timers.put(turn.tx, task.id, "confirm", turn.office.worktime.resume(start, wait, "work_hour").at, task.group_id)
    return task


def joined(reading: Reading, category: str, place: str, office: Office) -> Reading:
    """A reading corrected by a person: their category or place instead of the guess."""
    if place and place in office.places:
        reading = replace(reading, place_id=place, place=office.places[place].name)
    if category:
        reading = replace(reading, categories=tuple(g for g in reading.categories if g.value == category))
    return reading


def is_group_event(event: Event) -> bool:
    """Whether an event came from a work group."""
    return bool(event.group)
