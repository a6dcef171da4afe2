"""The task board and the task page, within what the viewer may see."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web
from multidict import MultiMapping

from bot.console import views as saved_views
from bot.console.forms import CORRECTIONS, Asker, Form
from bot.console.rights import scope_of, sees
from bot.console.search import words_of
from bot.console.session import ENGINE, denied, guarded, record, render, viewer_of
from bot.console.twins import Pair, pairs_of
from bot.console.views import FILTERS, query_of
from handlers.calendar import local
from handlers.coordinates import gcj02
from handlers.office import Office
from handlers.tasks import lifecycle
from store import board, history, photos, tasks, views
from store.board import PAGE, RUNNING, Filter
from store.history import HistoryRow
from store.tasks import Task, TaskPhoto

NUMBER = re.compile(r"#?((?:20\d{2})?\d{4})?-?(\d{1,6})")
SOON = 4 / 5  # of the limit (ux.md F1)
RECENT_DAYS = 31  # how far back a bare serial is looked for
LABELS = {
    "open": "上报",
    "dispatch": "派单",
    "relay": "转告下一责任人",
    "overdue": "超时",
    "recall": "撤回消息",
    "photo": "补充照片",
    "report_again": "再次上报",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A task as the board shows it. `mark`: overdue, due_soon or empty."""

    task: Task
    units: list[str]
    reporters: list[str]
    mark: str

    @property
    def link(self) -> str:
        """Where its page is."""
        return f"/tasks/{full_number(self.task)}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything the task page shows."""

    row: Row
    steps: list[HistoryRow]
    notes: dict[int, str]
    report: list[TaskPhoto]
    evidence: list[TaskPhoto]
    undelivered: int
    forms: list[Form]
    pairs: list[Pair]
    where: str = ""
    where_after: str = ""


def add_routes(app: web.Application) -> None:
    """Everybody signed in may come; what they see is their scope."""
    aiohttp_jinja2.get_env(app).filters["page"] = _page_link
    app.router.add_get("/tasks", guarded(board_page))
    saved_views.add_routes(app)
    app.router.add_get("/tasks/{number}", guarded(task_page))


def _page_link(query: MultiMapping[str], page: int) -> str:
    """The same filters on another page."""
    return urlencode({**{name: query[name] for name in FILTERS if name in query}, "page": page})


def full_number(task: Task) -> str:
    """The number that means one task for good: YYYYMMDD-NNN."""
    return f"{task.day}-{task.serial:03d}" if task.day and task.serial else task.id


def mark_of(task: Task, now: int) -> str:
    """Whether the unit's limit is used up, or four fifths of it."""
    if task.state not in RUNNING or task.due_at is None:
        return ""
    if task.due_at < now:
        return "overdue"
    start = task.dispatched_at or task.opened_at
    return "due_soon" if now - start >= (task.due_at - start) * SOON else ""


def rows_of(connection: sqlite3.Connection, found: list[Task], now: int) -> list[Row]:
    """Tasks with their units and reporters."""
    units, reporters = board.sides(connection, [task.id for task in found])
    return [
        Row(task, [u for u in units.get(task.id, [task.unit]) if u], reporters.get(task.id, []), mark_of(task, now))
        for task in found
    ]


async def board_page(request: web.Request) -> web.StreamResponse:
    """Open tasks, the overdue first; filters stand in the address."""
    viewer, engine, query = viewer_of(request), request.app[ENGINE], request.query
    now = engine.store.now()
    scope, wanted = scope_of(viewer.person), _filter(query, engine.office, now)
    page = int(query["page"]) if re.fullmatch(r"\d{1,4}", query.get("page", "")) else 0
    rows, late, saved = await engine.store.read(
        lambda c: (
            rows_of(c, board.find(c, scope, wanted, now, page), now),
            board.count_overdue(c, scope, now),
            views.of(c, viewer.person.id),
        )
    )
    return render(
        request,
        "board.html",
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
        page_no=page,
        late=late,
        scope=scope,
        asked=query,
        views=saved,
        filtered=query_of(query),
        office=engine.office,
        states=lifecycle.STATES,
        now=now,
    )


