"""The table, its page, and every state × step × person tried against a model written by hand from dispatch.md F2 and design 6a."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from bot.rehearse import Rehearsal
from handlers import BY_VERB, commands, decide
from handlers.events import Event, Facts, stamped
from handlers.tasks import guards, lifecycle, page
from handlers.tasks.lifecycle import BACK, ENDED, RELATIONS, STATES, STEPS, TIMERS
from store import Tx, inbox, tasks
from tests.flows.chat import PERSON, perform
from tests.flows.town import PlainReader

ROOT = Path(__file__).resolve().parent.parent

OPENED = "09:00 李敏: 三角绿地小广告\n群: …\n"
SIGNED = OPENED + "09:01 张强: 签收\n群: …\n"
ANSWERED = SIGNED + "09:02 张强: 反馈 已清理\n群: …\n"
LATE = "17:06\n张强: …\n— 11月24日 —\n09:00\n张强: …\n刘建国: …\n高远: …\n09:05 张强: 反馈 已清\n群: …\n09:06 李敏: 通过\n群: …\n"
REACH = {
    "待确认": "09:00 李敏: 三角绿地好像有小广告\n群: …\n",
    "待签收": OPENED,
    "已签收": SIGNED,
    "延期待批": SIGNED + "09:02 张强: 延期 等配件\n群: …\n",
    "挂账待批": SIGNED + "09:02 张强: 挂账 2026-12-01 等配件\n群: …\n",
    "办理中": SIGNED + "09:02 张强: 到场\n群: …\n",
    "待核查": ANSWERED,
    "已办结": ANSWERED + "09:03 李敏: 通过\n群: …\n",
    "超时办结": SIGNED + LATE,
    "豁免待批": SIGNED + LATE + "09:07 赵静: 豁免 1123-001 暴雨\n群: …\n周敏: …\n",
    "退单待裁": OPENED + "09:01 张强: 退单 不属于\n群: …\n",
    "挂账": SIGNED + "09:02 赵静: 挂账 2026-12-01 等配件\n群: …\n",
    "返工": ANSWERED + "09:03 李敏: 返工 没清\n张强: …\n群: …\n",
    "不予受理": "09:00 李敏: 三角绿地好像有小广告\n群: …\n09:01 赵静: 不予受理 重复\n群: …\n",
    "并案": OPENED + "09:01 王芳: 西环路小广告\n群: …\n09:02 赵静: 并案 1123-001 到 1123-002\n群: …\n",
    "已撤回": OPENED + "09:01 李敏: 撤回\n群: …\n",
}
STAFF, CHECK, DESK = "张强 王磊 刘建国", "李敏 钱芳 赵静", "赵静 周敏"
SIGNED_STATES = "已签收 延期待批 挂账待批 办理中"
ALL_OPEN = f"待确认 待签收 {SIGNED_STATES} 待核查 退单待裁 挂账 返工"

# words said | from which states | by whom | leads to ("" stays)
MODEL = f"""
签收 {{n}}                 | 待签收                         | {STAFF}    | 已签收
到场 {{n}}                 | 待签收 已签收 延期待批 挂账待批 返工   | {STAFF}    | 办理中
反馈 {{n}} 已清理           | 待签收 {SIGNED_STATES} 返工       | {STAFF}    | 待核查
通过 {{n}}                 | 待核查                         | {CHECK}    | 已办结
返工 {{n}} 没清             | 待核查                         | {CHECK}    | 返工
返工 {{n}} 没清             | 已办结 超时办结 豁免待批            | 李敏 钱芳   | 返工
重开 {{n}}                 | 已办结 超时办结 豁免待批            | 李敏 钱芳   | 返工
退单 {{n}} 不属本单位        | 待签收 已签收 延期待批 挂账待批       | {STAFF}    | 退单待裁
派 {{n}} 住建局            | 待确认 待签收 已签收 延期待批 挂账待批 退单待裁 | {DESK} | 待签收
会办 {{n}} 城管局牵头 交警协办 | 待确认 待签收 退单待裁              | {DESK}    | 待签收
会办 {{n}} 城管局牵头 交警协办 | {SIGNED_STATES}               | {DESK}    |
延期 {{n}} 等配件           | 已签收 办理中                    | {STAFF}    |
同意延期 {{n}}             | 延期待批                        | 赵静       |
不同意延期 {{n}}            | 延期待批                        | 赵静       |
挂账 {{n}} 2026-12-01 等    | 已签收 办理中                    | {STAFF}    |
挂账 {{n}} 2026-12-01 等    | {SIGNED_STATES}               | 赵静       | 挂账
同意挂账 {{n}}             | 挂账待批                        | 赵静       | 挂账
恢复办理 {{n}}             | 挂账                           | 赵静 {STAFF} | 办理中
改地点 {{n}} 人民路         | 待确认                          | 李敏 赵静   | 待签收
改地点 {{n}} 人民路         | 待签收                          | 李敏 赵静   |
撤回 {{n}}                 | 待确认 待签收                    | 李敏 赵静   | 已撤回
撤回 {{n}} 重复             | {SIGNED_STATES} 返工 退单待裁     | 赵静       | 已撤回
撤回 {{n}} 重复             | 待确认 待签收                    | 李敏 赵静   | 已撤回
不予受理 {{n}} 重复          | 待确认 待签收 退单待裁              | 赵静       | 不予受理
申诉 {{n}} 不是同一处         | 不予受理                        | 李敏       | 待确认
拆分 {{n}}                 | 并案                           | 李敏 赵静   | 待签收
强制办结 {{n}} 已处理        | {ALL_OPEN}                    | 高远       | 已办结
豁免 {{n}} 暴雨             | 超时办结                        | 赵静       |
同意豁免 {{n}}             | 豁免待批                        | 周敏       |
催办 {{n}}                 | 待签收 {SIGNED_STATES} 返工       | 李敏 赵静   |
"""
EVERYBODY = ("李敏", "王芳", "马玲", "张强", "王磊", "刘建国", "何建", "赵静", "钱芳", "周敏", "高远")


def model() -> dict[str, dict[tuple[str, str], str]]:
    """What is said → (state, person) → the state it leads to ("" stays)."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for row in filter(None, MODEL.splitlines()):
        said, states, people, to = (cell.strip() for cell in row.split("|"))
        pairs = {(state, person): to for state in states.split() for person in people.split()}
        found.setdefault(said, {}).update(pairs)
    return found


