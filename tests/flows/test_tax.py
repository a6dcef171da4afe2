"""Tax questions as they are asked in a group: one right answer, three to choose from, a person, or silence."""

from __future__ import annotations

from functools import partial

import pytest

from tests.flows import chat
from tests.flows.tax_town import BUREAU, ENTRIES

pytestmark = pytest.mark.asyncio
play = partial(chat.play, county=BUREAU, home="tax")


@pytest.fixture(autouse=True)
def _knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.engine.shipped_entries", lambda: ENTRIES)


async def test_a_question_gets_the_approved_text_with_basis_and_validity_and_thanks_get_nothing() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 请问小规模一个月开多少票不用交增值税？
            群: 【解答】小规模纳税人按月申报月销售额多少以内免征增值税 … 按月申报的小规模纳税人，月销售额未超过10万元的，免征增值税。 … 依据：财政部 税务总局公告2026年第10号 … 有效期：2026年1月1日至2027年12月31日 … 不满意请回复 人工
        10:01 方欣: 好的谢谢
        10:02 石梅: 今天好冷啊
        10:03 姚娟: 王会计发票我放你桌上了
    """)


async def test_a_remark_after_an_answer_does_not_bring_it_again() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 孩子上学个税一个月能扣多少
            群: 【解答】子女教育 …
        10:01 方欣: 学习了
        10:02 方欣: 没用
        10:03 方欣: 晓得喽
        10:04 方欣: 牛啊
    """)


async def test_two_askers_lean_each_on_their_own_words() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 小规模一个月开多少票不用交增值税
            群: 【解答】小规模纳税人按月申报 …
        10:01 石梅: 孩子上学个税一个月能扣多少
            群: 【解答】子女教育专项附加扣除标准 …
        10:02 方欣: 那按季度的呢
            群: 【解答】小规模纳税人按季申报 …
        10:03 姚娟: 那季度呢
    """)


async def test_a_deadline_is_asked_whole_whatever_was_said_before() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 税务注销怎么办
            群: …请回复序号 … 都不是请回复 人工
        10:01 方欣: 这个月申报到几号
            群: 2026年11月征期截止11月16日 …
    """)


async def test_a_number_answers_its_own_askers_open_list_only() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 税务注销怎么办
            群: …请回复序号 … 都不是请回复 人工
        10:01 石梅: 1
        10:02 方欣: 9
            群: 没有这个序号，请回复1到…
        10:03 方欣: 第一个
            群: 【解答】…注销税务怎么办 …
        10:04 方欣: 孩子上学个税一个月能扣多少
            群: 【解答】子女教育 …
        10:05 方欣: 2
        10:06 石梅: 2 [引 10:00]
            群: 【解答】…注销税务怎么办 …
    """)


async def test_a_list_is_over_after_ten_minutes_quoted_or_not() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 税务注销怎么办
            群: …请回复序号 …
        10:11 方欣: 1
            群: 这份选项已过期，请重新提问
        10:12 方欣: 1 [引 10:00]
            群: 这份选项已过期，请重新提问
    """)


async def test_words_settle_a_clarifying_question_too() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 税务注销怎么办
            群: …请回复序号 …
        10:01 方欣: 个体户
            群: 【解答】个体工商户注销税务怎么办 …
    """)


async def test_a_question_nobody_answers_is_handed_over_answered_by_quote_learned_approved_and_then_known() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 出口退税怎么办理
            田芳: #问0001 请您答复 … 问：出口退税怎么办理 …
            群: #问0001 已转值班税务人员 …
        10:05 田芳: 稍等，我核实一下 [引 10:00]
        10:10 田芳: 带报关单到二楼3号窗口办理，依据：税务总局公告2018年第16号 [引 10:00]
            任静: #草0001 请您审核（田芳拟，新条目） … 答：带报关单到二楼3号窗口办理 … 依据：税务总局公告2018年第16号 …
            田芳: #问0001 已答复。拟收入问答库为 #草0001，已送任静审核
        10:11 石梅: 出口退税怎么办理呢
            田芳: #问0002 …
            群: #问0002 已转值班税务人员 …
        10:12 田芳→: 同意 #草0001
            田芳: #草0001 是您自己拟的，要由别人审核
            ! not_allowed
        10:13 任静→: 同意 #草0001
            任静: #草0001 已生效 …
            田芳: #草0001 已生效 …
        10:14 任静→: 同意 #草0001
            任静: #草0001 已处理过
            ! wrong_state
        10:15 姚娟: 请问出口退税怎么办理
            群: 【解答】出口退税怎么办理 … 带报关单到二楼3号窗口办理 … 依据：税务总局公告2018年第16号 … 有效期：2026年11月24日起 …
    """)


