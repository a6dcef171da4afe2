"""Floor 3, and its table of contents: what the bot answers to, who may, and which function does it.

A message is parsed once; its verb is looked up here. Rights on tasks are the life-cycle table's
(`tasks.lifecycle`); `who` says only whether a route is open to people nobody has registered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config.county import Person
from handlers import commands, people, recall, secrecy
from handlers.commands import Command
from handlers.events import CONSOLE, Event, Facts
from handlers.office import Office
from handlers.reports import gathering
from handlers.tasks import alarms, late_photos, steps
from handlers.turn import Turn
from store import Tx, inbox
from store import people as directory


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    verb: str
    who: str  # member or anyone
    does: Callable[[Turn, Command], None]


ROUTES: tuple[Route, ...] = (
    Route("accept", "member", steps.accept),
    Route("arrive", "member", steps.arrive),
    Route("feed_back", "member", steps.feed_back),
    Route("verify_ok", "member", steps.verify_ok),
    Route("verify_fail", "member", steps.verify_fail),
    Route("return_", "member", steps.return_),
    Route("reassign", "member", steps.reassign),
    Route("choose", "member", steps.choose),
    Route("correct", "member", steps.correct),
    Route("withdraw", "member", steps.withdraw),
    Route("reject", "member", steps.reject),
    Route("reopen", "member", steps.reopen),
    Route("force_close", "member", steps.force_close),
    Route("look_up", "member", steps.look_up),
    Route("opinion", "member", people.opinion),
    Route("mute", "member", people.mute),
    Route("unmute", "member", people.unmute),
    Route("help", "anyone", people.help_),
    Route("privacy", "anyone", people.privacy),
    Route("check_in", "anyone", people.check_in),
    Route("bind_group", "anyone", people.bind_group),
)
BY_VERB = {route.verb: route for route in ROUTES}

PURPOSES: dict[str, Callable[[Turn], None]] = {"reports": gathering.take}

EVENTS: dict[str, Callable[[Turn], None]] = {
    "recall": recall.take,
    "joined": people.joined,
    "photo": late_photos.take,
    "secret": secrecy.take,
    "timer": lambda turn: (gathering if turn.event.action in ("words", "draft_end") else alarms).ring(turn),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """How an event was settled: `refused` a design 8 word or "", `forgotten` whether its words were erased.

    `answer` is what a console page shows: the last thing said to an event whose channel takes no answers.
    """

    refused: str
    forgotten: bool
    erase_photos: tuple[str, ...]
    answer: str = ""


def decide(tx: Tx, event: Event, facts: Facts, office: Office) -> Decision:
    """Settle one event in the writer's transaction: everything it changes and says, and its inbox row, or nothing."""
    turn = Turn(tx, event, facts, office, sender=_sender(tx, event) if event.sender else None)
    if event.kind in EVENTS:
        EVENTS[event.kind](turn)
    else:
        _hear(turn)
    inbox.settle(tx, event.seq, "done", turn.refused, forget=turn.forget)
    return Decision(turn.refused, turn.forget, tuple(turn.erase_photos), turn.answer_here)


def _sender(tx: Tx, event: Event) -> Person | None:
    """The person behind a platform identity; the console has already established its own."""
    if event.channel == CONSOLE:
        return directory.get(tx, event.sender)
    return directory.by_account(tx, event.channel, event.sender)


def _command(event: Event) -> Command:
    """A click names the word, the task and the rest apart; a message is parsed."""
    if event.kind == "click" and event.action:
        return Command(commands.VERBS.get(event.action, ""), event.action, event.subject, event.text.strip())
    return commands.parse(event.text)


def _hear(turn: Turn) -> None:
    command = _command(turn.event)
    route = BY_VERB.get(command.verb)
    if turn.sender is None and (route is None or route.who != "anyone"):
        return people.stranger(turn)
    if route is not None and _is_command(turn.event, command):
        return route.does(turn, command)
    group = turn.office.groups.get(turn.event.group)
    if turn.sender is not None and group is not None and not turn.office.member(group.id, turn.sender.id):
        return turn.refuse("not_member", "")
    listener = PURPOSES.get(group.purpose) if group else None
    if listener is not None:
        return listener(turn)
    if turn.event.addressed or turn.event.private:
        return people.help_(turn, command)
    turn.forget = True


def _is_command(event: Event, command: Command) -> bool:
    """A verb with a long tail and no number is prose that happens to begin with one."""
    return bool(command.number or event.quote or event.action or len(command.rest) <= 40)
