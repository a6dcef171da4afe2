"""税费问答: what is answered to taxpayers, with every version; looking for an entry, writing a new version, withdrawing one.

Nothing written here is answered before a second person approved it (`faq_review`).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from bot.console import faq_asked, faq_review
from bot.console.bureau import officers, refuse_secrets
from bot.console.session import ENGINE, record, render, viewer_of
from config.cells import read_table
from config.county import Person
from config.errors import Fault, Rejected
from config.faq.entries import SHEET, Entry
from config.spreadsheets import Table
from handlers.faq import cards
from handlers.faq.knowledge import due_for_review, office_day, standing
from store import Tx, audit, faq, questions, tax
from store.faq import Version

STANDINGS = {
    "live": "生效",
    "draft": "草稿",
    "expired": "失效",
    "retired": "停用",
    "not_yet": "未到生效日",
    "no_basis": "没有依据",
}
FILTERS = {"live": "生效", "draft": "草稿", "ended": "失效", "soon": "60天内到期", "repealed": "依据已废止"}
ENDED = ("expired", "retired")
LOOKS = {"live": "closed", "draft": "pending_confirmation", "expired": "returned", "retired": "returned"}
STATES = {"live": "生效", "draft": "待审", "replaced": "已被新版代替", "withdrawn": "已停用", "declined": "未通过"}
TOLD = {
    "sent": "新版本已存为草稿，等第二个人审核。现行版照常答复。",
    "withdrawn": "已停用，不再答复。各版本都保留。",
}
SHOWN = 100
FIELDS = tuple(c.name for c in SHEET.columns if c.name not in ("id", "status", "version", "maintainer"))
LISTS = ("similar", "taxpayer_type", "tax")
TITLES = {column.name: column.titles[0] for column in SHEET.columns}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it stands today. `soon`: expiring (within 60 days), repealed (its basis is), or ""."""

    version: Version
    standing: str
    soon: str

    @property
    def entry(self) -> Entry:
        """The entry itself."""
        return self.version.entry


def add_routes(app: web.Application) -> None:
    """Entries, and the pages beside them."""
    app.router.add_get("/faq", officers(page))
    app.router.add_get("/faq/new", officers(edit_page))
    app.router.add_post("/faq/new", officers(edit))
    app.router.add_get("/faq/entries/{entry}", officers(entry_page))
    app.router.add_get("/faq/entries/{entry}/edit", officers(edit_page))
    app.router.add_post("/faq/entries/{entry}/edit", officers(edit))
    app.router.add_post("/faq/entries/{entry}/withdraw", officers(withdraw))
    faq_review.add_routes(app)
    faq_asked.add_routes(app)


async def page(request: web.Request) -> web.StreamResponse:
    """Every entry as it stands, narrowed by words, tax and standing."""
    engine, query = request.app[ENGINE], request.query
    asked = {name: query.get(name, "").strip() for name in ("q", "tax", "standing")}
    day = office_day(engine.store.now())
    versions, repealed = await engine.store.read(lambda c: (faq.newest(c), frozenset(tax.repealed(c))))
    rows = [_row(version, day, repealed) for version in versions]
    kept = [row for row in rows if _fits(row, asked)]
    return render(
        request,
        "faq.html",
        rows=kept[:SHOWN],
        found=len(kept),
        asked=asked,
        taxes=sorted({kind for row in rows for kind in row.entry.tax}),
        counts={name: sum(_stands(row, name) for row in rows) for name in FILTERS},
        filters=FILTERS,
        standings=STANDINGS,
        looks=LOOKS,
        validity=cards.validity,
    )


def _row(version: Version, day: date, repealed: frozenset[str]) -> Row:
    return Row(version, standing(version.entry, day), due_for_review(version.entry, day, repealed))


def _fits(row: Row, asked: dict[str, str]) -> bool:
    entry = row.entry
    text = "\n".join((entry.id, entry.question, *entry.similar, entry.answer, entry.basis)).lower()
    return (
        all(word in text for word in asked["q"].lower().split())
        and (not asked["tax"] or asked["tax"] in entry.tax)
        and (asked["standing"] not in FILTERS or _stands(row, asked["standing"]))
    )


def _stands(row: Row, name: str) -> bool:
    if name in ("soon", "repealed"):
        return row.soon == {"soon": "expiring"}.get(name, name)
    return row.standing in ENDED if name == "ended" else row.standing == name


