"""The simulator's own page: who says what in which room, what the bot sent, buttons to press, faults to switch on.

For one person on one machine: no login, so it answers to loopback names only (no other site can rebind to it).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.simulators.frame import FAULTS, Fault, Said, SentLine, Simulator

STATIC = Path(__file__).parent / "static"
FILES = {"": "page.html", "page.css": "page.css", "page.js": "page.js"}
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
SHOWN = 400

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SIMULATOR = web.AppKey("simulator", Simulator)


def add_routes(app: web.Application, simulator: Simulator) -> None:
    """The page lies under /page/, away from what the platform answers."""
    app[SIMULATOR] = simulator
    routes: dict[tuple[str, str], Handler] = {
        ("GET", "/page/{file:[a-z.]*}"): _file,
        ("GET", "/page/state"): _state,
        ("GET", "/page/photo/{line}/{place}"): _photo,
        ("POST", "/page/say"): _say,
        ("POST", "/page/press"): _press,
        ("POST", "/page/fault"): _fault,
    }
    for (method, path), handler in sorted(routes.items(), key=lambda item: "{file" in item[0][1]):
        app.router.add_route(method, path, _at_home(handler))


def _at_home(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        if request.url.host not in LOCAL or (origin and origin.partition("://")[2] != request.host):
            raise web.HTTPForbidden(text="请在本机打开")
        return await handler(request)

    return guarded


async def _file(request: web.Request) -> web.StreamResponse:
    name = FILES.get(request.match_info["file"])
    if name is None:
        raise web.HTTPNotFound
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.FileResponse(STATIC / name, headers=headers)


async def _state(request: web.Request) -> web.Response:
    simulator = request.app[SIMULATOR]
    first = max(0, len(simulator.lines) - SHOWN)
    return web.json_response(
        {
            "title": simulator.title,
            "rooms": simulator.rooms,
            "users": simulator.users,
            "faults": {name: FAULTS[name] for name in simulator.offered},
            "waiting": [FAULTS[fault.name] for fault in simulator.faults],
            "lines": [_shown(i, line) for i, line in enumerate(simulator.lines[first:], first)],
        }
    )


def _shown(place: int, line: Said | SentLine) -> dict[str, Any]:
    sent = isinstance(line, SentLine)
    return {
        "place": place,
        "bot": sent,
        "id": line.id,
        "room": line.room,
        "user": line.user,
        "text": line.text,
        "quote": line.quote,
        "photos": [f"photo/{place}/{i}" for i in range(len(line.photos))],
        "form": line.form if isinstance(line, SentLine) else "",
        "buttons": [label for label, _ in line.buttons] if isinstance(line, SentLine) else [],
        "mentions": list(line.mentions) if isinstance(line, SentLine) else [],
        "articles": [list(article) for article in line.articles] if isinstance(line, SentLine) else [],
    }


async def _photo(request: web.Request) -> web.Response:
    lines = request.app[SIMULATOR].lines
    try:
        data = lines[int(request.match_info["line"])].photos[int(request.match_info["place"])]
    except (ValueError, IndexError):
        raise web.HTTPNotFound from None
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return web.Response(body=data, content_type=kind, headers={"X-Content-Type-Options": "nosniff"})


async def _say(request: web.Request) -> web.Response:
    """The answer does not wait for redeliveries; what fails is said."""
    simulator, form = request.app[SIMULATOR], await request.post()
    photos = [part.file.read() for part in form.getall("photos", []) if isinstance(part, web.FileField)]
    words = {key: str(form.get(key, "")) for key in ("room", "user", "text", "quote")}
    work = simulator.say(words["room"], words["user"], words["text"], [p for p in photos if p], words["quote"])
    return await _done(work)


async def _press(request: web.Request) -> web.Response:
    simulator, asked = request.app[SIMULATOR], await request.json()
    line = simulator.lines[int(asked["place"])]
    if not isinstance(line, SentLine):
        raise web.HTTPBadRequest
    return await _done(simulator.press(line, str(asked["button"]), str(asked["user"])))


async def _done(work: Awaitable[Any]) -> web.Response:
    try:
        async with asyncio.timeout(30):
            await work
    except (OSError, RuntimeError, TimeoutError) as error:
        return web.json_response({"problem": str(error) or "机器人没有接收"})
    return web.json_response({"problem": ""})


async def _fault(request: web.Request) -> web.Response:
    simulator, asked = request.app[SIMULATOR], await request.json()
    if asked["name"] not in simulator.offered:
        raise web.HTTPBadRequest
    simulator.faults.append(Fault(str(asked["name"])))
    return web.json_response({})
