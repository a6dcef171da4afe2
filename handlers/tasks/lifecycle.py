"""The one table of a task's life: states, steps, who may take them, and the timers that run (dispatch.md F, design 6a).

The guard (`may`), the documentation page and the diagram are all read from these tables and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

STATES: dict[str, str] = {
    "pending_confirmation": "待确认",
    "dispatched": "待签收",
    "accepted": "已签收",
    "in_progress": "办理中",
    "feedback_given": "待核查",
    "closed": "已办结",
    "returned": "退单待裁",
    "suspended": "挂账",
    "rework": "返工",
    "rejected": "不予受理",
    "merged": "并案",
    "withdrawn": "已撤回",
}
ENDED = frozenset({"closed", "rejected", "merged", "withdrawn"})
OPEN = tuple(state for state in STATES if state not in ENDED)
WORKING = ("accepted", "in_progress", "rework")

RELATIONS: dict[str, str] = {
    "unit": "承办单位经办人",
    "reporter": "上报人(不属承办单位)",
    "checker": "核查员(不属承办单位)",
    "outside_dispatcher": "指挥员(不属承办单位)",
    "dispatcher": "指挥员",
    "arbiter": "裁定人",
    "leader": "分管领导",
    "opener": "上报人本人",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One permitted move. `to` is the state it leads to; `reason` says that words must come with it."""

    event: str
    label: str
    sources: tuple[str, ...]
    to: str
    who: tuple[str, ...]
    reason: bool = False


_BEFORE_END = tuple(state for state in STATES if state not in ENDED)

STEPS: tuple[Step, ...] = (
    Step("confirm", "确认派单", ("pending_confirmation",), "dispatched", ("dispatcher", "arbiter")),
    Step("accept", "签收", ("dispatched",), "accepted", ("unit",)),
    Step("arrive", "到场", ("dispatched", "accepted", "rework"), "in_progress", ("unit",)),
    Step("feed_back", "反馈", ("dispatched", "accepted", "in_progress", "rework"), "feedback_given", ("unit",)),
    Step("verify_ok", "核查通过", ("feedback_given",), "closed", ("reporter", "checker", "outside_dispatcher")),
    Step(
        "verify_fail",
        "核查不通过",
        ("feedback_given",),
        "rework",
        ("reporter", "checker", "outside_dispatcher"),
        reason=True,
    ),
    Step("return_", "退单", ("dispatched", "accepted"), "returned", ("unit",), reason=True),
    Step(
        "reassign",
        "改派",
        ("pending_confirmation", "dispatched", "accepted", "returned"),
        "dispatched",
        ("dispatcher", "arbiter"),
    ),
    Step("correct", "更正", ("pending_confirmation", "dispatched"), "", ("opener", "dispatcher")),
    Step("withdraw", "撤回", ("pending_confirmation", "dispatched"), "withdrawn", ("opener", "dispatcher")),
    Step(
        "withdraw", "撤回", ("accepted", "in_progress", "rework", "returned"), "withdrawn", ("dispatcher",), reason=True
    ),
    Step("reject", "不予受理", ("pending_confirmation",), "rejected", ("dispatcher",), reason=True),
    Step("reopen", "重开", ("closed",), "rework", ("reporter", "checker"), reason=True),
    Step("force_close", "强制办结", _BEFORE_END, "closed", ("leader",), reason=True),
)

EVENTS: dict[str, tuple[Step, ...]] = {}
for _step in STEPS:
    EVENTS[_step.event] = (*EVENTS.get(_step.event, ()), _step)


@dataclass(frozen=True, slots=True)
class Clock:
    """A timer kind: the states in which it may run and what it does when it falls due."""

    kind: str
    label: str
    states: tuple[str, ...]
    does: str


TIMERS: tuple[Clock, ...] = (
    Clock("confirm", "待确认时限", ("pending_confirmation",), "私聊提醒指挥员"),
    Clock("accept", "签收时限", ("dispatched",), "私聊转告副职，再转单位负责人"),
    Clock("due_soon", "临期", ("dispatched", *WORKING), "私聊提醒经办人"),
    Clock("overdue", "超时", ("dispatched", *WORKING), "私聊告知经办人和分管领导"),
    Clock("verify", "核查时限", ("feedback_given",), "私聊请核查员核查"),
    Clock("arbitrate", "裁定时限", ("returned",), "私聊提醒裁定人"),
)
TIMER_STATES = {clock.kind: clock.states for clock in TIMERS}


def allowed(event: str, state: str) -> Iterator[Step]:
    """Steps this event could be in this state, whoever takes it."""
    return (step for step in EVENTS[event] if state in step.sources)


def may(event: str, state: str, relations: Iterable[str]) -> Step | str:
    """The step to take, or why not: "wrong_state" or "not_allowed" (or "own_unit" when only that stands in the way)."""
    held = frozenset(relations)
    steps = tuple(allowed(event, state))
    if not steps:
        return "wrong_state"
    for step in steps:
        if held.intersection(step.who):
            return step
    if "own_unit" in held and any(
        {"reporter", "checker", "outside_dispatcher"}.intersection(step.who) for step in steps
    ):
        return "own_unit"
    return "not_allowed"


def timers_to_clear(state: str) -> tuple[str, ...]:
    """Timer kinds that must not run in a state."""
    return tuple(kind for kind, states in TIMER_STATES.items() if state not in states)
