"""From a photo in the group to a closed task, and everything that may go otherwise on the way."""

from __future__ import annotations

import pytest

from tests.flows.chat import play

pytestmark = pytest.mark.asyncio


async def test_a_report_is_dispatched_signed_fed_back_verified_and_closed() -> None:
    await play("""
        09:00 李敏: 西环路三角绿地的雕塑上贴满小广告 [图 a]
            群: 【已受理】#1123-001 西环路三角绿地 · 小广告 … 派:城管局 @张强 · 明日09:00前反馈
            = 1123-001 待签收 城管局 三角绿地 照片1 反馈图0 上报:李敏 不急 11-24/09:00
        09:01 张强: 签收
            群: 【已签收】#1123-001 城管局 张强 09:01签收(用时1分0秒)
            = 1123-001 已签收
        09:20 张强: 到场
            群: 【已到场】#1123-001 张强 09:20到场，距上报20分钟
            = 1123-001 办理中
        10:00 张强: 反馈 已清理干净 [图 b]
            群: 【已反馈】#1123-001 城管局:已清理干净(1张照片) … @李敏 核查
            = 1123-001 待核查 反馈图1
        10:05 李敏: 通过
            群: 【已办结】#1123-001 西环路三角绿地 · 小广告 … 用时1小时5分，按期
            = 1123-001 已办结 照片1 反馈图1
    """)


async def test_a_photo_first_then_words_is_one_report() -> None:
    await play("""
        09:00 李敏: [图 a]
        09:00:20 李敏: [图 b]
        09:00:30 李敏: [图 c]
        09:00:40 李敏: 人民路菜市场门口垃圾没人收
            群: 【已受理】#1123-001 人民路菜市场 · 垃圾 … 城管局
            = 1123-001 待签收 照片3
        09:05
            = 1123-001 待签收 照片3
    """)


async def test_a_photo_four_minutes_after_the_words_joins_them_in_silence() -> None:
    await play("""
        09:00 李敏: 人民路菜市场门口垃圾没人收
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:04 李敏: [图 a]
            = 1123-001 已签收 照片1
    """)


async def test_a_missing_place_is_asked_for_once_and_the_answer_completes_the_report() -> None:
    await play("""
        09:00 李敏: 井盖坏了 [图 a]
            群: 情况已收到，请回复一句具体位置
        09:01 李敏: 好的
        09:02 李敏: 老供销社后院
            群: 【请确认】#1123-001 老供销社后院 · … 1 住建局 2 城管局 3 交警大队
            = 1123-001 待确认 井盖 照片1 老供销社后院
    """)
    await play("""
        09:00 李敏: 井盖坏了
            群: 情况已收到，请回复一句具体位置
        09:01 李敏: 府前路12号
            群: 【已受理】#1123-001 府前路12号 · 井盖 … 住建局 @陈波
    """)


async def test_an_unanswered_question_for_the_place_ends_with_the_dispatcher() -> None:
    await play("""
        09:00 李敏: 井盖坏了 [图 a]
            群: 情况已收到，请回复一句具体位置
        09:10
            群: 【请确认】#1123-001 井盖坏了 … 1 住建局
            = 1123-001 待确认 照片1 无地点
        09:14
            赵静: 【请确认】#1123-001 …
    """)


async def test_an_untagged_photo_is_asked_about_once_and_erased_without_a_word() -> None:
    rehearsal = await play("""
        09:00 李敏: [图 a]
        09:01:29
        09:01:30
            群: 照片已收到，请补一句:在哪里、什么问题
        09:09:59
        09:10
        09:30
    """)
    assert rehearsal.steps[-1].tasks == []


async def test_a_tagged_photo_without_words_becomes_the_dispatchers() -> None:
    await play("""
        09:00 李敏: #随手拍 [图 a]
        09:01:30
            群: 照片已收到，请补一句
        09:10
            群: 【请确认】#1123-001 (只有照片) … 请直接指定单位
            = 1123-001 待确认 照片1
        09:11 赵静: 派 城管局
            群: 【已受理】#1123-001 … 派:城管局 @张强
            = 1123-001 待签收
    """)


async def test_an_answer_after_the_question_opens_the_report() -> None:
    await play("""
        09:00 李敏: [图 a]
        09:01:30
            群: 照片已收到，请补一句
        09:02 李敏: 稍等
        09:03 李敏: 三角绿地有小广告
            群: 【已受理】#1123-001 三角绿地 · 小广告
            = 1123-001 照片1
    """)


