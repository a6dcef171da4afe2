"""Who lets an edition pass: three distinct persons on one content, two in a small office, nobody by accident."""

from __future__ import annotations

from functools import partial

import pytest

from config.county import Person
from config.errors import Rejected
from handlers.editions import desk, texts
from handlers.office import Rules
from store import audit, digest, editions
from tests.edition_house import DAY, FAN, GAO, LIU, QIN, STAFF, House, house, town

pytestmark = pytest.mark.asyncio
AFTERNOON = "2026-11-24 16:00"
TWO = Rules(digest_persons=2)


async def edit(office: House, job: object, *values: object, **named: object) -> str:
    """What a console page does: a desk function in a transaction of its own."""
    return await office.engine.apply(partial(job, office=office.engine.office, person=QIN, day=DAY, **named))  # type: ignore[no-any-return, call-overload]


async def begun(office: House) -> str:
    await office.say("qinyue", "摘要")
    office.said()
    return await office.code()


async def test_an_edition_is_composed_passed_by_three_and_sent_at_its_minute() -> None:
    async with house() as office:
        await office.until("2026-11-24", "15:31")
        asked = office.said("qinyue")
        assert len(asked) == 1 and "11月25日（周三）摘要：草稿" in asked[0] and "摘要 送审" in asked[0]
        assert "1. " in asked[0] and "https://www.example.gov.cn/" in asked[0]
        assert await office.say("qinyue", f"摘要 送审 {await office.code()}") == ""
        assert "范文" in office.said("qinyue")[0]
        assert await office.say("fanwen", f"摘要 通过 {await office.code()}") == ""
        assert await office.say("gaoyuan", f"摘要 签发 {await office.code()}") == ""
        assert (await office.edition()).state == "approved"
        await office.until(DAY, "08:46")
        assert not office.ever("news")
        await office.until(DAY, "08:48")
        assert (await office.edition()).state == "sent"
        for group in ("news", "study"):
            (text,) = office.ever(group)
            assert text.startswith("云溪县每日摘要 · 11月25日 星期三") and "种粮补贴" in text
        await office.until(DAY, "18:00")
        assert len(office.ever("news")) == len(office.ever("study")) == 1


async def test_one_person_takes_one_step_however_many_roles_he_holds() -> None:
    async with house(AFTERNOON, town((LIU, *STAFF))) as office:
        code = await begun(office)
        assert await office.say("liutong", f"摘要 送审 {code}") == ""
        for word in ("通过", "签发"):
            assert await office.say("liutong", f"摘要 {word} {code}") != ""
        assert await office.say("fanwen", f"摘要 通过 {code}") == ""
        assert await office.say("liutong", f"摘要 签发 {code}") == "not_allowed"
        assert "不同的人" in office.said("liutong")[-1]
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == ""
        passed = await office.engine.store.read(lambda c: editions.passed(c, DAY, editions.get(c, DAY).hash))  # type: ignore[union-attr]
        assert passed == {"edit": "liutong", "review": "fanwen", "publish": "gaoyuan"}


async def test_steps_are_taken_in_order_by_those_whose_they_are() -> None:
    async with house(AFTERNOON) as office:
        code = await begun(office)
        assert await office.say("fanwen", f"摘要 通过 {code}") == "wrong_state"
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == "wrong_state"
        assert await office.say("fanwen", f"摘要 送审 {code}") == "not_allowed"
        assert await office.say("limin", f"摘要 送审 {code}") == "not_allowed"
        assert await office.say("qinyue", f"摘要 送审 {code}") == ""
        assert await office.say("qinyue", f"摘要 送审 {code}") == "wrong_state"
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == "wrong_state"
        assert (await office.edition()).state == "edited"
        rows = await office.engine.store.read(audit.listing)
        assert {"edition_edit", "wrong_state", "not_allowed"} <= {field for row in rows for field in row[6:8]}


async def test_a_verdict_names_the_content_it_is_about() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        assert await office.say("qinyue", "摘要 送审") == "unclear"
        assert await office.say("qinyue", "摘要 送审 3fa2c") == "unclear"
        assert await office.say("qinyue", "摘要 送审 ffffff") == "wrong_state"
        assert office.said("qinyue")[-1] == texts.say("changed")
        assert (await office.edition()).state == "draft"


async def test_any_edit_voids_what_was_approved_even_one_taken_back() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        before = await office.edition()
        turned = list(reversed(range(1, len(await office.lines()) + 1)))
        await edit(office, desk.order, positions=turned)
        assert (await office.edition()).state == "draft" and await office.code() != before.hash[:6]
        await edit(office, desk.order, positions=turned)
        assert (await office.edition()).hash == before.hash
        await office.until(DAY, "08:50")
        assert not office.ever("news")
        assert await office.say("gaoyuan", f"摘要 签发 {before.hash[:6]}") == "wrong_state"
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        assert len(office.ever("news")) == 1