class _Undo(Exception):
    pass


def _try(said: str, person: str, rehearsal: Rehearsal, found: list[tuple[str, str]], tx: Tx) -> None:
    """Decide one message and take everything back."""
    event = Event("stage", f"try/{said}/{person}", address="ssp", group="ssp", sender=person, text=said)
    row = inbox.add(tx, "stage", event.id, "message", "ssp", person, "{}", None)
    assert row is not None
    decision = decide(tx, stamped(event, row.seq, tx.at), Facts(), rehearsal.engine.office)
    task = tasks.by_number(tx, "1123-001")
    assert task is not None
    found.append((decision.refused, task.state))
    raise _Undo


@pytest.mark.asyncio
@pytest.mark.parametrize("state", REACH)
async def test_every_step_by_every_person_does_what_the_model_says(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)
    rehearsal = await perform(REACH[state])
    before = rehearsal.steps[-1].tasks[0]["state"]
    wrong = []
    for said, allowed in model().items():
        for name in EVERYBODY:
            found: list[tuple[str, str]] = []
            job = partial(_try, said.format(n="1123-001"), PERSON[name], rehearsal, found)
            (outcome,) = await rehearsal.engine.store.submit([job])
            assert isinstance(outcome.error, _Undo), (said, name, outcome.error)
            refused, after = found[0]
            to = allowed.get((state, name))
            right = (
                refused == "" and STATES[after] == (to or STATES[before])
                if to is not None
                else refused in ("not_allowed", "wrong_state", "own_unit", "unclear", "too_late") and after == before
            )
            if not right:
                wrong.append(f"{state}: {name}说“{said}” → {refused or '允许'} {STATES[after]}, 模型:{to!r}")
    await rehearsal.close()
    assert not wrong, "\n".join(wrong)


def test_every_state_is_reached_by_the_matrix() -> None:
    assert set(STATES.values()) <= set(REACH)


def test_the_page_in_docs_is_the_tables() -> None:
    assert (ROOT / "docs" / "lifecycle.md").read_text("utf-8") == page.page()


def test_every_name_in_the_table_means_something() -> None:
    for step in STEPS:
        assert {*step.sources, step.to} - {"", BACK} <= set(STATES), step
        assert set(step.who) <= set(RELATIONS), step
        assert set(step.guards) <= set(guards.GUARDS), step
        assert (
            step.event in commands.WORDS or step.event in ("dispatch", "confirm") or step.event[-3:] in ("_ok", "_no")
        )
    assert set(lifecycle.GUARDS) == set(guards.GUARDS)
    assert {state for clock in TIMERS for state in clock.states} <= set(STATES)


def test_every_verb_has_a_route_and_every_route_a_word() -> None:
    assert set(BY_VERB) == set(commands.WORDS)


def test_nothing_leaves_an_end_but_what_may_reopen_it() -> None:
    leaving = {step.event for step in STEPS if ENDED.intersection(step.sources) and step.to}
    assert leaving == {"reopen", "appeal", "split"}
    withdrawn = [step for step in STEPS if "withdrawn" in step.sources]
    assert withdrawn == []