async def entry_page(request: web.Request) -> web.StreamResponse:
    """One entry: what is answered now, and its whole life."""
    engine, id = request.app[ENGINE], request.match_info["entry"]
    versions, votes, repealed = await engine.store.read(
        lambda c: (faq.versions(c, id), questions.votes(c, id), frozenset(tax.repealed(c)))
    )
    if not versions:
        raise web.HTTPNotFound(text="没有这个条目。")
    now_said = next((v for v in versions if v.state == "live"), None)
    return render(
        request,
        "faq_entry.html",
        versions=versions,
        live=now_said,
        row=_row(now_said or versions[0], office_day(engine.store.now()), repealed),
        votes=votes,
        card=cards.card,
        validity=cards.validity,
        states=STATES,
        standings=STANDINGS,
        looks=LOOKS,
        office=engine.office,
        tell=TOLD.get(request.query.get("told", ""), ""),
    )


async def edit_page(request: web.Request) -> web.StreamResponse:
    """A form filled with the entry as it stands, or an empty one."""
    engine, id = request.app[ENGINE], request.match_info.get("entry", "")
    typed = dict.fromkeys(FIELDS, "")
    if id:
        entry = await engine.store.read(partial(_standing_one, id=id))
        if entry is None:
            raise web.HTTPNotFound(text="没有这个条目。")
        typed = {name: "\n".join(v) if isinstance(v := getattr(entry, name), tuple) else v for name in FIELDS}
    else:
        typed["question"] = request.query.get("question", "")[:200]
    return _form(request, id, typed)


def _form(request: web.Request, id: str, typed: dict[str, str], faults: tuple[Fault, ...] = ()) -> web.Response:
    wrong = {str(fault.column): fault.message for fault in faults}
    return render(request, "faq_edit.html", 422 if faults else 200, id=id, typed=typed, titles=TITLES, wrong=wrong)


def _standing_one(source: sqlite3.Connection, id: str) -> Entry | None:
    versions = faq.versions(source, id)
    return next((v.entry for v in versions if v.state == "live"), versions[0].entry if versions else None)


async def edit(request: web.Request) -> web.StreamResponse:
    """What was typed becomes a draft version; the approved one stays as it is."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    id, typed = request.match_info.get("entry", ""), _typed(form)
    refuse_secrets(typed.values())
    entry, faults = read_entry(id or "new", typed, viewer.person)
    if entry is None:
        return _form(request, id, typed, faults)
    made = await engine.apply(partial(_propose, replace(entry, id=id), viewer.person))
    if made is None:
        raise Rejected("没有这个条目，或者替代条目的编号不对。请刷新页面后重试。")
    raise web.HTTPSeeOther(f"/faq/entries/{made}?told=sent")


def _typed(form: MultiMapping[Any]) -> dict[str, str]:
    return {name: str(form.get(name, "")).replace("\r\n", "\n").strip() for name in FIELDS}


def read_entry(id: str, typed: dict[str, str], person: Person) -> tuple[Entry | None, tuple[Fault, ...]]:
    """The typed form under the rules of the sheet; every mistake at once, named by field."""
    lined = {name: "|".join(filter(None, typed[name].splitlines())) for name in LISTS}
    cells = {**typed, **lined, "id": id, "maintainer": person.name, "status": "draft"}
    table = Table("", tuple(cells), ((2, tuple(cells.values())),))
    faults: list[Fault] = []
    values = read_table(SHEET, table, faults, [])[0].values
    if not faults and values["valid_from"] and values["valid_to"] and values["valid_to"] < values["valid_from"]:
        faults.append(Fault("", None, "valid_to", "失效日期早于生效日期"))
    return (None, tuple(faults)) if faults else (Entry(**values), ())


def _propose(entry: Entry, person: Person, tx: Tx) -> str | None:
    known = bool(entry.id) and bool(faq.versions(tx.connection, entry.id))
    if (entry.id and not known) or (entry.successor and not faq.versions(tx.connection, entry.successor)):
        return None
    named = entry if known else replace(entry, id=_free(tx))
    faq.propose(tx, named, person.id)
    audit.append(tx, person.id, "|".join(person.roles), "console", named.id, "faq_propose", "ok")
    return named.id


def _free(tx: Tx) -> str:
    n = int(tx.one("select count(distinct entry) from faq_version where entry like 'own-%'")[0]) + 1
    return f"own-{n:04d}"


async def withdraw(request: web.Request) -> web.StreamResponse:
    """An entry answers no more, from this moment; its versions stay."""
    engine, id, person = request.app[ENGINE], request.match_info["entry"], viewer_of(request).person
    form = await request.post()
    if form.get("sure") != "1":
        raise Rejected("请先勾选“确认停用”。")
    if not await engine.apply(lambda tx: faq.withdraw(tx, id, person.id)):
        raise Rejected("这个条目没有生效的版本，不用停用。", "wrong_state")
    await record(request, "faq_withdraw", f"faq/{id}")
    raise web.HTTPSeeOther(f"/faq/entries/{id}?told=withdrawn")
