"""Who sees what: one scope a person, from roles alone; photos follow the tasks and rooms that show them (security.md A.3, T16).

The system administrator manages people, groups and delivery and sees no task; the auditor reads the audit and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from bot.engine import Engine
from bot.platforms.web import WebPlatform, private_room
from config.county import Person
from handlers.office import LEAD_ROLES
from store import board, photos, tasks
from store.board import Scope
from store.tasks import Task

ALL_TASKS = ("dispatcher", "verifier", "arbiter", "leader")
GRANTORS = ("security_admin",)
ORDINARY = ("reporter", "handler")  # what an administrator may give without the security administrator


def scope_of(person: Person) -> Scope:
    """All tasks, or one's unit's and one's own."""
    if set(ALL_TASKS).intersection(person.roles):
        return Scope(True)
    staff = set(LEAD_ROLES).intersection(person.roles)
    return Scope(False, person.unit if staff else "", person.id)


def sees(connection: sqlite3.Connection, person: Person, task: Task) -> bool:
    """Whether a person may see a task."""
    scope = scope_of(person)
    if scope.everything or person.id in tasks.reporters(connection, task.id):
        return True
    return bool(scope.unit) and scope.unit in (task.unit, *tasks.units(connection, task.id))


def sees_any(connection: sqlite3.Connection, person: Person, ids: Iterable[str]) -> bool:
    """Whether a person may see at least one of these tasks."""
    return any(task is not None and sees(connection, person, task) for task in (_known(connection, id_) for id_ in ids))


def _known(connection: sqlite3.Connection, task: str) -> Task | None:
    try:
        return tasks.get(connection, task)
    except KeyError:
        return None


async def sees_photo(engine: Engine, web: WebPlatform, person: Person, sha: str) -> bool:
    """Whether something this person may see shows the photo: a task, a room they are in, or their own upload."""
    rooms = {group.id for group in web.groups_of(person.id)} | {private_room(person.id)}
    return web.shows_loose(rooms, sha) or await engine.store.read(lambda c: _shown(c, person, rooms, sha))


def _shown(connection: sqlite3.Connection, person: Person, rooms: set[str], sha: str) -> bool:
    if rooms.intersection(photos.rooms(connection, sha)):
        return True
    for shown_by, group in board.showing(connection, sha):
        if group in rooms:
            return True
        try:
            task = tasks.get(connection, shown_by)
        except KeyError:
            continue
        if sees(connection, person, task):
            return True
    return False


def may_grant(person: Person, everybody: tuple[Person, ...]) -> bool:
    """Roles are the security administrator's to give; the system administrator's only where nobody holds that role."""
    if set(GRANTORS).intersection(person.roles):
        return True
    return "admin" in person.roles and not any(set(GRANTORS).intersection(p.roles) for p in everybody)
