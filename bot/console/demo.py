"""Demo only: be anybody by a click, move the clock, play a story, look behind a message, start over (design 6b)."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web

from bot.console import behind
from bot.console.chat import PREPARER, SHOP
from bot.console.paste import NEWSROOM
from bot.console.session import ENGINE, WEB, guarded, render, viewer_of, wants_page
from bot.console.story import PACE, Storyteller
from bot.engine import Engine
from bot.media import PhotoShop
from bot.platforms.web import private_room
from config.county import ROLES, Person
from config.errors import Rejected
from config.files import shipped_county
from handlers.faq.askers import approving
from handlers.office import LEAD_ROLES, Office
from handlers.tasks import lifecycle
from store import faq, outbox, questions, sessions, tasks, timers
from store.demo import wipe
from store.tasks import Task

TELLER: web.AppKey[Storyteller] = web.AppKey("teller", Storyteller)
HEADINGS = ("reporter", "dispatcher", "verifier", "arbiter", "leader")  # roles that get a heading of their own
UNITS = {"分": 60, "小时": 3600, "天": 86400}
ANCHORS = "anchors.log"  # bot.maintenance: the second copy of anchors that are no more
PACES = re.compile(r"[0-9](\.[0-9])?")
FARTHEST = 30 * 86400  # seconds in one step of the demo's clock
TURNS = {
    "pending_confirmation": "确认派单",
    "dispatched": "签收",
    "accepted": "反馈",
    "in_progress": "反馈",
    "rework": "重新办理",
    "feedback_given": "核查",
    "returned": "改派",
}


@dataclass(frozen=True, slots=True)
class Cast:
    """A heading of the persona list and who stands under it."""

    label: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody an open task waits for, and what for."""

    person: Person
    number: str
    what: str


def add_routes(app: web.Application) -> None:
    """All of it is refused outside a demo."""
    post = {
        "persona": persona,
        "forward": forward,
        "story": story,
        "story/stop": stop,
        "reset": reset,
    }
    for path, handler in post.items():
        app.router.add_post(f"/demo/{path}", guarded(handler, demo_only=True))
    app.router.add_get("/demo/turns", guarded(turns, demo_only=True))
    app.router.add_get("/demo/inspect", guarded(inspect, demo_only=True))
    app[TELLER] = Storyteller(app[ENGINE], app[WEB], app[SHOP], app[PREPARER])
    app.on_cleanup.append(_hush)
    environment = aiohttp_jinja2.get_env(app)
    environment.filters.update(behind.FILTERS)
    environment.globals["demo_cast"] = lambda: cast(app[ENGINE].office)
    environment.globals["demo_now"] = lambda: app[ENGINE].store.now()
    environment.globals["demo_story"] = lambda: app[TELLER].progress


async def _hush(app: web.Application) -> None:
    await app[TELLER].stop()


def cast(office: Office) -> list[Cast]:
    """Everybody, by what they do: single roles first, then the units' officers."""
    people, taken, found = office.county.people, set[str](), []
    for role in HEADINGS:
        held = tuple(p for p in people if role in p.roles and p.id not in taken)
        taken.update(p.id for p in held)
        if held:
            found.append(Cast(ROLES[role], held))
    for unit in office.county.units:
        held = tuple(p for p in people if p.unit == unit.id and p.id not in taken and set(LEAD_ROLES) & set(p.roles))
        taken.update(p.id for p in held)
        if held:
            found.append(Cast(unit.name, held))
    rest = tuple(p for p in people if p.id not in taken)
    return [*found, Cast("管理", rest)] if rest else found


async def persona(request: web.Request) -> web.StreamResponse:
    """Go on as somebody else: form field person."""
    form = await request.post()
    person, engine, token = str(form.get("person", "")), request.app[ENGINE], viewer_of(request).token
    if person not in engine.office.people:
        raise Rejected("没有这个人。")
    await engine.store.write(lambda tx: sessions.become(tx, token, person))
    raise web.HTTPSeeOther(_back(request, person))


def _back(request: web.Request, person: str) -> str:
    """The page the click came from; the front page when it was a room this person is not in."""
    path = urlsplit(request.headers.get("Referer", "")).path
    if not path.startswith("/") or path.startswith("//"):
        return "/"
    if path.startswith("/g/"):
        rooms = {group.id for group in request.app[WEB].groups_of(person)} | {private_room(person)}
        return path if path[3:] in rooms else "/"
    return path


async def forward(request: web.Request) -> web.StreamResponse:
    """Let business time run ahead: form field seconds, or n and unit; seconds=next goes to the next thing due."""
    form, engine = await request.post(), request.app[ENGINE]
    seconds = await _seconds(engine, {name: str(form.get(name, "")) for name in ("seconds", "n", "unit")})
    now = await engine.clock.forward(seconds)
    await request.app[NEWSROOM].weigh_if_new()  # another day is in the making
    request.app[WEB].broadcast("clock", {"now": now})
    if wants_page(request):
        raise web.HTTPSeeOther(_back(request, viewer_of(request).person.id))
    return web.json_response({"now": now, "ahead": seconds})


