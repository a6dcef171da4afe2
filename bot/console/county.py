"""县资料 in the browser: take it away as one workbook, hand it in again, see every mistake by file, row and column, then confirm.

Nothing changes before the confirmation. In a demo the county is put in at the next start, since the demo's data is set
aside whole. Files that change who holds more than an ordinary role wait for the security administrator.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from bot import incoming
from bot.console import county_calendar, county_groups, county_parts, county_places, county_texts
from bot.console.rights import ORDINARY, may_grant
from bot.console.session import ENGINE, guarded, record, render, viewer_of
from bot.county_import import SHEETS, changes, losses, obstacles_in
from config.county import County
from config.errors import Rejected
from store import Tx, audit, county, meta

ROLES = ("admin", "security_admin")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARTS = (county_calendar, county_places, county_groups, county_texts)
SHOWN = 60  # mistakes a page lists; the rest is counted
_reading = asyncio.Lock()


def add_routes(app: web.Application) -> None:
    """For the two administrators."""
    app.router.add_get("/county", guarded(page, *ROLES))
    app.router.add_get("/county/file.xlsx", guarded(take, *ROLES))
    app.router.add_post("/county", guarded(hand_in, *ROLES))
    app.router.add_post("/county/confirm", guarded(confirm, *ROLES))
    app.router.add_post("/county/discard", guarded(discard, *ROLES))
    for part in PARTS:
        part.add_routes(app)


async def page(request: web.Request) -> web.StreamResponse:
    """What the county holds, and what was handed in."""
    engine, viewer = request.app[ENGINE], viewer_of(request)
    held, data = engine.office.county, _data(request)
    async with _reading:
        handed = await asyncio.to_thread(incoming.look, data)
    after = handed.found.county if handed else None
    stops, raised = await _doubts(request, after)
    real = not engine.office.demo
    return render(
        request,
        "county.html",
        sheets=[(title, len(getattr(held, name))) for name, (title, _) in SHEETS.items()],
        handed=handed,
        faults=handed.found.faults[:SHOWN] if handed else (),
        more=max(0, len(handed.found.faults) - SHOWN) if handed else 0,
        warnings=handed.found.warnings[:SHOWN] if handed else (),
        changes=changes(held if real else None, after) if after else [],
        losses=losses(held, after) if after and real else [],
        stops=stops,
        raised=raised,
        grants=may_grant(viewer.person, held.people),
        same=bool(after) and real and after == held,
        ready=(data / incoming.FOLDER / incoming.READY).is_file(),
        real=real,
        tabs=county_parts.TABS,
        missing=county_parts.unknown_year(engine),
    )


async def take(request: web.Request) -> web.StreamResponse:
    """The county as one workbook: the form to fill in, too."""
    from config.files import write_workbook

    held = request.app[ENGINE].office.county

    def made() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "county.xlsx"
            write_workbook(held, path)
            return path.read_bytes()

    body = await asyncio.to_thread(made)
    await record(request, "ok", "county/export")
    name = f"attachment; filename*=UTF-8''{quote('县资料.xlsx')}"
    return web.Response(
        body=body, content_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"}
    )


async def hand_in(request: web.Request) -> web.StreamResponse:
    """Form field: files (one workbook, or CSV files)."""
    form = await request.post()
    files = {
        field.filename: field.file.read() for field in form.getall("files", []) if isinstance(field, web.FileField)
    }
    async with _reading:
        await asyncio.to_thread(incoming.lay, _data(request), files)
    await record(request, "ok", "county/handed")
    raise web.HTTPSeeOther("/county#handed")


async def confirm(request: web.Request) -> web.StreamResponse:
    """Put it in: at once in a real office, at the next start in a demo."""
    engine, viewer, data = request.app[ENGINE], viewer_of(request), _data(request)
    async with _reading:
        handed = await asyncio.to_thread(incoming.look, data)
        after = handed.found.county if handed else None
        if after is None:
            raise Rejected("没有可以导入的资料，请先上传并改正错误。")
        stops, raised = await _doubts(request, after)
        if stops:
            raise Rejected(stops[0])
        if raised and not may_grant(viewer.person, engine.office.county.people):
            raise Rejected("这份资料改了角色，要由安全管理员确认导入。")
        if engine.office.demo:
            await asyncio.to_thread(incoming.promise, data)
            raise web.HTTPSeeOther("/county#handed")
        await engine.apply(lambda tx: _put(tx, after, viewer.person.id))
        await asyncio.to_thread(incoming.clear, data)
    raise web.HTTPSeeOther("/county")


async def discard(request: web.Request) -> web.StreamResponse:
    """Take the handed-in files away."""
    async with _reading:
        await asyncio.to_thread(incoming.clear, _data(request))
    raise web.HTTPSeeOther("/county")


async def _doubts(request: web.Request, after: County | None) -> tuple[list[str], list[str]]:
    """(what forbids it, whose higher roles it would change)."""
    engine = request.app[ENGINE]
    if after is None:
        return [], []
    if engine.office.demo:
        lacking = not any("admin" in person.roles for person in after.people)
        return (["人员表里没有系统管理员（角色 admin），导入后没有人能登录。"] if lacking else []), []
    stops = await engine.store.read(lambda c: obstacles_in(c, after))
    if not any("admin" in person.roles for person in after.people):
        stops.append("人员表里没有系统管理员（角色 admin），导入后没有人能登录。")
    return stops, incoming.raised(engine.office.county, after, ORDINARY)


def _put(tx: Tx, after: County, person: str) -> None:
    county.save(tx, after)
    meta.put(tx, "demo", "")
    audit.append(tx, person, "", "console", "county", "import", "ok")


def _data(request: web.Request) -> Path:
    folder = request.app[ENGINE].store.folder
    if folder is None:
        raise Rejected("这里没有数据目录。")
    return folder
