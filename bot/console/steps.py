"""Taking a step from the task page: a click is an event like a message, accepted, decided in order, waited for."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from bot.console import chat
from bot.console.forms import ASKS
from bot.console.session import ENGINE, Viewer, guarded, viewer_of
from bot.console.tasks import find_task, full_number, show_task
from config.errors import Rejected
from handlers import commands
from handlers.events import CONSOLE, Event, Photo
from handlers.office import Office
from handlers.tasks import lifecycle
from store.tasks import Task

PERMIT = re.compile(r"[A-Za-z0-9_-]{8,64}")
PATIENCE = 2.0  # seconds a POST waits for its decision (design 3)
WORDS_LIMIT = 500
PHOTOS = 9


def add_routes(app: web.Application) -> None:
    """One address takes every step; which are allowed, the decision says."""
    app.router.add_post("/tasks/{number}/steps", guarded(take_step))


async def take_step(request: web.Request) -> web.StreamResponse:
    """A step as a click event: accepted like a message, decided in order, waited for two seconds."""
    task, _ = await find_task(request)
    form, viewer, engine = await request.post(), viewer_of(request), request.app[ENGINE]
    event = str(form.get("event", ""))
    if event not in lifecycle.EVENTS:
        raise Rejected("没有这个操作，请刷新页面后重试。")
    try:
        click = await _click(request, viewer, task, event, form)
    except Rejected as error:
        return await show_task(
            request, 422, fault=str(error), typed=str(form.get("text", ""))[:WORDS_LIMIT], tried=event
        )
    receipt = (await engine.inbox.accept((click,)))[0]
    told = "done"
    if receipt.state == "secret":
        return await show_task(request, 422, fault="内容疑似涉密，没有保存。请报告保密员。", tried=event)
    if receipt.state == "known":
        told = "known"
    else:
        decision = await engine.inbox.decision(receipt.seq, PATIENCE)
        if decision is None:
            told = "later"
        elif decision.refused:
            return await show_task(
                request, 409, fault=decision.answer or "没有成功，请刷新后重试。", typed=click.text, tried=event
            )
    raise web.HTTPSeeOther(f"/tasks/{full_number(task)}?told={told}#do")


async def _click(request: web.Request, viewer: Viewer, task: Task, event: str, form: MultiMapping[Any]) -> Event:
    """What the form says, checked only for shape: whether it is allowed, the decision says."""
    permit, words = str(form.get("permit", "")), str(form.get("text", "")).strip()
    if not PERMIT.fullmatch(permit):
        raise Rejected("页面已过期，请刷新后重试。")
    if len(words) > WORDS_LIMIT:
        raise Rejected(f"文字太长，请控制在 {WORDS_LIMIT} 字以内。")
    word = str(form.get("word", ""))
    if commands.VERBS.get(word) is None:
        raise Rejected("没有这个操作，请刷新页面后重试。")
    if ASKS.get(event) == "unit":
        words = _unit_words(request.app[ENGINE].office, str(form.get("unit", "")), words)
    photos = await _photos(request, form) if event == "feed_back" else ()
    return Event(
        CONSOLE,
        f"{viewer.person.id}/{permit}",
        "click",
        sender=viewer.person.id,
        subject=full_number(task),
        action=word,
        text=words,
        photos=photos,
    )


def _unit_words(office: Office, unit: str, words: str) -> str:
    if unit not in office.units:
        raise Rejected("请选择单位。")
    return f"{office.unit_name(unit)} {words}".strip()


async def _photos(request: web.Request, form: MultiMapping[Any]) -> tuple[Photo, ...]:
    files = [f for f in form.getall("photo", []) if isinstance(f, web.FileField) and f.filename]
    if len(files) > PHOTOS:
        raise Rejected(f"一次最多 {PHOTOS} 张照片。")
    shas = []
    for file in files:
        made = await request.app[chat.SHOP].clean(file.file.read())
        shas.append(await request.app[chat.PREPARER].register(made))
    return tuple(Photo(sha, sha) for sha in dict.fromkeys(shas))
