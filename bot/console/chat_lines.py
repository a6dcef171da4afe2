"""Lines made ready for one viewer: the buttons they may press now, names and numbers marked in the text, who is in the group."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup, escape

from bot.engine import Engine
from bot.platforms.web import ChatLine
from bot.platforms.web_lines import OURS
from config.county import ROLES, Group, Person
from handlers import commands
from handlers.calendar import local
from handlers.faq import learning
from handlers.office import Office
from handlers.tasks import lifecycle, moving
from store import tasks

MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 12
TASK_PAGE = "/tasks/{}"
_MARKED = re.compile(r"@(?=\S)|[#＃](\d{4}-\d{3,})")
_LINK = re.compile(r"https?://[0-9A-Za-z%:/?#&=+,;~!$._-]*[0-9A-Za-z%/=_-]")  # what digests.characters.link prints
_WEEKDAYS = "一二三四五六日"
_KNOWN: dict[str, Any] = {}
_NEWEST_WITH_BUTTONS = (
    "select max(seq) from outbox where task = ? and channel = ? and address = (select address from outbox where seq = ?)"
    " and body like '%\"buttons\":%' and state <> 'dead'"
)


@dataclass(frozen=True, slots=True)
class Members:
    """A heading of the members panel and the people under it."""

    label: str
    people: tuple[Person, ...]

    @property
    def size(self) -> int:
        """How many."""
        return len(self.people)


async def dressed(engine: Engine, person: Person, lines: Sequence[ChatLine]) -> list[ChatLine]:
    """The lines with just those buttons this person may press now."""
    if not any(line.buttons for line in lines):
        return list(lines)
    return await engine.store.read(lambda c: [_offered(c, person, line) for line in lines])


def _offered(connection: sqlite3.Connection, person: Person, line: ChatLine) -> ChatLine:
    """Only a task's newest message with buttons keeps them, and of those the steps the table permits."""
    if not line.buttons or not line.task:
        waits = not line.buttons or learning.waits(connection, int(line.id[1:]))
        return line if waits else replace(line, buttons=())
    seq = int(line.id[1:])
    newest = connection.execute(_NEWEST_WITH_BUTTONS, (line.task, "web", seq)).fetchone()[0]
    if newest != seq:
        return replace(line, buttons=())
    task = tasks.get(connection, line.task)
    stands = moving.standing(person, task, tasks.units(connection, task.id), tasks.reporters(connection, task.id))
    found = ((label, said, _step(said, task.state, stands)) for label, said in line.buttons)
    return replace(line, buttons=tuple((label, _asking(said, step)) for label, said, step in found if step != "no"))


def _step(said: str, state: str, stands: frozenset[str]) -> lifecycle.Step | str:
    """The step a button's words ask for; "" when they ask for none, "no" when this person may not take it now."""
    verb = commands.parse(said).verb
    event = "confirm" if verb == "choose" or (verb, state) == ("reassign", "pending_confirmation") else verb
    if event not in lifecycle.EVENTS:
        return ""
    step = lifecycle.may(event, state, stands)
    return step if isinstance(step, lifecycle.Step) else "no"


def _asking(said: str, step: lifecycle.Step | str) -> str:
    """Words that end in a colon wait in the composer for the reason they lack."""
    needs = isinstance(step, lifecycle.Step) and step.reason
    return f"{said}:" if needs and not said.endswith((":", "：")) else said


def members(office: Office, group: Group | None) -> list[Members]:
    """Who is in a group: the command centre's roles first, then by unit."""
    if group is None:
        return []
    inside = [p for p in office.county.people if office.member(group.id, p.id)]
    units = dict.fromkeys(p.unit for p in inside)
    return [Members(office.unit_name(unit), tuple(p for p in inside if p.unit == unit)) for unit in units]


def roles(person: Person) -> str:
    """A person's roles in words."""
    return "、".join(ROLES[role] for role in person.roles if role in ROLES)


def rich(text: str, office: Office, me: str) -> Markup:
    """The text with mentions of people marked and task numbers made links; everything else escaped."""
    parts, at = [], 0
    for found in _MARKED.finditer(text):
        if found.start() < at:
            continue
        parts.append(escape(text[at : found.start()]))
        at = found.end()
        if found[1]:
            parts.append(Markup('<a class="no" href="{}">{}</a>').format(TASK_PAGE.format(found[1]), found[0]))
            continue
        name = _name_at(text[at : at + LONGEST_NAME], _names(office))
        at += len(name)
        mine = " me" if name and name == me else ""
        parts.append(Markup('<b class="at{}">@{}</b>').format(mine, name) if name else escape("@"))
    return Markup("").join((*parts, escape(text[at:])))


def linked(text: str, office: Office, me: str) -> Markup:
    """`rich`, with web addresses to follow in a tab that learns nothing of this page: only for words that are our own."""
    parts, at = [], 0
    for found in _LINK.finditer(text):
        anchor = Markup('<a href="{0}" target="_blank" rel="noreferrer noopener">{0}</a>').format(found[0])
        parts += [rich(text[at : found.start()], office, me), anchor]
        at = found.end()
    return Markup("").join((*parts, rich(text[at:], office, me)))


def _name_at(text: str, names: frozenset[str]) -> str:
    return next((text[:length] for length in range(len(text), 0, -1) if text[:length] in names), "")


def _names(office: Office) -> frozenset[str]:
    """Everybody's name; made anew only when the county changed."""
    if _KNOWN.get("county") is not office.county:
        _KNOWN.update(county=office.county, names=frozenset((OURS, *(p.name for p in office.county.people))))
    names: frozenset[str] = _KNOWN["names"]
    return names


def head(text: str) -> str:
    """The first line."""
    return text.partition("\n")[0]


def tail(text: str) -> str:
    """What follows the first line."""
    return text.partition("\n")[2]


def day(at: int) -> str:
    """The Shanghai day as a heading."""
    moment = local(at)
    return f"{moment.month}月{moment.day}日 星期{_WEEKDAYS[moment.weekday()]}"


def clock(at: int) -> str:
    """HH:MM in Shanghai."""
    return f"{local(at):%H:%M}"


def face(name: str) -> str:
    """The one or two characters in a person's square."""
    return name[-2:] if len(name) > 2 else name[-1:]


FILTERS = {
    "rich": rich,
    "linked": linked,
    "head": head,
    "tail": tail,
    "day": day,
    "clock": clock,
    "face": face,
    "roles": roles,
}
