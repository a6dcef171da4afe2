"""The office as handlers see it: a frozen snapshot of what changes slowly (county, calendar, learned reader, channels).

Rebuilt after a commit that touched people or county. Who a sender is, is always asked of the database instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.county import Category, County, Group, Person, Place, Unit
from handlers.calendar import OFFICE_HOURS, Calendar, Spans
from handlers.faq.hall import Hall
from handlers.reports.reading import Lesson, Reader
from handlers.worktime import Worktime

LEAD_ROLES = ("handler", "deputy", "unit_leader")


@dataclass(frozen=True, slots=True)
class Channel:
    """What handlers may know of a platform: what it can do, its limits, and how it promises delivery.

    docs/channels.md's table of capabilities is made from these flags.
    """

    name: str
    can_private: bool
    delivery: str  # idempotent, at-least-once, at-most-once
    label: str = ""
    text_bytes: int = 2048  # longest message it takes, 0 = any (ux.md F2.2: WeCom)
    forms: tuple[str, ...] = ("text",)  # how it can show an edition, best first: markdown, news, picture, text
    markdown_bytes: int = 4096
    articles: int = 8  # news cards in one message
    hears: str = "all"  # what of a group reaches the bot: all, mention, none
    pushes: bool = True  # may speak in a group unasked
    photos: bool = True  # may send pictures
    buttons: bool = False
    recalls: bool = False  # tells the bot of messages taken back
    private_prefix: str = ""  # accounts that can be written to alone begin so, where the same person has others


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers an office may change (config.settings), as plain seconds and counts."""

    gather: int = 90
    draft: int = 600
    confirm: int = 180
    accept: int = 300
    accept_off: int = 900
    ask: int = 90
    verify_hours: int = 2
    reminders: int = 2
    reopen_days: int = 7
    returns: int = 2
    extensions: int = 2
    digest_at: int = 8 * 60 + 47  # minute of the day
    digest_until: int = 12 * 60
    digest_persons: int = 3
    digest_rest_days: int = 60
    keep_photos_days: int = 180
    county_name: str = "云溪县"
    hours: Spans = OFFICE_HOURS
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Office:
    """Everything a decision may look up without the database."""

    county: County
    reader: Reader
    worktime: Worktime
    channels: Mapping[str, Channel]
    rules: Rules
    key: bytes
    demo: bool = False
    units: Mapping[str, Unit] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    categories: Mapping[str, Category] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    group_at: Mapping[tuple[str, str], Group] = field(default_factory=dict)
    person_at: Mapping[tuple[str, str], Person] = field(default_factory=dict)
    unit_named: Mapping[str, str] = field(default_factory=dict)
    hall: Hall | None = None

    def unit_name(self, unit: str) -> str:
        """What people call the unit."""
        return self.units[unit].name if unit in self.units else unit

    def person_name(self, person: str) -> str:
        """A person's name; empty for nobody."""
        return self.people[person].name if person in self.people else ""

    def category_name(self, code: str) -> str:
        """The small class as people read it."""
        return self.categories[code].name if code in self.categories else "其他问题"

    def place_name(self, place: str) -> str:
        """The canonical name of a place id; empty when there is none."""
        return self.places[place].name if place in self.places else ""

    def staff(self, unit: str) -> tuple[Person, ...]:
        """Who answers for a unit: handlers first, then deputies, then its leader."""
        found = (p for role in LEAD_ROLES for p in self.county.people if p.unit == unit and role in p.roles)
        return tuple(dict.fromkeys(found))

    def with_role(self, role: str) -> tuple[Person, ...]:
        """Everyone who holds a role, in the county's order."""
        return tuple(p for p in self.county.people if role in p.roles)

    def address_of(self, group: str, channel: str = "") -> tuple[str, str] | None:
        """(channel, address) of a work group, in `channel` when it is bound there."""
        bound = [a.partition(":")[::2] for a in self.groups[group].accounts] if group in self.groups else []
        bound = [(name, address) for name, address in bound if name in self.channels]
        for name, address in bound:
            if name == channel:
                return name, address
        return bound[0] if bound else None

    def private_address(self, person: str) -> tuple[str, str] | None:
        """Where a person can be written to alone; None when no channel reaches them (design 6a)."""
        for account in self.people[person].accounts if person in self.people else ():
            channel, _, user = account.partition(":")
            found = self.channels.get(channel)
            if found is not None and found.can_private and user.startswith(found.private_prefix):
                return channel, user
        return None

    def member(self, group: str, person: str) -> bool:
        """Whether a person belongs to a group; a group without a list takes everyone registered."""
        found = self.groups.get(group)
        return found is not None and (not found.members or person in found.members)

    def find_unit(self, text: str) -> str | None:
        """The unit a text names, by name or alias, the longest name first."""
        hits = [name for name in self.unit_named if name in text]
        return self.unit_named[max(hits, key=len)] if hits else None


def open_office(
    county: County,
    channels: Mapping[str, Channel],
    rules: Rules,
    key: bytes,
    *,
    demo: bool = False,
    lessons: tuple[Lesson, ...] = (),
    reader: Reader | None = None,
    kept: bytes = b"",
    hall: Hall | None = None,
) -> Office:
    """Index a county. `reader` may be handed on when only people changed; `kept` is an earlier reader's fit."""
    names = {name: unit.id for unit in county.units for name in (unit.name, *unit.aliases) if len(name) > 1}
    return Office(
        county=county,
        reader=reader or Reader(county, lessons, kept),
        worktime=Worktime(Calendar(county.calendar, rules.hours)),
        channels=channels,
        rules=rules,
        key=key,
        demo=demo,
        units={unit.id: unit for unit in county.units},
        people={person.id: person for person in county.people},
        places={place.id: place for place in county.places},
        categories={category.code: category for category in county.categories},
        groups={group.id: group for group in county.groups},
        group_at={(c, a): g for g in county.groups for c, _, a in (account.partition(":") for account in g.accounts)},
        person_at={(c, u): p for p in county.people for c, _, u in (account.partition(":") for account in p.accounts)},
        unit_named=names,
        hall=hall,
    )
