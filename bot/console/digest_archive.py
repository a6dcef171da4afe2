"""档案: searching every notice that ever came in, and one notice whole with its story, threads and findings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.candidates import run_day
from bot.console.digest_frame import EDITORS, ITEM_STATES, VIEW, fields, show
from bot.console.paste import NEWSROOM
from bot.console.session import ENGINE, guarded, record, viewer_of
from bot.reading import Unreadable
from config.errors import Busy
from handlers.editions import timing
from store import Tx, archive, digest, editions
from store.digest import ItemRow

MOST = 50
NEWEST = 20
REASON = 120
LONGEST = 60  # letters of a question
AROUND = 36  # letters on both sides of what was found
Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Hit:
    """A notice found: title and words around in pieces, True where the question's words stand."""

    row: ItemRow
    title: list[Piece]
    words: list[Piece]
    sent: list[str]


def add_routes(app: web.Application) -> None:
    """Search, and one notice."""
    app.router.add_get("/digest/archive", guarded(page, *VIEW))
    app.router.add_get("/digest/items/{item:[0-9]{1,15}}", guarded(item_page, *VIEW))
    app.router.add_post("/digest/items/{item:[0-9]{1,15}}/release", guarded(release, *EDITORS))


async def page(request: web.Request) -> web.StreamResponse:
    """What holds all the words asked for, newest first; without a question the newest notices."""
    engine, asked = request.app[ENGINE], " ".join(request.query.get("q", "").split())[:LONGEST]
    terms: list[list[str]] = []
    fault = ""
    if asked:
        try:
            found = await request.app[NEWSROOM].intake.room.ask({"op": "terms"}, asked.encode())
            terms = [[str(word) for word in term] for term in found["terms"]]
        except (Unreadable, Busy):
            fault = "搜索暂时用不了，请稍后再试。"
    hits = await engine.store.read(lambda c: _search(c, asked, terms))
    return show(
        request, "digest_archive.html", asked=asked, hits=hits[:MOST], more=len(hits) > MOST, fault=fault, kept=ITEM_STATES
    )  # fmt: skip


def _search(source: sqlite3.Connection, asked: str, terms: Sequence[Sequence[str]]) -> list[Hit]:
    if not asked:
        found = [n for n, _ in digest.newest_titles(source, NEWEST)]
    else:
        found = archive.search(source, terms, MOST + 1)
    marks = ["".join(term) for term in terms] + [word for term in terms for word in term if len(word) > 1]
    rows = ((digest.get(source, n), *digest.read(source, n)) for n in found)
    return [
        Hit(row, marked(title, marks), marked(_around(body, marks), marks), editions.sent_days_of(source, row.n))
        for row, title, body in rows
        if row is not None
    ]


def _around(body: str, marks: Sequence[str]) -> str:
    at = next((at for mark in marks if (at := body.find(mark)) >= 0), 0)
    start, end = max(0, at - AROUND), at + 2 * AROUND
    words = " ".join(body[start:end].split())
    return f"{'…' if start else ''}{words}{'…' if end < len(body) else ''}"


def marked(text: str, marks: Sequence[str]) -> list[Piece]:
    """The text in pieces, those that are a mark set apart."""
    return list(_marked(text, [mark for mark in marks if mark]))


def _marked(text: str, marks: Sequence[str]) -> Iterator[Piece]:
    while text:
        found = [(at, -len(mark), mark) for mark in marks if (at := text.find(mark)) >= 0]
        if not found:
            yield text, False
            return
        at, _, mark = min(found)
        if at:
            yield text[:at], False
        yield mark, True
        text = text[at + len(mark) :]


async def item_page(request: web.Request) -> web.StreamResponse:
    """One notice as its publisher wrote it."""
    return await _item_page(request)


async def _item_page(request: web.Request, status: int = 200, fault: str = "") -> web.Response:
    n = int(request.match_info["item"])
    found = await request.app[ENGINE].store.read(lambda c: _whole(c, n))
    if found is None:
        raise web.HTTPNotFound(text="没有这一条。")
    said = "已放行，可以入选了。" if request.query.get("told") else ""
    return show(request, "digest_item.html", status, **found, kept=ITEM_STATES, said=said, fault=fault)


async def release(request: web.Request) -> web.StreamResponse:
    """An editor looked at a held notice and lets it be a candidate, saying why (form field why)."""
    n, why = int(request.match_info["item"]), (await fields(request)).get("why", "")
    engine, person = request.app[ENGINE], viewer_of(request).person
    if not why or len(why) > REASON:
        return await _item_page(request, 409, f"请写明核对情况，{REASON}字以内。")

    def job(tx: Tx) -> bool:
        row = digest.get(tx, n)
        if row is None or row.state != "held":
            return False
        digest.release(tx, n, f"{person.name}已核对：{why}")
        return True

    if not await engine.apply(job):
        return await _item_page(request, 409, "这一条不用放行，请刷新页面。")
    await record(request, "released", f"item/{n}")
    now = engine.store.now()
    day = await engine.store.read(lambda c: timing.edition_day(c, engine.office, now))
    await run_day(engine.store, engine.office.county, day)
    raise web.HTTPSeeOther(f"/digest/items/{n}?told=released")


def _whole(source: sqlite3.Connection, n: int) -> dict[str, Any] | None:
    row = digest.get(source, n)
    if row is None:
        return None
    title, body = digest.read(source, n)
    return {
        "row": row,
        "title": title,
        "body": body,
        "findings": digest.findings(source, n),
        "story": [(one, digest.read(source, one.n)[0]) for one in digest.of_story(source, row.story) if one.n != n],
        "thread": [(other, digest.read(source, other)[0]) for other in digest.thread(source, n)],
        "sent": editions.sent_days_of(source, n),
        "reactions": editions.reactions(source, n),
    }