async def _seconds(engine: Engine, form: dict[str, str]) -> int:
    if form["seconds"] == "next":
        return await _until_next(engine)
    if form["seconds"].isdigit():
        seconds = int(form["seconds"][:9])
    elif form["n"].isdigit() and form["unit"] in UNITS:
        seconds = int(form["n"][:6]) * UNITS[form["unit"]]
    else:
        raise Rejected("请填写要快进多久。")
    if not 0 < seconds <= FARTHEST:
        raise Rejected("一次最多快进 30 天。")
    return seconds


async def _until_next(engine: Engine) -> int:
    now = engine.store.now()
    due = await engine.store.read(lambda c: (timers.next_due(c), outbox.next_due(c, now)))
    ahead = [moment - now for moment in due if moment is not None and moment > now]
    if not ahead:
        raise Rejected("现在没有在等的时限。")
    return min(min(ahead), FARTHEST)


async def story(request: web.Request) -> web.StreamResponse:
    """Play the ready-made story, visibly, through the same pipeline. Form field pace: seconds between two steps."""
    wanted = str((await request.post()).get("pace", ""))
    pace = float(wanted) if PACES.fullmatch(wanted) else PACE
    room = request.app[TELLER].start(pace)
    return _answer(request, {"room": room}, f"/g/{room}#end")


async def stop(request: web.Request) -> web.StreamResponse:
    """Stop the story where it is."""
    await request.app[TELLER].stop()
    return _answer(request, {"state": "stopped"}, _back(request, viewer_of(request).person.id))


def _answer(request: web.Request, body: dict[str, Any], page: str) -> web.StreamResponse:
    if wants_page(request):
        raise web.HTTPSeeOther(page)
    return web.json_response(body)


async def turns(request: web.Request) -> web.StreamResponse:
    """Whom open tasks are waiting for, as buttons that turn the viewer into them."""
    engine = request.app[ENGINE]
    open_ = await engine.store.read(lambda c: [*_tax(c, engine.office), *_waiting(c, engine.office)])
    return render(request, "_turns.html", turns=[t for t in open_ if t.person.id != viewer_of(request).person.id][:4])


def _waiting(connection: sqlite3.Connection, office: Office) -> list[Turn]:
    found = []
    for task in sorted(tasks.of_states(connection, tuple(TURNS), 20), key=lambda t: -t.opened_at):
        person = _awaited(connection, office, task)
        if person is not None:
            found.append(Turn(person, task.number, TURNS[task.state]))
    return found


def _tax(connection: sqlite3.Connection, office: Office) -> list[Turn]:
    """Tax officers with a question to answer, and those who may approve what one of them wrote."""
    open_ = ((t.officer, t.number[1:], "答复") for t in reversed(questions.open_tickets(connection)))
    owing = ((d.author, d.number[1:], "补依据") for d in reversed(faq.drafts(connection, "basis")))
    review = (
        (next((p.id for p in approving(office, d.author)), ""), d.number[1:], "审核")
        for d in reversed(faq.drafts(connection, "review"))
    )
    found = {(person, what): number for person, number, what in (*owing, *open_, *review) if person in office.people}
    return [Turn(office.people[person], number, what) for (person, what), number in found.items()][:3]


def _awaited(connection: sqlite3.Connection, office: Office, task: Task) -> Person | None:
    if task.state in ("pending_confirmation", "returned"):
        return next(iter(office.with_role("dispatcher")), None)
    if task.state == "feedback_given":
        units = tasks.units(connection, task.id)
        people = (*(office.people.get(p) for p in tasks.reporters(connection, task.id)), *office.with_role("verifier"))
        return next((p for p in people if p is not None and p.unit not in units), None)
    return office.people.get(task.handler) or next(iter(office.staff(task.unit)), None)


async def inspect(request: web.Request) -> web.StreamResponse:
    """What stands behind a line: ?line=ID."""
    engine, line = request.app[ENGINE], request.query.get("line", "")
    found = await engine.store.read(lambda c: behind.look(c, engine.office, request.app[WEB].channel.name, line))
    if found is None:
        raise web.HTTPNotFound(text="没有这条消息的记录。")
    return render(
        request,
        "inspect.html",
        found=found,
        states=lifecycle.STATES,
        office=engine.office,
        bare="bare" in request.query,
    )


def _clear_files(folder: Path | None, shop: PhotoShop, shas: list[str]) -> None:
    for sha in shas:
        shop.erase(sha)
    if folder is not None:
        (folder / ANCHORS).unlink(missing_ok=True)


async def reset(request: web.Request) -> web.StreamResponse:
    """Start over with the shipped county: every row, photo and session goes; business time stays where it is."""
    if str((await request.post()).get("sure", "")) != "清空":
        raise Rejected("请先确认要清空演示数据。")
    engine, platform = request.app[ENGINE], request.app[WEB]
    await request.app[TELLER].stop()
    await engine.settle()
    shas = await engine.store.write(wipe)
    platform.forget_chatter()
    engine.inbox.windows.clear()
    if engine.office.hall is not None:
        engine.office.hall.clear()
    await engine.start(shipped_county())
    await asyncio.to_thread(_clear_files, engine.store.folder, request.app[TELLER].shop, shas)
    platform.broadcast("reset", {})
    platform.hang_up()
    if wants_page(request):
        raise web.HTTPSeeOther("/")
    return web.json_response({"state": "reset"})
