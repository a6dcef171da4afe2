"""The thirty edge cases of dispatch.md F4 as chat logs, by their numbers.

Not here: 12 (no platform delivers edits yet; repeated words add to the task), 19 (no message carries coordinates yet),
28 (dialect and typos: the reader's own set).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from bot.rehearse import Rehearsal
from handlers.events import Event
from tests.flows.chat import play, read
from tests.flows.town import TOWN

pytestmark = pytest.mark.asyncio

REPORTED = """
    09:00 李敏: 三角绿地小广告 [图 a]
        群: 【已受理】#1123-001 …
"""
SIGNED = (
    REPORTED
    + """
    09:01 张强: 签收
        群: 【已签收】#1123-001 …
"""
)
CLOSED = (
    SIGNED
    + """
    09:30 张强: 反馈 已清理 [图 b]
        群: 【已反馈】…
    09:31 李敏: 通过
        群: 【已办结】…
"""
)


async def test_01_three_photos_then_words_within_40_seconds_are_one_report() -> None:
    await play("""
        09:00 李敏: [图 a]
        09:00:15 李敏: [图 b]
        09:00:30 李敏: [图 c]
        09:00:40 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
            = 1123-001 照片3
            = 1123-002 无
    """)


async def test_02_a_photo_four_minutes_later_adds_to_a_task_already_dispatched() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:04 李敏: [图 a]
            = 1123-001 待签收 照片1
            = 1123-002 无
    """)


async def test_03_a_tagged_photo_alone_is_asked_about_once_and_never_dropped() -> None:
    await play("""
        09:00 李敏: @群办 [图 a]
        09:01:30
            群: 照片已收到，请补一句
        09:10
            群: 【请确认】#1123-001 …
            = 1123-001 待确认 照片1
    """)


async def test_04_two_problems_in_one_message_are_two_tasks_photos_in_order() -> None:
    await play("""
        09:00 李敏: 西环路小广告，另外府前路井盖坏了 [图 a] [图 b]
            群: 【已受理】#1123-001 西环路 · 小广告 …
            群: 【已受理】#1123-002 府前路 · 井盖 …
            = 1123-001 照片1
            = 1123-002 照片1
    """)


async def test_05_two_senders_at_once_keep_their_own_pieces() -> None:
    await play("""
        09:00 李敏: [图 a]
        09:00:05 王芳: [图 b]
        09:00:10 王芳: [图 c]
        09:00:20 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 三角绿地 · 小广告 …
        09:00:30 王芳: 府前路井盖坏了
            群: 【已受理】#1123-002 府前路 · 井盖 …
            = 1123-001 照片1 上报:李敏
            = 1123-002 照片2 上报:王芳
    """)


async def test_06_a_photo_quoting_the_bot_is_evidence_for_that_task() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 王芳: 菜市场垃圾
            群: 【已受理】#1123-002 …
        09:02 张强: 签收 1123-001 1123-002
            群: 【已签收】#1123-001 …
            群: 【已签收】#1123-002 …
        09:20 张强: [图 b] [引 09:00]
            群: 【已反馈】#1123-001 城管局:已处理(1张照片) …
            = 1123-001 待核查 反馈图1
            = 1123-002 已签收 反馈图0
        09:21 李敏: [图 c] [引 09:00]
            = 1123-001 照片1
    """)


async def test_07_an_after_photo_goes_to_the_only_open_task_and_is_asked_about_when_there_are_several() -> None:
    await play(
        SIGNED
        + """
        09:20 张强: [图 b]
            群: 【已反馈】#1123-001 城管局:已处理(1张照片) …
            = 1123-001 待核查 反馈图1
    """
    )
    await play(
        SIGNED
        + """
        09:02 王芳: 菜市场垃圾
            群: 【已受理】#1123-002 …
        09:03 张强: 签收
            群: 【已签收】#1123-002 …
        09:20 张强: [图 b]
            群: 您指哪一单? … #1123-002 … #1123-001
            ! unclear
            = 1123-001 已签收 反馈图0
        09:21 张强: #1123-001
            群: 【已反馈】#1123-001 … (1张照片)
            = 1123-001 待核查 反馈图1
            = 1123-002 已签收 反馈图0
    """
    )


async def test_07b_a_unit_that_reports_a_new_problem_is_a_reporter() -> None:
    await play(
        SIGNED
        + """
        09:20 张强: 府前路井盖坏了 [图 b]
            群: 【已受理】#1123-002 府前路 · 井盖 … 住建局
            = 1123-001 已签收 反馈图0
    """
    )


async def test_08_a_bare_shoudao_signs_the_newest_and_names_the_others() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 王芳: 菜市场垃圾
            群: 【已受理】#1123-002 …
        09:02 邹萍: 人民路小广告
            群: 【已受理】#1123-003 …
        09:03 张强: 收到
            群: 【已签收】#1123-003 … 还有待签收:#1123-002、#1123-001
            = 1123-003 已签收
            = 1123-001 待签收
        09:04 张强: 收到 [引 09:00]
            群: 【已签收】#1123-001 …
            = 1123-001 已签收
            = 1123-002 待签收
    """)