async def test_a_reply_without_a_document_waits_for_its_basis() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 出口退税怎么办理
            田芳: #问0001 …
            群: #问0001 …
        10:10 田芳→: #问0001 带报关单到二楼3号窗口
            群: #问0001 田芳答复：带报关单到二楼3号窗口
            田芳: #问0001 已答复。拟收入问答库为 #草0001，请补依据 …
        10:11 任静→: 同意 #草0001
            任静: #草0001 还没有依据，不能生效
            ! wrong_state
        10:12 方欣→: 依据 随便写的 #草0001
            方欣: 您不能审核 #草0001
            ! not_allowed
        10:13 田芳→: 依据 税务总局公告2018年第16号
            任静: #草0001 请您审核 … 依据：税务总局公告2018年第16号 …
            田芳: #草0001 依据已补，已送任静审核
        10:14 任静→: 不同意 #草0001 文号不对
            任静: #草0001 已退回田芳
            田芳: #草0001 未通过审核：文号不对
        10:15 石梅: 出口退税怎么办理
            田芳: #问0002 …
            群: #问0002 …
    """)


async def test_a_reply_that_names_an_entry_becomes_one_more_way_to_ask_for_it() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 人工 伢子念书的钱税上能抵不
            田芳: #问0001 请您答复 … 问：伢子念书的钱税上能抵不 …
            群: #问0001 已转值班税务人员 …
        10:05 田芳: 看这条：子女教育专项附加扣除标准 [引 10:00]
            群: 【解答】子女教育专项附加扣除标准 … 每个子女每月2000元 …
            任静: #草0001 请您审核（田芳拟，相似问） …
            田芳: #问0001 已答复 …
        10:06 任静→: 同意 #草0001
            任静: #草0001 已生效 …
            田芳: #草0001 已生效 …
        10:07 石梅: 伢子念书的钱税上能抵不
            群: 【解答】子女教育专项附加扣除标准 …
    """)


async def test_the_bot_alone_may_be_asked_too_and_the_answer_comes_back_alone() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣→: 孩子上学个税一个月能扣多少
            方欣: 【解答】子女教育专项附加扣除标准 …
        10:01 方欣→: 税务注销怎么办
            方欣: …请回复序号 …
        10:02 方欣→: 1
            方欣: 【解答】…注销税务怎么办 …
        10:03 方欣→: 出口退税怎么办理
            田芳: #问0001 …
            方欣: #问0001 已转值班税务人员，答复会发给您
        10:04 田芳→: #问0001 带报关单到二楼
            方欣: #问0001 田芳答复：带报关单到二楼
            田芳: #问0001 已答复 … 请补依据 …
        10:05 田芳→: 不收入 #草0001
            田芳: #草0001 不收入问答库
    """)


async def test_help_and_privacy_speak_of_taxes_there() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 帮助
            群: 直接问税费问题，我用审核过的文字答复 …
        10:01 陌生人: 隐私
            群: 我只保存税费提问、答复和对我说的话 …
        10:02 陌生人: 孩子上学个税一个月能扣多少
            群: 【解答】子女教育专项附加扣除标准 …
    """)


async def test_only_officers_answer_and_a_bystanders_advice_closes_nothing() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 出口退税怎么办理
            田芳: #问0001 …
            群: #问0001 …
        10:01 石梅: 去大厅找人就行 [引 10:00]
        10:02 石梅→: #问0001 去大厅找人就行
            石梅: 只有税务人员可以答复 #问0001
            ! not_allowed
        10:03 方欣: 不用了，谢谢 [引 10:00]
            田芳: #问0001 提问人说已经解决，不用再答复
        12:30
    """)


async def test_an_unanswered_ticket_is_reminded_once_passed_on_and_brought_to_the_leader_all_in_private() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 出口退税怎么办理
            田芳: #问0001 …
            群: #问0001 …
        10:30
            田芳: #问0001 还没有答复，提问于10:00 …
        11:00
            任静: #问0001 值班人员暂未答复，请您处理 …
        12:00
            姜涛: #问0001 已等120分钟无人答复，请您过问 …
        18:00
    """)


