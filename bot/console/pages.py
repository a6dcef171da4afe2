"""今天要办, and the list of everything the office's console consists of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot.console import (
    audit,
    county,
    delivery,
    digest,
    duties,
    exports,
    faq,
    help,
    learning,
    own_data,
    paste,
    people,
    rehearsal,
    statistics,
    steps,
    tasks,
)
from bot.console import digest_frame as editing
from bot.console import twins as twin_pages
from bot.console.forms import Asker
from bot.console.rights import scope_of
from bot.console.session import ENGINE, Viewer, guarded, render, viewer_of
from bot.console.tasks import Row, rows_of
from handlers.office import Office
from handlers.tasks import lifecycle
from store import board, inbox, outbox, twins
from store import exports as requests
from store import people as directory
from store.board import Filter

PARTS = (
    tasks,
    steps,
    delivery,
    people,
    learning,
    duties,
    statistics,
    twin_pages,
    paste,
    digest,
    faq,
    rehearsal,
    exports,
    county,
    help,
    audit,
    own_data,
)
SHOWN = 12  # rows a section shows; the rest is a link to the board
LOOKED_AT = 500  # open tasks in scope that are sorted into sections


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of today's page: which of the viewer's tasks stand under it, and where all of them are."""

    title: str
    belongs: Callable[[Row, frozenset[str]], bool]
    more: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do that is no task: how many, and where."""

    title: str
    count: int
    href: str


SECTIONS = (
    Section("待确认", lambda row, can: row.task.state == "pending_confirmation" and "confirm" in can, "state=pending_confirmation"),
    Section("退单待裁", lambda row, can: row.task.state == "returned" and "reassign" in can, "state=returned"),
    Section("已超时", lambda row, can: row.mark == "overdue" and bool(can & {"feed_back", "force_close"}), "late=1"),
    Section("待签收", lambda row, can: "accept" in can, "state=dispatched"),
    Section("临期", lambda row, can: row.mark == "due_soon" and "feed_back" in can, ""),
    Section("待核查", lambda row, can: "verify_ok" in can, "state=feedback_given"),
    Section("办理中", lambda row, can: "feed_back" in can, ""),
)  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Today, and every part."""
    app.router.add_get("/today", guarded(today))
    for part in PARTS:
        part.add_routes(app)


async def today(request: web.Request) -> web.StreamResponse:
    """Only what this person may act on, each task once, under the first heading that fits."""
    engine, viewer = request.app[ENGINE], viewer_of(request)
    now = engine.store.now()
    sections, duties = await engine.store.read(
        lambda c: (
            _sections(Asker(c, engine.office, viewer.person, now)),
            [*_duties(c, viewer), *_of_digest(c, engine.office, viewer, now)],
        )
    )
    return render(
        request,
        "today.html",
        sections=sections,
        duties=duties,
        limit=SHOWN,
        office=engine.office,
        states=lifecycle.STATES,
        now=now,
    )


def _sections(asker: Asker) -> list[tuple[Section, list[Row]]]:
    connection, now = asker.connection, asker.now
    found = board.first(connection, scope_of(asker.person), Filter(), now, LOOKED_AT - 1)
    sorted_in: dict[str, list[Row]] = {section.title: [] for section in SECTIONS}
    for row in rows_of(connection, found, now):
        can = frozenset(form.event for form in asker.forms(row.task, row.units, row.reporters))
        title = next((section.title for section in SECTIONS if section.belongs(row, can)), None)
        if title is not None:
            sorted_in[title].append(row)
    return [(section, sorted_in[section.title]) for section in SECTIONS if sorted_in[section.title]]


def _duties(connection: sqlite3.Connection, viewer: Viewer) -> list[Duty]:
    found: list[Duty] = []
    if viewer.has(*delivery.ROLES):
        states = outbox.counts(connection)
        found += [
            Duty("结果不明的通知", states.get("unknown", 0), "/delivery?state=unknown"),
            Duty("没有送达的通知", states.get("dead", 0), "/delivery?state=dead"),
            Duty("停放的消息", len(inbox.parked(connection)), "/delivery#parked"),
        ]
    if viewer.has("dispatcher"):
        found.append(Duty("可能重复的工单", len(twins.standing(connection)), "/twins"))
    if viewer.has("admin"):
        found += [
            Duty("待登记的人", len(directory.strangers(connection)), "/people"),
            Duty("待答复的意见", directory.unanswered(connection), "/opinions"),
        ]
    if viewer.has(*exports.GRANTORS):
        found.append(Duty("待同意的导出", requests.waiting(connection, viewer.person.id), "/exports"))
    return [duty for duty in found if duty.count]


def _of_digest(connection: sqlite3.Connection, office: Office, viewer: Viewer, now: int) -> list[Duty]:
    """The step of the edition in the making, where it is this person's turn, and corrections they may let pass."""
    if not viewer.has(*editing.VIEW):
        return []
    waiting = Duty(*editing.turn_of(connection, office, viewer.person, now), "/digest")
    passing = editing.to_pass(connection, viewer.person)
    found = (waiting, Duty("待通过的更正", passing, "/digest/history"))
    return [duty for duty in found if duty.count]
