"""People and rights: strangers held for admission, roles, one-time codes, signing others out, and members' opinions."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from bot.console.rights import GRANTORS, ORDINARY, may_grant
from bot.console.session import ENGINE, denied, guarded, record, render, viewer_of
from bot.engine import Engine
from config.county import ROLES, Person
from config.errors import Rejected
from digests.screening import clean_name
from handlers.events import Message
from store import Tx, outbox, people, sessions

DAY = 24 * 3600
KINDS = {"person": 7 * DAY, "group": DAY, "login": DAY}  # how long a one-time code lasts
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no look-alikes; 8 of them are 40 bits, used once
PAGE = ("admin", *GRANTORS)
WORDS_LIMIT = 500


def add_routes(app: web.Application) -> None:
    """The administrator admits and makes codes; roles are the security administrator's."""
    app.router.add_get("/people", guarded(page, *PAGE))
    app.router.add_post("/people/admit", guarded(admit, "admin"))
    app.router.add_post("/people/decline", guarded(decline, "admin"))
    app.router.add_post("/people/code", guarded(make_code, *PAGE))
    app.router.add_post("/people/{person}/roles", guarded(set_roles, *PAGE))
    app.router.add_post("/people/{person}/logout", guarded(log_out, *PAGE))
    app.router.add_get("/opinions", guarded(opinions, "admin"))
    app.router.add_post("/opinions/{opinion}/reply", guarded(reply, "admin"))


async def page(request: web.Request) -> web.StreamResponse:
    """Everybody by unit, who waits, and which groups are bound where."""
    return await _page(request)


async def _page(request: web.Request, code: str = "", code_kind: str = "", subject: str = "") -> web.Response:
    engine, viewer, query = request.app[ENGINE], viewer_of(request), request.query
    office = engine.office
    waiting, logins = await engine.store.read(lambda c: (people.strangers(c), people.with_login(c)))
    unit = query.get("unit", "") if query.get("unit", "") in office.units else ""
    name = query.get("q", "").strip()
    found = [p for p in office.county.people if (not unit or p.unit == unit) and name in p.name]
    edited = office.people.get(query.get("edit", ""))
    grants = may_grant(viewer.person, office.county.people)
    return render(
        request,
        "people.html",
        waiting=waiting if viewer.has("admin") else [],
        found=found,
        logins=logins,
        unit=unit,
        name=name,
        edited=edited,
        grants=grants,
        ordinary=[(role, ROLES[role]) for role in (ROLES if grants else ORDINARY)],
        roles=ROLES,
        office=office,
        code=code,
        code_kind=code_kind,
        subject=subject,
        days=KINDS.get(code_kind, DAY) // DAY,
    )


def _stranger_of(form: MultiMapping[Any]) -> tuple[str, str]:
    return str(form.get("channel", "")), str(form.get("user", ""))


async def admit(request: web.Request) -> web.StreamResponse:
    """Bind a stranger to somebody registered (form field person), or register them (name, unit, role)."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    channel, user = _stranger_of(form)
    known = str(form.get("person", ""))
    made = None if known else _new_person(form, engine, may_grant(viewer.person, engine.office.county.people))
    if known and known not in engine.office.people:
        raise Rejected("请选择一个已登记的人。")

    def job(tx: Tx) -> bool:
        if people.waiting(tx, channel, user) is None:
            return False
        if made is not None:
            people.add(tx, made)
        people.bind(tx, channel, user, made.id if made else known)
        return True

    if not await engine.apply(job):
        raise Rejected("这个人已经处理过了，请刷新页面。", "wrong_state")
    await record(request, "ok", f"person/{made.id if made else known}")
    await _welcome(engine, made.id if made else known)
    raise web.HTTPSeeOther("/people")


def _new_person(form: MultiMapping[Any], engine: Engine, grants: bool) -> Person:
    typed, unit = str(form.get("name", "")).strip(), str(form.get("unit", ""))
    roles = tuple(role for role in form.getall("role", []) if role in (ROLES if grants else ORDINARY))
    if not typed or unit not in engine.office.units:
        raise Rejected("请填写姓名并选择单位，或者选择一个已登记的人。")
    return Person(f"p{secrets.token_hex(5)}", clean_name(typed), unit, roles or ("reporter",))


async def _welcome(engine: Engine, person: str) -> None:
    """Tell somebody admitted that their messages count from now on, where they can be written to alone."""
    where = engine.office.private_address(person)
    if where is not None:
        text = f"您已登记为{engine.office.person_name(person)}，可以上报了。刚才没有受理的请再发一次"
        await engine.apply(
            lambda tx: outbox.add(
                tx, f"welcome/{secrets.token_hex(8)}", *where, "help", Message(text).to_json(), person=person
            )
        )


async def decline(request: web.Request) -> web.StreamResponse:
    """Turn a stranger away; they are not answered again."""
    channel, user = _stranger_of(await request.post())
    await request.app[ENGINE].store.write(lambda tx: people.turn_away(tx, channel, user))
    await record(request, "declined")
    raise web.HTTPSeeOther("/people")


async def make_code(request: web.Request) -> web.StreamResponse:
    """A one-time code, shown once: check-in for a person or a group, or a first sign-in (form fields kind, subject)."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    kind, subject = str(form.get("kind", "")), str(form.get("subject", ""))
    known = engine.office.groups if kind == "group" else engine.office.people
    if kind not in KINDS or subject not in known:
        raise Rejected("请选择人或群。")
    if not await _may_make(engine, viewer.person, kind, subject):
        raise await denied(request, f"{kind}/{subject}")
    code = secrets.token_hex(16) if kind == "login" else "".join(secrets.choice(ALPHABET) for _ in range(8))

    def job(tx: Tx) -> None:
        people.void_codes(tx, kind, subject)
        people.make_code(tx, code, kind, subject, viewer.person.id, KINDS[kind])

    await engine.store.write(job)
    await record(request, "ok", f"code/{kind}/{subject}")
    return await _page(request, code, kind, subject)


