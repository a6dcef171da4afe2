"""The wrong person at every step is told once and politely, and nothing moves."""

from __future__ import annotations

import pytest

from handlers.office import Rules
from tests.flows.chat import play

pytestmark = pytest.mark.asyncio

REPORTED = """
    09:00 李敏: 三角绿地小广告
        群: 【已受理】#1123-001 …
"""
SIGNED = REPORTED + "09:01 张强: 签收\n群: 【已签收】#1123-001 …\n"
ANSWERED = SIGNED + "09:02 张强: 反馈 已清理\n群: 【已反馈】#1123-001 …\n"
CLOSED = ANSWERED + "09:03 李敏: 通过\n群: 【已办结】#1123-001 …\n"

WRONG = [
    (REPORTED, "李敏", "签收", "not_allowed"),
    (REPORTED, "李敏", "签收 #1123-001", "not_allowed"),
    (REPORTED, "何建", "签收 1123-001", "not_allowed"),
    (REPORTED, "马玲", "签收 1123-001", "not_allowed"),
    (REPORTED, "赵静", "签收 1123-001", "not_allowed"),
    (REPORTED, "何建", "到场 1123-001", "not_allowed"),
    (REPORTED, "何建", "退单 1123-001 不是我们的", "not_allowed"),
    (REPORTED, "李敏", "改派 1123-001 住建局", "not_allowed"),
    (REPORTED, "王芳", "撤回 1123-001", "not_allowed"),
    (REPORTED, "李敏", "不予受理 1123-001 重复", "not_allowed"),
    (REPORTED, "赵静", "强制办结 1123-001 算了", "not_allowed"),
    (REPORTED, "李敏", "通过 1123-001", "wrong_state"),
    (REPORTED, "张强", "延期 1123-001 等配件", "wrong_state"),
    (REPORTED, "李敏", "重开 1123-001 没好", "wrong_state"),
    (SIGNED, "张强", "签收 1123-001", "wrong_state"),
    (SIGNED, "李敏", "撤回 1123-001", "not_allowed"),
    (SIGNED, "何建", "反馈 1123-001 已清理", "not_allowed"),
    (SIGNED, "张强", "同意延期 1123-001", "not_allowed"),
    (SIGNED, "赵静", "同意延期 1123-001", "wrong_state"),
    (SIGNED, "李敏", "挂账 1123-001 2026-12-31 等", "not_allowed"),
    (ANSWERED, "张强", "通过 1123-001", "own_unit"),
    (ANSWERED, "张强", "通过", "own_unit"),
    (ANSWERED, "王磊", "返工 1123-001 没清", "own_unit"),
    (ANSWERED, "马玲", "合格 1123-001", "own_unit"),
    (ANSWERED, "王芳", "通过 1123-001", "not_allowed"),
    (ANSWERED, "周敏", "通过 1123-001", "not_allowed"),
    (ANSWERED, "张强", "反馈 1123-001 又清了一遍", "wrong_state"),
    (CLOSED, "张强", "反馈 1123-001 已清理", "wrong_state"),
    (CLOSED, "王芳", "重开 1123-001", "not_allowed"),
    (CLOSED, "张强", "不合格 1123-001", "own_unit"),
    (CLOSED, "李敏", "撤回 1123-001", "wrong_state"),
    (CLOSED, "高远", "强制办结 1123-001 好了", "wrong_state"),
    (CLOSED, "赵静", "豁免 1123-001 大雨", "wrong_state"),
    (REPORTED, "张强", "签收 1123-009", "unclear"),
    (REPORTED, "赵静", "改派 1123-001 太空局", "unclear"),
]


@pytest.mark.parametrize(("before", "who", "words", "refused"), WRONG)
async def test_the_wrong_step_is_refused_with_its_word(before: str, who: str, words: str, refused: str) -> None:
    rehearsal = await play(before + f"09:04 {who}: {words}\n群: …\n! {refused}\n")
    before_it = rehearsal.steps[-2].tasks[0]
    assert rehearsal.steps[-1].tasks[0] == before_it


