"""来源: how every source fares, trying one out, turning it on or off; and what became of what people handed in."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.console.digest_frame import KEEPERS, VIEW, fields, show
from bot.console.paste import NEWSROOM
from bot.console.session import ENGINE, guarded, record
from bot.intake import is_on
from bot.source_check import try_address
from config.digest.sources import Source
from config.errors import Busy, Rejected
from store import Tx, digest, sources
from store.sources import Fetch, SourceState, Submission

TRY_SECONDS = 45.0
REST = 20.0  # seconds between two trials by hand: a site is not hammered by clicks
WEEK = 7 * 86400
LOG = 5
HANDED = 20
TRIED: web.AppKey[dict[str, float]] = web.AppKey("sources_tried", dict)
KINDS = {"feed": "RSS", "json": "JSON 列表", "html": "网页列表", "gkmlpt": "政府信息公开平台", "manual": "人工转发"}
HANDED_STATES = {"open": "在读", "taken": "已收下", "unreadable": "读不出来", "refused": "没有收"}


@dataclass(frozen=True, slots=True)
class Row:
    """One source as the page shows it: sign is ok, new (never asked yet), off, bad or manual."""

    source: Source
    state: SourceState
    on: bool
    sign: str
    said: str
    items: int
    log: list[Fetch]


def add_routes(app: web.Application) -> None:
    """Everybody of the digest looks; editors and administrators try and turn."""
    app[TRIED] = {}
    app.router.add_get("/digest/sources", guarded(page, *VIEW))
    app.router.add_post("/digest/sources/try", guarded(try_out, *KEEPERS))
    app.router.add_post("/digest/sources/turn", guarded(turn, *KEEPERS))


async def page(request: web.Request) -> web.StreamResponse:
    """All sources, those in trouble first."""
    return await _page(request)


async def _page(request: web.Request, tried: Source | None = None, found: dict[str, Any] | None = None) -> web.Response:
    engine, table = request.app[ENGINE], request.app[NEWSROOM].table
    now = engine.store.now()
    rows, handed, blocked = await engine.store.read(lambda c: _look(c, table, now))
    told = {"on": "已启用，一分钟内开始抓取。", "off": "已停用。", "again": "会再试一次。"}
    return show(
        request,
        "digest_sources.html",
        rows=rows,
        handed=handed,
        blocked=blocked,
        kinds=KINDS,
        handed_states=HANDED_STATES,
        tried=tried,
        found=found,
        said=told.get(request.query.get("told", ""), ""),
        now=now,
    )


def _look(
    source: sqlite3.Connection, table: tuple[Source, ...], now: int
) -> tuple[list[Row], list[Submission], list[tuple[str, str, int]]]:
    states, items = sources.states(source), digest.per_source(source)
    rows = [_row(source, one, states.get(one.id, SourceState(one.id)), items.get(one.id, 0)) for one in table]
    order = {"bad": 0, "ok": 1, "new": 1, "off": 2, "manual": 3}
    rows.sort(key=lambda row: order[row.sign])
    handed = [
        replace(one, title=one.title or digest.read(source, one.item or 0)[0])
        for one in sources.submissions(source, HANDED)
    ]
    return rows, handed, digest.blocked_since(source, now - WEEK)


def _row(connection: sqlite3.Connection, source: Source, state: SourceState, items: int) -> Row:
    on = is_on(source, state)
    if not source.asks:
        sign, said = "manual", source.why or "没有填地址"
    elif state.manual or (on and state.error):
        sign, said = "bad", state.error or "网站要求验证"
    else:
        sign, said = ("off" if not on else "ok" if state.ok_at else "new"), state.error
    return Row(source, state, on, sign, said, items, sources.fetches(connection, source.id, LOG))


async def try_out(request: web.Request) -> web.StreamResponse:
    """Fetch a source's list once and show what is in it; nothing is stored (form field source)."""
    source = _named(request, (await fields(request)).get("source", ""))
    if not source.asks:
        raise Rejected(f"{source.name}不能自动抓取：{source.why or '没有填地址'}。")
    tried, now = request.app[TRIED], time.monotonic()
    if now - tried.get(source.id, -REST) < REST:
        raise Rejected("刚试过，请过20秒再试。")
    tried[source.id] = now
    folder = request.app[ENGINE].store.folder or Path()
    try:
        async with asyncio.timeout(TRY_SECONDS):
            found = await try_address(source.list, folder, source.id, source.kind, source.inside)
    except TimeoutError:
        found = {"error": f"{TRY_SECONDS:.0f}秒内没有读完"}
    except Busy as error:
        found = {"error": str(error)}
    await record(request, "tried", f"source/{source.id}")
    return await _page(request, source, found)


async def turn(request: web.Request) -> web.StreamResponse:
    """开, 停 or 再试 (form fields source and wanted: on, off, again)."""
    form = await fields(request)
    source, wanted = _named(request, form.get("source", "")), form.get("wanted", "")
    if wanted not in ("on", "off", "again"):
        raise Rejected("没有这个操作，请刷新页面后重试。")
    if wanted != "off" and not source.asks:
        raise Rejected(f"{source.name}不能自动抓取：{source.why or '没有填地址'}。")

    def job(tx: Tx) -> None:
        if wanted != "again":
            sources.turn(tx, source.id, wanted == "on")
        if wanted != "off":
            sources.wake(tx, source.id)

    await request.app[ENGINE].apply(job)
    await record(request, wanted, f"source/{source.id}")
    raise web.HTTPSeeOther(f"/digest/sources?told={wanted}")


def _named(request: web.Request, name: str) -> Source:
    found = next((one for one in request.app[NEWSROOM].table if one.id == name), None)
    if found is None:
        raise Rejected("没有这个来源，请刷新页面。")
    return found
