"""What a county is: units, people, places, groups, and who does what by when (design 7).

Frozen values only. `config.files` reads and checks them from CSV or Excel; `store.county` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = {
    "reporter": "上报人",
    "handler": "经办人",
    "deputy": "副职",
    "unit_leader": "单位负责人",
    "dispatcher": "指挥员",
    "verifier": "核查员",
    "arbiter": "裁定人",
    "leader": "分管领导",
    "security_officer": "保密员",
    "editor": "摘要编辑",
    "reviewer": "摘要审核",
    "publisher": "摘要签发",
    "admin": "系统管理员",
    "security_admin": "安全管理员",
    "auditor": "审计员",
}
PURPOSES = {"reports": "上报处置", "tax": "税务咨询", "notices": "通知摘要"}
PLACE_KINDS = {
    "road": "道路",
    "landmark": "地标",
    "village": "村",
    "community": "社区",
    "town": "乡镇街道",
    "area": "片区",
}
LIMIT_UNITS = {"urgent_hour": "紧急小时", "work_hour": "工作小时", "work_day": "工作日", "day": "自然日"}
CATEGORY_KINDS = ("部件", "事件", "其他")


@dataclass(frozen=True, slots=True)
class Unit:
    """承办单位. `duty` is free prose about what it is responsible for; `town` is set for a town government."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    town: str = ""
    duty: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A registered person. `accounts` are "channel:userid"; roles are keys of ROLES."""

    id: str
    name: str
    unit: str
    roles: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A gazetteer entry; kind is a key of PLACE_KINDS, town a town's name or empty."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    kind: str = ""
    town: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """工作群. purpose is a key of PURPOSES; members are person ids (empty: everyone); accounts "channel:groupid".

    `owner` (a person id, or empty) decides which columns of the digest the group gets.
    """

    id: str
    name: str
    purpose: str
    members: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """A small class. `code` carries its kind ("部件0101"), since 56 bare codes occur in both kinds."""

    code: str
    name: str
    kind: str
    spoken_group: str


@dataclass(frozen=True, slots=True)
class Standard:
    """One opening condition of a category and its handling limit; unit is a key of LIMIT_UNITS."""

    code: str
    condition: str
    limit_n: int
    limit_unit: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Who handles a category (by place or town; empty = everywhere). status: confirmed or proposed (拟定)."""

    code: str
    place_or_town: str
    unit: str
    status: str = "confirmed"


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """An exception to the weekday rule: kind is holiday or workday."""

    date: str
    kind: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """An example of how people say a category: (code, text). code "" marks text that is no report."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class County:
    """One county's whole configuration."""

    units: tuple[Unit, ...] = ()
    people: tuple[Person, ...] = ()
    places: tuple[Place, ...] = ()
    groups: tuple[Group, ...] = ()
    categories: tuple[Category, ...] = ()
    standards: tuple[Standard, ...] = ()
    duties: tuple[Duty, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    phrases: tuple[Phrase, ...] = ()