async def test_a_publisher_may_not_sign_what_changed_under_his_eyes() -> None:
    async with house(AFTERNOON) as office:
        code = await begun(office)
        await office.say("qinyue", f"摘要 送审 {code}")
        await office.say("fanwen", f"摘要 通过 {code}")
        await edit(office, desk.drop, pos=1)
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == "wrong_state"
        with pytest.raises(Rejected, match="内容已改过"):
            await edit(office, desk.drop, pos=1, seen=code)


async def test_two_persons_are_enough_where_the_office_says_so_but_never_one() -> None:
    async with house(AFTERNOON, town((LIU, *STAFF)), TWO) as office:
        code = await begun(office)
        assert await office.say("fanwen", f"摘要 通过 {code}") == "wrong_state"
        assert await office.say("liutong", f"摘要 送审 {code}") == ""
        assert await office.say("liutong", f"摘要 签发 {code}") == "not_allowed"
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == ""
        await office.until(DAY, "08:48")
        assert len(office.ever("news")) == 1


async def test_a_return_goes_one_step_back_with_its_reason() -> None:
    async with house(AFTERNOON) as office:
        code = await begun(office)
        await office.say("qinyue", f"摘要 送审 {code}")
        assert await office.say("fanwen", f"摘要 退回 {code}") == "unclear"
        assert await office.say("fanwen", f"摘要 退回 {code} 理由") == "unclear"
        long = "第2条的日期与原文不一致，请逐条核对原文后再送，另外第3条标题过长，请改用原标题，谢谢配合，辛苦了"
        assert await office.say("fanwen", f"摘要 退回 {code} {long}") == ""
        assert (await office.edition()).state == "draft"
        assert any(long in text for text in office.said("qinyue"))
        await office.say("qinyue", f"摘要 送审 {code}")
        await office.say("fanwen", f"摘要 通过 {code}")
        assert await office.say("qinyue", f"摘要 退回 {code} 想再改") == "not_allowed"
        assert await office.say("gaoyuan", f"摘要 退回 {code} 再核一遍") == ""
        assert (await office.edition()).state == "edited"
        assert await office.say("fanwen", f"摘要 通过 {code}") == ""
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == ""


async def test_no_edition_today_is_a_decision_and_can_be_taken_back_until_noon() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        assert await office.say("qinyue", "摘要 不发 没有内容") == "not_allowed"
        assert await office.say("gaoyuan", "摘要 不发") == "unclear"
        assert await office.say("gaoyuan", "摘要 不发 今日无重要内容") == ""
        assert (await office.edition()).state == "none" and (await office.edition()).why == "今日无重要内容"
        await office.until(DAY, "09:00")
        assert not office.ever("news") and not office.said("fanwen")
        with pytest.raises(Rejected, match="重开"):
            await edit(office, desk.drop, pos=1)
        assert await office.say("fanwen", "摘要 重开") == "not_allowed"
        assert await office.say("gaoyuan", "摘要 重开") == ""
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        assert len(office.ever("news")) == 1


async def test_reopening_after_noon_is_too_late() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        await office.say("gaoyuan", "摘要 不发 今日无重要内容")
        await office.until(DAY, "12:00")
        assert await office.say("gaoyuan", "摘要 重开") == "too_late"


async def test_a_space_behind_the_word_is_not_needed() -> None:
    async with house(AFTERNOON) as office:
        code = await begun(office)
        assert await office.say("qinyue", f"摘要送审{code}") == ""
        assert await office.say("fanwen", f"摘要：审核通过 {code}") == ""
        assert (await office.edition()).state == "reviewed"


async def test_in_a_group_one_sentence_and_nothing_else() -> None:
    async with house(AFTERNOON) as office:
        code = await begun(office)
        office.said()
        assert await office.say("qinyue", f"摘要 送审 {code}", "ssp") == "not_allowed"
        assert office.said() == [texts.say("in_group")]
        assert (await office.edition()).state == "draft"


async def test_a_click_in_the_console_is_the_same_step() -> None:
    async with house(AFTERNOON) as office:
        code = await begun(office)
        assert "范文" in (await office.click("qinyue", f"送审 {code}")).answer
        assert (await office.click("qinyue", f"通过 {code}")).refused == "not_allowed"
        long = "第2条的日期与原文不一致，请逐条核对原文后再送，另外第3条标题过长，请改用原标题，谢谢配合，辛苦了"
        assert "退回" in (await office.click("fanwen", f"退回 {code} {long}")).answer
        assert (await office.edition()).state == "draft"
        await office.click("qinyue", f"送审 {code}")
        await office.click("fanwen", f"通过 {code}")
        assert "11月25日 08:47" in (await office.click("gaoyuan", f"签发 {code}")).answer


