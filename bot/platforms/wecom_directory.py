"""WeCom's directory as units and people of the county: a proposal to look through and import, never a silent change.

Who is known stays as they are; an account is added where name and unit fit exactly one person. An app sees only its own
visible range (platforms.md 1.9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.platforms.wecom_api import WecomApi
from config.county import County, Person, Unit
from config.errors import Refused
from digests.screening import clean_name

ROOT = 1  # the company itself is no unit


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the directory."""

    user: str
    name: str
    department: int
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """What the app can see."""

    departments: Mapping[int, str]
    members: Sequence[Member]


async def read_directory(api: WecomApi) -> Directory:
    """Departments, and everybody in them once."""
    found = await api.read("department/simplelist")
    departments, users = {}, {}
    for number in [int(row["id"]) for row in found.get("department_id", ())]:
        departments[number] = await _name(api, number)
        people = await api.read("user/simplelist", department_id=str(number))
        users.update({str(row["userid"]): row for row in people.get("userlist", ())})
    members = [await _member(api, user, row) for user, row in users.items()]
    return Directory(departments, members)


def proposed(county: County, channel: str, directory: Directory) -> County:
    """The county with what the directory adds to it."""
    units = _Units(county.units)
    people = list(county.people)
    for member in directory.members:
        unit = units.of(member.department, directory.departments)
        _seat(people, f"{channel}:{member.user}", member, unit)
    return replace(county, units=tuple(units.all), people=tuple(people))


class _Units:
    def __init__(self, units: Sequence[Unit]) -> None:
        self.all = list(units)
        self._named = {name: unit.id for unit in units for name in (unit.name, *unit.aliases)}

    def of(self, number: int, names: Mapping[int, str]) -> str:
        name = names.get(number) or f"部门{number}"
        if name not in self._named:
            self._named[name] = f"wx{number}"
            self.all.append(Unit(f"wx{number}", name))
        return self._named[name]


def _seat(people: list[Person], account: str, member: Member, unit: str) -> None:
    if any(account in person.accounts for person in people):
        return
    mark = account.partition(":")[0] + ":"
    fitting = [i for i, p in enumerate(people) if (p.name, p.unit) == (member.name, unit)]
    if len(fitting) == 1 and not any(a.startswith(mark) for a in people[fitting[0]].accounts):
        person = people[fitting[0]]
        people[fitting[0]] = replace(person, accounts=(*person.accounts, account))
        return
    taken = {person.id for person in people}
    name = member.user if member.user not in taken else f"wx-{member.user}"
    people.append(Person(name, member.name, unit, ("unit_leader" if member.leads else "reporter",), (account,)))


async def _name(api: WecomApi, number: int) -> str:
    try:
        found: Any = (await api.read("department/get", id=str(number))).get("department")
    except Refused:  # newer apps see numbers only
        return ""
    return clean_name(str(found.get("name") or "")) if isinstance(found, dict) and found.get("name") else ""


async def _member(api: WecomApi, user: str, row: Mapping[str, Any]) -> Member:
    try:
        found = await api.read("user/get", userid=user)
    except Refused:
        found = dict(row)
    own = [int(number) for number in found.get("department") or row.get("department") or (ROOT,)]
    place = next((i for i, number in enumerate(own) if number != ROOT), 0)
    leads = list(found.get("is_leader_in_dept") or ())
    name = clean_name(str(found.get("name") or row.get("name") or user))
    return Member(user, name, own[place], bool(leads[place]) if place < len(leads) else False)