async def test_09_talk_is_not_a_report_and_is_not_kept() -> None:
    log = """
        09:00 李敏: 好的
        09:01 王芳: 收到
        09:02 张强: 收到
        09:03 邹萍: 大家早上好
        09:04 李敏: 关于召开垃圾分类会议的通知
        09:05 王芳: 中午吃什么
        09:06 张强: 同意
        09:07 张强: 2
        09:08 邹萍: 通过这条路回家
    """
    rehearsal = await play(log)
    assert not any(step.kept or step.tasks for step in rehearsal.steps)


async def test_10_a_photo_of_a_meeting_already_settled_is_no_report() -> None:
    rehearsal = await play("""
        09:00 李敏: 今天的垃圾分类会议精神已落实 [图 a]
        09:15
    """)
    assert rehearsal.steps[-1].tasks == []


async def test_11_a_recall_drops_withdraws_or_hides_by_how_far_the_task_is() -> None:
    rehearsal = await play("""
        09:00 李敏: [图 a]
        09:00:30 李敏: [撤回 09:00]
        09:15
    """)
    assert rehearsal.steps[-1].tasks == []
    await play(
        REPORTED
        + """
        09:01 李敏: [撤回 09:00]
            群: 【已撤回】#1123-001 …
            = 1123-001 已撤回 照片0
    """
    )
    await play(
        SIGNED
        + """
        09:02 李敏: [撤回 09:00]
            = 1123-001 已签收 照片0
    """
    )


async def test_13_strangers_are_held_and_other_groups_members_refused() -> None:
    rehearsal = await play("""
        09:00 陌生人: 三角绿地小广告 [图 a]
            群: 您还没有登记，消息暂未受理 …
            ! not_member
        09:01 陌生人: 三角绿地小广告，快来 [图 a]
            ! not_member
        09:02 邹萍@second: 三角绿地小广告
            ! not_member
    """)
    assert rehearsal.steps[-1].tasks == []


async def test_14_two_units_contest_the_limit_runs_on_and_the_second_ruling_is_final() -> None:
    await play("""
        09:00 李敏: 人民路有人违停
            群: 【已受理】#1123-001 … 交警大队 @何建 · 今日13:00前反馈
        09:02 何建: 退单 人行道属城管
            群: 【退单待裁】#1123-001 交警大队退单:人行道属城管 …
        09:03 赵静: 改派 城管局
            群: 【裁定】#1123-001 … 由城管局承办 @张强 …
            张强: 【新工单】#1123-001 …
        09:05 张强: 退单 机动车属交警
            群: 【退单待裁】#1123-001 城管局第2次退单 … 请裁定人 …
        09:35
            周敏: 【请裁定】#1123-001 退单待裁 …
        09:40 周敏: 裁定 交警大队
            群: 【裁定】#1123-001 … 由交警大队承办 … 首接负责，不再退单
            何建: 【新工单】#1123-001 …
            = 1123-001 待签收 交警大队 11-23/13:00
        09:41 何建: 退单 不是我们
            群: #1123-001 已裁定由贵单位承办，不再退单
            ! not_allowed
            = 1123-001 待签收
    """)


