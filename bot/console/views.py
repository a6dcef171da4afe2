"""常用筛选: a person's own views of the board, saved, renamed and deleted by plain forms."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from bot.console.session import ENGINE, guarded, viewer_of
from config.errors import Rejected
from store import views

FILTERS = ("q", "state", "unit", "late")
LONGEST = 20  # characters of a name


def add_routes(app: web.Application) -> None:
    """Everybody's own."""
    app.router.add_post("/tasks/views", guarded(save))
    app.router.add_post("/tasks/views/{n:\\d{1,9}}", guarded(change))


def query_of(given: Mapping[str, str]) -> str:
    """Only the board's own filters, in their order."""
    return urlencode({name: given[name][:100] for name in FILTERS if given.get(name)})


async def save(request: web.Request) -> web.StreamResponse:
    """Form fields: name, query (the address's)."""
    engine, person, form = request.app[ENGINE], viewer_of(request).person.id, await request.post()
    given = dict(parse_qsl(str(form.get("query", ""))[:1000]))
    query, name = query_of(given), _name(form.get("name"))
    if not query:
        raise Rejected("请先选好条件并筛选，再保存。")
    if not await engine.apply(lambda tx: views.save(tx, person, name, query)):
        raise Rejected(f"常用筛选最多 {views.MOST} 个，请先删去不用的。")
    raise web.HTTPSeeOther(f"/tasks?{query}")


async def change(request: web.Request) -> web.StreamResponse:
    """Form fields: step (rename or delete), name."""
    engine, person, form = request.app[ENGINE], viewer_of(request).person.id, await request.post()
    n = int(request.match_info["n"])
    if form.get("step") == "delete":
        done = await engine.apply(lambda tx: views.delete(tx, person, n))
    else:
        name = _name(form.get("name"))
        done = await engine.apply(lambda tx: views.rename(tx, person, n, name))
    if not done:
        raise Rejected("没有这个常用筛选，或者这个名字已经用过。")
    raise web.HTTPSeeOther("/tasks")


def _name(typed: object) -> str:
    name = " ".join(str(typed or "").split())
    if not name:
        raise Rejected("请写一个名字。")
    if len(name) > LONGEST:
        raise Rejected(f"名字太长，请控制在 {LONGEST} 字以内。")
    return name
