"""Opening a task and handing it to a unit: the message everybody waits for."""

from __future__ import annotations

from handlers.reports.reading import Reading
from handlers.tasks import limits, moving, twins
from handlers.tasks.texts import short
from handlers.turn import Turn
from store import lessons, outbox, tasks, timers
from store.tasks import Task

EMERGENCY = (
    ("火", "119"),
    ("烟", "119"),
    ("漏气", "119"),
    ("燃气", "119"),
    ("被困", "119"),
    ("伤", "120"),
    ("触电", "120"),
    ("晕", "120"),
)
CHOICES = 3  # design 1.3
PROBABLY = 0.5


def open_task(turn: Turn, task_id: str, words: str, reading: Reading, reporter: str, group: str) -> Task:
    """Create the task a report becomes and dispatch it, or ask the dispatcher when not sure enough."""
    task = Task(
        id=task_id,
        day=None,
        serial=None,
        state="pending_confirmation",
        group_id=group,
        reporter=reporter,
        text=words,
        category=reading.category or "",
        place=reading.place_id or "",
        place_text=reading.place_text,
        urgent=int(reading.urgent),
        opened_at=turn.at,
        limit_n=reading.standard[1] if reading.standard else None,
        limit_unit=reading.standard[2] if reading.standard else None,
        choices="|".join(guess.value for guess in reading.units[:CHOICES]),
    )
    tasks.add(turn.tx, task)
    tasks.add_reporter(turn.tx, task.id, reporter)
    moving.record(turn, task, "open", "")
    task = tasks.name(turn.tx, task, moving.day_of(turn.at))
    if reading.units and (reading.sure or reading.urgent):
        task = dispatch(turn, task, reading.units[0].value, "dispatch")
    else:
        task = ask_dispatcher(turn, task)
    twins.suggest(turn, task)
    return task


def emergency_phone(words: str) -> str:
    """Which number to ring for an urgent report; 110 when nothing more special fits (dispatch.md F4.25)."""
    return next((phone for word, phone in EMERGENCY if word in words), "110")


def dispatch(turn: Turn, task: Task, unit: str, event: str, *, words: str = "", final: bool = False) -> Task:
    """Hand a task to a unit: its officer is told, the group sees one message; a limit once begun goes on (F4.14)."""
    ruled = task.state == "returned"
    for kind in moving.QUEUED:
        outbox.cancel(turn.tx, task.id, kind)
    tasks.set_units(turn.tx, task.id, unit)
    task = moving.move(turn, task, event, "dispatched", handed(turn, task, unit, final), words=words)
    start_clocks(turn, task)
    _say_dispatched(turn, task, "ruling" if ruled else event)
    return task


def handed(turn: Turn, task: Task, unit: str, final: bool = False) -> dict[str, object]:
    """The columns of a task that is a unit's from now on."""
    staff = turn.office.staff(unit)
    return {
        "unit": unit,
        "handler": staff[0].id if staff else "",
        "dispatched_at": turn.at,
        "accepted_at": None,
        "relays": 0,
        "asked": "",
        "final": int(final),
        **({} if task.due_at is not None else limits.begin(turn, task)),
    }


def start_clocks(turn: Turn, task: Task) -> None:
    """The limit's timers and the one for signing, which runs in duty hours unless urgent (design 6a.8)."""
    limits.set_timers(turn, task)
    accept_timer(turn, task)


def accept_timer(turn: Turn, task: Task, wait: int = 0) -> None:
    """When the next in line is told that nobody signed; `wait` in place of the usual time."""
    rules, start = turn.office.rules, turn.allowed(task)
    if task.urgent:
        due = start + (rules.accept_off if turn.office.worktime.is_quiet(start) else rules.accept)
    else:
        due = turn.office.worktime.resume(start, wait or rules.accept, "work_hour").at
    timers.put(turn.tx, task.id, "accept", due, task.group_id)


def _say_dispatched(turn: Turn, task: Task, event: str) -> None:
    officer, quiet = task.handler, turn.quiet(task)
    name = {"reassign": "reassigned", "ruling": "ruling"}.get(
        event, "dispatched_urgent" if task.urgent else "dispatched_quiet" if quiet else "dispatched"
    )
    said = moving.say(
        turn,
        name,
        task,
        officer=moving.at_name(turn, task, officer),
        phone=emergency_phone(task.text),
        joined="",
        final="。首接负责，不再退单" if task.final else "",
    )
    kind = "ruling" if event == "ruling" else "dispatched"
    mention = officer if turn.office.member(task.group_id, officer) else ""
    moving.announce(turn, kind, said, task, mention=mention, buttons=unit_buttons(task))
    if event == "ruling" and officer:
        turn.tell(
            officer, "dispatched", moving.say(turn, "dispatched_unit", task), task=task, buttons=unit_buttons(task)
        )
    else:
        tell_officer(turn, task, officer, "dispatched_unit")