async def test_at_night_the_officer_is_left_alone_until_the_morning() -> None:
    await play("""
        — 11月24日 —
        20:00 方欣: 出口退税怎么办理
            群: #问0001 已转税务人员，工作时间（11月25日08:30起）答复
        — 11月25日 —
        08:30
            田芳: #问0001 …
        09:00
            田芳: #问0001 还没有答复 …
    """)


async def test_matters_are_tickets_that_go_on_and_are_never_learned() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 电子税务局登不上去了
            田芳: #问0001 请您处理 …
            群: #问0001 已转税务人员处理 …
        10:01 方欣: 还是不行
            群: #问0001 正在等税务人员答复
        10:02 石梅: 我也登不上
            群: #问0001 正在等税务人员答复
        10:10 田芳: 省局在升级，11点恢复 [引 10:00]
            田芳: #问0001 已办结
        10:11 方欣: 好了谢谢
        12:30
    """)


async def test_a_person_is_fetched_for_the_last_question_or_the_quoted_one() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 人工
            群: 请把问题写在“人工”后面 …
        10:01 方欣: 孩子上学个税一个月能扣多少
            群: 【解答】…
        10:02 方欣: 转人工
            田芳: #问0001 请您答复 … 问：孩子上学个税一个月能扣多少 … 1 子女教育专项附加扣除标准
            群: #问0001 已转值班税务人员 …
        10:03 田芳→: #问0001 1
            群: 【解答】子女教育专项附加扣除标准 …
            任静: #草0001 请您审核（田芳拟，相似问） …
            田芳: #问0001 已答复 …
    """)


async def test_votes_count_by_quote_only() -> None:
    rehearsal = await chat.perform(
        """
        — 11月24日 —
        10:00 方欣: 孩子上学个税一个月能扣多少
            群: 【解答】…
        10:01 方欣: 有用 [引 10:00]
        10:02 方欣: 有用 [引 10:00]
        10:03 石梅: 没用的东西，电脑又死机了
        10:04 石梅: 没用 [引 10:00]
            群: 已记下。需要税务人员答复请回复 人工
    """,
        county=BUREAU,
        home="tax",
    )
    found = await rehearsal.engine.store.read(lambda c: c.execute("select asker, vote from faq_vote").fetchall())
    await rehearsal.close()
    assert sorted(found) == [("stage:fangxin", "useful"), ("stage:shimei", "useless")]


async def test_personal_numbers_are_starred_out_before_anything_is_stored_and_told_alone() -> None:
    rehearsal = await chat.perform(
        """
        — 11月24日 —
        10:00 方欣: 13757112345 这是我电话
            方欣: 您的消息里有税号、证件号或电话，号码没有保存 …
        10:01 石梅: 我身份证11010519491231002X，查下我个税欠税没
            石梅: 您的消息里有税号、证件号或电话 …
            田芳: #问0001 …
            群: #问0001 …
        10:02 姚娟: 税号91350212MA2Y3K8L78 孩子上学个税一个月能扣多少
            姚娟: 您的消息里有税号、证件号或电话 …
            群: 【解答】子女教育专项附加扣除标准 …
        10:03 姚娟: 订单号 20261124123456 发货了
    """,
        county=BUREAU,
        home="tax",
    )
    dump = await rehearsal.engine.store.read(lambda c: "\n".join(c.iterdump()))
    await rehearsal.close()
    for number in ("13757112345", "11010519491231002X", "91350212MA2Y3K8L78"):
        assert number not in dump