async def test_15_nobodys_problem_is_given_to_the_town() -> None:
    await play("""
        09:00 李敏: 人民路有人违停
            群: 【已受理】#1123-001 … 交警大队 …
        09:02 何建: 退单 不归我们管
            群: 【退单待裁】…
        09:03 赵静: 改派 城关镇
            群: 【裁定】#1123-001 … 由城关镇承办 …
            熊伟: 【新工单】…
            = 1123-001 待签收 城关镇
    """)


async def test_16_the_same_photo_from_three_people_is_one_task_and_all_hear_of_its_end() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告 [图 a]
            群: 【已受理】#1123-001 …
        09:01 王芳: 人民路那边小广告好多 [图 a]
            群: 【并案】与 #1123-001 …是同一问题
        09:02 邹萍: 三角绿地的小广告 [图 a]
            群: 【并案】与 #1123-001 …
            = 1123-001 上报:李敏、王芳、邹萍
            = 1123-002 无
        09:03 张强: 清理完了 [图 b]
            群: 【已反馈】#1123-001 …
        09:04 王芳: 通过
            群: 【已办结】#1123-001 …
            王芳: 【已办结】#1123-001 …
            邹萍: 【已办结】#1123-001 …
    """)


async def test_16b_whoever_joined_by_mistake_takes_his_report_out_again() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告 [图 a]
            群: 【已受理】#1123-001 …
        09:01 王芳: 三角绿地小广告 [图 b]
            群: 【并案】与 #1123-001 …
            = 1123-001 照片2 上报:李敏、王芳
        09:02 王芳: 拆分
            群: 【已受理】#1123-002 …
            = 1123-001 照片1 上报:李敏
            = 1123-002 待签收 照片1 上报:王芳
    """)


async def test_17_an_after_photo_used_before_is_a_question_to_a_person_in_private() -> None:
    await play(
        CLOSED
        + """
        10:00 王芳: 菜市场垃圾
            群: 【已受理】#1123-002 …
        10:01 张强: 反馈 已清运 [图 b]
            群: 【已反馈】#1123-002 …
            赵静: 【照片存疑】#1123-002 反馈照片与 #1123-001 的照片几乎相同 …
            = 1123-002 待核查 反馈图1
    """
    )


async def test_18_the_report_photo_fed_back_as_after_photo_is_suspect() -> None:
    await play(
        SIGNED
        + """
        09:30 张强: 反馈 已清理 [图 a]
            群: 【已反馈】#1123-001 …
            赵静: 【照片存疑】#1123-001 反馈照片与上报的照片几乎相同 …
    """
    )


async def test_20_friday_evening_before_a_working_saturday_counts_saturday() -> None:
    await play("""
        — 10月9日 —
        18:01 李敏: 三角绿地小广告
            群: 【已受理】#1009-001 三角绿地 · 小广告 … 派:城管局 · 明日18:00前反馈，上班后通知
            = 1009-001 待签收 10-10/18:00
        — 10月10日 —
        08:29
        08:30
            张强: 【新工单】#1009-001 …
        08:35
            王磊: 【请签收】#1009-001 … 城管局尚未签收
    """)


async def test_22_messages_delivered_twice_count_once() -> None:
    await play(
        REPORTED
        + """
        09:00:05 李敏: 三角绿地小广告 [图 a] [再发 09:00]
            ! duplicate
        09:01 张强: 签收
            群: 【已签收】…
        09:01:10 张强: 签收 [再发 09:01]
            ! duplicate
            = 1123-001 已签收
            = 1123-002 无
    """
    )


async def test_24_a_renamed_unit_keeps_its_tasks_and_its_old_name_finds_it() -> None:
    unit = replace(TOWN.units[1], name="综合执法局", aliases=("城管局",))
    county = replace(TOWN, units=(TOWN.units[0], unit, *TOWN.units[2:]))
    start, scenes = read("""
        09:00 李敏: 人民路好像有小广告
        09:01 赵静: 派 城管局
    """)
    rehearsal = await Rehearsal.open(county, start)
    steps = await rehearsal.play(scene.line for scene in scenes)
    await rehearsal.close()
    assert "派:综合执法局" in steps[1].notices[0].text and steps[1].tasks[0]["unit"] == "cgj"


