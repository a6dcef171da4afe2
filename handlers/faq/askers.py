"""Who asks and who answers: the asker's identity, the tax bureau's people, whom a ticket goes to, who may approve."""

from __future__ import annotations

from collections.abc import Sequence

from config.county import County, Person
from handlers.office import LEAD_ROLES, Office
from handlers.turn import Turn
from store import tax

BUREAU = "税务"  # in the name of the unit whose people answer
APPROVES = ("deputy", "unit_leader", "handler")


def asker(turn: Turn) -> str:
    """channel:user; nobody need be registered to ask a tax question."""
    return f"{turn.event.channel}:{turn.event.sender}"


def is_officer(turn: Turn, person: Person | None) -> bool:
    """Whether a person answers tax questions: of the bureau with a leading role, or on the roster."""
    if person is None:
        return False
    if speaks(turn.office, person):
        return True
    return person.id in (listed for _, listed in tax.roster(turn.tx))


def speaks_for_bureau(office: Office, channel: str, sender: str) -> bool:
    """The same by what is in memory, for the choice between keeping and forgetting."""
    person = office.person_at.get((channel, sender))
    return person is not None and speaks(office, person)


def speaks(office: Office, person: Person) -> bool:
    """Whether a person is one of the bureau with a leading role."""
    return BUREAU in office.unit_name(person.unit) and bool(set(LEAD_ROLES).intersection(person.roles))


def bureau(county: County) -> list[str]:
    """The names of the bureau's people."""
    units = {unit.id for unit in county.units if BUREAU in unit.name}
    return [person.name for person in county.people if person.unit in units]


def staff(office: Office) -> tuple[Person, ...]:
    """The bureau's people: handlers first, then deputies, then its leader."""
    units = (unit.id for unit in office.county.units if BUREAU in unit.name)
    return tuple(person for unit in units for person in office.staff(unit))


def officers(turn: Turn, taxes: Sequence[str]) -> list[str]:
    """Whom a ticket goes to in turn: on duty for its tax, on duty for any, then the bureau's own line."""
    listed = [person for person in tax.duty(turn.tx, taxes) if person in turn.office.people]
    return list(dict.fromkeys((*listed, *(person.id for person in staff(turn.office)))))


def approvers(turn: Turn, author: str) -> list[str]:
    """Who may approve what this author wrote: anyone else of the bureau, then anyone else on the roster."""
    listed = [person for _, person in tax.roster(turn.tx) if person in turn.office.people and person != author]
    return list(dict.fromkeys((*(p.id for p in approving(turn.office, author)), *listed)))


def approving(office: Office, author: str) -> list[Person]:
    """The bureau's people but the author, deputies and the leader first."""
    people = staff(office)
    ranked = {p.id: p for role in APPROVES for p in people if role in p.roles and p.id != author}
    return list(ranked.values())
