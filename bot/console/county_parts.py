"""What the pages that edit one part of the county share: their tabs, the last change to undo, and the warning about next year."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from aiohttp import web

from bot.console.session import ENGINE, record, render, viewer_of
from bot.engine import Engine
from config.errors import Rejected
from handlers.calendar import local
from store import Tx, county_steps
from store.county_steps import CountyStep, Row

LOOK = ("admin", "security_admin")
EDIT = "admin"
TABS = (
    ("/county", "整份资料"),
    ("/county/calendar", "节假日"),
    ("/county/places", "地点"),
    ("/county/groups", "工作群"),
    ("/county/texts", "文字"),
)
TOLD = {"ok": "已保存，马上生效。", "undone": "已撤销，恢复到上一次的样子。"}
NOTICE_MONTH = 11  # the State Council's notice comes in November
OVERTAKEN = "刚才有人改过，请刷新页面后重试。"


async def show(request: web.Request, template: str, part: str, status: int = 200, **context: Any) -> web.Response:
    """A part's page, with the last change and whether this viewer may edit."""
    engine = request.app[ENGINE]
    step = await engine.store.read(lambda c: county_steps.last(c, part))
    return render(
        request,
        template,
        status,
        tabs=TABS,
        part=part,
        step=step,
        edits=viewer_of(request).has(EDIT),
        told=TOLD.get(request.query.get("told", ""), ""),
        office=engine.office,
        **context,
    )


async def change(request: web.Request, part: str, before: tuple[Row, ...], after: tuple[Row, ...]) -> CountyStep:
    """Put rows in place of others, in the table and in the audit. Raises Rejected when somebody was quicker."""
    if sorted(before) == sorted(after):
        raise Rejected("和现在一样，没有改动。")
    actor = viewer_of(request).person.id
    job = partial(county_steps.change, part=part, actor=actor, before=before, after=after)
    step = await request.app[ENGINE].apply(job)
    if step is None:
        raise Rejected(OVERTAKEN, "wrong_state")
    await record(request, "ok", f"county/{part}/{step.seq}")
    return step


async def undo(request: web.Request, part: str) -> CountyStep:
    """Undo the last change of a part, which the form names (field step)."""
    wanted = str((await request.post()).get("step", ""))

    def job(tx: Tx) -> CountyStep | None:
        step = county_steps.last(tx, part)
        return step if step is not None and str(step.seq) == wanted and county_steps.undo(tx, step) else None

    step = await request.app[ENGINE].apply(job)
    if step is None:
        raise Rejected("这次改动之后又有人改过，不能撤销了，请直接改。", "wrong_state")
    await record(request, "undone", f"county/{part}/{step.seq}")
    return step


def today(engine: Engine) -> date:
    """By the office's clock."""
    return local(engine.store.now()).date()


def unknown_year(engine: Engine) -> int | None:
    """A year whose holidays should be known by now and are not."""
    day, calendar = today(engine), engine.office.worktime.calendar
    for year in (day.year, day.year + 1):
        if not calendar.published(year) and (year == day.year or day.month >= NOTICE_MONTH):
            return year
    return None