async def test_25_danger_is_dispatched_at_once_at_any_hour_with_the_number_to_ring() -> None:
    await play("""
        — 11月21日 —
        23:00 李敏: 府前路好像漏气了
            群: 【紧急】#1121-001 府前路 · 燃气泄漏 … 住建局 @陈波 · 请立即处置 … 先拨打 119
            = 1121-001 待签收 紧急
        23:15
            黄志刚: 【请签收】#1121-001 …
    """)


async def test_26_numbers_of_people_are_masked_in_what_the_group_sees() -> None:
    rehearsal = await play("""
        09:00 李敏: 人民路好像有小广告，电话13812345678
            群: 【请确认】#1123-001 …
    """)
    assert "13812345678" not in str(rehearsal.steps)


async def test_27_a_voice_message_is_answered_with_a_request_for_words() -> None:
    start, _ = read("09:00 李敏: 你好")
    rehearsal = await Rehearsal.open(TOWN, start)
    event = Event("stage", "v1", address="ssp", group="ssp", sender="limin", voice=True, addressed=True)
    await rehearsal.engine.inbox.accept((event,))
    await rehearsal.engine.settle()
    await rehearsal.close()
    assert "语音听不了" in rehearsal.stage.sent[0][1].text


async def test_29_unsatisfied_after_the_end_reopens_within_seven_days() -> None:
    await play(
        CLOSED
        + """
        — 11月25日 —
        10:00 李敏: 不合格
            张强: 【返工】#1123-001 …
            群: 【重开】#1123-001 李敏反映未解决 …
            = 1123-001 返工
    """
    )


async def test_30_never_mind_closes_nothing_only_a_forced_end_with_its_reason_does() -> None:
    await play(
        SIGNED
        + """
        09:02 高远: 算了不用管了
            = 1123-001 已签收
        09:03 高远: 算了不用管了 [引 09:00]
            = 1123-001 已签收
        09:04 高远: 强制办结
            群: 请写明原因
            ! unclear
        09:05 高远: 强制办结 1123-001 已由施工方统一处理
            群: 【已办结】#1123-001 由高远决定办结 … 原因:已由施工方统一处理
            = 1123-001 已办结
    """
    )


async def test_12_the_same_words_again_are_no_second_report() -> None:
    await play(
        REPORTED
        + """
        09:00:20 李敏: 三角绿地小广告，贴在雕塑上
            = 1123-001 待签收
            = 1123-002 无
    """
    )


async def test_21_and_23_time_never_runs_back_and_each_timer_fires_once() -> None:
    await play(
        REPORTED
        + """
        09:05
            王磊: 【请签收】#1123-001 …
        09:10
            刘建国: 【请签收】#1123-001 …
        10:09
        10:10
            高远: 【督办】#1123-001 … 逐级通知后仍未签收
        11:30
    """
    )


