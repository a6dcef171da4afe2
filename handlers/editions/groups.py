"""订阅 and 退订: which columns of the digest a group gets, decided by its owner (ux.md F2: fewer messages, not more).

    wanted(source, group, columns)   of an edition's columns, those this group gets

A notices group gets every column its owner did not turn off, any other group only what its owner turned on. Where a group
has no owner, the digest's editors and the administrators decide.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from config.county import Group, Person
from handlers.commands import Command
from handlers.editions.desk import COLUMNS
from handlers.office import Office
from handlers.turn import Turn
from store import Tx, editions

ALL = ("全部", "所有", "全部栏目", "所有栏目", "每日摘要", "摘要")
SPLIT = re.compile(r"[\s,，、;；和]+|栏目")
ROLES = ("editor", "admin")
TEXTS = {
    "now": "本群每日摘要的栏目：{on}\n可订阅：{off}\n群主回复“订阅 栏目”“退订 栏目”更改",
    "done": "已{what}，下一期起生效\n本群栏目：{on}",
    "none": "（没有）",
    "which": "没有这个栏目，可写：{columns}，或“全部”",
    "where": "请在要{what}的工作群里发“{what} 栏目”",
    "owner": "本群的栏目由群主{name}决定",
    "no_owner": "本群没有登记群主，由摘要编辑决定栏目",
}


def wanted(source: Tx | sqlite3.Connection, group: Group, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of `columns` that go to this group, in their order."""
    said = editions.subscriptions(source, group.id)
    return tuple(column for column in columns if said.get(column, group.purpose == "notices"))


def named(text: str) -> tuple[str, ...]:
    """The columns a text consists of; () when it says anything else."""
    words = [word for word in SPLIT.split(text.strip()) if word]
    if not words or not all(word in COLUMNS or word in ALL for word in words):
        return ()
    return COLUMNS if any(word in ALL for word in words) else tuple(dict.fromkeys(words))


def subscribe(turn: Turn, command: Command) -> None:
    """订阅 栏目; without a column, how things stand."""
    _turn_columns(turn, command, on=True)


def unsubscribe(turn: Turn, command: Command) -> None:
    """退订 栏目."""
    _turn_columns(turn, command, on=False)


def may(office: Office, group: Group, person: Person) -> bool:
    """Whether a person decides on a group's columns."""
    if group.owner in office.people:
        return person.id == group.owner
    return bool(set(ROLES).intersection(person.roles))


def _turn_columns(turn: Turn, command: Command, *, on: bool) -> None:
    what = "订阅" if on else "退订"
    group, columns = turn.office.groups.get(turn.event.group), named(command.rest)
    if group is None:
        return turn.reply("help", TEXTS["where"].replace("{what}", what))
    if not command.rest:
        return turn.reply("help", _standing(turn, group))
    if not columns:
        said = TEXTS["which"].replace("{columns}", "、".join(COLUMNS))
        return turn.refuse("unclear", said)
    if turn.sender is None or not may(turn.office, group, turn.sender):
        return turn.refuse("not_allowed", _whose(turn.office, group))
    for column in columns:
        editions.subscribe(turn.tx, group.id, column, turn.sender.id, wanted=on)
    now = _listed(wanted(turn.tx, group, COLUMNS))
    turn.reply("help", TEXTS["done"].replace("{what}", f"{what}{'、'.join(columns)}").replace("{on}", now))


def _standing(turn: Turn, group: Group) -> str:
    on = wanted(turn.tx, group, COLUMNS)
    off = tuple(column for column in COLUMNS if column not in on)
    return TEXTS["now"].replace("{on}", _listed(on)).replace("{off}", _listed(off))


def _listed(columns: tuple[str, ...]) -> str:
    return "、".join(columns) or TEXTS["none"]


def _whose(office: Office, group: Group) -> str:
    if group.owner in office.people:
        return TEXTS["owner"].replace("{name}", office.person_name(group.owner))
    return TEXTS["no_owner"]