async def _may_make(engine: Engine, maker: Person, kind: str, subject: str) -> bool:
    """Codes are the administrator's; a new password over an old one is the security administrator's, never one's own."""
    if kind != "login":
        return "admin" in maker.roles
    has_login = await engine.store.read(lambda c: sessions.login(c, subject) is not None)
    return (
        may_grant(maker, engine.office.county.people) if has_login else "admin" in maker.roles
    ) and subject != maker.id


async def set_roles(request: web.Request) -> web.StreamResponse:
    """Give somebody else exactly these roles; nobody changes their own."""
    form, engine, viewer = await request.post(), request.app[ENGINE], viewer_of(request)
    person = _known(request, engine)
    if not may_grant(viewer.person, engine.office.county.people) or person.id == viewer.person.id:
        raise await denied(request, f"person/{person.id}")
    roles = tuple(role for role in ROLES if role in form.getall("role", []))
    await engine.apply(lambda tx: people.set_roles(tx, person.id, roles))
    await record(request, "|".join(roles) or "none", f"roles/{person.id}")
    raise web.HTTPSeeOther("/people")


async def log_out(request: web.Request) -> web.StreamResponse:
    """End every session of a person."""
    engine = request.app[ENGINE]
    person = _known(request, engine).id
    await engine.store.write(lambda tx: sessions.end_all(tx, person))
    await record(request, "ok", f"logout/{person}")
    raise web.HTTPSeeOther("/people")


def _known(request: web.Request, engine: Engine) -> Person:
    person = engine.office.people.get(request.match_info["person"])
    if person is None:
        raise web.HTTPNotFound(text="没有这个人。")
    return person


async def opinions(request: web.Request) -> web.StreamResponse:
    """What members said they want changed."""
    engine = request.app[ENGINE]
    found = await engine.store.read(people.opinions)
    return render(request, "opinions.html", found=found, office=engine.office)


async def reply(request: web.Request) -> web.StreamResponse:
    """Answer an opinion, once; the answer goes to its sender alone."""
    form, engine, opinion = await request.post(), request.app[ENGINE], request.match_info["opinion"]
    words = str(form.get("text", "")).strip()
    if not words or len(words) > WORDS_LIMIT:
        raise Rejected(f"请写答复，{WORDS_LIMIT} 字以内。")

    def job(tx: Tx) -> bool:
        person = people.answer_opinion(tx, opinion, words)
        where = engine.office.private_address(person) if person else None
        if person and where:
            text = f"您的意见 {opinion} 已答复:{words}"
            outbox.add(tx, f"opinion/{opinion}", *where, "help", Message(text).to_json(), person=person)
        return person is not None

    if not await engine.apply(job):
        raise Rejected("这条意见已经答复过了，请刷新页面。", "wrong_state")
    await record(request, "ok", f"opinion/{opinion}")
    raise web.HTTPSeeOther("/opinions")
