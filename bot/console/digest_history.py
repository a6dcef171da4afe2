"""历史和更正: every edition with who let it pass and where it went; corrections written, passed and dropped.

A correction's steps are the chat's: 摘要 更正 3 …, 撤回 3 …, 更正通过 5 3fa2c1, 更正作废 5, 更正改 5 ….
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from bot.console.bureau import click
from bot.console.delivery import STATES as SENDING
from bot.console.digest_frame import DAY, VIEW, fields, show
from bot.console.session import ENGINE, guarded, viewer_of
from config.errors import Rejected
from handlers.editions import corrections, sending, timing
from handlers.office import Office
from store import edition_notes, editions
from store.editions import Correction

SHOWN = 60
HASH = 12
WORD = "摘要"
PASSED = {"edit": "送审", "review": "审核通过", "publish": "签发"}
VERDICTS = {"back": "退回", "none": "定为不发", "reopen": "重开"}
STATES = {"proposed": "待通过", "approved": "待发出", "sent": "已发出", "dropped": "作废"}
MARKS = {"proposed": "due_soon", "approved": "accepted", "sent": "closed", "dropped": "withdrawn"}
KINDS = {"correction": "更正", "recall": "撤回"}
DELIVERED = {"edition": "摘要", **KINDS}
WROTE = {"wrote": "起草", "pass": "通过", "drop": "作废"}
NEW = ("更正", "撤回")
OLD = ("更正通过", "更正作废", "更正改")


@dataclass(frozen=True, slots=True)
class Notice:
    """A correction with the words groups read, the hash of its text, and who did what with it."""

    row: Correction
    preview: str
    hash: str
    steps: list[tuple[int, str, str, str]]


def add_routes(app: web.Application) -> None:
    """Looking, and a correction's steps."""
    app.router.add_get("/digest/history", guarded(page, *VIEW))
    app.router.add_post("/digest/corrections", guarded(take_step, "editor", "reviewer", "publisher"))


async def page(request: web.Request) -> web.StreamResponse:
    """Editions, newest first; one of them open (?day=)."""
    return await _page(request)


async def _page(
    request: web.Request, status: int = 200, said: str = "", fault: str = "", typed: str = ""
) -> web.Response:
    engine, asked = request.app[ENGINE], request.query.get("day", "")
    day = asked if DAY.fullmatch(asked) else ""
    found = await engine.store.read(partial(_look, office=engine.office, day=day))
    return show(
        request,
        "digest_history.html",
        status,
        **found,
        spoken=timing.spoken,
        verdicts=VERDICTS,
        passing=PASSED,
        sending=SENDING,
        delivered=DELIVERED,
        kinds=KINDS,
        correction_states=STATES,
        correction_marks=MARKS,
        wrote=WROTE,
        judges=viewer_of(request).has(*corrections.JUDGES),
        me=viewer_of(request).person.id,
        longest=corrections.LONGEST,
        said=said,
        fault=fault,
        typed=typed,
    )


def _look(source: sqlite3.Connection, office: Office, day: str) -> dict[str, Any]:
    listed = editions.listing(source, SHOWN)
    last = next((one for one in listed if one.state == "sent"), None)
    day = day or (last.day if last else listed[0].day if listed else "")
    edition = editions.get(source, day) if day else None
    waiting = [one for one in editions.corrections(source, state="proposed") if one.day != day]
    own = editions.corrections(source, day) if day else []
    lines = editions.items(source, day) if day else []
    return {
        "listed": listed,
        "edition": edition,
        "lines": lines,
        "liked": {line.item: editions.reactions(source, line.item) for line in lines if line.item},
        "approvals": editions.approvals(source, day) if day else [],
        "deliveries": editions.deliveries(source, day) if day else [],
        "notices": [_notice(source, office, one) for one in [*waiting, *own]],
        "correctable": edition is not None and last is not None and edition.day == last.day,
    }


def _notice(source: sqlite3.Connection, office: Office, row: Correction) -> Notice:
    preview = sending.correction_text(source, office, row.n)
    return Notice(row, preview, edition_notes.text_hash(row.text)[:HASH], edition_notes.correction_steps(source, row.n))


async def take_step(request: web.Request) -> web.StreamResponse:
    """One step of a correction (form fields act, at: a line, 全部 or the correction's number, seen, text, permit)."""
    form = await fields(request)
    act, at, text = form.get("act", ""), form.get("at", ""), " ".join(form.get("text", "").split())
    if act not in (*NEW, *OLD) or not (at.isdigit() or (act == "撤回" and at == "全部")):
        raise Rejected("没有这个操作，请刷新页面后重试。")
    seen = form.get("seen", "") if act == "更正通过" else ""
    try:
        if act in NEW:
            await _is_last(request, form.get("day", ""))
        said = await click(request, form.get("permit", ""), WORD, "", " ".join(filter(None, (act, at, seen, text))))
    except Rejected as error:
        return await _page(request, 409, fault=str(error), typed=text)
    return await _page(request, said=said)


async def _is_last(request: web.Request, day: str) -> None:
    """A number means a line of the newest edition that went out: a page of an older one must not correct another's."""
    listed = await request.app[ENGINE].store.read(lambda c: editions.listing(c))
    if next((one.day for one in listed if one.state == "sent"), "") != day:
        raise Rejected("又发出了新的一期，请刷新页面后再更正。", "wrong_state")