async def test_an_alarm_holds_up_the_signature_until_somebody_answers_for_it() -> None:
    wrong = (
        "张大山调研乡村振兴",
        "11月23日，县委书记张大山到城关镇调研乡村振兴工作，强调要抓好秋冬农业生产和防火工作。",
    )
    async with house("2026-11-24 12:30", texts=[wrong]) as office:
        await office.engine.store.write(lambda tx: digest.replace_leaders(tx, [("李建国", "县委书记", "", "")]))
        code = await begun(office)
        await office.say("qinyue", f"摘要 送审 {code}")
        await office.say("fanwen", f"摘要 通过 {code}")
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == "wrong_state"
        assert "张大山" in office.said("gaoyuan")[-1]
        assert await office.say("gaoyuan", f"摘要 核对 {code} 1") == "unclear"
        assert await office.say("gaoyuan", f"摘要 核对 {code} 1 已与县委办电话核实") == ""
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == ""


async def test_other_words_must_stand_in_the_source_and_discipline_is_only_quoted() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        lines = await office.lines()
        grain = next(line for line in lines if "种粮" in line.title)
        with pytest.raises(Rejected, match="130"):
            await edit(office, desk.reword, pos=grain.pos, title=grain.title, text="补贴标准每亩130元。")
        await edit(office, desk.reword, pos=grain.pos, title="种粮补贴申报", text="补贴标准每亩120元，12月1日前登记。")
        notice = next(line for line in await office.lines() if line.column == "微警示")
        with pytest.raises(Rejected, match="原文整句"):
            await edit(office, desk.reword, pos=notice.pos, title=notice.title, text="三人因吃喝被处理。")
        with pytest.raises(Rejected, match="涉密"):
            await edit(office, desk.reword, pos=grain.pos, title=grain.title, text="机密★10年 补贴标准每亩120元。")


async def test_only_editors_change_what_is_printed_and_it_teaches() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        for person in (FAN, GAO, Person("limin", "李敏", "chengguan", ("reporter",))):
            with pytest.raises(Rejected):
                await office.engine.apply(
                    partial(desk.drop, office=office.engine.office, person=person, day=DAY, pos=1)
                )
        gone = (await office.lines())[0]
        assert gone.item is not None
        await edit(office, desk.drop, pos=1, why="重复")
        await edit(office, desk.keep, item=gone.item, column=gone.column)
        choices = await office.engine.store.read(digest.choices)
        assert [(one.item, one.keep) for one in choices] == [(gone.item, 0), (gone.item, 1)]
        with pytest.raises(Rejected, match="已经在"):
            await edit(office, desk.keep, item=gone.item)


async def test_a_piece_held_back_is_taken_in_only_with_a_word_on_what_was_looked_into() -> None:
    async with house(AFTERNOON) as office:
        await begun(office)
        gone = (await office.lines())[0]
        await edit(office, desk.drop, pos=1)
        await office.engine.store.write(lambda tx: tx.execute("update item set state = 'held', why = '疑似广告'"))
        with pytest.raises(Rejected, match=r"疑似广告.*核对情况"):
            await edit(office, desk.keep, item=gone.item)
        await edit(office, desk.keep, item=gone.item, why="县文旅局正式通知，不是广告")
        row = await office.engine.store.read(lambda c: digest.get(c, gone.item or 0))
        assert row is not None and (row.state, row.why) == ("kept", "县文旅局正式通知，不是广告")
        await office.engine.store.write(lambda tx: digest.pull(tx, gone.item or 0, None, "已撤回"))
        with pytest.raises(Rejected):
            await edit(office, desk.keep, item=gone.item, why="照用")


async def test_cards_come_in_their_turn_and_rest_afterwards() -> None:
    async with house() as office:
        card = editions.Card(0, "class", "公文写作三不准", "不准超范围标注。", plan_on=DAY, made_by="qinyue")
        n = await office.engine.store.write(lambda tx: editions.add_card(tx, card))
        await office.until("2026-11-24", "15:31")
        assert [line.card for line in await office.lines() if line.column == "微课堂"][-1] == n
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "08:48")
        (found,) = await office.engine.store.read(editions.cards)
        assert (found.used_on, found.uses) == (DAY, 1)
        await office.until(DAY, "15:31")
        following = "2026-11-26"
        with pytest.raises(Rejected, match="不重复"):
            await office.engine.apply(
                partial(desk.put_card, office=office.engine.office, person=QIN, day=following, card=n)
            )


async def test_what_is_said_is_short_and_says_what_to_do() -> None:
    assert all(len(text) <= 110 for text in texts.TEXTS.values())
