"""职责: who is responsible for what, with the words it came from; confirm, put right or withdraw, seeing first what it changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from multidict import MultiMapping

from bot.console.learning import CHANGE, HINDSIGHT, VIEW, told
from bot.console.session import ENGINE, guarded, record, render, viewer_of
from bot.hindsight import MONTH
from config.errors import Rejected
from handlers import duties as table
from handlers.duties import STATUSES, Line, Plan
from handlers.office import Office
from store import Tx, duties
from store.duties import CHANGED, CONFIRMED, WITHDRAWN, Key

EVENTS = {CONFIRMED: "确认", CHANGED: "改单位", WITHDRAWN: "收回"}
TOLD = {
    CONFIRMED: "已确认，马上照着派。",
    CHANGED: "已改，马上照着派。",
    WITHDRAWN: "已收回，没有表的按单位职责原文派。",
}
FILTERS = ("status", "group", "unit")
AROUND = 26  # characters of prose shown on either side of the words
MOST = 400  # duties changed at once: every key fits into one form


@dataclass(frozen=True, slots=True)
class Shown:
    """A line with its names, its form key, and its clause as (text, marked) pieces."""

    line: Line
    category: str
    unit: str
    key: str
    pieces: list[tuple[str, bool]]


def add_routes(app: web.Application) -> None:
    """Who dispatches decides; a leader looks."""
    app.router.add_get("/duties", guarded(page, *VIEW))
    app.router.add_post("/duties", guarded(change, *CHANGE))


async def page(request: web.Request) -> web.StreamResponse:
    """The duties by class, narrowed by status, group of classes and unit; what nobody confirmed first."""
    engine = request.app[ENGINE]
    found = await _lines(request)
    counts = {status: sum(line.status == status for line in found) for status in STATUSES}
    asked = {name: request.query.get(name, "") for name in FILTERS}
    if asked["status"] not in STATUSES and "status" not in request.query:
        asked["status"] = "proposed" if counts["proposed"] else ""
    kept = [line for line in found if _fits(line, asked, engine.office)]
    return render(
        request,
        "duties.html",
        shown=[_shown(line, engine.office) for line in kept],
        asked=asked,
        counts=counts,
        statuses=STATUSES,
        groups=list(dict.fromkeys(c.spoken_group for c in engine.office.county.categories)),
        office=engine.office,
        most=MOST,
        changes=viewer_of(request).has(*CHANGE),
        tell=TOLD.get(request.query.get("told", ""), ""),
    )


async def _lines(request: web.Request) -> list[Line]:
    engine = request.app[ENGINE]
    known = await engine.store.read(duties.latest)
    return await asyncio.to_thread(table.lines, engine.office.county, known)


def _fits(line: Line, asked: dict[str, str], office: Office) -> bool:
    category = office.categories.get(line.code)
    return (
        (not asked["status"] or line.status == asked["status"])
        and (not asked["group"] or (category is not None and category.spoken_group == asked["group"]))
        and (not asked["unit"] or line.unit == asked["unit"])
    )


def _shown(line: Line, office: Office) -> Shown:
    name = office.category_name(line.code)
    unit = office.unit_name(line.unit) if line.unit else ""
    return Shown(line, name, unit, "|".join(line.key), marked(line.clause, line.words))


def marked(clause: str, words: str) -> list[tuple[str, bool]]:
    """The part of a clause around its words, as (text, whether it is one of the words)."""
    wanted = sorted((word for word in words.split("、") if word and word in clause), key=len, reverse=True)
    if not wanted:
        return [(clause[: 3 * AROUND], False)] if clause else []
    first = min(clause.index(word) for word in wanted)
    start, end = max(0, first - AROUND), min(len(clause), first + 3 * AROUND)
    parts = re.split(f"({'|'.join(map(re.escape, wanted))})", clause[start:end])
    pieces = [(part, part in wanted) for part in parts if part]
    return [*([("…", False)] if start else []), *pieces, *([("…", False)] if end < len(clause) else [])]


async def change(request: web.Request) -> web.StreamResponse:
    """Show what a change would do to last month's tasks; with `go` do it (form fields event, key…, unit)."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    event, unit = str(form.get("event", "")), str(form.get("unit", ""))
    keys = _keys(form)
    if event not in EVENTS or (event == CHANGED and unit not in engine.office.units):
        raise Rejected("请选择要改成哪个单位。" if event == CHANGED else "没有这个操作，请刷新页面后重试。")
    if not keys or len(keys) > MOST:
        raise Rejected(f"请先勾选，一次最多 {MOST} 条。")
    before = engine.office.county.duties
    found = await _lines(request)
    plan = table.plan(found, event, keys, unit)
    chosen = [line for line in found if line.key in keys]
    if not plan.steps or not chosen:
        raise Rejected("这些现在不能这样改，请刷新页面。拟定的来自单位职责原文，可以改单位，不用收回。", "wrong_state")
    if not form.get("go"):
        return await _preview(request, event, unit, chosen, plan)
    if not await engine.apply(partial(_put, before, plan, viewer.person.id)):
        raise Rejected("刚才有人改过职责，请刷新页面后重试。", "wrong_state")
    await record(request, event, f"duty/{len(plan.steps)}")
    raise web.HTTPSeeOther(f"/duties?told={event}&status=")


def _keys(form: MultiMapping[object]) -> set[Key]:
    found = (str(key).split("|") for key in form.getall("key", []))
    return {(parts[0], parts[1], parts[2]) for parts in found if len(parts) == 3}


def _put(before: Sequence[object], plan: Plan, actor: str, tx: Tx) -> bool:
    if duties.table(tx) != tuple(before):
        return False
    duties.put(tx, plan.duties, actor, plan.steps)
    return True


async def _preview(request: web.Request, event: str, unit: str, chosen: list[Line], plan: Plan) -> web.Response:
    engine = request.app[ENGINE]
    seen = await request.app[HINDSIGHT].compare_duties(plan.duties)
    effects = await engine.store.read(lambda c: told(c, list(seen.effects[:50])))
    return render(
        request,
        "duty_change.html",
        event=event,
        label=EVENTS[event],
        unit=unit,
        chosen=[_shown(line, engine.office) for line in chosen],
        looked=seen.looked,
        changed=len(seen.effects),
        effects=effects,
        days=MONTH,
        office=engine.office,
    )
