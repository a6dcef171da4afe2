"""What every page of the digest shares: who may look and who may change, the tabs, words and marks of states."""

from __future__ import annotations

import re
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.console.session import ENGINE, render, viewer_of
from config.county import Person
from config.errors import Rejected
from handlers.editions import corrections, steps, timing
from handlers.office import Office
from store import editions

VIEW = ("editor", "reviewer", "publisher", "admin")
KEEPERS = ("editor", "admin")  # who turns sources on and off
EDITORS = ("editor",)
NUMBER = re.compile(r"[0-9]{1,15}")
FORMS_OF = {"/digest/edit": "/digest", "/digest/steps": "/digest", "/digest/corrections": "/digest/history"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TABS = (
    ("/digest", "今日摘要"),
    ("/digest/preview", "预览"),
    ("/digest/history", "历史和更正"),
    ("/digest/cards", "微课堂和微警示"),
    ("/digest/archive", "档案"),
    ("/digest/sources", "来源"),
    ("/digest/choices", "编辑取舍"),
    ("/digest/leaders", "领导名录"),
)
STATES = {
    "draft": "编辑中",
    "edited": "已送审",
    "reviewed": "审核通过",
    "approved": "已签发，等发送",
    "none": "今日不发",
    "sent": "已发送",
    "recalled": "已撤回",
}
LOOKS = {  # a state's mark, one of base.css's
    "draft": "pending_confirmation",
    "edited": "accepted",
    "reviewed": "feedback_given",
    "approved": "due_soon",
    "none": "withdrawn",
    "sent": "closed",
    "recalled": "returned",
}
ITEM_STATES = {"kept": "可用", "held": "要人看", "pulled": "已撤稿", "erased": "已删除"}
DOING = {"edit": "送审", "review": "审核", "publish": "签发"}
STEPS = {"edit": "编辑", "review": "审核", "publish": "签发"}


@dataclass(frozen=True, slots=True)
class Told:
    """What the page says on top: done (`said`) or not (`fault`)."""

    said: str = ""
    fault: str = ""


def show(request: web.Request, template: str, status: int = 200, **context: Any) -> web.Response:
    """A page of the digest, with its tabs."""
    office, viewer = request.app[ENGINE].office, viewer_of(request)
    known = {resource.canonical for resource in request.app.router.resources()}
    return render(
        request,
        template,
        status,
        **{
            "path": FORMS_OF.get(request.path, request.path),
            "tabs": [tab for tab in TABS if tab[0] in known],
            "office": office,
            "states": STATES,
            "looks": LOOKS,
            "steps": STEPS,
            "permit": secrets.token_urlsafe(12),
            "edits": viewer.has(*EDITORS),
            "keeps": viewer.has(*KEEPERS),
            **context,
        },
    )


def number_of(text: str) -> int:
    """A number a form carries."""
    if not NUMBER.fullmatch(text):
        raise Rejected("没有这一条，请刷新页面后重试。")
    return int(text)


async def fields(request: web.Request) -> dict[str, str]:
    """A form's words, stripped."""
    return {name: str(value).strip() for name, value in (await request.post()).items()}


def turn_of(source: sqlite3.Connection, office: Office, person: Person, now: int) -> tuple[str, int]:
    """What waits for this person's step on the edition in the making: its name for 今天要办, and 1 or 0."""
    edition = editions.get(source, timing.edition_day(source, office, now))
    if edition is None or not edition.hash:
        return "", 0
    passed = editions.passed(source, edition.day, edition.hash)
    step = next((one for one in steps.STEPS[edition.mode] if one.before == edition.state), None)
    if step is None or person.id in passed.values() or not set(step.roles).intersection(person.roles):
        return "", 0
    return f"{timing.spoken(edition.day)}摘要待{DOING[step.name]}", 1


def to_pass(source: sqlite3.Connection, person: Person) -> int:
    """Corrections that wait for somebody like this person."""
    if not set(corrections.JUDGES).intersection(person.roles):
        return 0
    return sum(one.proposed_by != person.id for one in editions.corrections(source, state="proposed"))
