"""The work group in the browser: the page, what it posts, the one stream it listens to."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from aiohttp_sse import sse_response

from bot.console.session import ENGINE, WEB, guarded, render, viewer_of
from bot.media import PhotoShop
from bot.platforms.web import ChatLine, private_room
from bot.prepare import Preparer
from config.errors import Rejected
from store import chat

SHOP: web.AppKey[PhotoShop] = web.AppKey("shop", PhotoShop)
PREPARER: web.AppKey[Preparer] = web.AppKey("preparer", Preparer)
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEEP_ALIVE = 15  # seconds


def add_routes(app: web.Application) -> None:
    """Everything the chat page calls."""
    app.router.add_get("/", guarded(home))
    app.router.add_get("/g/{room}", guarded(room_page), name="room")
    app.router.add_post("/in/web/messages", guarded(post_message))
    app.router.add_post("/in/web/photos", guarded(post_photo))
    app.router.add_post("/in/web/recall", guarded(post_recall))
    app.router.add_post("/in/web/read", guarded(post_read))
    app.router.add_get("/in/web/lines/{room}", guarded(get_lines))
    app.router.add_get("/in/web/events", guarded(events))
    app.router.add_get("/photo/{sha}", guarded(photo))


async def home(request: web.Request) -> web.StreamResponse:
    """The first group the person is in."""
    viewer = viewer_of(request)
    groups = request.app[WEB].groups_of(viewer.person.id)
    raise web.HTTPSeeOther(f"/g/{groups[0].id}" if groups else f"/g/{private_room(viewer.person.id)}")


def _rooms(request: web.Request) -> dict[str, str]:
    person = viewer_of(request).person
    return {g.id: g.name for g in request.app[WEB].groups_of(person.id)} | {private_room(person.id): "群办(私聊)"}


def _room(request: web.Request, room: str) -> str:
    if room not in _rooms(request):
        raise web.HTTPNotFound(text="没有这个群，或您不在群里。")
    return room


async def room_page(request: web.Request) -> web.StreamResponse:
    """A room with its newest lines."""
    viewer, room = viewer_of(request), _room(request, request.match_info["room"])
    platform, engine = request.app[WEB], request.app[ENGINE]
    rooms = _rooms(request)
    lines = await platform.lines(room)
    pos = max((line.pos for line in lines), default=0)
    await engine.store.write(lambda tx: chat.mark_read(tx, viewer.person.id, room, pos))
    unread = await engine.store.read(lambda c: chat.unread(c, viewer.person.id, tuple(rooms)))
    group = engine.office.groups.get(room)
    people = [p for p in engine.office.county.people if group and engine.office.member(group.id, p.id)]
    return render(
        request,
        "chat.html",
        room=room,
        rooms=rooms,
        lines=lines,
        pos=pos,
        unread=unread,
        group=group,
        people=people,
        office=engine.office,
    )


async def post_message(request: web.Request) -> web.StreamResponse:
    """Say something: form fields room, id, text, quote, photos (hashes joined by |). Answers what became of it."""
    form = await request.post()
    room = _room(request, str(form.get("room", "")))
    message_id = str(form.get("id", ""))
    if not MESSAGE_ID.fullmatch(message_id):
        raise Rejected("消息编号不对，请刷新页面后重试。")
    shas = [sha for sha in str(form.get("photos", "")).split("|") if sha]
    viewer = viewer_of(request)
    receipt = await request.app[WEB].say(
        viewer.person, room, message_id, str(form.get("text", "")), shas, str(form.get("quote", ""))
    )
    return web.json_response({"state": receipt.state, "id": f"{viewer.person.id}/{message_id}", "seq": receipt.seq})


async def post_photo(request: web.Request) -> web.StreamResponse:
    """Take one picture (the request's body, or the form field photo), cleaned before anything else sees it."""
    if request.content_type == "multipart/form-data":
        found = (await request.post()).get("photo")
        raw = found.file.read() if isinstance(found, web.FileField) else b""
    else:
        raw = await request.read()
    made = await request.app[SHOP].clean(raw)
    sha = await request.app[PREPARER].register(made)
    return web.json_response(
        {"sha": sha, "url": f"/photo/{sha}", "small": f"/photo/{sha}?s=1", "width": made.width, "height": made.height}
    )


async def post_recall(request: web.Request) -> web.StreamResponse:
    """Take back one's own message: form fields room, id."""
    form = await request.post()
    await request.app[WEB].recall(
        viewer_of(request).person, _room(request, str(form.get("room", ""))), str(form.get("id", ""))
    )
    return web.json_response({"state": "recalled"})


async def post_read(request: web.Request) -> web.StreamResponse:
    """The room was seen up to a position: form fields room, pos."""
    form = await request.post()
    room, pos, person = (
        _room(request, str(form.get("room", ""))),
        str(form.get("pos", "0")),
        viewer_of(request).person.id,
    )
    if pos.isdigit():
        await request.app[ENGINE].store.write(lambda tx: chat.mark_read(tx, person, room, int(pos)))
    return web.json_response({"state": "read"})


async def get_lines(request: web.Request) -> web.StreamResponse:
    """Older lines as HTML: ?before=POS."""
    room, before = _room(request, request.match_info["room"]), request.query.get("before", "")
    lines = await request.app[WEB].lines(room, int(before) if before.isdigit() else None)
    return web.Response(text="".join(_html(request, line) for line in lines), content_type="text/html")


def _html(request: web.Request, line: ChatLine) -> str:
    context: dict[str, Any] = {
        "line": line,
        "viewer": viewer_of(request),
        "office": request.app[ENGINE].office,
        "demo": viewer_of(request).demo,
    }
    return aiohttp_jinja2.render_string("_line.html", request, context)


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events for every room of the viewer; `Last-Event-ID` or ?after= says what was seen."""
    import json

    after = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    viewer = viewer_of(request)
    async with sse_response(request) as stream:
        stream.ping_interval = KEEP_ALIVE
        source = request.app[WEB].listen(viewer.person.id, _rooms(request), int(after) if after.isdigit() else 0)
        try:
            async for what, line in source:
                body = {"room": line.room, "pos": line.pos, "id": line.id, "sender": line.sender}
                if what == "line":
                    body["html"] = _html(request, line)
                await stream.send(json.dumps(body, ensure_ascii=False), event=what, id=str(line.pos))
        except (ConnectionResetError, asyncio.CancelledError):
            await source.aclose()  # type: ignore[attr-defined]
            raise
    return stream


async def photo(request: web.Request) -> web.StreamResponse:
    """A cleaned photo, or its thumbnail with ?s=1."""
    path = request.app[SHOP].path(request.match_info["sha"], small="s" in request.query)
    if not path.exists():
        raise web.HTTPNotFound(text="照片已删除。")
    return web.FileResponse(
        path,
        headers={
            "Content-Type": "image/jpeg",
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Disposition": "inline",
        },
    )
