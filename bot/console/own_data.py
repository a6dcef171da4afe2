"""我的数据: what is kept about oneself, for how long, to take away, to have corrected or deleted (个人信息保护法 第四十四至四十七条)."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.console.bureau import refuse_secrets
from bot.console.chat import SHOP
from bot.console.session import ENGINE, guarded, record, render, viewer_of
from bot.console.tasks import _label
from bot.papers import moment
from config.county import ROLES, Person
from config.errors import Rejected
from digests.personal import find_personal, mask
from handlers.office import Office
from handlers.people import TEXTS
from handlers.tasks.lifecycle import STATES
from store import own, people, sessions, totp

PICTURES = 300  # photos one file holds, the newest
LONGEST = 500
ASKS = {"correct": "更正", "delete": "删除", "explain": "说明处理情况"}
_making = asyncio.Semaphore(1)


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days things are kept (settings.toml)."""

    photos: int = 180
    text: int = 730
    audit: int = 400


KEPT: web.AppKey[Kept] = web.AppKey("kept", Kept)


def add_routes(app: web.Application) -> None:
    """For everybody, about themselves alone: no address names a person."""
    app.router.add_get("/account/data", guarded(page))
    app.router.add_post("/account/data", guarded(ask))
    app.router.add_get("/account/data.zip", guarded(take))


async def page(request: web.Request) -> web.StreamResponse:
    """Counts, terms, one's requests and their answers."""
    engine, person = request.app[ENGINE], viewer_of(request).person
    found: dict[str, Any] = await engine.store.read(
        lambda c: {
            "counts": own.counts(c, person.id),
            "accounts": people.accounts(c, person.id),
            "sessions": len(sessions.listing(c, person.id)),
            "login": sessions.login(c, person.id) is not None,
            "factor": totp.confirmed(c, person.id),
            "opinions": own.opinions(c, person.id),
        }
    )
    return render(
        request,
        "own_data.html",
        roles="、".join(ROLES.get(role, role) for role in person.roles),
        kept=request.app[KEPT],
        asks=ASKS,
        longest=LONGEST,
        pictures=PICTURES,
        privacy=privacy(request.app[KEPT]),
        office=engine.office,
        **found,
    )


def privacy(kept: Kept) -> list[str]:
    """The notice in lines, with the office's own days."""
    said = TEXTS["privacy"].replace("{days}", str(kept.photos))
    return said.replace(";", "；").replace(":", "：").split("\n")


async def ask(request: web.Request) -> web.StreamResponse:
    """Form fields: kind, text. The request becomes an opinion the administrator answers."""
    engine, person, form = request.app[ENGINE], viewer_of(request).person, await request.post()
    kind, words = str(form.get("kind", "")), str(form.get("text", "")).strip()
    if kind not in ASKS or not words or len(words) > LONGEST:
        raise Rejected(f"请选一项，并写明是哪一条、怎么办，{LONGEST} 字以内。")
    refuse_secrets((words,))
    text = f"【我的数据·{ASKS[kind]}】{mask(words, find_personal(words))}"
    if await engine.apply(lambda tx: own.request(tx, person.id, text)) is None:
        raise Rejected(f"您已有 {own.WAITING} 条申请在等答复，请等答复后再提。")
    await record(request, "ok", f"own_data/{kind}")
    raise web.HTTPSeeOther("/account/data#requests")


async def take(request: web.Request) -> web.StreamResponse:
    """One's own reports, steps, words and photos as a zip: a JSON file and pictures."""
    engine, person, shop = request.app[ENGINE], viewer_of(request).person, request.app[SHOP]
    told, pictures = await engine.store.read(
        lambda c: (gathered(c, person, engine.office), own.photos(c, person.id, PICTURES))
    )
    told = {"导出时间": moment(engine.store.now()), **told}
    async with _making:
        body = await asyncio.to_thread(packed, told, pictures, shop.path)
    await record(request, "ok", "own_data/zip")
    name = quote(f"我的数据-{moment(engine.store.now())[:10]}.zip")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "private, no-store"}
    return web.Response(body=body, content_type="application/zip", headers=headers)


def gathered(connection: sqlite3.Connection, person: Person, office: Office) -> dict[str, Any]:
    """Everything about one person in words; what others wrote is not in it."""
    roles = [ROLES.get(role, role) for role in person.roles]
    return {
        "本人": {"编号": person.id, "姓名": person.name, "单位": office.unit_name(person.unit), "角色": roles},
        "平台账号": [{"渠道": channel, "账号": user} for channel, user in people.accounts(connection, person.id)],
        "登录": [
            {"地址": address, "登录时间": moment(at), "最近使用": moment(seen)}
            for _, at, seen, address in sessions.listing(connection, person.id)
        ],
        "上报": [_report(one, office) for one in own.reports(connection, person.id)],
        "步骤": [
            {"时间": moment(one.at), "单号": one.number, "步骤": _label(one.event), "内容": one.words}
            for one in own.steps(connection, person.id)
        ],
        "对群办说的话": [
            {"时间": moment(at), "渠道": channel, "内容": json.loads(body).get("text", "")}
            for at, channel, body in own.said(connection, person.id)
        ],
        "意见和申请": [
            {"编号": one.id, "时间": moment(one.at), "内容": one.text, "答复": one.reply}
            for one in own.opinions(connection, person.id)
        ],
    }


def _report(one: own.Report, office: Office) -> dict[str, str]:
    return {
        "单号": one.number,
        "状态": STATES.get(one.state, one.state),
        "上报时间": moment(one.at),
        "内容": one.text,
        "地点": office.place_name(one.place) or one.place_text,
        "类别": office.category_name(one.category) if one.category else "",
        "承办单位": office.unit_name(one.unit),
        "结束时间": moment(one.ended_at),
    }


def packed(told: dict[str, Any], pictures: list[str], path: Callable[[str], Path]) -> bytes:
    """The zip. A picture whose file went meanwhile is left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("我的数据.json", json.dumps(told, ensure_ascii=False, indent=1))
        for n, sha in enumerate(pictures, 1):
            if (found := path(sha)).is_file():
                archive.write(found, f"照片/{n:03d}.jpg", zipfile.ZIP_STORED)
    return out.getvalue()