async def test_talk_between_photo_and_words_is_not_part_of_the_report() -> None:
    rehearsal = await play("""
        09:00 李敏: [图 a]
        09:00:30 李敏: 中午在食堂吃吗
        09:01:30
            群: 照片已收到，请补一句
        09:10
        09:20
    """)
    assert rehearsal.steps[-1].tasks == []


async def test_unsure_offers_three_units_and_any_way_of_choosing_works() -> None:
    for answer in ("2", "②", "选2", "派 住建局", "派住建局", "2 [引 09:00]", "住建局 [引 09:00]", "派 1123-001 住建局"):
        await play(f"""
            09:00 李敏: 人民路好像有小广告 [图 a]
                群: 【请确认】#1123-001 人民路 · … 1 城管局  2 住建局  3 交警大队 … 请指挥员回复序号
                = 1123-001 待确认
            09:01 赵静: {answer}
                群: 【已受理】#1123-001 人民路 · 小广告 … 派:住建局 @陈波
                = 1123-001 待签收 住建局
        """)


async def test_the_reporter_withdraws_until_it_is_signed_for_and_the_dispatcher_after() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 李敏: 撤回
            群: 【已撤回】#1123-001 …
            = 1123-001 已撤回
        09:02 李敏: 人民路菜市场垃圾
            群: 【已受理】#1123-002 …
        09:03 张强: 签收
            群: 【已签收】#1123-002 …
        09:04 李敏: 撤回 #1123-002
            群: #1123-002 撤回请由指挥员操作
            ! not_allowed
        09:05 赵静: 撤回 1123-002 与昨日重复
            群: 【已撤回】#1123-002 …
            = 1123-002 已撤回
    """)


async def test_a_returned_task_goes_to_the_unit_the_dispatcher_names_and_its_limit_goes_on() -> None:
    await play("""
        09:00 李敏: 西环路有人违停
            群: 【已受理】#1123-001 西环路 · 违停 … 派:交警大队 @何建 · 今日13:00前反馈
        09:05 何建: 退单 人行道停车属城管职责
            群: 【退单待裁】#1123-001 交警大队退单:人行道停车属城管职责 … 改派
            = 1123-001 退单待裁
        09:06 赵静: 改派 城管局
            群: 【裁定】#1123-001 西环路 · 违停 … 由城管局承办 @张强 · 今日13:00前反馈
            张强: 【新工单】#1123-001 …
            = 1123-001 待签收 城管局 11-23/13:00
    """)


async def test_a_failed_check_is_rework_with_the_reason_told_to_the_unit_alone() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:30 张强: 清理完了
            群: 【已反馈】#1123-001 城管局:清理完了(无照片) …
            = 1123-001 待核查 反馈图0
        09:40 李敏: 不合格，东侧还有残留
            张强: 【返工】#1123-001 核查未通过:东侧还有残留
            群: 【返工】#1123-001 核查未通过，请城管局重新办理
            = 1123-001 返工
        10:00 张强: 反馈 东侧已清 [图 b]
            群: 【已反馈】#1123-001 …
        10:01 李敏: 合格
            群: 【已办结】#1123-001 …
            = 1123-001 已办结
    """)


async def test_a_missing_reason_is_asked_for_and_the_next_sentence_is_it() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】…
        09:01 张强: 清理完了 [图 b]
            群: 【已反馈】…
        09:02 李敏: 返工
            群: 请写明原因
            ! unclear
            = 1123-001 待核查
        09:03 李敏: 东侧没清干净
            张强: 【返工】#1123-001 核查未通过:东侧没清干净
            群: 【返工】…
            = 1123-001 返工
    """)


async def test_an_end_can_be_reopened_for_seven_days() -> None:
    log = """
        09:00 李敏: 三角绿地小广告
            群: 【已受理】…
        09:01 张强: 清理完了
            群: 【已反馈】…
        09:02 李敏: 通过
            群: 【已办结】…
        {day}
        10:00 李敏: 不合格，又贴上了 [引 09:00]
    """
    await play(
        log.format(day="— 11月27日 —")
        + """
            张强: 【返工】#1123-001 核查未通过:又贴上了
            群: 【重开】#1123-001 李敏反映未解决 … 城管局
            = 1123-001 返工
    """
    )
    await play(
        log.format(day="— 12月1日 —")
        + """
            群: #1123-001 办结已超过7天，请重新上报
            ! too_late
            = 1123-001 已办结
    """
    )


async def test_two_problems_in_one_message_become_two_tasks_with_a_photo_each() -> None:
    await play("""
        09:00 李敏: 西环路小广告，另外府前路井盖坏了 [图 a] [图 b]
            群: 【已受理】#1123-001 西环路 · 小广告 … 城管局
            群: 【已受理】#1123-002 府前路 · 井盖 … 住建局
            = 1123-001 照片1 城管局
            = 1123-002 照片1 住建局
    """)


async def test_a_redelivered_message_changes_nothing() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告 [图 a]
            群: 【已受理】#1123-001 …
        09:01 李敏: 三角绿地小广告 [图 a] [再发 09:00]
            ! duplicate
            = 1123-002 无
    """)


