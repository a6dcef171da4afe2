"""Keep or forget: decided before the first write, by a pure function of the message and what is in memory (design 3)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from config.county import Person
from handlers import commands, saying
from handlers.commands import Command
from handlers.editions import finding, groups, reactions
from handlers.events import Event
from handlers.faq.askers import speaks_for_bureau
from handlers.faq.hall import PERSONAL
from handlers.faq.numbers import NUMBER
from handlers.office import LEAD_ROLES, Office
from handlers.tasks import lifecycle
from store import tasks

LONG = 40  # characters behind a bare verb; more is prose
OF_VERB = {"choose": "confirm", "grant": "extend_ok", "deny": "extend_no"}


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a message's surroundings when it arrives."""

    window_open: bool = False
    quotes_task: bool = False
    quotes_edition: bool = False
    step_open: bool = False
    now: int = 0


def keep(event: Event, office: Office, heard: Heard) -> str:
    """Why a message is kept (addressed, tagged, quote, command, search, done, window, report, photo), or "" to forget it.

    "reaction": only to be counted, and forgotten in the same transaction.
    """
    if heard.quotes_edition and not event.photos and reactions.read(event.text):
        return "reaction"
    return _keep(event, office, heard) or ("reaction" if heard.quotes_edition and not event.photos else "")


def _keep(event: Event, office: Office, heard: Heard) -> str:
    if event.kind != "message":
        return event.kind
    command = commands.parse(event.text, office.unit_named)
    if command.verb and (command.numbers or command.verb in ("check_in", "bind_group")):
        return "command"
    if office.hall is not None and NUMBER.search(event.text):
        return "numbered"
    if event.addressed or event.private:
        return "addressed"
    if commands.tagged(event.text):
        return "tagged"
    if heard.quotes_task:
        return "quote"
    if command.verb in ("subscribe", "unsubscribe") and (not command.rest or groups.named(command.rest)):
        return "command"
    group = office.groups.get(event.group)
    if group is not None and group.purpose == "tax":
        return _tax(event, office, command, heard)
    if group is not None and group.purpose == "notices" and finding.words_of(command):
        return "search"
    if group is None or group.purpose != "reports":
        return ""
    known = office.person_at.get((event.channel, event.sender))
    if known and any("-" in number for number in command.numbers):
        return "numbered"
    if known and command.verb and _plain(command, office):
        return "command"
    if known and heard.step_open:
        return "done"
    if heard.window_open and (event.photos or not saying.noise(event.text)):
        return "window"
    if event.photos and saying.noise(event.text):
        return "photo" if known else ""
    if office.reader.listen(event.text, len(event.photos)):
        return "report"
    puzzling = known and event.photos and office.reader.read(event.text, len(event.photos)).kind == "none"
    return "photo" if puzzling else ""


def _tax(event: Event, office: Office, command: Command, heard: Heard) -> str:
    """Questions, matters, personal numbers, a number that answers a list; no chatter, and nothing the bureau says itself."""
    if event.action == PERSONAL:
        return PERSONAL
    if command.verb in commands.ALONE or command.verb == "push":
        return "command" if _plain(command, office) or command.verb == "push" else ""
    if office.hall is None or speaks_for_bureau(office, event.channel, event.sender):
        return ""
    if command.verb == "choose" or event.text.strip().isdigit():
        return "choice" if office.hall.expects(event, heard.now) else ""
    if office.hall.goes_on(event, heard.now):
        return "window"
    outcomes = office.hall.hear(event, heard.now).outcomes
    return "question" if any(outcome.band != "silent" for outcome in outcomes) else ""


def _plain(command: Command, office: Office) -> bool:
    """Whether a bare verb cannot be talk between members ("收到" mostly is)."""
    if command.verb in ("reassign", "joint"):
        return office.find_unit(command.rest) is not None
    if command.verb in commands.ALONE:
        return not command.rest or command.verb in ("opinion", "mute")
    return not command.loose and command.word not in commands.FAINT


def doubtful(event: Event, office: Office) -> tuple[str, Person] | None:
    """The life-cycle event that faint words ("收到", "2", "清理完了") would be, if one stands open for their sender."""
    known = office.person_at.get((event.channel, event.sender))
    group = office.groups.get(event.group)
    if known is None or group is None or group.purpose != "reports" or event.addressed or len(event.text) > LONG:
        return None
    command = commands.parse(event.text, office.unit_named)
    verb = OF_VERB.get(command.verb, command.verb)
    if verb in lifecycle.EVENTS and not command.numbers and not _plain(command, office):
        return verb, known
    if set(LEAD_ROLES).intersection(known.roles) and not verb and saying.done(event.text):
        return "feed_back", known
    return None


def step_open(connection: sqlite3.Connection, verb: str, person: Person, group: str) -> bool:
    """Whether a task stands where this step could be meant by this person."""
    steps = lifecycle.EVENTS[verb]
    if verb in OF_VERB.values() and "arbiter" in person.roles and tasks.exemptions(connection, 1):
        return True
    states = sorted({state for step in steps for state in step.sources} - lifecycle.ENDED)
    who = {relation for step in steps for relation in step.who}
    if who.issubset({"lead", "assistant"}):
        staff = set(LEAD_ROLES).intersection(person.roles)
        return bool(staff and tasks.of_unit(connection, person.unit, states))
    return bool(tasks.of_states(connection, states, 1, group))
