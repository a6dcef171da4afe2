"""What people say next about a task in a storm: likely steps by state, so that whole lives are lived, detours and all."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from handlers.calendar import local
from handlers.office import Office

DISPATCHER, VERIFIER, ARBITER, LEADER = "zhaojing", "qianfang", "zhoumin", "gaoyuan"
OPEN = (
    "pending_confirmation",
    "dispatched",
    "accepted",
    "in_progress",
    "rework",
    "feedback_given",
    "returned",
    "suspended",
)

# state -> (weight, who, words); the first of each is the straight way to the end
NEXT: dict[str, tuple[tuple[int, str, str], ...]] = {
    "pending_confirmation": ((1, DISPATCHER, "派 {n} {other}"),),
    "dispatched": (
        (8, "unit", "签收 {n}"),
        (2, "unit", "到场 {n}"),
        (2, "unit", "退单 {n} 不属我们的职责"),
        (1, "unit", "反馈 {n} 已处理"),
        (1, DISPATCHER, "会办 {n} {lead}牵头，{other}协办"),
        (1, "reporter", "催办 {n}"),
        (1, DISPATCHER, "改派 {n} {other}"),
    ),
    "accepted": (
        (4, "unit", "反馈 {n} 已处理"),
        (4, "unit", "到场 {n}"),
        (2, "unit", "延期 {n} 等配件"),
        (1, "unit", "退单 {n} 不属我们的职责"),
        (1, DISPATCHER, "挂账 {n} {date} 等配件"),
        (1, "unit", "挂账 {n} {date} 等配件"),
        (1, DISPATCHER, "会办 {n} {lead}牵头，{other}协办"),
    ),
    "in_progress": (
        (6, "unit", "反馈 {n} 已处理"),
        (2, "unit", "延期 {n} 等配件"),
        (1, DISPATCHER, "挂账 {n} {date} 等配件"),
    ),
    "rework": ((4, "unit", "反馈 {n} 又处理了一遍"), (1, "unit", "到场 {n}")),
    "feedback_given": ((5, "reporter", "通过 {n}"), (2, VERIFIER, "返工 {n} 东侧没处理"), (1, VERIFIER, "通过 {n}")),
    "returned": (
        (3, DISPATCHER, "改派 {n} {other}"),
        (2, ARBITER, "改派 {n} {lead}"),
        (1, ARBITER, "会办 {n} {lead}牵头，{other}协办"),
    ),
    "suspended": ((1, DISPATCHER, "恢复办理 {n}"),),
    "closed": ((2, "reporter", "重开 {n} 还有残留"), (1, DISPATCHER, "豁免 {n} 等配件"), (1, ARBITER, "同意豁免 {n}")),
}
ASKED = {
    "extend": ((2, DISPATCHER, "同意延期 {n}"), (1, DISPATCHER, "不同意延期 {n}")),
    "suspend": ((1, DISPATCHER, "同意挂账 {n}"), (1, DISPATCHER, "不同意挂账 {n}")),
}
RARELY = ((LEADER, "强制办结 {n} 已现场看过"), (DISPATCHER, "撤回 {n} 重复"))


@dataclass(frozen=True, slots=True)
class Standing:
    """A task as the books have it."""

    number: str
    state: str
    unit: str
    reporter: str
    asked: str
    missing: tuple[str, ...]
    opened_at: int


def standing(data: Path, states: tuple[str, ...], limit: int) -> list[Standing]:
    """Tasks in these states, the latest first; none when the books cannot be read just now."""
    marks = ", ".join("?" * len(states))
    try:
        books = sqlite3.connect(f"file:{data / 'qunban.db'}?mode=ro", uri=True, timeout=1)
        try:
            rows = books.execute(
                "select day, serial, state, unit, reporter, asked, id, opened_at from task"
                f" where serial is not null and state in ({marks}) order by opened_at desc limit ?",
                (*states, limit),
            ).fetchall()
            missing = books.execute("select task, unit from task_unit where reported_at is null").fetchall()
        finally:
            books.close()
    except sqlite3.Error:
        return []
    return [
        Standing(
            f"{day[4:]}-{serial:03d}", state, unit, reporter, asked, tuple(u for t, u in missing if t == task), opened
        )
        for day, serial, state, unit, reporter, asked, task, opened in rows
    ]


def next_words(task: Standing, office: Office, chance: random.Random, now: int) -> tuple[str, str] | None:
    """(person, text) of a likely next step."""
    if chance.random() < 0.01:
        return _said(task, office, *chance.choice(RARELY), chance, now)
    steps = ASKED.get(task.asked) or NEXT[task.state]
    (_, who, words) = chance.choices(steps, [weight for weight, _, _ in steps])[0]
    return _said(task, office, who, words, chance, now)


def straight_on(task: Standing, office: Office, chance: random.Random, now: int) -> tuple[str, str] | None:
    """(person, text) of the step that leads to the end; reporter or verifier checks, since either's unit may have had a part."""
    _, who, words = NEXT[task.state][0]
    who = chance.choice((VERIFIER, "reporter")) if task.state == "feedback_given" else who
    return _said(task, office, who, words, chance, now)


def _said(
    task: Standing, office: Office, who: str, words: str, chance: random.Random, now: int
) -> tuple[str, str] | None:
    unit = chance.choice(task.missing) if task.missing and words.startswith("反馈") else task.unit
    staff = office.staff(unit)
    person = {"unit": staff[0].id if staff else "", "reporter": task.reporter}.get(who, who)
    others = [u for u in office.county.units if u.id != task.unit and office.staff(u.id)]
    text = words.format(
        n=task.number,
        lead=office.unit_name(task.unit),
        other=chance.choice(others).name,
        date=f"{local(now).date() + timedelta(days=2)}",
    )
    return (person, text) if person else None
