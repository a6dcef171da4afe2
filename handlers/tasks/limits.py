"""How long a task may take: one running limit with used seconds, so that pause, extend and reopen commute (handlers.worktime)."""

from __future__ import annotations

from typing import Any

from handlers.tasks import lifecycle, moving
from handlers.turn import Turn
from handlers.worktime import Worktime
from store import tasks, timers
from store.tasks import Task

DEFAULT = (5, "work_day")  # dispatch.md A5: a class without a standard gets the commonest long limit
STRICTEST = {"urgent_hour": 0, "work_hour": 1, "day": 2, "work_day": 3}


def standard(turn: Turn, category: str) -> tuple[int, str]:
    """The strictest limit of a class (dispatch.md A5: strictest when unsure)."""
    rows = [row for row in turn.office.county.standards if row.code == category]
    best = min(rows, key=lambda row: (STRICTEST[row.limit_unit], row.limit_n), default=None)
    return (best.limit_n, best.limit_unit) if best else DEFAULT


def begin(turn: Turn, task: Task, n: int | None = None) -> dict[str, Any]:
    """The columns of a limit that starts when its notice may leave (design 6a.9), `n` of its unit or all of it."""
    limit_n, unit = (
        (task.limit_n, task.limit_unit) if task.limit_n and task.limit_unit else standard(turn, task.category)
    )
    began, allowed = turn.allowed(task), n or limit_n
    deadline = turn.office.worktime.due(began, allowed, unit)
    return {
        "limit_n": limit_n,
        "limit_unit": unit,
        "allowed_n": allowed,
        "used": 0,
        "began": began,
        "due_at": deadline.at,
        "provisional": int(deadline.provisional),
    }


def half(turn: Turn, task: Task) -> dict[str, Any]:
    """Rework gets half the limit, at least one unit of it (dispatch.md F1 S11)."""
    return begin(turn, task, max(1, (task.limit_n or 2) // 2))


def pause(turn: Turn, task: Task) -> dict[str, Any]:
    """Keep the seconds used; the limit stands still."""
    spent = _clock(turn).spent(task.began, turn.at, _unit(task)) if task.began is not None else 0
    return {"used": task.used + max(0, spent), "began": None, "due_at": None, "provisional": 0}


def go_on(turn: Turn, task: Task) -> dict[str, Any]:
    """Let what is left of the limit run from now."""
    began = turn.allowed(task)
    return {"began": began, **due(turn, task, began, task.allowed_n or 1)}


def longer(turn: Turn, task: Task) -> dict[str, Any]:
    """One more original limit."""
    allowed = (task.allowed_n or 0) + (task.limit_n or DEFAULT[0])
    return {"allowed_n": allowed, **due(turn, task, task.began or turn.at, allowed)}


def due(turn: Turn, task: Task, began: int, allowed: int) -> dict[str, Any]:
    """When a running limit ends."""
    clock, unit = _clock(turn), _unit(task)
    deadline = clock.resume(began, clock.seconds(allowed, unit) - task.used, unit)
    return {"due_at": deadline.at, "provisional": int(deadline.provisional)}


def set_timers(turn: Turn, task: Task) -> None:
    """临期 when a fifth of the limit is left, 超时 at its end (ux.md F1)."""
    if task.due_at is None or task.began is None:
        return
    clock, unit = _clock(turn), _unit(task)
    soon = clock.resume(task.began, clock.seconds(task.allowed_n or 1, unit) * 4 // 5 - task.used, unit).at
    if soon > turn.at:
        soon = soon if task.urgent else clock.next_open(soon)
        timers.put(turn.tx, task.id, "due_soon", soon, task.group_id)
    if task.due_at > turn.at:
        timers.put(turn.tx, task.id, "overdue", task.due_at, task.group_id)


def refreshed(turn: Turn, task: Task) -> Task:
    """A 预计 deadline computed anew under the present calendar; its timers move with it."""
    if not task.provisional or task.began is None:
        return task
    fields = due(turn, task, task.began, task.allowed_n or 1)
    if fields == {"due_at": task.due_at, "provisional": task.provisional}:
        return task
    task = tasks.change(turn.tx, task, **fields)
    moving.record(turn, task, "recompute", task.state)
    set_timers(turn, task)
    return task


def recompute(turn: Turn) -> None:
    """A new calendar was loaded: every 预计 deadline of an open task is computed anew."""
    for task in tasks.of_states(turn.tx, lifecycle.OPEN, limit=100_000):
        refreshed(turn, task)


def _clock(turn: Turn) -> Worktime:
    return turn.office.worktime


def _unit(task: Task) -> str:
    return task.limit_unit or DEFAULT[1]