async def test_what_is_still_being_gathered_can_be_taken_back_in_words() -> None:
    rehearsal = await play("""
        09:00 李敏: 井盖坏了 [图 a]
            群: 情况已收到，请回复一句具体位置
        09:01 李敏: 发错了，撤回
            群: 好的，刚才的不再受理
        09:12
    """)
    assert rehearsal.steps[-1].tasks == []


async def test_a_plain_answer_to_the_question_for_a_check_is_understood_when_quoting() -> None:
    log = """
        09:00 李敏: 三角绿地小广告
            群: 【已受理】…
        09:01 张强: 清理完了
            群: 【已反馈】…
    """
    await play(log + "09:02 李敏: 可以，很干净 [引 09:01]\n群: 【已办结】…\n")
    await play(log + "09:02 李敏: 我下午去看看 [引 09:01]\n= 1123-001 待核查\n")
    await play(log + "09:02 李敏: 可以了，谢谢 [引 09:01]\n群: 【已办结】…\n")
    await play(log + "09:02 李敏: 东侧还有 [引 09:01]\n张强: 【返工】…东侧还有\n群: 【返工】…\n")


async def test_a_new_problem_after_a_photo_alone_takes_the_photo_with_it() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告 [图 a]
            群: 【已受理】#1123-001 …
        09:03 李敏: [图 b]
        09:03:20 李敏: 府前路井盖坏了
            群: 【已受理】#1123-002 …
            = 1123-001 照片1
            = 1123-002 照片1
    """)


async def test_place_first_then_the_problem_is_one_report() -> None:
    await play("""
        09:00 李敏: 府前路12号
        09:00:20 李敏: 井盖坏了
            群: 【已受理】#1123-001 府前路12号 · 井盖 …
    """)


async def test_one_more_photo_after_the_answer_belongs_to_it() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 到了
            群: 【已到场】…
        09:05 张强: 清理完了 [图 b]
            群: 【已反馈】#1123-001 …
        09:06 张强: [图 c]
            = 1123-001 待核查 反馈图2
    """)


async def test_a_photo_whose_words_do_not_say_it_is_done_is_asked_about() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:05 张强: 东侧 [图 b]
            群: 您指哪一单? … #1123-001
            ! unclear
            = 1123-001 已签收 反馈图0
        09:06 张强: 1123-001
            群: 【已反馈】#1123-001 城管局:东侧(1张照片) …
            = 1123-001 待核查 反馈图1
    """)


@pytest.mark.parametrize(
    "said", ["不是我们的，退单", "不归我们管", "退单 不归我们管", "不属于本单位职责", "属于交警，申请退单"]
)
async def test_a_return_is_understood_however_it_is_put(said: str) -> None:
    await play(f"""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: {said}
            群: 【退单待裁】#1123-001 城管局退单:…
            = 1123-001 退单待裁
    """)


async def test_a_wrong_place_is_put_right_in_plain_words() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 李敏: 地点错了，是人民路3号
            群: 【已更正】#1123-001 人民路3号 …
            = 1123-001 人民路
    """)


async def test_a_photo_with_words_nobody_can_place_is_asked_about_like_a_photo_alone() -> None:
    await play("""
        09:00 李敏: 这里太脏了 [图 a]
        09:01:30
            群: 照片已收到，请补一句
        09:02 李敏: 菜市场门口的垃圾
            群: 【已受理】#1123-001 菜市场 · 垃圾 …
            = 1123-001 照片1
    """)
