"""Floor 3, and its table of contents: what the bot answers to, who may, and which function does it.

A message is parsed once; its verb is looked up here. Rights on tasks are the life-cycle table's
(`tasks.lifecycle`); `who` says only whether a route is open to people nobody has registered.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from config.county import Person
from handlers import commands, learning, people, phrasing, recall, secrecy, submissions
from handlers.commands import Command
from handlers.editions import finding, groups, responses, rings, verb
from handlers.events import CONSOLE, Event, Facts
from handlers.faq import handover, numbers, policy, reminders, room
from handlers.office import Office
from handlers.reports import gathering, waiting
from handlers.reports.reading import Reading
from handlers.tasks import alarms, asking, checking, desk, joining, late_photos, limits, photo_text, talk, terms, work
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
    Route("accept", "member", work.accept),
    Route("arrive", "member", work.arrive),
    Route("feed_back", "member", work.feed_back),
    Route("return_", "member", work.return_),
    Route("verify_ok", "member", checking.verify_ok),
    Route("verify_fail", "member", checking.verify_fail),
    Route("reopen", "member", checking.reopen),
    Route("exempt", "member", checking.exempt),
    Route("exempt_ok", "member", checking.exempt_ok),
    Route("exempt_no", "member", checking.exempt_no),
    Route("choose", "member", desk.choose),
    Route("reassign", "member", desk.reassign),
    Route("joint", "member", desk.joint),
    Route("correct", "member", desk.correct),
    Route("withdraw", "member", desk.withdraw),
    Route("reject", "member", desk.reject),
    Route("appeal", "member", desk.appeal),
    Route("force_close", "member", desk.force_close),
    Route("look_up", "member", finding.look_up),
    Route("extend", "member", terms.extend),
    Route("suspend", "member", terms.suspend),
    Route("grant", "member", terms.grant),
    Route("deny", "member", terms.deny),
    Route("resume", "member", terms.resume),
    Route("lessons", "member", learning.show),
    Route("unlearn", "member", learning.revoke),
    Route("relearn", "member", learning.give_back),
    Route("merge", "member", joining.merge),
    Route("split", "member", joining.split),
    Route("urge", "member", alarms.urge),
    Route("push", "member", policy.command),
    Route("submit", "member", submissions.submit),
    Route("subscribe", "member", groups.subscribe),
    Route("unsubscribe", "member", groups.unsubscribe),
    Route("edition", "member", verb.take),
    Route("opinion", "member", people.opinion),
    Route("mute", "member", people.mute),
    Route("unmute", "member", people.unmute),
    Route("help", "anyone", people.help_),
    Route("privacy", "anyone", people.privacy),
    Route("check_in", "anyone", people.check_in),
    Route("bind_group", "anyone", people.bind_group),
)
BY_VERB = {route.verb: route for route in ROUTES}

PURPOSES: dict[str, Callable[[Turn], None]] = {"reports": gathering.take, "tax": room.take}
TIMERS: dict[str, Callable[[Turn], None]] = {
    "words": waiting.ring,
    "draft_end": waiting.ring,
    **dict.fromkeys(handover.TIMERS, handover.ring),
    "filing": reminders.ring,
    "filing_plan": reminders.ring,
    **dict.fromkeys(rings.TIMERS, rings.ring),
}

EVENTS: dict[str, Callable[[Turn], None]] = {
    "recall": recall.take,
    "joined": people.joined,
    "photo": late_photos.take,
    "read": photo_text.take,
    "secret": secrecy.take,
    "calendar": limits.recompute,
    "sources": submissions.trouble,
    "timer": lambda turn: TIMERS.get(turn.event.action, alarms.ring)(turn),
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


def _command(event: Event, names: Container[str]) -> Command:
    """A message is parsed. A click names its word and task apart: what else was typed cannot change them."""
    if event.kind != "click" or not event.action:
        handed_in = submissions.tagged(event.text)
        return Command("submit", submissions.WORD) if handed_in else commands.parse(event.text, names)
    verb, said = commands.VERBS.get(event.action, ""), event.text.strip()
    read = commands.parse(f"{event.action} {event.subject} {said}")
    same = read.verb == verb and read.number == event.subject and verb not in commands.SEVERAL
    return read if same else Command(verb, event.action, (event.subject,), said)


def _hear(turn: Turn) -> None:
    if numbers.claims(turn) or responses.heard(turn):
        return None
    command = _command(turn.event, turn.office.unit_named)
    if _for_tax(turn, command):
        return PURPOSES["tax"](turn)
    route = BY_VERB.get(command.verb)
    if turn.sender is None and (route is None or route.who != "anyone"):
        return people.stranger(turn)
    if verb.meant(turn, command):
        return verb.take(turn, command)
    if whole := asking.answered(turn, command):
        return _run(turn, whole)
    if turn.sender is not None and (said := talk.heard(turn, command)):
        return _run(turn, said)
    if route is not None and _is_command(turn, command):
        return _run(turn, command)
    group = turn.office.groups.get(turn.event.group)
    if turn.sender is not None and group is not None and not turn.office.member(group.id, turn.sender.id):
        turn.forget = True
        return turn.refuse("not_member", "")
    listener = PURPOSES.get(group.purpose) if group else None
    if listener is not None:
        return listener(turn)
    if turn.event.private and room.asks(turn):
        return room.take(turn)
    if turn.event.addressed or turn.event.private:
        return people.help_(turn, command)
    turn.forget = True


def _for_tax(turn: Turn, command: Command) -> bool:
    """Said in a tax group, by anybody of it: nobody need be registered to ask, and only the bot's own words are commands."""
    group = turn.office.groups.get(turn.event.group)
    if group is None or group.purpose != "tax" or turn.event.kind != "message":
        return False
    if turn.sender is not None and not turn.office.member(group.id, turn.sender.id):
        return False
    return command.verb not in (*commands.ALONE, "push", "submit") and not (command.verb and command.number)


def _run(turn: Turn, command: Command) -> None:
    does = BY_VERB[command.verb].does
    if len(command.numbers) > 1 and command.verb in commands.SEVERAL:
        for number in command.numbers:
            does(turn, replace(command, numbers=(number,)))
    else:
        does(turn, command)


def _is_command(turn: Turn, command: Command) -> bool:
    """A verb with a tail and neither number nor quote may be prose that happens to begin with one."""
    if not command.loose:
        return True
    if command.numbers or turn.event.quote:
        return True
    if command.verb in phrasing.read(commands.wording(turn.event.text)).barred:
        return False
    reading: Reading | None = turn.facts.reading
    if len(command.rest) > 40 or (reading and reading.kind == "report" and reading.place):
        return False
    if command.verb in ("reassign", "joint") and not turn.office.find_unit(command.rest):
        return turn.sender is not None and bool({"dispatcher", "arbiter"}.intersection(turn.sender.roles))
    return True