def alert(turn: Turn, task: Task) -> None:
    """A task already dispatched turned out to be urgent."""
    accept_timer(turn, task)
    _say_dispatched(turn, task, "dispatch")


def tell_officer(turn: Turn, task: Task, officer: str, name: str) -> None:
    """Tell an officer the group message could not call; where no channel reaches them, the group hears it in duty hours."""
    if not moving.reach(turn, task, officer, "dispatched", moving.say(turn, name, task), unit_buttons(task)):
        turn.tell_group("dispatched", moving.say(turn, "dispatched", task, officer=""), task)


def unit_buttons(task: Task) -> tuple[tuple[str, str], ...]:
    """What a unit answers a dispatch with."""
    return (("签收", f"签收 {task.number}"), ("退单", f"退单 {task.number}"))


def ask_dispatcher(turn: Turn, task: Task) -> Task:
    """Not sure enough: three numbered units for the dispatcher to choose from; nothing is guessed in public."""
    said = choice_text(turn, task)
    dispatchers = turn.office.with_role("dispatcher")
    person = moving.first_here(turn, task, dispatchers)
    buttons = tuple(
        (turn.office.unit_name(unit), f"派 {task.number} {turn.office.unit_name(unit)}") for unit in choices(task)
    )
    if person and turn.office.member(task.group_id, person):
        moving.announce(turn, "ask_choice", said, task, mention=person, buttons=buttons)
        moving.reach(turn, task, person, "ask_choice", said, buttons)
    else:
        moving.announce(turn, "received", moving.say(turn, "received", task), task)
        for dispatcher in dispatchers:
            turn.tell(dispatcher.id, "ask_choice", said, task=task, buttons=buttons)
    confirm_timer(turn, task)
    return task


def confirm_timer(turn: Turn, task: Task) -> None:
    """When the dispatcher is asked again for a unit."""
    wait = turn.office.worktime.resume(turn.allowed(task), turn.office.rules.confirm, "work_hour")
    timers.put(turn.tx, task.id, "confirm", wait.at, task.group_id)


def choices(task: Task) -> list[str]:
    """The units offered."""
    return [unit for unit in task.choices.split("|") if unit]


def choice_text(turn: Turn, task: Task) -> str:
    """The question to the dispatcher."""
    named = (f"{n} {turn.office.unit_name(unit)}" for n, unit in enumerate(choices(task), 1))
    offered = "  ".join(named) or "没有把握，请直接指定单位"
    return moving.say(turn, "ask_choice", task, text=short(task.text, 30), choices=offered)


def on_duty(turn: Turn, category: str, place: str) -> str:
    """The one unit the county's table, or else prose, names for a class at a place; empty when it names none or several."""
    found = turn.office.places.get(place)
    here = {found.id, found.name, found.town} - {""} if found else set()
    rows = [duty for duty in turn.office.county.duties if duty.code == category]
    near = {duty.unit for duty in rows if duty.place_or_town in here} if here else set()
    units = near or {duty.unit for duty in rows if not duty.place_or_town}
    if not rows:
        return _by_prose(turn, category, place)
    return units.pop() if len(units) == 1 else ""


def _by_prose(turn: Turn, category: str, place: str) -> str:
    """Where the table is silent: whom the reader gives the class to by its own name, if it is surer than not."""
    office = turn.office
    if category not in office.categories:
        return ""
    reading = office.reader.read(office.place_name(place) + office.category_name(category), 1)
    sure = reading.category == category and bool(reading.units) and reading.units[0].p > PROBABLY
    return reading.units[0].value if sure else ""


def learn(turn: Turn, task: Task, unit: str, before: Task | None = None) -> None:
    """A person decided this: the reader learns from it. `before` is the task as the bot had it, where it moved since."""
    was = before or task
    said = lessons.Said(was.category, was.unit, was.choices)
    lessons.add(turn.tx, task.id, task.text, task.category, unit, task.place, turn.actor.id, said)


def hand_to(turn: Turn, task: Task, unit: str, *, words: str = "") -> Task:
    """Dispatch by a person's word and learn from it; after the last return allowed, or by an arbiter, it is final."""
    event = "confirm" if task.state == "pending_confirmation" else "reassign"
    learn(turn, task, unit)
    return dispatch(turn, task, unit, event, words=words, final=ruled(turn, task))


def ruled(turn: Turn, task: Task) -> bool:
    """Whether what is decided about a returned task now stands for good."""
    arbiter = "arbiter" in turn.actor.roles and "dispatcher" not in turn.actor.roles
    return task.state == "returned" and (arbiter or task.returns >= turn.office.rules.returns)
