"""A report said to the bot alone belongs to the reporter's report group, as if it had been said there to the bot.

Photos, places, tagged words, words that read as a report, what follows them for ten minutes, and what is done with a task.
Everything else (a tax question, 报到) stays private. Answers go where it was said; the group hears what it would have heard.
"""

from __future__ import annotations

from dataclasses import replace

from bot.engine import Engine
from config.county import Group, Person
from handlers import commands
from handlers.events import Event
from handlers.office import Office

ELSEWHERE = commands.ALONE | {"choose", "edition", "lessons", "push", "relearn", "submit", "unlearn"}
PLACE = "位置："  # what a shared location's words begin with


def homeward(engine: Engine, event: Event) -> Event:
    """The event, of its group when it is a piece of a report or a step of its task."""
    office = engine.office
    person = office.person_at.get((event.channel, event.sender)) if event.private else None
    home = _HOMES.of(office, person) if person is not None else None
    if home is None:
        return event
    there = replace(event, group=home.id, addressed=not event.text.startswith(PLACE))  # a place alone asks nothing
    return there if _reports(engine, there) else event


def _reports(engine: Engine, event: Event) -> bool:
    if event.photos or event.text.startswith(PLACE) or commands.tagged(event.text):
        return True
    if verb := commands.parse(event.text, engine.office.unit_named).verb:
        return verb not in ELSEWHERE
    if engine.inbox.windows.is_open(event, engine.store.now()):
        return True
    return bool(event.text) and engine.office.reader.listen(event.text, 0) and not _asks(engine, event)


def _asks(engine: Engine, event: Event) -> bool:
    """Whether the words are a tax question: some read as a report too, no report reads as a question."""
    hall = engine.office.hall
    heard = hall.hear(replace(event, group=""), engine.store.now()).outcomes if hall is not None else ()
    return any(outcome.band != "silent" for outcome in heard)


class _Homes:
    """Report groups by who is named in them, worked out once for each snapshot of the office."""

    def __init__(self) -> None:
        self._office: Office | None = None
        self._named: dict[str, Group] = {}
        self._open: Group | None = None

    def of(self, office: Office, person: Person) -> Group | None:
        """The report group that names them, else one that is everybody's."""
        if office is not self._office:
            groups = [group for group in office.county.groups if group.purpose == "reports"]
            self._named = {member: group for group in reversed(groups) for member in group.members}
            self._open = next((group for group in groups if not group.members), None)
            self._office = office
        return self._named.get(person.id, self._open)


_HOMES = _Homes()