async def test_what_is_over_says_so_and_names_its_successor() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 买电车免购置税吗
            群: “新能源汽车车辆购置税免征政策”的规定已于2025年12月31日失效，新规定见下 … 【解答】新能源汽车车辆购置税减半征收政策 … 减半征收车辆购置税，每辆减税不超过1.5万元。 …
    """)


async def test_an_entry_ends_at_midnight_in_shanghai() -> None:
    await play("""
        — 11月24日 —
        23:59:59 方欣: 县城土地使用税一平方多少钱
            群: 【解答】县城城镇土地使用税每平方米税额 … 有效期：至2026年11月24日 …
        — 11月25日 —
        00:00 石梅: 县城土地使用税一平方多少钱
            群: “县城城镇土地使用税每平方米税额”的规定已于2026年11月24日失效 … #问0001 …
    """)


async def test_drafts_never_answer() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 残疾人就业保障金怎么申报
            田芳: #问0001 …
            群: #问0001 …
    """)


async def test_a_question_to_a_colleague_and_what_officers_say_are_left_alone() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: @石梅 你上次那个小规模免税报了没
        10:01 田芳: 【通知】明天系统维护，请提前申报增值税
        10:02 田芳: 大家小规模免税申报都报完了吗？
        10:03 方欣: @田芳 孩子上学个税一个月能扣多少
            群: 【解答】子女教育 …
    """)


async def test_an_advertisement_with_tax_words_gets_silence_and_a_look_up_goes_to_a_person() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 代账一个月200，开票报税全包，加微信
        10:01 石梅: 我身份证11010519491231002X，帮忙查一下
            石梅: 您的消息里有税号、证件号或电话 …
            田芳: #问0001 请您处理 …
            群: #问0001 …
    """)


async def test_a_recalled_question_need_not_be_answered() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 出口退税怎么办理
            田芳: #问0001 …
            群: #问0001 …
        10:01 方欣: [撤回 10:00]
            田芳: #问0001 提问人撤回了问题，不用再答复
        12:30
    """)


async def test_a_filing_day_is_told_and_a_computed_one_is_called_so() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣: 这个月征期到几号
            群: 2026年11月征期截止11月16日（周一）。依据：税总办征科函〔2025〕64号。
        10:01 方欣: 那下个月呢
            群: 2026年12月征期截止12月15日（周二）。…
        10:02 石梅: 明年1月征期到几号
            群: 2027年1月征期预计截止…，以税务机关通知为准。
    """)


async def test_filing_reminders_come_at_half_past_nine_four_times_to_each_group_and_never_for_a_computed_month() -> (
    None
):
    await play("""
        — 12月1日 —
        09:00
        — 12月8日 —
        09:29
        09:30
            商户群: 【征期提醒】12月征期12月15日（周二）截止，还有5个工作日 … 依据：税总办征科函〔2025〕64号
            群: 【征期提醒】…
        — 12月10日 —
        09:30
            商户群: 【征期提醒】… 还有3个工作日 …
            群: …
        — 12月14日 —
        09:30
            商户群: 【征期提醒】… 还有1个工作日 …
            群: …
        — 12月15日 —
        09:30
            商户群: 【征期提醒】… 今天是最后一天 …
            群: …
        — 2027年1月31日 —
        18:00
    """)


async def test_a_policy_goes_to_the_groups_once_after_a_second_person() -> None:
    await play("""
        — 11月24日 —
        10:00 方欣→: 推送 car-new
            方欣: 没有这条已生效的条目，不能推送
            ! not_allowed
        10:01 田芳→: 推送 car-new
            任静: #推0001 请您审核：推送到税务群、商户群（田芳拟） …
            田芳: #推0001 已送任静审核
        10:02 田芳→: 同意 #推0001
            田芳: #推0001 是您自己拟的，要由别人审核
            ! not_allowed
        10:03 任静→: 同意 #推0001
            群: 【税收政策】新能源汽车车辆购置税减半征收政策 … 减半征收车辆购置税 … 依据：… 有效期：…
            商户群: 【税收政策】…
            任静: #推0001 已推送到税务群、商户群
        10:04 任静→: 推送 car-new
            姜涛: #推0002 …
            任静: #推0002 已送姜涛审核
        10:05 田芳→: 同意 #推0002
            田芳: 这些群都推送过这一版，不再推送
            ! duplicate
    """)
