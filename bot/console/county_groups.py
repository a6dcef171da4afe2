"""工作群: what each group is for, who belongs to it and who looks after it; which platform groups are bound is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from bot.console import county_parts as parts
from bot.console.session import ENGINE, guarded
from bot.engine import Engine
from config.county import PURPOSES, Group
from config.errors import Rejected
from handlers.tasks import lifecycle
from store import tasks
from store.county_steps import Row

PART = "groups"
LONGEST = 64  # letters of a name, as in the county's files


@dataclass(frozen=True, slots=True)
class Bound:
    """A platform group: the channel's own name where it runs, and the address there."""

    channel: str
    address: str
    runs: bool


def add_routes(app: web.Application) -> None:
    """Both administrators look; the system administrator edits."""
    app.router.add_get("/county/groups", guarded(page, *parts.LOOK))
    app.router.add_post("/county/groups", guarded(put, parts.EDIT))
    app.router.add_post("/county/groups/undo", guarded(undo, parts.EDIT))


async def page(request: web.Request) -> web.StreamResponse:
    """Every group, and the one being edited with everybody by unit."""
    engine = request.app[ENGINE]
    office = engine.office
    staff = [(unit, [p for p in office.county.people if p.unit == unit.id]) for unit in office.county.units]
    return await parts.show(
        request,
        "county_groups.html",
        PART,
        groups=[(group, _bound(engine, group)) for group in office.county.groups],
        edited=office.groups.get(request.query.get("edit", "")),
        staff=[(unit, people) for unit, people in staff if people],
        purposes=PURPOSES,
    )


def _bound(engine: Engine, group: Group) -> list[Bound]:
    channels = engine.office.channels
    found = (account.partition(":")[::2] for account in group.accounts)
    return [Bound(channels[c].label or c if c in channels else c, address, c in channels) for c, address in found]


async def put(request: web.Request) -> web.StreamResponse:
    """Form fields id, name, purpose, owner, member…"""
    form, engine = await request.post(), request.app[ENGINE]
    old = engine.office.groups.get(str(form.get("id", "")))
    if old is None:
        raise Rejected("没有这个群，请刷新页面。")
    members = tuple(p.id for p in engine.office.county.people if p.id in form.getall("member", []))
    name, purpose, owner = (str(form.get(field, "")).strip() for field in ("name", "purpose", "owner"))
    new = replace(old, name=name, purpose=purpose, members=members, owner=owner)
    await _check(engine, old, new)
    await parts.change(request, PART, (_row(old),), (_row(new),))
    raise web.HTTPSeeOther("/county/groups?told=ok")


async def _check(engine: Engine, old: Group, new: Group) -> None:
    office = engine.office
    if not 2 <= len(new.name) <= LONGEST or "|" in new.name or not new.name.isprintable():
        raise Rejected(f"群名要 2 到 {LONGEST} 个字，不能有竖线或看不见的字符。")
    if any(group.name == new.name for group in office.county.groups if group.id != new.id):
        raise Rejected(f"已有叫“{new.name}”的群。")
    if new.purpose not in PURPOSES:
        raise Rejected("请选择用途。")
    if new.owner and new.owner not in office.people:
        raise Rejected("没有这个人，请重新选负责人。")
    if new.owner and new.members and new.owner not in new.members:
        raise Rejected(f"负责人{office.person_name(new.owner)}不在成员里，请勾上。")
    if old.purpose == "reports" and new.purpose != "reports" and (count := await _open_tasks(engine, old.id)):
        raise Rejected(f"这个群还有 {count} 件没办结的工单，办结后再改用途。")


async def _open_tasks(engine: Engine, group: str) -> int:
    return len(await engine.store.read(lambda c: tasks.of_states(c, lifecycle.OPEN, group_id=group)))


def _row(group: Group) -> Row:
    return (group.id, group.name, group.purpose, "|".join(group.members), group.owner)


async def undo(request: web.Request) -> web.StreamResponse:
    """Put the last change back."""
    await parts.undo(request, PART)
    raise web.HTTPSeeOther("/county/groups?told=undone")
