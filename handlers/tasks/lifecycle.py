"""The one table of a task's life: states, steps, who may take them, on what condition, and the timers that run.

dispatch.md F as design 6a amends it. The guard (`may`), docs/lifecycle.md and its diagram are read from these tables and
from nothing else; what a condition measures is in `guards`, one function per name.
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
UNSIGNED = ("pending_confirmation", "dispatched")

RELATIONS: dict[str, str] = {
    "lead": "承办单位",
    "assistant": "协办单位",
    "opener": "上报人本人",
    "reporter": "上报人(不属承办单位)",
    "checker": "核查员(不属承办单位)",
    "outside_dispatcher": "指挥员(不属承办单位)",
    "dispatcher": "指挥员",
    "arbiter": "裁定人",
    "leader": "分管领导",
    "system": "系统",
}
CHECKERS = ("reporter", "checker", "outside_dispatcher")
OFFICE = ("dispatcher", "arbiter")
BACK = "*"  # the state before the task was merged


@dataclass(frozen=True, slots=True)
class Step:
    """One permitted move: from any of `sources` to `to` ("" stays, BACK returns), by `who`, with words when `reason`."""

    event: str
    label: str
    sources: tuple[str, ...]
    to: str
    who: tuple[str, ...]
    reason: bool = False
    guards: tuple[str, ...] = ()


STEPS: tuple[Step, ...] = (
    Step("dispatch", "自动派单", ("pending_confirmation",), "dispatched", ("system",)),
    Step("confirm", "确认派单", ("pending_confirmation",), "dispatched", OFFICE),
    Step("accept", "签收", ("dispatched",), "accepted", ("lead",)),
    Step("accept", "协办签收", ("dispatched", *WORKING), "", ("assistant",)),
    Step("arrive", "到场", ("dispatched", "accepted", "rework"), "in_progress", ("lead",)),
    Step("arrive", "协办到场", ("dispatched", *WORKING), "", ("assistant",)),
    Step("feed_back", "反馈", ("dispatched", *WORKING), "feedback_given", ("lead", "assistant"), guards=("all_parts",)),
    Step("verify_ok", "核查通过", ("feedback_given",), "closed", CHECKERS),
    Step("verify_fail", "核查不通过", ("feedback_given",), "rework", CHECKERS, reason=True),
    Step(
        "return_",
        "退单",
        ("dispatched", "accepted"),
        "returned",
        ("lead", "assistant"),
        reason=True,
        guards=("not_final", "returns_left", "first_quarter"),
    ),
    Step("reassign", "改派", ("dispatched", "accepted", "returned"), "dispatched", OFFICE),
    Step("joint", "会办", (*UNSIGNED, "returned"), "dispatched", OFFICE),
    Step("joint", "会办", ("accepted", "in_progress"), "", OFFICE),
    Step(
        "extend",
        "申请延期",
        ("accepted", "in_progress"),
        "",
        ("lead",),
        reason=True,
        guards=("nothing_asked", "not_overdue", "extensions_left"),
    ),
    Step("extend_ok", "同意延期", ("accepted", "in_progress"), "", ("dispatcher",), guards=("extension_asked",)),
    Step("extend_no", "不同意延期", ("accepted", "in_progress"), "", ("dispatcher",), guards=("extension_asked",)),
    Step(
        "suspend",
        "挂账",
        ("accepted", "in_progress"),
        "suspended",
        ("dispatcher",),
        reason=True,
        guards=("suspension_left",),
    ),
    Step(
        "suspend",
        "申请挂账",
        ("accepted", "in_progress"),
        "",
        ("lead",),
        reason=True,
        guards=("nothing_asked", "suspension_left"),
    ),
    Step(
        "suspend_ok",
        "同意挂账",
        ("accepted", "in_progress"),
        "suspended",
        ("dispatcher",),
        guards=("suspension_asked",),
    ),
    Step("suspend_no", "不同意挂账", ("accepted", "in_progress"), "", ("dispatcher",), guards=("suspension_asked",)),
    Step("resume", "恢复办理", ("suspended",), "in_progress", ("dispatcher", "lead", "system")),
    Step("correct", "更正", UNSIGNED, "", ("opener", "dispatcher")),
    Step("withdraw", "撤回", UNSIGNED, "withdrawn", ("opener", "dispatcher")),
    Step("withdraw", "撤回", (*WORKING, "returned"), "withdrawn", ("dispatcher",), reason=True),
    Step("reject", "不予受理", (*UNSIGNED, "returned"), "rejected", ("dispatcher",), reason=True),
    Step("appeal", "申诉", ("rejected",), "pending_confirmation", ("opener",), reason=True, guards=("within_appeal",)),
    Step("merge", "并案", UNSIGNED, "merged", ("dispatcher",)),
    Step("split", "拆分", ("merged",), BACK, ("dispatcher", "opener"), guards=("within_split",)),
    Step("reopen", "重开", ("closed",), "rework", ("reporter", "checker"), guards=("within_reopen",)),
    Step("force_close", "强制办结", OPEN, "closed", ("leader",), reason=True),
    Step("exempt", "申请超时豁免", ("closed",), "", ("dispatcher",), reason=True, guards=("was_overdue", "not_exempt")),
    Step("exempt_ok", "同意超时豁免", ("closed",), "", ("arbiter",), guards=("exemption_asked",)),
    Step("exempt_no", "不同意超时豁免", ("closed",), "", ("arbiter",), guards=("exemption_asked",)),
    Step("urge", "催办", ("dispatched", *WORKING), "", ("opener", "dispatcher")),
)

EVENTS: dict[str, tuple[Step, ...]] = {}
for _step in STEPS:
    EVENTS[_step.event] = (*EVENTS.get(_step.event, ()), _step)

GUARDS: dict[str, str] = {
    "all_parts": "会办的每个单位都已反馈；未齐时状态不变",
    "not_final": "未经裁定为不可再退",
    "returns_left": "退单次数未满",
    "first_quarter": "时限未用满四分之一",
    "nothing_asked": "没有待批的申请",
    "not_overdue": "未超过时限",
    "extensions_left": "延期次数未满",
    "extension_asked": "有待批的延期申请",
    "suspension_left": "没有挂过账，期限不超过一年",
    "suspension_asked": "有待批的挂账申请",
    "within_reopen": "办结后规定天数内",
    "within_appeal": "不予受理后一天内",
    "within_split": "并案后24小时内",
    "was_overdue": "确实超过时限",
    "not_exempt": "未申请过豁免",
    "exemption_asked": "有待批的豁免申请",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """A timer kind: the states in which it may run and what it does when it falls due."""

    kind: str
    label: str
    states: tuple[str, ...]
    does: str


TIMERS: tuple[Clock, ...] = (
    Clock("confirm", "待确认时限", ("pending_confirmation",), "私聊提醒指挥员"),
    Clock("accept", "签收时限", ("dispatched",), "私聊转告副职，再转单位负责人，再告知分管领导"),
    Clock("due_soon", "临期", ("dispatched", *WORKING), "私聊提醒经办人"),
    Clock("overdue", "超时", ("dispatched", *WORKING), "私聊告知经办人、单位负责人和分管领导"),
    Clock("verify", "核查时限", ("feedback_given",), "私聊请核查员核查；不因沉默办结"),
    Clock("compare", "补充照片", ("feedback_given",), "把后到的处理后照片在群里一次发出"),
    Clock("arbitrate", "裁定时限", ("returned",), "私聊提醒裁定人"),
    Clock("suspended_week", "每周一", ("suspended",), "私聊提醒经办人挂账未了，最多两次"),
    Clock("resume", "挂账到期", ("suspended",), "恢复办理，时限接着走"),
)
TIMER_STATES = {clock.kind: clock.states for clock in TIMERS}


def allowed(event: str, state: str) -> Iterator[Step]:
    """Steps this event could be in this state, whoever takes it."""
    return (step for step in EVENTS[event] if state in step.sources)


def may(event: str, state: str, relations: Iterable[str]) -> Step | str:
    """The step to take, or why not: "wrong_state", "not_allowed", or "own_unit" for a check of one's own unit's work.

    Conditions (`guards`) and the words a step needs are looked at afterwards.
    """
    held = frozenset(relations)
    steps = tuple(step for step in allowed(event, state) if step.who != ("assistant",) or "assistant" in held)
    if not steps:
        return "wrong_state"
    for step in steps:
        if held.intersection(step.who):
            return step
    checks = any({"reporter", "checker"}.intersection(step.who) for step in steps)
    return "own_unit" if checks and held.intersection({"lead", "assistant", "own_unit"}) else "not_allowed"


def timers_to_clear(state: str) -> tuple[str, ...]:
    """Timer kinds that must not run in a state."""
    return tuple(kind for kind, states in TIMER_STATES.items() if state not in states)
