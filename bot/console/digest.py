"""摘要: the edition in the making, its candidates with every term of their scores, and the way to all pages of the digest."""

from __future__ import annotations

from aiohttp import web

from bot.console import digest_archive, digest_choices, digest_sources
from bot.console.digest_frame import VIEW, show
from bot.console.session import guarded


def add_routes(app: web.Application) -> None:
    """The desk and its neighbours."""
    app.router.add_get("/digest", guarded(page, *VIEW))
    for part in (digest_archive, digest_choices, digest_sources):
        part.add_routes(app)


async def page(request: web.Request) -> web.StreamResponse:
    """The edition of the day."""
    return show(request, "digest.html")
