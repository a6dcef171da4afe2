"""文字: what the bot says, text by text, in the office's own words; kept in the data folder's texts.toml and used at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.console import county_parts as parts
from bot.console.session import ENGINE, guarded, record, viewer_of
from bot.engine import Engine
from config.errors import ConfigError, Rejected
from config.texts import FILE, load_texts, save_texts
from handlers import wording
from handlers.tasks.texts import fields_of
from store import county_steps
from store.county_steps import CountyStep

PART = "texts"
SHIPPED = "shipped"
_saving = asyncio.Lock()


@dataclass(frozen=True, slots=True)
class Said:
    """One text as the list shows it."""

    name: str
    words: str
    own: bool


def add_routes(app: web.Application) -> None:
    """Both administrators look; the system administrator edits."""
    app.router.add_get("/county/texts", guarded(page, *parts.LOOK))
    app.router.add_post("/county/texts", guarded(put, parts.EDIT))
    app.router.add_post("/county/texts/undo", guarded(undo, parts.EDIT))


async def page(request: web.Request) -> web.StreamResponse:
    """Every text, and the one being edited."""
    return await _page(request, request.query.get("edit", ""))


async def _page(request: web.Request, name: str, typed: str = "", fault: str = "") -> web.Response:
    own = request.app[ENGINE].office.rules.texts
    asked = request.query.get("q", "").strip()
    groups = [
        (title, [Said(key, own.get(key, words), key in own) for key, words in part.items()])
        for title, part in wording.PARTS.items()
    ]
    found = [
        (title, [row for row in rows if asked in row.words or (asked == "改过" and row.own)]) for title, rows in groups
    ]
    shipped = wording.SHIPPED.get(name, "")
    words = typed or own.get(name, shipped)
    return await parts.show(
        request,
        "county_texts.html",
        PART,
        422 if fault else 200,
        groups=found,
        asked=asked,
        changed=len(own),
        name=name if shipped else "",
        shipped=shipped,
        words=words.strip(),
        own=name in own,
        fields=[(field, *wording.FIELDS[field]) for field in sorted(fields_of(shipped))],
        preview=wording.example(words).strip() if shipped and not fault else "",
        typed=bool(typed),
        fault=fault,
        lines=wording.LINES,
        length=wording.LENGTH,
    )


async def put(request: web.Request) -> web.StreamResponse:
    """Form fields name, words and what: look, save, or shipped (back to our words)."""
    form, engine = await request.post(), request.app[ENGINE]
    name, typed, what = (str(form.get(field, "")) for field in ("name", "words", "what"))
    if name not in wording.SHIPPED:
        raise Rejected("没有这段文字，请刷新页面。")
    if what == SHIPPED:
        wanted = ""
    else:
        try:
            wanted = wording.edited(name, typed)
        except Rejected as error:
            return await _page(request, name, typed, str(error))
        if what == "look":
            return await _page(request, name, wanted)
    await _keep(request, engine, name, "" if wanted == wording.SHIPPED[name] else wanted)
    raise web.HTTPSeeOther(f"/county/texts?told=ok&edit={name}")


async def undo(request: web.Request) -> web.StreamResponse:
    """Put the last change back (form field step)."""
    wanted, engine = str((await request.post()).get("step", "")), request.app[ENGINE]
    step = await engine.store.read(lambda c: county_steps.last(c, PART))
    now = next((row[1] for row in step.after if row[0] == step.before[0][0]), "") if step else ""
    if step is None or str(step.seq) != wanted or engine.office.rules.texts.get(step.before[0][0], "") != now:
        raise Rejected("这次改动之后又有人改过，不能撤销了，请直接改。", "wrong_state")
    name, words = step.before[0]
    await _keep(request, engine, name, words, step)
    raise web.HTTPSeeOther(f"/county/texts?told=undone&edit={name}")


async def _keep(request: web.Request, engine: Engine, name: str, words: str, undone: CountyStep | None = None) -> None:
    """The file first, then the record, then the office: what a crash leaves is read at the next start."""
    folder = _folder(engine)
    async with _saving:
        held = await asyncio.to_thread(_held, folder)
        if held is None or held != dict(engine.office.rules.texts):
            raise Rejected(f"数据目录里的 {FILE} 被人手工改过，请先改好并重启群办。", "wrong_state")
        if held.get(name, "") == words:
            raise Rejected("和现在一样，没有改动。")
        fresh = {**held, name: words} if words else {key: said for key, said in held.items() if key != name}
        await asyncio.to_thread(save_texts, folder, wording.own(fresh))
        actor, before, after = viewer_of(request).person.id, ((name, held.get(name, "")),), ((name, words),)
        if undone is None:
            step = await engine.store.write(lambda tx: county_steps.keep(tx, PART, actor, before, after))
        else:
            step = undone
            await engine.store.write(lambda tx: county_steps.mark_undone(tx, undone))
        await engine.reword(fresh)
    await record(request, "undone" if undone else "ok", f"county/texts/{step.seq}/{name}")


def _held(folder: Path) -> dict[str, str] | None:
    """What the file says; None when it cannot be read."""
    try:
        return load_texts(folder)
    except ConfigError:
        return None


def _folder(engine: Engine) -> Path:
    if engine.store.folder is None:
        raise Rejected("这里没有数据目录。")
    return engine.store.folder
