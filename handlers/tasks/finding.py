"""Which task a message means: the quoted one, the numbered one, or the only one it could be. Else it is asked."""

from __future__ import annotations

from handlers.commands import FAINT, Command
from handlers.office import LEAD_ROLES
from handlers.tasks import asking, lifecycle, moving
from handlers.tasks.texts import text
from handlers.turn import Turn
from store import outbox, tasks
from store.tasks import Task

SHOWN = 5
LIKELIER = {
    "reassign": ("returned",),
    "joint": ("returned", "pending_confirmation"),
    "feed_back": lifecycle.WORKING,
    "arrive": ("accepted", "rework"),
    "withdraw": lifecycle.UNSIGNED,
    "reject": ("pending_confirmation",),
}  # what a bare word means first
LOOK_BACK = 90 * 86400


def quoted(turn: Turn) -> list[Task]:
    """The tasks of the message being quoted: the bot's, or one a member wrote about a task."""
    event = turn.event
    if not event.quote:
        return []
    found = outbox.task_of_receipt(turn.tx, event.channel, event.quote)
    ids = [found] if found else tasks.of_message(turn.tx, event.channel, event.quote)
    return [tasks.get(turn.tx, task) for task in ids if tasks.exists(turn.tx, task)]


def numbered(turn: Turn, number: str) -> Task | None:
    """The task a number names; a bare serial means the newest such number."""
    if "-" in number:
        return tasks.by_number(turn.tx, number)
    return tasks.by_serial(turn.tx, int(number), moving.day_of(turn.at)) if number else None


def candidates(turn: Turn, event: str) -> list[Task]:
    """Tasks the sender could mean by a bare verb: those on which they may take this very step, newest first."""
    person = turn.sender
    if person is None:
        return []
    states = sorted({state for step in lifecycle.EVENTS[event] for state in step.sources})
    who = {relation for step in lifecycle.EVENTS[event] for relation in step.who}
    found: dict[str, Task] = {}
    if who.intersection({"lead", "assistant"}) and set(LEAD_ROLES).intersection(person.roles):
        found |= {task.id: task for task in tasks.of_unit(turn.tx, person.unit, states)}
    if who.intersection({"opener", "reporter"}):
        found |= {task.id: task for task in _reported(turn, states)}
    if who.intersection({"checker", *lifecycle.OFFICE, "outside_dispatcher", "leader"}) and _has_desk(person.roles):
        open_states = [state for state in states if state not in lifecycle.ENDED]
        found |= {task.id: task for task in tasks.of_states(turn.tx, open_states, 50, turn.event.group)}
    able = [task for task in found.values() if can(turn, event, task)]
    return sorted(able, key=lambda task: (-task.opened_at, -(task.serial or 0)))


def _reported(turn: Turn, states: list[str]) -> list[Task]:
    found = tasks.reported_by(turn.tx, turn.actor.id, turn.event.group, turn.at - LOOK_BACK)
    return [task for task in found if task.state in states]


def _has_desk(roles: tuple[str, ...]) -> bool:
    return bool({"verifier", "dispatcher", "arbiter", "leader"}.intersection(roles))


def can(turn: Turn, event: str, task: Task) -> bool:
    """Whether the sender stands so to a task that the step is theirs to take."""
    return not isinstance(lifecycle.may(event, task.state, moving.relations(turn, task)), str)


def meant(turn: Turn, event: str, command: Command) -> Task | None:
    """The one task a command is about. None after asking which, after saying there is none, or to stay silent."""
    if command.number:
        task = numbered(turn, command.number)
        if task is None:
            turn.refuse("unclear", text("nothing", turn.office.rules.texts, number=command.number))
        return task
    if found := quoted(turn):
        return _one_of(turn, event, command, [task for task in found if can(turn, event, task)] or found)
    able = candidates(turn, event)
    able = [task for task in able if task.state in LIKELIER.get(event, ())] or able
    if event == "verify_fail" and not able:
        able = candidates(turn, "reopen")
    return _one_of(turn, event, command, able) if able else _nobody(turn, event, command)


def _one_of(turn: Turn, event: str, command: Command, able: list[Task]) -> Task | None:
    """The only one; for 签收 the newest (dispatch.md F4.8); else it is asked."""
    if len(able) == 1 or (event == "accept" and not turn.event.quote):
        return able[0]
    ask_which(turn, event, command.rest, able)
    return None


def _nobody(turn: Turn, event: str, command: Command) -> Task | None:
    """No task is theirs to act on: the one they must mean is named in the refusal, chatter passes in silence."""
    if command.word not in FAINT and command.word != "收到":
        standing = _standing(turn, event)
        if len(standing) == 1:
            return standing[0]
    if turn.event.addressed or turn.event.private:
        label = lifecycle.EVENTS[event][0].label
        turn.refuse("unclear", text("nothing_meant", turn.office.rules.texts, label=label))
    else:
        turn.forget = True
    return None


def _standing(turn: Turn, event: str) -> list[Task]:
    """Open tasks of this group the step would fit, whoever may take it; failing that, the sender's own open ones."""
    states = sorted({state for step in lifecycle.EVENTS[event] for state in step.sources} - lifecycle.ENDED)
    fitting = tasks.of_states(turn.tx, states, 2, turn.event.group) if turn.event.group else []
    if fitting:
        return fitting
    return of_sender(turn)


def of_sender(turn: Turn) -> list[Task]:
    """The sender's own open tasks: reported by them or in their unit's hands."""
    own = _reported(turn, list(lifecycle.OPEN))
    if set(LEAD_ROLES).intersection(turn.actor.roles):
        own = [*own, *tasks.of_unit(turn.tx, turn.actor.unit, lifecycle.OPEN)]
    return list({task.id: task for task in own}.values())


def ask_which(turn: Turn, verb: str, words: str, found: list[Task]) -> None:
    """Ask which of several is meant; the answer may be the bare number."""
    lines = "\n".join(moving.say(turn, "task_line", task) for task in found[:SHOWN])
    turn.refused = "unclear"
    asking.ask(turn, "which", verb, "", words)
    label = lifecycle.EVENTS[verb][0].label
    buttons = tuple((f"{label} #{task.number}", f"#{task.number}") for task in found[:SHOWN])
    turn.reply("ask_which", text("ask_which", turn.office.rules.texts, list=lines), buttons=buttons)
