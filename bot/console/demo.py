"""Demo only: be anybody by a click, move the clock, play a story, look behind a message, start over (design 6b)."""

from __future__ import annotations

from aiohttp import web

from bot.console.session import ENGINE, guarded, viewer_of
from config.errors import Rejected
from store import sessions


def add_routes(app: web.Application) -> None:
    """All of it is refused outside a demo."""
    app.router.add_post("/demo/persona", guarded(persona, demo_only=True))
    app.router.add_post("/demo/forward", guarded(forward, demo_only=True))


async def persona(request: web.Request) -> web.StreamResponse:
    """Go on as somebody else: form field person."""
    form = await request.post()
    person, engine, token = str(form.get("person", "")), request.app[ENGINE], viewer_of(request).token
    if person not in engine.office.people:
        raise Rejected("没有这个人。")
    await engine.store.write(lambda tx: sessions.become(tx, token, person))
    raise web.HTTPSeeOther(request.headers.get("Referer", "/"))


async def forward(request: web.Request) -> web.StreamResponse:
    """Let business time run ahead: form field seconds."""
    form = await request.post()
    seconds = str(form.get("seconds", ""))
    if not seconds.isdigit():
        raise Rejected("请填写秒数。")
    now = await request.app[ENGINE].clock.forward(int(seconds))
    return web.json_response({"now": now})