def _filter(query: MultiMapping[str], office: Office, now: int) -> Filter:
    """The address's words as a filter; what is unknown narrows nothing."""
    states = (query["state"],) if query.get("state", "") in lifecycle.STATES else ()
    unit = query.get("unit", "") if query.get("unit", "") in office.units else ""
    ended, overdue = query.get("state", "") == "ended", query.get("late", "") == "1"
    found = NUMBER.fullmatch("".join(query.get("q", "").split()).replace("－", "-").replace("—", "-"))
    if found is None:
        words = words_of(query.get("q", ""), office)
        return Filter(unit, states, overdue, ended=ended, words=words, anywhere=not (states or ended or overdue))
    return Filter(unit, days=_days(found[1] or "", now), serial=int(found[2]))


def _days(typed: str, now: int) -> tuple[str, ...]:
    """The days a typed number may mean: its own, the same day of three years, or without one the last month's."""
    today = local(now).date()
    if len(typed) == 8:
        return (typed,)
    if typed:
        return tuple(f"{today.year - ago}{typed}" for ago in range(3))
    return tuple(f"{today - timedelta(days=ago):%Y%m%d}" for ago in range(RECENT_DAYS))


async def find_task(request: web.Request) -> tuple[Task, Row]:
    """The task the address names, if the viewer may see it; else 404 or an audited 403."""
    engine, viewer, number = request.app[ENGINE], viewer_of(request), request.match_info["number"]

    def query(connection: sqlite3.Connection) -> tuple[Task | None, bool]:
        task = tasks.by_number(connection, number)
        return task, task is not None and sees(connection, viewer.person, task)

    task, allowed = await engine.store.read(query)
    if task is None:
        raise web.HTTPNotFound(text="没有这张工单。")
    if not allowed:
        raise await denied(request, task.id)
    rows = await engine.store.read(lambda c: rows_of(c, [task], engine.store.now()))
    return task, rows[0]


async def task_page(request: web.Request) -> web.StreamResponse:
    """One task with its whole story and what the viewer may do; who looked is in the audit (security.md T31)."""
    page = await show_task(request)
    await record(request, "ok", f"task/{request.match_info['number']}")
    return page


async def show_task(request: web.Request, status: int = 200, **said: str) -> web.Response:
    """The page, with what came of a step: `tell` or `fault`, and what was `typed` into the form that was `tried`."""
    task, row = await find_task(request)
    engine, viewer = request.app[ENGINE], viewer_of(request)
    now = engine.store.now()
    sheet = await engine.store.read(lambda c: _sheet(Asker(c, engine.office, viewer.person, now), row))
    return render(
        request,
        "task.html",
        status,
        sheet=sheet,
        row=row,
        task=task,
        number=full_number(task),
        forms=sheet.forms,
        permit=secrets.token_urlsafe(12),
        office=engine.office,
        states=lifecycle.STATES,
        label=_label,
        choices=[unit for unit in task.choices.split("|") if unit in engine.office.units],
        corrections=CORRECTIONS,
        now=now,
        tell=said.get("tell", _told(request.query.get("told", ""))),
        fault=said.get("fault", ""),
        typed=said.get("typed", ""),
        tried=said.get("tried", ""),
    )


def _sheet(asker: Asker, row: Row) -> Sheet:
    task, connection = row.task.id, asker.connection
    shown = [photo for photo in tasks.photos(connection, task) if not photo.hidden]
    stuck = connection.execute(
        "select count(*) from outbox where task = ? and state in ('unknown', 'dead')", (task,)
    ).fetchone()[0]
    return Sheet(
        row,
        history.of(connection, task),
        tasks.notes(connection, task),
        [photo for photo in shown if photo.role == "report"],
        [photo for photo in shown if photo.role != "report"],
        int(stuck),
        asker.forms(row.task, row.units, row.reporters),
        pairs_of(asker, row.task),
        _where(connection, [photo for photo in shown if photo.role == "report"]),
        _where(connection, [photo for photo in shown if photo.role != "report"]),
    )


def _where(connection: sqlite3.Connection, found: Sequence[TaskPhoto]) -> str:
    """Where the first photo that knows was taken, as maps in China draw it (GCJ-02); rows keep what the camera wrote."""
    points = (photos.taken(connection, photo.sha).point for photo in found)
    point = next(filter(None, points), None)
    return "纬度 {:.5f}，经度 {:.5f}".format(*gcj02(*point)) if point else ""


def _label(event: str) -> str:
    steps = lifecycle.EVENTS.get(event)
    return steps[0].label if steps else LABELS.get(event, "记录")


def _told(word: str) -> str:
    return {"done": "已办理。", "known": "这一步刚才已经提交过。", "later": "处理中，稍后刷新可见结果。"}.get(word, "")
