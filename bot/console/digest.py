"""摘要: the edition in the making and its candidates; what editors change by hand, and the steps that let it go out.

Edits go through handlers/editions/desk.py; steps are clicks like a message, decided by the handler that hears 摘要 in the chat.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from bot.arrivals import day_of
from bot.candidates import run_day
from bot.console import cards, digest_archive, digest_choices, digest_history, digest_preview, digest_sources, leaders
from bot.console.bureau import click
from bot.console.digest_frame import DAY, EDITORS, VIEW, fields, number_of, show
from bot.console.digest_look import SEEN, look
from bot.console.session import ENGINE, guarded, viewer_of
from config.county import Person
from config.errors import Rejected
from digests.scoring import TERMS
from handlers.editions import desk, timing, wording
from handlers.office import Office
from store import Tx, editions

Form = dict[str, str]
Edit = Callable[[Form, Tx, Office, Person, str], object]
WORD = "摘要"
REASON = 200
TOLD = {
    "taken": "已收下，见下面的候选。",
    "open": "已收下，正在读。",
    "keep": "已入选。送审过的要重新送审。",
    "drop": "已剔除。",
    "order": "顺序已改。",
    "move": "顺序已改。",
    "reword": "文字已改。",
    "card": "卡片已放入。",
    "recompose": "已照最新候选重新组稿。",
    "ack": "已记下核对情况。",
    "begin": "已照候选组稿，请逐条看。",
}
FAULTS = {
    "unreadable": "网页读不出来：{why}",
    "refused": "没有收：{why}",
    "secret": "内容疑似涉密，没有保存，已告知保密员。",
}


def add_routes(app: web.Application) -> None:
    """The desk and its neighbours."""
    app.router.add_get("/digest", guarded(page, *VIEW))
    app.router.add_post("/digest/edit", guarded(edit, *EDITORS, "reviewer", "publisher"))
    app.router.add_post("/digest/steps", guarded(take_step, *EDITORS, "reviewer", "publisher"))
    for part in (cards, digest_archive, digest_choices, digest_history, digest_preview, digest_sources, leaders):
        part.add_routes(app)


async def page(request: web.Request) -> web.StreamResponse:
    """The edition of the day that is being made, or of another."""
    return await _page(request)


async def _page(
    request: web.Request, status: int = 200, said: str = "", fault: str = "", typed: str = "", day: str = ""
) -> web.Response:
    engine, query, person = request.app[ENGINE], request.query, viewer_of(request).person
    office, day = engine.office, await _day(request, day or query.get("day", ""))
    found = await engine.store.read(partial(look, office=office, day=day, person=person, everything="all" in query))
    today = day_of(engine.store.now())
    passed_by = await engine.store.read(lambda c: editions.get(c, today)) if day != today else None
    told = query.get("told", "") if status == 200 else ""
    why = query.get("why", "")
    return show(
        request,
        "digest.html",
        status,
        **found,
        day=day,
        spoken=timing.spoken(day),
        passed_by=passed_by,
        due=timing.clock(office.rules.digest_at),
        until=timing.clock(office.rules.digest_until),
        columns=desk.COLUMNS,
        terms=TERMS,
        pasted=told in (*FAULTS, "taken", "open"),
        most=desk.MOST,
        seen=found["edition"].hash[:SEEN] if found["edition"] else "",
        said=said or TOLD.get(told, ""),
        fault=fault or FAULTS.get(told, "").format(why=why),
        typed=typed,
        staffed=timing.staffed(office),
    )


async def _day(request: web.Request, asked: str) -> str:
    engine = request.app[ENGINE]
    if DAY.fullmatch(asked):
        return asked
    now = engine.store.now()
    return await engine.store.read(lambda c: timing.edition_day(c, engine.office, now))


async def edit(request: web.Request) -> web.StreamResponse:
    """One change by hand (form fields do, day, seen, and the change's own)."""
    form, engine, person = await fields(request), request.app[ENGINE], viewer_of(request).person
    name, day = form.get("do", ""), form.get("day", "")
    does = EDITS.get(name)
    if does is None or not DAY.fullmatch(day):
        raise Rejected("没有这个操作，请刷新页面后重试。")
    if len(form.get("why", "")) > REASON:
        raise Rejected(f"理由太长，请控制在{REASON}字以内。")
    if name in ("begin", "recompose"):
        await run_day(engine.store, engine.office.county, day)
    try:
        await engine.apply(lambda tx: does(form, tx, engine.office, person, day))
    except Rejected as error:
        return await _page(request, 409, fault=str(error), typed=form.get("text", ""), day=day)
    raise web.HTTPSeeOther(f"/digest?day={day}&told={name}{_anchor(form)}")


def _anchor(form: Form) -> str:
    return f"#line-{form['pos']}" if form.get("pos", "").isdigit() and form["do"] in ("reword", "ack") else ""


def _begin(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    if "editor" not in person.roles:
        raise Rejected("只有摘要编辑可以改内容。", "not_allowed")
    return desk.begin(tx, office, day)


def _keep(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    item, column = number_of(form.get("item", "")), form.get("column", "")
    return desk.keep(tx, office, person, day, item, column, form.get("why", ""), seen=form.get("seen", ""))


def _drop(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    pos = number_of(form.get("pos", ""))
    return desk.drop(tx, office, person, day, pos, form.get("why", ""), seen=form.get("seen", ""))


def _order(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    return desk.order(tx, office, person, day, ordered(form), seen=form.get("seen", ""))


def ordered(form: Form) -> list[int]:
    """The present numbers in the order asked for: by ↑↓ (`move`: "3:up"), or by the numbers typed (`place-3`: "1")."""
    places = {int(name[6:]): number_of(typed) for name, typed in form.items() if name.startswith("place-")}
    pos, _, way = form.get("move", "").partition(":")
    if way:
        now = sorted(places)
        at = now.index(number_of(pos)) if number_of(pos) in places else -1
        to = at + (-1 if way == "up" else 1)
        if at < 0 or not 0 <= to < len(now):
            raise Rejected("已经在头上或末尾了。")
        now[at], now[to] = now[to], now[at]
        return now
    # a typed number wins over who stands there: coming from below before it, from above behind it
    return sorted(places, key=lambda pos: (places[pos], (places[pos] > pos) - (places[pos] < pos), pos))


def _reword(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    pos, text = number_of(form.get("pos", "")), form.get("text", "").replace("\r\n", "\n")
    return desk.reword(tx, office, person, day, pos, form.get("title", ""), text, seen=form.get("seen", ""))


def _card(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    return desk.put_card(tx, office, person, day, number_of(form.get("card", "")), seen=form.get("seen", ""))


def _recompose(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    return desk.recompose(tx, office, person, day, seen=form.get("seen", ""))


def _ack(form: Form, tx: Tx, office: Office, person: Person, day: str) -> object:
    pos = number_of(form.get("pos", ""))
    return wording.acknowledge(tx, person, day, pos, form.get("why", ""), seen=form.get("seen", ""))


EDITS: dict[str, Edit] = {
    "begin": _begin,
    "keep": _keep,
    "drop": _drop,
    "order": _order,
    "reword": _reword,
    "card": _card,
    "recompose": _recompose,
    "ack": _ack,
}
STEPS = ("送审", "通过", "签发", "退回", "不发", "重开")
BOUND = ("送审", "通过", "签发", "退回")  # carry the hash of what was looked at


async def take_step(request: web.Request) -> web.StreamResponse:
    """送审, 通过, 签发, 退回, 不发, 重开 as the chat would hear it (form fields step, seen, why, permit)."""
    form = await fields(request)
    step, seen, why = form.get("step", ""), form.get("seen", ""), " ".join(form.get("why", "").split())
    if step not in STEPS:
        raise Rejected("没有这个操作，请刷新页面后重试。")
    if len(why) > REASON:
        raise Rejected(f"理由太长，请控制在{REASON}字以内。")
    words = " ".join(filter(None, (step, seen if step in BOUND else "", why)))
    day = form.get("day", "")
    try:
        if step == "不发" and day != await _day(request, ""):
            raise Rejected("只能对正在做的这一期定为不发，请刷新页面。", "wrong_state")
        said = await click(request, form.get("permit", ""), WORD, "", words)
    except Rejected as error:
        return await _page(request, 409, fault=str(error), day=day)
    return await _page(request, said=said, day=day)
