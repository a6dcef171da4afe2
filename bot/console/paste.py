"""Handing something in for the digest from the console: words or a link, screened whole before anything is written.

`add_routes` is called by the digest's pages; the answer goes back to them as ?told=.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

from aiohttp import web

from bot.console.session import ENGINE, guarded, viewer_of
from bot.newsroom import Newsroom
from config.errors import Rejected
from handlers.events import CONSOLE, Event
from handlers.submissions import LINK
from store import sources
from store.history import keyed_mark

NEWSROOM: web.AppKey[Newsroom] = web.AppKey("newsroom", Newsroom)
BACK = "/digest"
LONGEST = 20_000
PERMIT = re.compile(r"[A-Za-z0-9_-]{8,64}")
ROLES = ("editor", "reviewer", "publisher", "admin")  # whoever sees the page that shows what became of it


def add_routes(app: web.Application) -> None:
    """One address takes what is pasted."""
    app.router.add_post("/digest/paste", guarded(paste, *ROLES))


async def paste(request: web.Request) -> web.StreamResponse:
    """Form fields: title (may be empty), url (may be empty), text (may be empty when there is a link), permit."""
    form, person, engine = await request.post(), viewer_of(request).person, request.app[ENGINE]
    title, url, text = (str(form.get(name, "")).strip() for name in ("title", "url", "text"))
    permit = str(form.get("permit", ""))
    if not PERMIT.fullmatch(permit):
        raise Rejected("页面已过期，请刷新后重试。")
    if len(text) > LONGEST:
        raise Rejected(f"文字太长，请控制在{LONGEST}字以内。")
    if (url and not LINK.fullmatch(url)) or not (url or text):
        raise Rejected("请填写以 http:// 或 https:// 开头的网址，或贴上原文。")
    rule, title, text = await asyncio.to_thread(screened, title, text)
    if rule:
        mark = keyed_mark(engine.office.key, title + text)
        secret = Event(CONSOLE, f"{person.id}/{permit}", "secret", sender=person.id, action=rule, subject=mark)
        await engine.inbox.accept((secret,))
        raise web.HTTPSeeOther(f"{BACK}?told=secret")
    n = await engine.apply(lambda tx: sources.submit(tx, person.id, "", url, title, text))
    await request.app[NEWSROOM].intake.take_submissions()
    await request.app[NEWSROOM].weigh_if_new()
    found = await engine.store.read(lambda c: sources.submission(c, n))
    told = found.state if found else "open"
    raise web.HTTPSeeOther(
        f"{BACK}?told={told}&item={found.item if found and found.item else ''}&why={quote(found.why if found else '')}"
    )


def screened(title: str, text: str) -> tuple[str, str, str]:
    """(secrecy rule or "", title and text with personal numbers starred)."""
    from digests.arrivals import clean_title, starred
    from digests.checks import secrecy
    from digests.items import Item

    found = secrecy(Item("", title, text))
    return (found[0].why if found else "", starred(clean_title(title)), starred(text))
