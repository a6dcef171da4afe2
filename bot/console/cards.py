"""微课堂和微警示: the library, whose turn it is next, writing a card, planning one for a day, retiring one, loading samples."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import date
from typing import Any

from aiohttp import web

from bot.arrivals import day_of
from bot.console.digest_frame import DAY, KEEPERS, VIEW, fields, number_of, show
from bot.console.session import ENGINE, guarded, viewer_of
from config.digest.cards import KINDS, SHEET, CardRow, cards_of, shipped_cards
from config.errors import ConfigError, Fault, Rejected
from config.spreadsheets import Table
from handlers.editions import cards, timing
from handlers.office import Office
from store import digest, editions

FIELDS = ("kind", "title", "text", "basis", "url", "source_name", "valid_from", "valid_to")
TITLES = {column.name: column.titles[0] for column in SHEET.columns}
LIMITS = {column.name: column.limit for column in SHEET.columns}
TOLD = {
    "written": "已保存。",
    "planned": "已安排。那天的草稿如果已经生成，请在“今日摘要”里换上。",
    "free": "已取消安排，轮到时再用。",
    "retired": "已停用。",
    "back": "已恢复。",
    "samples": "范例已装入。请逐张核对依据和文字，不合适的改掉或停用。",
}


def add_routes(app: web.Application) -> None:
    """The list, the form, and what is done to a card."""
    app.router.add_get("/digest/cards", guarded(page, *VIEW))
    app.router.add_get("/digest/cards/new", guarded(form_page, *KEEPERS))
    app.router.add_get("/digest/cards/{item:[0-9]{1,15}}", guarded(form_page, *KEEPERS))
    app.router.add_post("/digest/cards/write", guarded(write, *KEEPERS))
    app.router.add_post("/digest/cards/plan", guarded(plan, *KEEPERS))
    app.router.add_post("/digest/cards/retire", guarded(retire, *KEEPERS))
    app.router.add_post("/digest/cards/samples", guarded(samples, *KEEPERS))


async def page(request: web.Request) -> web.StreamResponse:
    """Every card, those in turn first; what comes next is marked."""
    engine, kind = request.app[ENGINE], request.query.get("kind", "")
    now = engine.store.now()
    found = await engine.store.read(lambda c: _look(c, engine.office, now, kind))
    rest, today = engine.office.rules.digest_rest_days, day_of(now)
    said = TOLD.get(request.query.get("told", ""), "")
    return show(request, "digest_cards.html", **found, kinds=KINDS, kind=kind, rest=rest, today=today, said=said)


def _look(source: sqlite3.Connection, office: Office, now: int, kind: str) -> dict[str, Any]:
    found = editions.cards(source, kind if kind in KINDS else "")
    day = timing.edition_day(source, office, now)
    coming = {card.n for card in cards.todays(source, day, office.rules.digest_rest_days)}
    found.sort(key=lambda card: (card.state != "ready", card.n not in coming, card.used_on, card.n))
    known = {(card.kind, card.title) for card in editions.cards(source)}
    missing = sum((row.kind, row.title) not in known for row in shipped_cards())
    return {"cards": found, "coming": coming, "day": day, "missing": missing, "sample": cards.SAMPLE}


async def form_page(request: web.Request) -> web.StreamResponse:
    """A form with a card's words, or an empty one."""
    n = int(request.match_info.get("item", "0"))
    typed = dict.fromkeys(FIELDS, "") | {"kind": "class"}
    if n:
        card = await request.app[ENGINE].store.read(lambda c: editions.card(c, n))
        if card is None:
            raise web.HTTPNotFound(text="没有这张卡片。")
        typed = {name: str(getattr(card, name)) for name in FIELDS}
    return _form(request, n, typed)


def _form(request: web.Request, n: int, typed: dict[str, str], faults: tuple[Fault, ...] = ()) -> web.Response:
    wrong = {str(fault.column): fault.message for fault in faults}
    return show(
        request, "digest_card.html", 422 if faults else 200,
        n=n, typed=typed, titles=TITLES, limits=LIMITS, kinds=KINDS, wrong=wrong,
    )  # fmt: skip


async def write(request: web.Request) -> web.StreamResponse:
    """Form fields: n ("0" for a new card) and FIELDS."""
    form, person = await fields(request), viewer_of(request).person
    n = number_of(form.get("n") or "0")
    typed = {name: form.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    try:
        row = read_card(typed)
    except ConfigError as error:
        return _form(request, n, typed, error.faults)
    engine = request.app[ENGINE]
    try:
        leaders = await engine.store.read(digest.leaders)
        await asyncio.to_thread(cards.refuse, row, leaders)  # what is slow the first time must not hold up the writer
        await engine.apply(lambda tx: cards.write(tx, person.id, person.roles, row, n))
    except Rejected as error:
        return _form(request, n, typed, (Fault("", None, "text", str(error)),))
    raise web.HTTPSeeOther("/digest/cards?told=written")


def read_card(typed: dict[str, str]) -> CardRow:
    """The typed form under the rules of the sheet. ConfigError carries every fault, named by field."""
    return cards_of(Table("", FIELDS, ((2, tuple(typed[name] for name in FIELDS)),)))[0]


async def plan(request: web.Request) -> web.StreamResponse:
    """Form fields: n, day ("" for whenever its turn comes)."""
    form, engine, person = await fields(request), request.app[ENGINE], viewer_of(request).person
    n, day = number_of(form.get("n", "")), form.get("day", "")
    if day and not _workday(engine.office, day):
        raise Rejected("请选一个工作日，休息日没有摘要。")
    today, rest = day_of(engine.store.now()), engine.office.rules.digest_rest_days
    await engine.apply(lambda tx: cards.plan(tx, person.id, person.roles, n, day, today, rest))
    raise web.HTTPSeeOther(f"/digest/cards?told={'planned' if day else 'free'}")


def _workday(office: Office, day: str) -> bool:
    try:
        return bool(DAY.fullmatch(day)) and office.worktime.is_workday(date.fromisoformat(day))
    except ValueError:  # 2026-02-30
        return False


async def retire(request: web.Request) -> web.StreamResponse:
    """Form fields: n, back ("1" to put it back)."""
    form, person = await fields(request), viewer_of(request).person
    n, back = number_of(form.get("n", "")), form.get("back") == "1"
    await request.app[ENGINE].apply(lambda tx: cards.retire(tx, person.id, person.roles, n, back=back))
    raise web.HTTPSeeOther(f"/digest/cards?told={'back' if back else 'retired'}")


async def samples(request: web.Request) -> web.StreamResponse:
    """The starter library's cards that are not there yet; nothing an office wrote is changed."""
    person = viewer_of(request).person
    await request.app[ENGINE].apply(lambda tx: cards.load_samples(tx, person.id, person.roles))
    raise web.HTTPSeeOther("/digest/cards?told=samples")
