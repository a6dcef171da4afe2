"""预览: an edition as each group will see it, made by the very functions that send it, with its size beside the limit."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.console import chat
from bot.console.digest_frame import DAY, KEEPERS, VIEW, fields, show
from bot.console.session import ENGINE, guarded, record, viewer_of
from config.county import Group
from config.errors import Busy, Rejected
from handlers.editions import picturing, sending, timing
from handlers.events import Message
from handlers.office import Channel, Office
from store import edition_notes, editions, photos

if TYPE_CHECKING:
    from digests.rendering import Sheet

PICTURE_BYTES = 2 << 20  # platforms.md 3: a picture a WeCom robot takes
DRAWING, KEPT = 10.0, 4  # seconds a picture may take, pictures kept in memory
DRAWN: web.AppKey[dict[str, bytes]] = web.AppKey("drawn", dict)
MARKED = re.compile(r"\*\*(?P<bold>[^*\n]+)\*\*|\[(?P<words>[^\]\n]+)\]\((?P<url>https?://[^)\s]+)\)")
FORMS = {"text": "文字", "markdown": "排版文字", "news": "图文卡片", "picture": "长图"}


@dataclass(frozen=True, slots=True)
class Part:
    """One message: its size and the most its channel takes (0 = any), in bytes or cards."""

    message: Message
    size: int
    most: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one group is shown: by which channel, in which form, in which parts; `left` = lines it does not get.

    `able`: the channel can show that form; another is only looked at, by its limits.
    """

    group: Group
    channel: Channel
    form: str
    able: bool
    own: str
    parts: list[Part]
    lines: int
    left: int
    sheet: Sheet


def add_routes(app: web.Application) -> None:
    """Everybody of the digest looks; editors and administrators choose a group's form."""
    app[DRAWN] = {}
    app.router.add_get("/digest/preview", guarded(page, *VIEW))
    app.router.add_get("/digest/picture", guarded(picture, *VIEW))
    app.router.add_post("/digest/form", guarded(choose_form, *KEEPERS))


async def page(request: web.Request) -> web.StreamResponse:
    """One group at a time (?day=, ?group=), in its own form or another (?form=)."""
    found = await _found(request, request.query.get("form", ""))
    look, fault, size = found["look"], "", 0
    if look is not None and look.form == "picture":
        try:
            size = len(await _drawn(request, look.sheet))
        except (Busy, Rejected, OSError, TimeoutError) as error:
            fault = str(error) if isinstance(error, (Busy, Rejected)) else "长图没有画出来，请稍后再试。"
    said = "已改，下一次发送起照这个样子。" if request.query.get("told") else ""
    return show(
        request, "digest_preview.html", **found, forms=FORMS, laid=laid, spoken=timing.spoken, said=said, fault=fault,
        drawn=size, most_drawn=PICTURE_BYTES,
    )  # fmt: skip


async def picture(request: web.Request) -> web.StreamResponse:
    """The long picture of a group's edition, drawn as it would be to be sent."""
    look = (await _found(request, "picture"))["look"]
    if look is None:
        raise web.HTTPNotFound(text="没有内容。")
    body = await _drawn(request, look.sheet)
    return web.Response(body=body, content_type="image/png", headers={"Cache-Control": "private, no-store"})


async def _found(request: web.Request, form: str) -> dict[str, Any]:
    engine, query = request.app[ENGINE], request.query
    day = query.get("day", "") if DAY.fullmatch(query.get("day", "")) else ""
    look = partial(
        _look, office=engine.office, day=day, now=engine.store.now(), group=query.get("group", ""), form=form
    )
    return await engine.store.read(look)


async def _drawn(request: web.Request, shown: Sheet) -> bytes:
    """The picture's bytes; a file made only to be looked at does not stay."""
    from digests.rendering import sheet_json

    name, drawn, shop = picturing.name(shown), request.app[DRAWN], request.app[chat.SHOP]
    if name not in drawn:
        if not shop.picture(name).exists():
            async with asyncio.timeout(DRAWING):
                await shop.draw(name, sheet_json(shown))
        while len(drawn) >= KEPT:
            drawn.pop(next(iter(drawn)))
        drawn[name] = await asyncio.to_thread(shop.picture(name).read_bytes)
        if await request.app[ENGINE].store.read(lambda c: photos.drawing(c, name)) is None:
            await asyncio.to_thread(shop.erase, name)
    return drawn[name]


def _look(source: sqlite3.Connection, office: Office, day: str, now: int, group: str, form: str) -> dict[str, Any]:
    day = day or timing.edition_day(source, office, now)
    groups = [one for one in office.county.groups if office.address_of(one.id) and sending.printed(source, one, day)]
    chosen = next((one for one in groups if one.id == group), groups[0] if groups else None)
    return {
        "day": day,
        "edition": editions.get(source, day),
        "groups": groups,
        "look": _of(source, office, day, chosen, form) if chosen else None,
        "lines": len(editions.items(source, day)),
    }


def laid(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Markdown as WeCom lays it out: lines (h2, quote or p) of pieces (words, "" or "b" or a link's address)."""
    kinds = (("## ", "h2"), ("> ", "quote"))
    found = []
    for line in text.split("\n"):
        sign, kind = next(((sign, kind) for sign, kind in kinds if line.startswith(sign)), ("", "p"))
        found.append((kind, list(_pieces(line[len(sign) :]))))
    return found


def _pieces(line: str) -> Iterator[tuple[str, str]]:
    at = 0
    for match in MARKED.finditer(line):
        if match.start() > at:
            yield line[at : match.start()], ""
        yield (match["bold"], "b") if match["bold"] else (match["words"], match["url"])
        at = match.end()
    if at < len(line):
        yield line[at:], ""


def _of(source: sqlite3.Connection, office: Office, day: str, group: Group, form: str) -> Look | None:
    where = office.address_of(group.id)
    if where is None:
        return None
    channel = office.channels[where[0]]
    own = sending.form_of(source, group.id, channel)
    shown = form if form in FORMS else own
    lines = sending.printed(source, group, day)
    sheet = sending.sheet(office, day, lines)
    made = sending.messages(channel, sheet, shown)
    left = len(editions.items(source, day)) - len(lines)
    return Look(
        group, channel, shown, shown in channel.forms, edition_notes.form(source, group.id), [_part(one, channel) for one in made], len(lines), left, sheet)  # fmt: skip


def _part(message: Message, channel: Channel) -> Part:
    if message.form == "news":
        return Part(message, len(message.articles), channel.articles)
    most = channel.markdown_bytes if message.form == "markdown" else channel.text_bytes
    return Part(message, len(message.text.encode()), most)


async def choose_form(request: web.Request) -> web.StreamResponse:
    """How a group wants editions from now on (form fields group, form: "" = the channel's best, day)."""
    form, engine = await fields(request), request.app[ENGINE]
    group, wanted, day = form.get("group", ""), form.get("form", ""), form.get("day", "")
    where = engine.office.address_of(group)
    if where is None or (wanted and wanted not in engine.office.channels[where[0]].forms):
        raise Rejected("这个群不能这样显示，请刷新页面。")
    person = viewer_of(request).person.id
    await engine.apply(lambda tx: edition_notes.set_form(tx, group, wanted, person))
    await record(request, wanted or "default", f"group/{group}")
    raise web.HTTPSeeOther(f"/digest/preview?group={group}&told=form" + (f"&day={day}" if DAY.fullmatch(day) else ""))
