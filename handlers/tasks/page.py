"""docs/lifecycle.md, written from the table: `python -m handlers.tasks.page > docs/lifecycle.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handlers.tasks import lifecycle
from handlers.tasks.lifecycle import BACK, ENDED, GUARDS, RELATIONS, STATES, STEPS, TIMERS, Step

HEAD = """# 工单的一生

本页由 `python -m handlers.tasks.page` 从 `handlers/tasks/lifecycle.py` 的表生成，请勿手改。
没有列出的操作一律不许；时限、次数等数字在 `settings.toml` 里改。
"""
DIAGRAM_LEAVES_OUT = ("force_close", "withdraw")  # from nearly everywhere; they stand in the table


def page() -> str:
    """The whole page."""
    parts = (HEAD, "## 状态图\n", *_diagram(), "## 状态\n", *_states(), "## 操作\n", *_steps())
    return "\n".join((*parts, "## 条件\n", *_guards(), "## 时限\n", *_timers())).rstrip() + "\n"


def _diagram() -> Iterator[str]:
    yield "```mermaid\nstateDiagram-v2"
    yield "  [*] --> pending_confirmation: 上报"
    yield from (f"  {state}: {name}" for state, name in STATES.items())
    yield from dict.fromkeys(_arrows())
    yield from (f"  {state} --> [*]" for state in STATES if state in ENDED)
    yield "```\n图中略去从多处出发的撤回和强制办结。\n"


def _arrows() -> Iterator[str]:
    for step in STEPS:
        if step.to and step.event not in DIAGRAM_LEAVES_OUT:
            for source in step.sources:
                for target in lifecycle.UNSIGNED if step.to == BACK else (step.to,):
                    yield f"  {source} --> {target}: {step.label}"


def _states() -> Iterator[str]:
    yield "| 状态 | 代码 | 已结束 |\n|---|---|---|"
    yield from (f"| {name} | `{state}` | {'是' if state in ENDED else ''} |" for state, name in STATES.items())
    yield ""


def _steps() -> Iterator[str]:
    yield "| 操作 | 代码 | 从 | 到 | 谁 | 要写原因 | 条件 |\n|---|---|---|---|---|---|---|"
    for step in STEPS:
        cells = (step.label, f"`{step.event}`", _names(step.sources), _target(step), _who(step))
        conditions = "；".join(GUARDS[guard] for guard in step.guards)
        yield f"| {' | '.join(cells)} | {'是' if step.reason else ''} | {conditions} |"
    yield ""


def _names(states: Iterable[str]) -> str:
    return "、".join(STATES[state] for state in states)


def _target(step: Step) -> str:
    return "并案前的状态" if step.to == BACK else STATES.get(step.to, "不变")


def _who(step: Step) -> str:
    return "、".join(RELATIONS[relation] for relation in step.who)


def _guards() -> Iterator[str]:
    yield from (f"- `{name}`:{meaning}" for name, meaning in GUARDS.items())
    yield ""


def _timers() -> Iterator[str]:
    yield "| 时限 | 代码 | 走表的状态 | 到时 |\n|---|---|---|---|"
    yield from (f"| {clock.label} | `{clock.kind}` | {_names(clock.states)} | {clock.does} |" for clock in TIMERS)
    yield "\n同一人就同一工单最多被提醒两次；非工作时间的提醒等到上班，紧急工单除外。"


if __name__ == "__main__":
    print(page(), end="")
