"""The tax pages are for the tax bureau: its people and those on the roster, as in the chat. Deny is the default.

`officers` guards a route, `chiefs` one that only the bureau's leader and deputies take; `click` asks the chat's own handler.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from aiohttp import web

from bot.console.session import ENGINE, Handler, denied, guarded, viewer_of
from config.county import Person
from config.errors import Rejected
from digests.screening import find_secret
from handlers.events import CONSOLE, Event, Facts
from handlers.faq import askers
from handlers.office import Office
from handlers.turn import Turn
from store import Tx

CHIEFS = ("deputy", "unit_leader")
PERMIT = re.compile(r"[A-Za-z0-9_-]{8,64}")
PATIENCE = 2.0  # seconds a POST waits for its decision (design 3)
LATER = "已收到，正在处理，请稍后刷新。"


def is_officer(connection: sqlite3.Connection, office: Office, person: Person, now: int) -> bool:
    """What the chat would say of this person, asked the way a decision asks it."""
    event = Event(CONSOLE, "", "click", sender=person.id, at=now)
    return askers.is_officer(Turn(Tx(connection, now), event, Facts(), office, person), person)


def is_chief(office: Office, person: Person) -> bool:
    """Whether a person leads the bureau."""
    return askers.BUREAU in office.unit_name(person.unit) and bool(set(CHIEFS).intersection(person.roles))


def officers(handler: Handler) -> Handler:
    """Only whoever answers tax questions."""

    async def guard(request: web.Request) -> web.StreamResponse:
        engine, person = request.app[ENGINE], viewer_of(request).person
        now = engine.store.now()
        if not await engine.store.read(lambda c: is_officer(c, engine.office, person, now)):
            raise await denied(request)
        return await handler(request)

    return guarded(guard)


def chiefs(handler: Handler) -> Handler:
    """Only whoever leads the bureau."""

    async def guard(request: web.Request) -> web.StreamResponse:
        if not is_chief(request.app[ENGINE].office, viewer_of(request).person):
            raise await denied(request)
        return await handler(request)

    return guarded(guard)


async def click(request: web.Request, permit: str, word: str, subject: str, text: str) -> str:
    """A word about a numbered thing, decided in order by the handler that hears it in the chat; what that says back."""
    if not PERMIT.fullmatch(permit):
        raise Rejected("页面已过期，请刷新后重试。")
    engine, person = request.app[ENGINE], viewer_of(request).person
    event = Event(
        CONSOLE, f"{person.id}/{permit}", "click", sender=person.id, subject=subject, action=word, text=text.strip()
    )
    receipt = (await engine.inbox.accept((event,)))[0]
    if receipt.state == "secret":
        raise Rejected("内容疑似涉密，没有保存。请报告保密员。")
    if receipt.state == "known":
        return "已提交过，不再重复。"
    decision = await engine.inbox.decision(receipt.seq, PATIENCE)
    if decision is not None and decision.refused:
        raise Rejected(decision.answer or "没有成功，请刷新后重试。", decision.refused)
    return decision.answer if decision is not None else LATER


def refuse_secrets(texts: Iterable[str]) -> None:
    """Nothing that looks secret is written down."""
    found = find_secret("\n".join(texts))
    if found is not None and found.level != "warn":
        raise Rejected("内容疑似涉密，没有保存。请报告保密员。")
