"""学习: what people put right, what the bot does differently since, how often its first word stood; taking lessons back.

A lesson's effect on settled tasks is looked at beside the running office (`bot.hindsight`); nothing settled changes.
"""

from __future__ import annotations

import csv
import io
import re
import secrets
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.console.session import ENGINE, guarded, record, render, viewer_of
from bot.hindsight import DAYS, Hindsight
from bot.lesson_files import MOST, OUT, SHOWN, History, lines_of, read_history
from config.errors import ConfigError, Rejected
from config.spreadsheets import escape
from store import lessons, settled
from store.lessons import PAGE, Effect, LessonRow, LessonStep

HINDSIGHT: web.AppKey[Hindsight] = web.AppKey("hindsight", Hindsight)
VIEW = ("dispatcher", "arbiter", "leader")
CHANGE = ("dispatcher", "arbiter")
TABS = {"corrected": "更正", "imported": "导入", "revoked": "已撤回"}
STEPS = {"made": "记下", "revoked": "撤回", "given_back": "恢复"}
TOLD = {
    "revoked": "已撤回，今后不再照它派。",
    "given_back": "已恢复，今后照它派。",
    "imported": "已导入，今后照它们派。",
}
WEEKS = 8
PREVIEW_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A file read and shown, waiting for its sender's yes."""

    token: str
    at: float
    history: History


DRAFTS: web.AppKey[dict[str, Draft]] = web.AppKey("lesson_drafts", dict)


@dataclass(frozen=True, slots=True)
class Life:
    """One step of a lesson with the settled tasks it would send elsewhere: (effect, number, text, unit)."""

    step: LessonStep
    effects: list[tuple[Effect, str, str, str]]


def add_routes(app: web.Application) -> None:
    """Who dispatches looks and takes back; a leader looks."""
    app[DRAFTS] = {}
    app.router.add_get("/learning", guarded(page, *VIEW))
    app.router.add_post("/learning/steps", guarded(take_step, *CHANGE))
    app.router.add_post("/learning/preview", guarded(preview, "dispatcher"))
    app.router.add_post("/learning/import", guarded(import_, "dispatcher"))
    app.router.add_get("/learning/export", guarded(export, *CHANGE))
    app.router.add_get("/learning/{lesson:[0-9]{1,15}}", guarded(lesson_page, *VIEW))


async def page(request: web.Request) -> web.StreamResponse:
    """The lessons, newest first, and how first proposals fared by week."""
    return await _page(request)


async def _page(request: web.Request, status: int = 200, fault: str = "") -> web.Response:
    engine, query = request.app[ENGINE], request.query
    tab = query.get("tab", "") if query.get("tab", "") in TABS else "corrected"
    number = int(query["page"]) if re.fullmatch(r"\d{1,4}", query.get("page", "")) else 0
    now = engine.store.now()
    found = await engine.store.read(partial(_look, tab, number, now))
    return render(
        request,
        "learning.html",
        status,
        **found,
        tab=tab,
        tabs=TABS,
        page_no=number,
        office=engine.office,
        days=DAYS,
        most=MOST,
        changes=viewer_of(request).has(*CHANGE),
        imports=viewer_of(request).has("dispatcher"),
        tell=TOLD.get(query.get("told", ""), ""),
        fault=fault,
    )


def _look(tab: str, number: int, now: int, connection: sqlite3.Connection) -> dict[str, Any]:
    kind = "" if tab == "revoked" else tab
    rows = lessons.listing(connection, number, source_kind=kind, revoked=tab == "revoked")
    shown = rows[:PAGE]
    ids = [row.task for row in shown if row.task]
    return {
        "rows": shown,
        "more": len(rows) > PAGE,
        "numbers": settled.numbers(connection, ids) if ids else {},
        "last": lessons.latest_steps(connection, [row.seq for row in shown]) if shown else {},
        "counts": lessons.counts(connection),
        "batches": lessons.batches(connection),
        "batch_steps": lessons.latest_batch_steps(connection),
        "weeks": settled.weeks(connection, now, WEEKS),
    }


async def lesson_page(request: web.Request) -> web.StreamResponse:
    """One lesson: what was said, what was put right, every step since and what each would change."""
    engine, seq = request.app[ENGINE], int(request.match_info["lesson"])
    found = await engine.store.read(partial(_one, seq))
    if found is None:
        raise web.HTTPNotFound(text="没有这条经验。")
    row, lives, number = found
    await record(request, "ok", f"lesson/{seq}")
    return render(
        request,
        "lesson.html",
        row=row,
        lives=lives,
        number=number,
        office=engine.office,
        steps=STEPS,
        days=DAYS,
        changes=viewer_of(request).has(*CHANGE),
        tell=TOLD.get(request.query.get("told", ""), ""),
    )


