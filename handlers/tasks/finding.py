"""Which task a message means: the quoted one, the numbered one, or the only one it could be."""

from __future__ import annotations

from handlers.commands import Command
from handlers.office import LEAD_ROLES
from handlers.tasks import lifecycle, moving
from handlers.tasks.texts import text
from handlers.turn import Turn
from store import outbox, tasks
from store.tasks import Task

UNIT_EVENTS = frozenset({"accept", "arrive", "feed_back", "return_"})


def quoted(turn: Turn) -> list[Task]:
    """The tasks of the message being quoted: the bot's, or one a member wrote about a task."""
    event = turn.event
    if not event.quote:
        return []
    found = outbox.task_of_receipt(turn.tx, event.channel, event.quote)
    ids = [found] if found else tasks.of_message(turn.tx, event.channel, event.quote)
    return [tasks.get(turn.tx, task) for task in ids]


def numbered(turn: Turn, number: str) -> Task | None:
    """The task a number names; a bare serial means today's."""
    if "-" in number:
        return tasks.by_number(turn.tx, number)
    return tasks.by_serial_today(turn.tx, moving.day_of(turn.at), int(number))


def candidates(turn: Turn, event: str) -> list[Task]:
    """Tasks the sender could mean by a bare verb: those on which they may take this very step, newest first."""
    person = turn.sender
    if person is None:
        return []
    states = sorted({state for step in lifecycle.EVENTS[event] for state in step.sources})
    if event in UNIT_EVENTS:
        return (
            tasks.open_of_units(turn.tx, (person.unit,), states) if set(LEAD_ROLES).intersection(person.roles) else []
        )
    found = tasks.of_states(turn.tx, states, group_id=turn.event.group)
    able = [
        task for task in found if not isinstance(lifecycle.may(event, task.state, moving.relations(turn, task)), str)
    ]
    return sorted(able, key=lambda task: -task.opened_at)


def meant(turn: Turn, event: str, command: Command) -> Task | None:
    """The one task a command is about. None after asking which, after saying there is none, or to stay silent."""
    if command.number:
        task = numbered(turn, command.number)
        if task is None:
            turn.refuse("unclear", text("nothing", number=command.number))
        return task
    if found := quoted(turn):
        if len(found) == 1:
            return found[0]
        _ask(turn, found)
        return None
    able = candidates(turn, event)
    if len(able) == 1 or (able and event == "accept"):
        return able[0]
    if able:
        _ask(turn, able)
        return None
    if turn.event.addressed or turn.event.private:
        turn.refuse("unclear", text("nothing", number=""))
    else:
        turn.forget = True
    return None


def _ask(turn: Turn, found: list[Task]) -> None:
    lines = "\n".join(text("task_line", **moving.about(turn, task)) for task in found[:5])
    turn.refused = "unclear"
    turn.reply("ask_which", text("ask_which", list=lines))
