"""The conditions named in the life-cycle table: what each measures, and which words and code say that it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handlers.tasks import lifecycle
from handlers.turn import Turn
from store.tasks import Task

DAY = 86400
SPLIT_SECONDS = DAY  # dispatch.md F2: reversible 24 h
APPEAL_SECONDS = DAY  # dispatch.md F1 S12


@dataclass(frozen=True, slots=True)
class Guard:
    """`code` is a design 8 word, `text` a name in `texts.REFUSALS`."""

    holds: Callable[[Turn, Task], bool]
    code: str
    text: str


def failing(turn: Turn, task: Task, step: lifecycle.Step) -> Guard | None:
    """The first condition of a step that does not hold."""
    return next((guard for name in step.guards if not (guard := GUARDS[name]).holds(turn, task)), None)


def overran(task: Task) -> bool:
    """Whether the unit answered, or the task ended, after its limit in any round: the raw fact, whatever was exempted."""
    answered = task.feedback_at or task.closed_at
    if task.overran:
        return True
    return task.due_at is not None and answered is not None and answered > task.due_at


def _first_quarter(turn: Turn, task: Task) -> bool:
    if task.began is None or not task.allowed_n or not task.limit_unit:
        return True
    clock = turn.office.worktime
    used = task.used + clock.spent(task.began, turn.at, task.limit_unit)
    return used * 4 <= clock.seconds(task.allowed_n, task.limit_unit)


def _within(at: int | None, turn: Turn, seconds: int) -> bool:
    return at is not None and turn.at - at <= seconds


GUARDS: dict[str, Guard] = {
    "all_parts": Guard(lambda turn, task: True, "", ""),  # decides where feedback leads, refuses nobody
    "not_final": Guard(lambda turn, task: not task.final, "not_allowed", "final"),
    "returns_left": Guard(lambda turn, task: task.returns < turn.office.rules.returns, "too_late", "returns"),
    "first_quarter": Guard(_first_quarter, "too_late", "return_late"),
    "nothing_asked": Guard(lambda turn, task: not task.asked, "wrong_state", "asked_already"),
    "not_overdue": Guard(lambda turn, task: task.due_at is None or turn.at <= task.due_at, "too_late", "extend_late"),
    "extensions_left": Guard(
        lambda turn, task: task.extensions < turn.office.rules.extensions, "too_late", "extensions"
    ),
    "extension_asked": Guard(lambda turn, task: task.asked == "extend", "wrong_state", "nothing_asked"),
    "suspension_left": Guard(lambda turn, task: task.suspensions < 1, "too_late", "suspensions"),
    "suspension_asked": Guard(lambda turn, task: task.asked == "suspend", "wrong_state", "nothing_asked"),
    "within_reopen": Guard(
        lambda turn, task: _within(task.closed_at, turn, turn.office.rules.reopen_days * DAY), "too_late", "too_late"
    ),
    "within_appeal": Guard(lambda turn, task: _within(task.ended_at, turn, APPEAL_SECONDS), "too_late", "appeal_late"),
    "within_split": Guard(lambda turn, task: _within(task.ended_at, turn, SPLIT_SECONDS), "too_late", "split_late"),
    "was_overdue": Guard(lambda turn, task: overran(task), "wrong_state", "punctual"),
    "not_exempt": Guard(lambda turn, task: task.exempt == 0, "wrong_state", "exempt_already"),
    "exemption_asked": Guard(lambda turn, task: task.exempt == 1, "wrong_state", "nothing_asked"),
}