async def test_16c_the_same_problem_from_two_groups_is_one_task_with_a_way_back() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告 [图 a]
            群: 【已受理】#1123-001 …
        09:03 王芳@second: 三角绿地小广告
            第二群: 【并案】与 #1123-001 …
        09:04 李敏@second: 三角绿地小广告 [图 b]
            第二群: 【并案】与 #1123-001 …
            = 1123-001 照片2 上报:李敏、王芳
            = 1123-002 无
        09:04:30 李敏@second: 拆分
            第二群: 【已受理】#1123-002 …
            群: 【已受理】#1123-002 …
            = 1123-002 待签收 照片1
            = 1123-001 照片1
    """)


async def test_06b_a_photo_after_the_answer_joins_it_and_a_recalled_one_is_gone() -> None:
    await play(
        SIGNED
        + """
        09:20 张强: 反馈 1123-001 已清理 [图 wrong]
            群: 【已反馈】#1123-001 …
            = 1123-001 待核查 反馈图1
        09:21 张强: [撤回 09:20]
            = 1123-001 待核查 反馈图0
        09:22 张强: 反馈 1123-001 刚才发错了，这张才是 [图 right]
            群: 【补充反馈】#1123-001 城管局:刚才发错了，这张才是(1张照片) …
            = 1123-001 待核查 反馈图1
    """
    )


async def test_06c_photos_that_follow_an_answer_without_a_word_are_shown_once_together() -> None:
    rehearsal = await play("""
        09:00 李敏: 三角绿地小广告 [图 before]
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】#1123-001 …
        09:20 张强: 反馈 1123-001 已清理
            群: 【已反馈】#1123-001 …
        09:21 张强: [图 c]
        09:21:30 张强: 1123-001 [图 d]
            = 1123-001 待核查 反馈图2
        09:23
            群: 【补充反馈】#1123-001 城管局又发来处理后照片2张 …
    """)
    assert rehearsal.steps[-1].tasks[0]["evidence"] == 2


async def test_what_a_unit_asks_while_quoting_is_no_answer_of_theirs() -> None:
    await play(
        SIGNED
        + """
        09:02 张强: 先不反馈，等配件 [引 09:00]
            群: #1123-001 … 没看懂要做什么 …
            = 1123-001 已签收
        09:03 张强: 具体在哪个位置？ [引 09:00]
            群: #1123-001 … 已签收 · 城管局 …
            = 1123-001 已签收
        09:04 张强: 已经清干净了 [引 09:00]
            群: 【已反馈】#1123-001 …
            = 1123-001 待核查
    """
    )


async def test_a_sentence_with_a_number_is_understood_answered_or_left_alone() -> None:
    await play(
        SIGNED
        + """
        09:02 李敏: 1123-001到哪了
            群: #1123-001 三角绿地 · 小广告 … 已签收 · 城管局 …
        09:03 李敏: 1123-001辛苦大家了
        09:04 王芳: 1123-001这个案例很典型
            群: #1123-001 … 没看懂要做什么，可回复“帮助”
        09:05 王芳: 1123-099到哪了
            群: 没有找到工单 1123-099，请核对单号
            ! unclear
        09:06 张强: 1123-001需要延期一天，喷枪坏了
            群: 【申请延期】#1123-001 城管局:需要延期一天，喷枪坏了 …
        09:07 赵静: 1123-001 情况属实，同意
            群: 【延期】#1123-001 同意第1次延期 …
            = 1123-001 已签收 11-25/09:00
    """
    )


async def test_a_yes_or_no_to_an_exemption_is_not_taken_for_one_to_an_extension() -> None:
    log = """
        09:00 李敏: 菜市场垃圾
            群: 【已受理】#1123-001 … 今日13:00前反馈
        09:01 张强: 签收
            群: 【已签收】…
        14:00
            张强: 【将超时】…
            张强: 【已超时】…
            刘建国: 【督办】…
            高远: 【督办】…
        14:10 张强: 反馈 已清运
            群: 【已反馈】…
        14:11 李敏: 1123-001 看过了，没问题
            群: 【已办结】#1123-001 … 超时
        14:12 赵静: 1123-001 免责，连续大雪
            群: #1123-001 申请超时豁免:连续大雪 …
            周敏: #1123-001 申请超时豁免:连续大雪 …
    """
    await play(log + "14:13 周敏: 1123-001 同意\n群: #1123-001 超时豁免已同意，超时记录保留\n")
    await play(log + "14:13 周敏: 同意\n群: #1123-001 超时豁免已同意，超时记录保留\n")
    await play(log + "14:13 周敏: 1123-001 不同意，没下那么大\n群: #1123-001 未同意超时豁免\n")


async def test_one_joins_another_however_it_is_put() -> None:
    two = """
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 王芳: 菜市场垃圾
            群: 【已受理】#1123-002 …
    """
    for said in (
        "把1123-002并到1123-001",
        "1123-002和1123-001合并",
        "1123-001和1123-002合并一下",
        "1123-001把1123-002并进来",
        "以1123-001为主，1123-002并入",
        "1123-002并入1123-001吧，同一处",
        "1123-002 跟 1123-001 是一个，合并",
    ):
        await play(two + f"09:02 赵静: {said}\n群: 【并案】#1123-002 已并入 #1123-001 …\n= 1123-002 并案\n")


def _photo(folder: Path, name: str, shade: int, taken: str, north: tuple[float, float, float] | None = None) -> str:
    """A camera's file: its own picture, the time it was taken and where (WGS-84)."""
    image = Image.effect_noise((640, 480), 60 + shade).convert("RGB")
    ImageDraw.Draw(image).rectangle((40 + shade * 3, 60, 420, 100 + shade * 4), fill=(200, shade, 40))
    exif = image.getexif()
    exif.get_ifd(0x8769)[0x9003] = taken
    if north is not None:
        exif.get_ifd(0x8825).update({1: "N", 2: north, 3: "E", 4: (104.0, 5.0, 1.0)})
    image.save(folder / name, quality=90, exif=exif)
    return str(folder / name)