def _one(seq: int, connection: sqlite3.Connection) -> tuple[LessonRow, list[Life], str] | None:
    row = lessons.get(connection, seq)
    if row is None:
        return None
    number = settled.numbers(connection, [row.task]).get(row.task, ("",))[0] if row.task else ""
    return (
        row,
        [
            Life(step, told(connection, lessons.effects(connection, step.seq)))
            for step in lessons.steps(connection, seq)
        ],
        number,
    )


def told(connection: sqlite3.Connection, effects: list[Effect]) -> list[tuple[Effect, str, str, str]]:
    """Effects with the number, words and unit of their tasks; tasks that are gone are left out."""
    known = settled.numbers(connection, [effect.task for effect in effects]) if effects else {}
    return [(effect, *known[effect.task]) for effect in effects if effect.task in known]


async def take_step(request: web.Request) -> web.StreamResponse:
    """Take a lesson or an import back, or give it back (form fields event, lesson or batch)."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    event, batch = str(form.get("event", "")), str(form.get("batch", ""))
    typed = str(form.get("lesson", ""))
    seq = int(typed) if re.fullmatch(r"\d{1,15}", typed) else None
    does = {"revoked": lessons.revoke, "given_back": lessons.give_back}.get(event)
    if does is None or (seq is None and not batch):
        raise Rejected("没有这个操作，请刷新页面后重试。")
    done = await engine.apply(lambda tx: does(tx, viewer.person.id, lesson=seq, batch=batch))
    if not done:
        raise Rejected("已经是这样了，请刷新页面。", "wrong_state")
    await record(request, event, f"lesson/{seq if seq is not None else batch}")
    raise web.HTTPSeeOther(
        f"/learning/{seq}?told={event}" if seq is not None else f"/learning?tab=imported&told={event}"
    )


async def preview(request: web.Request) -> web.StreamResponse:
    """Read an uploaded history and show what would be learnt; nothing is taken yet."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    file = form.get("file")
    if not isinstance(file, web.FileField) or not file.filename:
        return await _page(request, 422, "请选择一个 .csv 或 .xlsx 文件。")
    room = MOST - (await engine.store.read(lessons.counts))[1]
    try:
        history = await _read(file.filename, file.file.read(), request, room)
    except ConfigError as error:
        return render(
            request, "lesson_import.html", 422, faults=error.faults[:SHOWN], total=len(error.faults), said=str(error)
        )
    draft = Draft(secrets.token_urlsafe(12), time.monotonic(), history)
    request.app[DRAFTS][viewer.person.id] = draft
    return render(request, "lesson_import.html", draft=draft, history=history, office=engine.office, faults=(), said="")


async def _read(name: str, data: bytes, request: web.Request, room: int) -> History:
    import asyncio

    county = request.app[ENGINE].office.county

    def read() -> History:
        with tempfile.TemporaryDirectory(prefix="qunban-") as folder:
            path = Path(folder) / f"file{Path(name).suffix.lower()}"
            path.write_bytes(data)
            return read_history(path, county, room)

    return await asyncio.to_thread(read)


async def import_(request: web.Request) -> web.StreamResponse:
    """Take in what was shown, as one batch (form field token)."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    draft = request.app[DRAFTS].pop(viewer.person.id, None)
    fresh = draft is not None and time.monotonic() - draft.at < PREVIEW_SECONDS
    if draft is None or not fresh or not secrets.compare_digest(draft.token, str(form.get("token", ""))):
        raise Rejected("预览已过期，请重新选择文件。")
    batch = f"i{secrets.token_hex(5)}"
    await engine.apply(lambda tx: lessons.add_batch(tx, batch, draft.history.rows, viewer.person.id))
    await record(request, "imported", f"lesson/{batch}")
    raise web.HTTPSeeOther("/learning?tab=imported&told=imported")


async def export(request: web.Request) -> web.StreamResponse:
    """Every lesson as CSV, a file that can be imported again."""
    engine = request.app[ENGINE]
    rows = await engine.store.read(lessons.everything)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(OUT)
    writer.writerows([escape(cell) for cell in line] for line in lines_of(rows, engine.office.county))
    await record(request, "exported", "lesson")
    headers = {"Content-Disposition": 'attachment; filename="lessons.csv"', "Cache-Control": "no-store"}
    return web.Response(
        body=out.getvalue().encode("utf-8-sig"), content_type="text/csv", charset="utf-8", headers=headers
    )
