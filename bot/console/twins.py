"""可能重复: pairs of open tasks that may be one, with reasons; one click joins them, another says they are two."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from aiohttp import web

from bot.console.forms import Asker
from bot.console.rights import sees
from bot.console.session import ENGINE, denied, guarded, record, render, viewer_of
from config.errors import Rejected
from handlers.tasks import lifecycle
from store import tasks, twins
from store.tasks import Task
from store.twins import Twin


@dataclass(frozen=True, slots=True)
class Pair:
    """A suggestion as a page shows it: `merge` when the viewer may put `task` under `other` now."""

    task: Task
    other: Task
    reasons: tuple[str, ...]
    merge: bool


def add_routes(app: web.Application) -> None:
    """For who dispatches."""
    app.router.add_get("/twins", guarded(page, "dispatcher"))
    app.router.add_post("/tasks/{number}/apart", guarded(apart, "dispatcher"))


def pairs_of(asker: Asker, task: Task) -> list[Pair]:
    """What one task may be one with, for its own page."""
    if "dispatcher" not in asker.person.roles or task.state in lifecycle.ENDED:
        return []
    return [_pair(asker, task, twin) for twin in twins.of(asker.connection, task.id)]


def _pair(asker: Asker, task: Task, twin: Twin) -> Pair:
    units, reporters = tasks.units(asker.connection, task.id), tasks.reporters(asker.connection, task.id)
    merge = any(form.event == "merge" for form in asker.forms(task, units, reporters))
    return Pair(task, twin.other, twin.reasons, merge)


async def page(request: web.Request) -> web.StreamResponse:
    """Every pair nobody has decided, the newest first."""
    engine, viewer = request.app[ENGINE], viewer_of(request)
    now = engine.store.now()

    def query(connection: sqlite3.Connection) -> list[Pair]:
        asker = Asker(connection, engine.office, viewer.person, now)
        return [_pair(asker, task, twin) for task, twin in twins.standing(connection)]

    pairs = await engine.store.read(query)
    return render(
        request,
        "twins.html",
        pairs=pairs,
        permit=secrets.token_urlsafe(12),
        office=engine.office,
        states=lifecycle.STATES,
    )


async def apart(request: web.Request) -> web.StreamResponse:
    """These two are two problems (form field other); the pair is not shown again. Nothing is learnt from it."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    number, other = request.match_info["number"], str(form.get("other", ""))

    def query(connection: sqlite3.Connection) -> tuple[Task | None, Task | None, bool]:
        task, twin = tasks.by_number(connection, number), tasks.by_number(connection, other)
        return task, twin, all(found is not None and sees(connection, viewer.person, found) for found in (task, twin))

    one, two, allowed = await engine.store.read(query)
    if one is None or two is None:
        raise web.HTTPNotFound(text="没有这张工单。")
    if not allowed:
        raise await denied(request, one.id)
    if not await engine.store.write(lambda tx: twins.apart(tx, one.id, two.id, viewer.person.id)):
        raise Rejected("已经处理过了，请刷新页面。", "wrong_state")
    await record(request, "apart", f"task/{number}")
    raise web.HTTPSeeOther(f"/tasks/{number}#do" if form.get("back") != "twins" else "/twins")