async def test_18b_an_after_photo_taken_before_the_report_is_a_question_in_private(tmp_path: Path) -> None:
    before = _photo(tmp_path, "b.jpg", 5, "2026:11:23 08:50:00")
    after = _photo(tmp_path, "a.jpg", 60, "2026:11:23 08:30:00")
    await play(f"""
        09:00 李敏: 三角绿地小广告 [图 {before}]
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:20 张强: 反馈 已清理 [图 {after}]
            群: 【已反馈】#1123-001 …
            赵静: 【照片存疑】#1123-001 反馈照片的拍摄时间早于上报照片 …
            = 1123-001 待核查
    """)


async def test_19_an_after_photo_taken_800_metres_away_is_a_question_in_private(tmp_path: Path) -> None:
    before = _photo(tmp_path, "b.jpg", 5, "2026:11:23 08:50:00", (30.0, 15.0, 30.0))
    after = _photo(tmp_path, "a.jpg", 60, "2026:11:23 09:15:00", (30.0, 15.0, 56.0))
    near = _photo(tmp_path, "n.jpg", 90, "2026:11:23 09:16:00", (30.0, 15.0, 31.0))
    log = f"""
        09:00 李敏: 三角绿地小广告 [图 {before}]
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
    """
    await play(
        log
        + f"""
        09:20 张强: 反馈 已清理 [图 {after}]
            群: 【已反馈】#1123-001 …
            赵静: 【照片存疑】#1123-001 反馈照片的拍摄地点距上报照片约812米 …
            = 1123-001 待核查
    """
    )
    await play(log + f"09:20 张强: 反馈 已清理 [图 {near}]\n群: 【已反馈】#1123-001 …\n= 1123-001 待核查\n")


async def test_19b_a_photo_that_follows_an_answer_is_examined_too(tmp_path: Path) -> None:
    before = _photo(tmp_path, "b.jpg", 5, "2026:11:23 08:50:00")
    await play(f"""
        09:00 李敏: 三角绿地小广告 [图 {before}]
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:20 张强: 反馈 已清理
            群: 【已反馈】#1123-001 …
        09:21 张强: [图 {_photo(tmp_path, "a.jpg", 60, "2026:11:23 08:30:00")}]
            赵静: 【照片存疑】#1123-001 反馈照片的拍摄时间早于上报照片 …
        09:23
            群: 【补充反馈】#1123-001 …
    """)


async def test_out_of_order_a_late_word_changes_nothing_that_has_gone_on() -> None:
    await play(
        SIGNED
        + """
        09:10 张强: 反馈 已清理
            群: 【已反馈】#1123-001 …
        09:11 张强: 签收 1123-001
            群: #1123-001 现在是“待核查”，不能签收
            ! wrong_state
        09:12 张强: 1123-001到场了
            群: #1123-001 现在是“待核查”，不能到场
            ! wrong_state
        09:13 李敏: 通过
            群: 【已办结】#1123-001 …
        09:14 李敏: 1123-001 东边没清干净，不合格
            张强: 【返工】#1123-001 …
            群: 【重开】#1123-001 …
            = 1123-001 返工
    """
    )
