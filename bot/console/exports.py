"""导出: the board as an Excel ledger, a period as a Word bulletin, a case as a zip. Each is audited and says who took it.

What a person sees is what he may take; above `MOST` rows a second person has to agree first (security.md A.3).
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qsl, quote

from aiohttp import web
from multidict import MultiDict

from bot.console.chat import SHOP
from bot.console.rights import ALL_TASKS, scope_of
from bot.console.session import ENGINE, guarded, record, render, viewer_of
from bot.console.statistics import period_asked
from bot.console.tasks import _filter, _label, find_task, full_number
from bot.console.views import query_of
from bot.papers import Taker, bulletin, case_file, ledger, moment
from bot.statistics import Book, table_of
from config.errors import Rejected
from handlers.tasks.lifecycle import STATES
from store import exports

MOST = 5000  # rows one person takes alone (security.md A.3)
GRANTORS = ("security_admin", "leader")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_making = asyncio.Semaphore(1)  # papers are made one at a time: an old PC has two cores


def add_routes(app: web.Application) -> None:
    """What can be taken, and who agrees."""
    app.router.add_get("/exports", guarded(requests_page, *ALL_TASKS, "security_admin"))
    app.router.add_post("/exports", guarded(ask, *ALL_TASKS))
    app.router.add_post("/exports/{n:\\d{1,9}}", guarded(decide, *GRANTORS))
    app.router.add_get("/exports/ledger.xlsx", guarded(take_ledger))
    app.router.add_get("/exports/bulletin.docx", guarded(take_bulletin, *ALL_TASKS))
    app.router.add_get("/exports/case/{number}.zip", guarded(take_case))


async def take_ledger(request: web.Request) -> web.StreamResponse:
    """The board's filters as a workbook; `photos=1` puts thumbnails in."""
    engine, viewer, shop = request.app[ENGINE], viewer_of(request), request.app[SHOP]
    now, query = engine.store.now(), query_of(request.query)
    scope, wanted = scope_of(viewer.person), _filter(request.query, engine.office, now)
    granted = await _granted(request, query)
    most = MOST if granted is None else granted.rows
    rows = await engine.store.read(lambda c: ledger.entries(c, scope, wanted, now, most))
    if len(rows) > MOST and granted is None:
        await record(request, "too_many")
        raise web.HTTPSeeOther(f"/exports?query={quote(query)}")
    rows = rows[:most] if granted is not None else rows
    picture = (lambda sha: shop.path(sha, small=True)) if request.query.get("photos") == "1" else None
    async with _making:
        body = await asyncio.to_thread(
            ledger.write, rows, engine.office, _taker(request, now), _in_words(request), picture
        )
    await record(request, "ok", f"export/ledger/{len(rows)}")
    return _file(body, XLSX, f"工单台账-{moment(now)[:10]}.xlsx")


async def take_bulletin(request: web.Request) -> web.StreamResponse:
    """A period's paper, by the same address as the page."""
    engine, shown = request.app[ENGINE], period_asked(request)
    office = engine.office
    book = Book(office.county, office.worktime)
    table = await engine.store.read(lambda c: table_of(c, book, shown.period))
    title = f"城市管理问题办理情况{shown.paper}（{shown.label}）"
    unit, taker = office.unit_name(viewer_of(request).person.unit), _taker(request, engine.store.now())
    async with _making:
        body = await asyncio.to_thread(bulletin.write, table, office.county, title, unit, taker)
    await record(request, "ok", f"export/bulletin/{shown.key}")
    return _file(body, DOCX, f"办理情况{shown.paper}-{shown.key}.docx")


async def take_case(request: web.Request) -> web.StreamResponse:
    """One case with its verified history."""
    task, row = await find_task(request)
    engine, shop = request.app[ENGINE], request.app[SHOP]
    entry = ledger.Entry(task, row.units, row.reporters)
    case = await engine.store.read(lambda c: case_file.gather(c, ledger.whole(c, entry)))
    async with _making:
        body = await asyncio.to_thread(
            case_file.write, case, engine.office, _taker(request, engine.store.now()), _label, shop.path
        )
    await record(request, "ok", f"export/case/{full_number(task)}")
    return _file(body, "application/zip", f"卷宗-{full_number(task)}.zip")


async def requests_page(request: web.Request) -> web.StreamResponse:
    """One's own requests; who may grant sees everybody's."""
    engine, viewer = request.app[ENGINE], viewer_of(request)
    grants = viewer.has(*GRANTORS)
    found = await engine.store.read(lambda c: exports.listing(c, "" if grants else viewer.person.id))
    return render(
        request,
        "exports.html",
        found=found,
        grants=grants,
        asked=request.query.get("query", ""),
        most=MOST,
        office=engine.office,
        now=engine.store.now(),
        words={"asked": "待同意", "granted": "已同意", "denied": "未同意"},
    )


async def ask(request: web.Request) -> web.StreamResponse:
    """Form fields: query, why."""
    engine, person, form = request.app[ENGINE], viewer_of(request).person, await request.post()
    query, why = query_of(_parsed(str(form.get("query", ""))[:500])), str(form.get("why", "")).strip()[:200]
    if not why:
        raise Rejected("请写明用途。")
    now = engine.store.now()
    wanted = _filter(_parsed(query), engine.office, now)
    found = await engine.store.read(lambda c: len(ledger.numbers(c, scope_of(person), wanted, now)))
    await engine.apply(lambda tx: exports.ask(tx, person.id, query, found, why))
    await record(request, "ok", f"export/asked/{found}")
    raise web.HTTPSeeOther("/exports")


async def decide(request: web.Request) -> web.StreamResponse:
    """Form field: state, granted or denied. Nobody decides on his own request."""
    engine, person, form = request.app[ENGINE], viewer_of(request).person, await request.post()
    n, state = int(request.match_info["n"]), str(form.get("state", ""))
    if state not in ("granted", "denied"):
        raise Rejected("请选择同意或不同意。")
    if not await engine.apply(lambda tx: exports.decide(tx, n, person.id, state)):
        raise Rejected("这一条已经处理过，或是您自己的申请（须由另一人同意）。")
    await record(request, state, f"export/{n}")
    raise web.HTTPSeeOther("/exports")


async def _granted(request: web.Request, query: str) -> exports.ExportRequest | None:
    asked = request.query.get("request", "")
    if not re.fullmatch(r"\d{1,9}", asked):
        return None
    engine, person = request.app[ENGINE], viewer_of(request).person.id
    found = await engine.store.read(lambda c: exports.get(c, int(asked)))
    return found if found is not None and found.usable(person, query, engine.store.now()) else None


def _parsed(query: str) -> MultiDict[str]:
    return MultiDict(parse_qsl(query))


def _in_words(request: web.Request) -> str:
    office, query = request.app[ENGINE].office, request.query
    said = [
        {"ended": "已结束", "": "未办结"}.get(query.get("state", ""), STATES.get(query.get("state", ""), "未办结")),
        office.unit_name(query["unit"]) if query.get("unit") in office.units else "",
        "只看超时" if query.get("late") == "1" else "",
    ]
    return "筛选：" + "、".join(filter(None, said))


def _taker(request: web.Request, now: int) -> Taker:
    person, office = viewer_of(request).person, request.app[ENGINE].office
    return Taker(person.name, office.unit_name(person.unit), now)


def _file(body: bytes, kind: str, name: str) -> web.Response:
    return web.Response(
        body=body,
        content_type=kind,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "Cache-Control": "private, no-store",
        },
    )
