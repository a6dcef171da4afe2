"""The work group in the browser: the page, what it posts, the one stream it listens to.

Everything to read and to say works as plain HTML forms; the page's own elements make it live.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.comparisons import Comparisons
from bot.console import chat_lines, rights
from bot.console.session import ENGINE, WEB, find_viewer, guarded, render, viewer_of, wants_page
from bot.media import PhotoShop
from bot.platforms.web import ChatLine, News, private_room
from bot.prepare import Preparer
from config.errors import Busy, Rejected
from store import chat, photos

SHOP: web.AppKey[PhotoShop] = web.AppKey("shop", PhotoShop)
PICTURES: web.AppKey[Comparisons] = web.AppKey("pictures", Comparisons)
PREPARER: web.AppKey[Preparer] = web.AppKey("preparer", Preparer)
KEEP_ALIVE = 15  # seconds
PAGE = 60  # lines
PRIVATE_NAME = "群办(私聊)"


def add_routes(app: web.Application) -> None:
    """Everything the chat page calls."""
    app.router.add_get("/", guarded(home))
    app.router.add_get("/g/{room}", guarded(room_page), name="room")
    app.router.add_post("/in/web/messages", guarded(post_message))
    app.router.add_post("/in/web/photos", guarded(post_photo))
    app.router.add_post("/in/web/recall", guarded(post_recall))
    app.router.add_post("/in/web/read", guarded(post_read))
    app.router.add_get("/in/web/lines/{room}", guarded(get_lines))
    app.router.add_get("/in/web/line/{room}/{pos:[0-9]+}", guarded(get_line))
    app.router.add_get("/in/web/events", guarded(events))
    app.router.add_get("/photo/{sha}", guarded(photo))
    app.on_shutdown.append(_hang_up)
    aiohttp_jinja2.get_env(app).filters.update(chat_lines.FILTERS)


async def _hang_up(app: web.Application) -> None:
    app[WEB].hang_up()


async def home(request: web.Request) -> web.StreamResponse:
    """The first group the person is in."""
    raise web.HTTPSeeOther(f"/g/{next(iter(_rooms(request)))}")


def _rooms(request: web.Request) -> dict[str, str]:
    person = viewer_of(request).person
    return {g.id: g.name for g in request.app[WEB].groups_of(person.id)} | {private_room(person.id): PRIVATE_NAME}


def _room(request: web.Request, room: str) -> str:
    if room not in _rooms(request):
        raise web.HTTPNotFound(text="没有这个群，或您不在群里。")
    return room


async def room_page(request: web.Request) -> web.StreamResponse:
    """A room with its newest lines."""
    return await _page(request, _room(request, request.match_info["room"]))


async def _page(request: web.Request, room: str, error: str = "", text: str = "") -> web.Response:
    viewer, engine, rooms = viewer_of(request), request.app[ENGINE], _rooms(request)
    last, read = await engine.store.read(lambda c: (chat.last_pos(c), chat.read_pos(c, viewer.person.id, room)))
    lines = await request.app[WEB].lines(room, limit=PAGE)
    await engine.store.write(lambda tx: chat.mark_read(tx, viewer.person.id, room, last))
    unread = await engine.store.read(lambda c: chat.unread(c, viewer.person.id, tuple(rooms)))
    group = engine.office.groups.get(room)
    return render(
        request,
        "chat.html",
        room=room,
        rooms=rooms,
        lines=await chat_lines.dressed(engine, viewer.person, lines),
        more=sum(line.kept for line in lines) >= PAGE,
        pos=last,
        read=read,
        unread=unread,
        group=group,
        members=chat_lines.members(engine.office, group),
        office=engine.office,
        message_id=secrets.token_urlsafe(12),
        quote=request.query.get("quote", ""),
        text=text or request.query.get("text", ""),
        error=error,
    )


async def post_message(request: web.Request) -> web.StreamResponse:
    """Say something: form fields room, id, text, quote, photos (hashes joined by |). Answers what became of it.

    A form sent without a script may carry one file as `photo`, and is answered with the page.
    """
    form = await request.post()
    room = _room(request, str(form.get("room", "")))
    try:
        receipt = await _say(request, form, room)
    except (Rejected, Busy) as error:
        if not wants_page(request):
            raise
        page = await _page(request, room, str(error), str(form.get("text", "")))
        page.set_status(422 if isinstance(error, Rejected) else 503)
        return page
    if wants_page(request):
        raise web.HTTPSeeOther(f"/g/{room}#end")
    return web.json_response(receipt)


async def _say(request: web.Request, form: Any, room: str) -> dict[str, Any]:
    person, message_id = viewer_of(request).person, str(form.get("id", ""))
    if not chat_lines.MESSAGE_ID.fullmatch(message_id):
        raise Rejected("消息编号不对，请刷新页面后重试。")
    shas = [sha for sha in str(form.get("photos", "")).split("|") if sha]
    file = form.get("photo")
    if isinstance(file, web.FileField) and file.filename:
        shas.append((await _take(request, file.file.read()))["sha"])
    receipt = await request.app[WEB].say(
        person, room, message_id, str(form.get("text", "")), shas, str(form.get("quote", ""))
    )
    return {"state": receipt.state, "id": f"{person.id}/{message_id}", "seq": receipt.seq}


async def post_photo(request: web.Request) -> web.StreamResponse:
    """Take one picture (the request's body, or the form field photo), cleaned before anything else sees it."""
    if request.content_type == "multipart/form-data":
        found = (await request.post()).get("photo")
        raw = found.file.read() if isinstance(found, web.FileField) else b""
    else:
        raw = await request.read()
    return web.json_response(await _take(request, raw))


async def _take(request: web.Request, raw: bytes) -> dict[str, Any]:
    made = await request.app[SHOP].clean(raw)
    sha, own = await request.app[PREPARER].register(made), private_room(viewer_of(request).person.id)
    await request.app[ENGINE].store.write(lambda tx: photos.show_in(tx, sha, own))
    return {
        "sha": sha,
        "url": f"/photo/{sha}",
        "small": f"/photo/{sha}?s=1",
        "width": made.width,
        "height": made.height,
    }


async def post_recall(request: web.Request) -> web.StreamResponse:
    """Take back one's own message: form fields room, id."""
    form = await request.post()
    room = _room(request, str(form.get("room", "")))
    await request.app[WEB].recall(viewer_of(request).person, room, str(form.get("id", "")))
    return web.json_response({"state": "recalled"})


async def post_read(request: web.Request) -> web.StreamResponse:
    """The room was seen up to a position: form fields room, pos."""
    form = await request.post()
    room, pos = _room(request, str(form.get("room", ""))), str(form.get("pos", "0"))
    person = viewer_of(request).person.id
    if pos.isdigit() and len(pos) <= 15:
        await request.app[ENGINE].store.write(lambda tx: chat.mark_read(tx, person, room, int(pos)))
    return web.json_response({"state": "read"})


async def get_lines(request: web.Request) -> web.StreamResponse:
    """Older lines as HTML: ?before=POS. The header X-More says whether there are still older ones."""
    room, before = _room(request, request.match_info["room"]), request.query.get("before", "")
    reach = int(before) if before.isdigit() and len(before) <= 15 else None
    lines = await request.app[WEB].lines(room, reach, PAGE)
    more = sum(line.kept for line in lines) >= PAGE
    text = "".join([await _html(request, line) for line in lines])
    return web.Response(text=text, content_type="text/html", headers={"X-More": "1" if more else ""})


async def get_line(request: web.Request) -> web.StreamResponse:
    """One line anew: what may be done about its task has changed."""
    room = _room(request, request.match_info["room"])
    line = await request.app[WEB].line(room, int(request.match_info["pos"]))
    if line is None:
        raise web.HTTPNotFound(text="没有这条消息。")
    return web.Response(text=await _html(request, line), content_type="text/html")


async def _html(request: web.Request, line: ChatLine) -> str:
    viewer, engine = viewer_of(request), request.app[ENGINE]
    shown = (await chat_lines.dressed(engine, viewer.person, [line]))[0]
    context = {"line": shown, "viewer": viewer, "office": engine.office, "csrf": viewer.csrf, "demo": viewer.demo}
    return aiohttp_jinja2.render_string("_line.html", request, context)


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events for every room of the viewer; `Last-Event-ID` or ?after= says what was seen.

    Lines of the room named by ?room= come as HTML, others only as a sign that they are there. With ?tasks=1 no lines
    come, but a bare sign whenever a task the viewer may see went a step.
    """
    if request.transport is None:  # the tab went on before it was let in
        return web.Response(status=204)
    after = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    seen = int(after) if after.isdigit() and len(after) <= 15 else -1
    follows = request.query.get("tasks") == "1"
    rooms = () if follows else tuple(_rooms(request))
    news = request.app[WEB].listen(viewer_of(request).person.id, rooms, seen, follows=follows)
    async with sse_response(request, ping_interval=KEEP_ALIVE) as stream:
        try:
            await stream.send("{}", event="hello", retry=1000)
            async for item in _while_signed_in(request, stream, news):
                await _send(request, stream, item)
        except ConnectionResetError:
            pass
        finally:
            await news.aclose()  # type: ignore[attr-defined]
    return stream


async def _while_signed_in(
    request: web.Request, stream: EventSourceResponse, news: AsyncIterator[News]
) -> AsyncIterator[News]:
    """The news, until the tab is gone, or the session behind it ends or becomes somebody else."""
    person = viewer_of(request).person.id
    waiting: asyncio.Future[News] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(news))
            done, _ = await asyncio.wait((waiting,), timeout=KEEP_ALIVE)
            if done:
                item, waiting = waiting.result(), None
                yield item
            elif not (stream.is_connected() and await _still(request, person)):
                return
    except StopAsyncIteration:
        return
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def _still(request: web.Request, person: str) -> bool:
    found = await find_viewer(request, used=False)
    return found is not None and found.person.id == person


async def _send(request: web.Request, stream: EventSourceResponse, item: News) -> None:
    what, line = item
    if what == "tasks" and not isinstance(line, ChatLine):
        moved, viewer = line["tasks"], viewer_of(request).person
        if await request.app[ENGINE].store.read(lambda c: rights.sees_any(c, viewer, moved)):
            await stream.send("{}", event=what)
        return None
    if not isinstance(line, ChatLine):
        return await stream.send(json.dumps(dict(line), ensure_ascii=False), event=what)
    person = viewer_of(request).person.id
    body = {
        "room": line.room,
        "pos": line.pos,
        "id": line.id,
        "task": line.task or "",
        "mine": line.sender == person,
        "kept": line.kept,
        "called": person in line.mention,
    }
    if line.room == request.query.get("room", line.room):
        body["html"] = await _html(request, line)
    await stream.send(json.dumps(body, ensure_ascii=False), event=what, id=str(line.pos))


async def photo(request: web.Request) -> web.StreamResponse:
    """A cleaned photo, or its thumbnail with ?s=1."""
    sha = request.match_info["sha"]
    path = request.app[SHOP].path(sha, small="s" in request.query)
    person = viewer_of(request).person
    if not await rights.sees_photo(request.app[ENGINE], request.app[WEB], person, sha):
        raise web.HTTPNotFound(text="照片已删除。")
    if not path.exists():
        await request.app[PICTURES].show(sha)
        path = request.app[SHOP].path(sha, small="s" in request.query)
    if not path.exists():
        raise web.HTTPNotFound(text="照片已删除。")
    return web.FileResponse(
        path,
        headers={
            "Content-Type": "image/png" if path.suffix == ".png" else "image/jpeg",
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Disposition": "inline",
        },
    )
