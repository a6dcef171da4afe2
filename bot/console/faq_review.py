"""待审 and 推送: what waits for a second person, in the very words that would be said, and proposing a push.

New versions are decided by the store's own two-person rule; drafts from officers' replies and pushes by the chat's handlers.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.console.bureau import click, officers
from bot.console.session import ENGINE, render, viewer_of
from config.county import Person
from config.errors import Rejected
from config.faq.entries import Entry
from handlers.faq import cards, policy
from handlers.faq.knowledge import office_day, standing
from handlers.faq.learning import KINDS, becoming
from handlers.office import Office
from store import Tx, audit, faq, questions, tax
from store.faq import Draft, Version
from store.questions import Ticket
from store.tax import Push

NUMBERED = re.compile(r"#[草推]\d{1,7}")
ANSWERS = {"yes": "同意", "no": "不同意"}
LIMIT = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something to decide: the new entry with its card, the live version it would replace, and where it came from."""

    entry: Entry
    author: str
    at: int
    old: Entry | None = None
    draft: Draft | None = None
    push: Push | None = None
    ticket: Ticket | None = None


def add_routes(app: web.Application) -> None:
    """What waits and its decision; pushes."""
    app.router.add_get("/faq/drafts", officers(page))
    app.router.add_post("/faq/drafts", officers(decide))
    app.router.add_get("/faq/push", officers(push_page))
    app.router.add_post("/faq/push", officers(propose))


async def page(request: web.Request) -> web.StreamResponse:
    """Oldest first: replies officers gave, pushes, new versions."""
    return await _page(request)


async def _page(request: web.Request, status: int = 200, fault: str = "", said: str = "") -> web.Response:
    engine = request.app[ENGINE]
    found = await engine.store.read(partial(_look, engine.office, engine.store.now()))
    return render(
        request,
        "faq_drafts.html",
        status,
        waiting=found,
        office=engine.office,
        kinds=KINDS,
        card=cards.card,
        pushed=policy.card,
        me=viewer_of(request).person.id,
        permit=secrets.token_urlsafe(12),
        fault=fault,
        said=said,
    )


def _look(office: Office, now: int, source: sqlite3.Connection) -> list[Waiting]:
    learned = [_learned(source, draft, office, now) for draft in faq.drafts(source, "basis", "review")]
    pushed = (_pushed(source, push) for push in tax.pushes(source, "review"))
    versions = [_version(source, version) for version in faq.waiting(source)]
    return [*learned, *(push for push in pushed if push is not None), *versions]


def _learned(source: sqlite3.Connection, draft: Draft, office: Office, now: int) -> Waiting:
    entry = becoming(source, draft, office_day(now), office.person_name(draft.author))
    old, ticket = faq.get(source, draft.entry), questions.ticket(source, draft.ticket)
    return Waiting(entry, draft.author, draft.at, old, draft, ticket=ticket)


def _pushed(source: sqlite3.Connection, push: Push) -> Waiting | None:
    entry = faq.get(source, push.entry)
    return Waiting(entry, push.author, push.at, push=push) if entry is not None else None


def _version(source: sqlite3.Connection, version: Version) -> Waiting:
    return Waiting(version.entry, version.author, version.at, faq.get(source, version.entry.id))


async def decide(request: web.Request) -> web.StreamResponse:
    """同意 or 不同意 (form fields answer, reason, and number + permit, or entry + version + over)."""
    form = {name: str(value).strip() for name, value in (await request.post()).items()}
    word, reason = ANSWERS.get(form.get("answer", "")), form.get("reason", "")
    if word is None:
        raise Rejected("没有这个操作，请刷新页面后重试。")
    if len(reason) > LIMIT:
        raise Rejected(f"原因太长，请控制在 {LIMIT} 字以内。")
    try:
        if NUMBERED.fullmatch(form.get("number", "")):
            typed = reason if word == "不同意" else ""
            if word == "同意":
                await _as_seen(request, form)
            said = await click(request, form.get("permit", ""), word, form["number"], typed)
        else:
            said = await _decide_version(request, form, word == "同意")
    except Rejected as error:
        return await _page(request, 409, fault=str(error))
    return await _page(request, said=said)


async def _as_seen(request: web.Request, form: dict[str, str]) -> None:
    """A draft's basis may have been named again since the page was shown: nobody approves what they did not read."""
    serial = int(form["number"][2:])
    draft = await request.app[ENGINE].store.read(lambda c: faq.draft_numbered(c, serial))
    seen = form.get("seen", "").replace("\r\n", "\n")
    if form["number"][1] == "草" and draft is not None and draft.basis.replace("\r\n", "\n").strip() != seen:
        raise Rejected("依据刚刚改过，请看过后再审。")


async def _decide_version(request: web.Request, form: dict[str, str], yes: bool) -> str:
    engine, person = request.app[ENGINE], viewer_of(request).person
    numbers = [form.get(name, "") for name in ("version", "over")]
    if not all(re.fullmatch(r"\d{1,6}", number) for number in numbers):
        raise Rejected("没有这份草稿，请刷新页面。")
    version, over = map(int, numbers)
    id = form.get("entry", "")
    fault = await engine.apply(partial(_settle, id, version, over, yes, person))
    if fault:
        raise Rejected(fault)
    return f"{id} 第{version}版已生效，以后问到会直接答复" if yes else f"{id} 第{version}版已退回，现行版照常答复"


def _settle(id: str, version: int, over: int, yes: bool, person: Person, tx: Tx) -> str:
    """What stands against it, or "" when it is done."""
    found = next((v for v in faq.versions(tx.connection, id) if v.entry.version == version), None)
    standing_one = faq.get(tx, id)
    if found is None or found.state != "draft":
        return "这份草稿已处理过，请刷新页面。"
    if yes and (standing_one.version if standing_one else 0) != over:
        return "现行版刚刚变了，请刷新页面，看过后再审。"
    if yes and found.author == person.id:
        return "这一版是您自己拟的，要由别人审核。"
    done = faq.approve(tx, id, version, person.id) is not None if yes else faq.decline(tx, id, version, person.id)
    if not done:
        return "这一版没有依据，不能生效。请先补依据，再送审。"
    action = "faq_approve" if yes else "faq_decline"
    audit.append(tx, person.id, "|".join(person.roles), "console", id, action, "ok")
    return ""


async def push_page(request: web.Request) -> web.StreamResponse:
    """Choosing an approved entry to push, with its words."""
    return await _push_page(request)


async def _push_page(request: web.Request, status: int = 200, fault: str = "", said: str = "") -> web.Response:
    engine, id = request.app[ENGINE], request.query.get("entry", "")
    day = office_day(engine.store.now())
    entries, pushes = await engine.store.read(lambda c: (faq.live(c), tax.pushes(c, "review")))
    entries = [entry for entry in entries if standing(entry, day) == "live"]
    return render(
        request,
        "faq_push.html",
        status,
        entries=entries,
        chosen=next((entry for entry in entries if entry.id == id), None),
        asked=id,
        card=policy.card,
        pushes=pushes,
        office=engine.office,
        permit=secrets.token_urlsafe(12),
        fault=fault,
        said=said,
    )


async def propose(request: web.Request) -> web.StreamResponse:
    """推送: as in the chat, a second person lets it go out."""
    form = await request.post()
    try:
        said = await click(request, str(form.get("permit", "")), "推送", "", str(form.get("entry", "")))
    except Rejected as error:
        return await _push_page(request, 409, fault=str(error))
    return await _push_page(request, said=said)