async def test_either_the_reporter_or_a_verifier_may_check_and_a_dispatcher_of_another_unit() -> None:
    for who in ("李敏", "钱芳", "赵静"):
        await play(ANSWERED + f"09:10 {who}: 通过\n群: 【已办结】…\n= 1123-001 已办结\n")


async def test_a_report_about_his_own_unit_is_checked_by_a_verifier() -> None:
    await play("""
        09:00 马玲: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 反馈 已清理
            群: 【已反馈】#1123-001 … @钱芳 核查
        09:02 马玲: 通过
            群: #1123-001 本单位办理的工单 …
            ! own_unit
        09:03 钱芳: 通过
            群: 【已办结】#1123-001 …
    """)


async def test_a_recalled_report_at_every_state_is_undone_as_far_as_it_can_be() -> None:
    later = "09:20 李敏: [撤回 09:00]\n"
    returned = REPORTED + "09:01 张强: 退单 不属于我们\n群: 【退单待裁】…\n"
    failed = ANSWERED + "09:03 李敏: 返工 没清\n张强: 【返工】…\n群: 【返工】…\n"
    for before, state in (
        (SIGNED, "已签收"),
        (SIGNED + "09:02 张强: 到场\n群: 【已到场】…\n", "办理中"),
        (ANSWERED, "待核查"),
        (CLOSED, "已办结"),
        (failed, "返工"),
    ):
        await play(before + later + f"= 1123-001 {state} 照片0\n")
    await play(returned + "09:10 李敏: [撤回 09:00]\n= 1123-001 退单待裁\n")
    asked = "09:00 李敏: 人民路好像有小广告 [图 a]\n群: 【请确认】…\n"
    await play(asked + "09:01 李敏: [撤回 09:00]\n群: 【已撤回】…\n= 1123-001 已撤回 照片0\n")


async def test_commands_in_private_work_and_the_group_hears_of_the_step() -> None:
    await play(
        REPORTED
        + """
        09:01 张强→: 签收
            张强: 【已签收】#1123-001 …
            群: 【已签收】#1123-001 …
            = 1123-001 已签收
        09:02 张强→: 帮助
            张强: 发照片加一句话 …
        09:03 李敏→: 查 1123-001
            李敏: #1123-001 三角绿地 · 小广告 已签收 · 城管局 …
        09:04 李敏→: 今天天气不错
            李敏: 发照片加一句话 …
    """
    )


@pytest.mark.parametrize(
    "said",
    ["签收", "签收一下", "签收 #1123-001", "#1123-001签收", "＃１１２３－００１ 签收", "签收 1123-1", "签收 20261123-001",
     "签收 #001", "签收1号", "1号单签收", "好的，签收", "我们签收了", "城管局签收", "签受 1123-001", "签手", "签收！", "@群办 签收",
     "收到", "接单", "签收 [引 09:00]", "收到 [引 09:00]"],
)  # fmt: skip
async def test_a_command_is_understood_in_any_form(said: str) -> None:
    await play(REPORTED + f"09:01 张强: {said}\n群: 【已签收】#1123-001 …\n= 1123-001 已签收\n")


@pytest.mark.parametrize(
    "said",
    [
        "谁签收",
        "签收了吗？",
        "请城管局签收",
        "还没签收",
        "收到群众反映",
        "通过微信联系",
        "查看通知",
        "派人去看看",
        "确认一下时间",
    ],
)
async def test_talk_that_begins_like_a_command_is_none(said: str) -> None:
    await play(REPORTED + f"09:01 张强: {said}\n= 1123-001 待签收\n")


async def test_the_office_sets_its_own_words() -> None:
    rules = Rules(texts={"accepted": "#{number} {person} 接单啦"})
    await play(REPORTED + "09:01 张强: 签收\n群: #1123-001 张强 接单啦\n", rules)
