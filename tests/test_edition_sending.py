"""When an edition leaves and to whom: once per group and day, never late, never to nobody's surprise; corrections too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.arrivals import Arrivals, Origin
from bot.clock import Clock
from bot.newsroom import Newsroom
from bot.rehearse import Rehearsal
from config.county import CalendarDay, Group
from handlers.editions import sending, texts, timing
from handlers.events import Event
from handlers.office import Rules
from store import Tx, digest, edition_notes, editions, timers
from tests.edition_house import DAY, NEWS, QIN, STAFF, at, house, town
from tests.flows.town import TOWN
from tests.test_digest_candidates import arrived

pytestmark = pytest.mark.asyncio
EVENING = "2026-11-24 16:00"


async def test_late_signatures_send_at_once_until_noon_and_never_after() -> None:
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        code = await office.code()
        await office.say("qinyue", f"摘要 送审 {code}")
        await office.until(DAY, "08:30")
        assert any("摘要" in text for text in office.said("fanwen"))
        await office.until(DAY, "08:48")
        assert any("到点未发" in text for text in office.said("fanwen")) and not office.ever("news")
        await office.until(DAY, "11:58")
        await office.say("fanwen", f"摘要 通过 {code}")
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == ""
        assert len(office.ever("news")) == len(office.ever("study")) == 1
        assert (await office.edition()).state == "sent"


async def test_after_noon_nothing_goes_out_and_editors_hear_it_once() -> None:
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        code = await office.code()
        await office.say("qinyue", f"摘要 送审 {code}")
        await office.say("fanwen", f"摘要 通过 {code}")
        await office.until(DAY, "11:59")
        office.said()
        await office.until(DAY, "12:01")
        (told,) = office.said("qinyue")
        assert told.startswith("今天已过12:00") and "转入下一期" in told
        assert await office.say("gaoyuan", f"摘要 签发 {code}") == "too_late"
        assert office.said("gaoyuan")[-1] == "今天已过12:00，不再发送；内容可转入下一期。"
        await office.until(DAY, "17:00")
        assert not office.ever("news")


async def test_whoever_is_missing_is_reminded_privately_and_nobody_else() -> None:
    async with house("2026-11-24 09:00") as office:
        await office.until("2026-11-24", "15:31")
        office.said()
        heard = {}
        for day, clock in (("2026-11-24", "16:31"), ("2026-11-24", "17:31"), (DAY, "08:31")):
            await office.until(day, clock)
            found = office.rows[office.heard :]
            office.said()
            heard[clock] = {row.address for row, _ in found}
        assert heard == {"16:31": {"qinyue"}, "17:31": {"qinyue"}, "08:31": {"qinyue"}}


async def test_two_clocks_a_restart_at_the_minute_and_a_second_ring_send_it_once() -> None:
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        engine = office.engine
        other = Clock(engine.store, engine.business, engine.inbox, engine.outbox, engine.settle)
        engine.business.advance_to(at(DAY, "08:47"))
        await engine.clock.tick()
        await other.tick()
        for n in range(3):
            again = Event(
                "clock", f"again/{n}", "timer", group="edition", subject=f"edition/{DAY}", action="edition_send"
            )
            await engine.inbox.accept((again,))
        await engine.apply(lambda tx: timing.plan(tx, engine.office))  # what a start does
        await engine.clock.tick()
        await engine.settle()
        await office.until(DAY, "11:00")
        assert len(office.ever("news")) == len(office.ever("study")) == 1
        rows = await engine.store.read(lambda c: editions.deliveries(c, DAY))
        assert [(group, kind, key) for group, kind, _, key, *_ in rows] == [
            ("news", "edition", f"edition/{DAY}/news/1"),
            ("study", "edition", f"edition/{DAY}/study/1"),
        ]


async def test_a_program_that_slept_over_the_minute_catches_up_with_one_message_each() -> None:
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        office.said()
        office.engine.business.advance_to(at(DAY, "10:20"))
        await office.engine.clock.tick()
        await office.engine.settle()
        assert len(office.ever("news")) == 1
        assert [row.address for row, _ in office.rows[office.heard :]] == ["news", "study"]


async def test_after_a_night_switched_off_only_the_newest_word_is_said() -> None:
    async with house("2026-11-24 15:00") as office:
        office.engine.business.advance_to(at(DAY, "08:40"))
        await office.engine.clock.tick()
        await office.engine.settle()
        told = [(row.address, message.text) for row, message in office.rows]
        assert {address for address, _ in told} == {"qinyue"} and len(told) == 2  # the draft, and one reminder


async def test_a_group_gets_the_columns_its_owner_left_on() -> None:
    def choose(tx: Tx) -> None:
        editions.subscribe(tx, "study", "税务", "limin", wanted=False)
        editions.subscribe(tx, "ssp", "税务", "limin", wanted=True)

    async with house(EVENING) as office:
        await office.engine.store.write(choose)
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "08:48")
        assert "税务" in office.ever("news")[0] and "税务" not in office.ever("study")[0]
        assert "种粮" not in office.ever("ssp")[0] and "税务" in office.ever("ssp")[0]


async def test_a_group_that_turned_everything_off_hears_nothing() -> None:
    def choose(tx: Tx) -> None:
        for column in ("政策速递", "微课堂", "微警示", "税务", "本地工作"):
            editions.subscribe(tx, "study", column, "limin", wanted=False)

    async with house(EVENING) as office:
        await office.engine.store.write(choose)
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "08:48")
        assert office.ever("news") and not office.ever("study")


async def test_a_minute_before_the_office_opens_waits_for_it() -> None:
    async with house(EVENING, rules=Rules(digest_at=7 * 60 + 41)) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "08:29")
        assert not office.ever("news")
        await office.until(DAY, "08:31")
        assert len(office.ever("news")) == 1
        row = next(row for row, _ in office.rows if row.kind == "edition")
        assert row.not_before == at(DAY, "08:30") and row.not_after == at(DAY, "12:00")


async def test_where_nobody_edits_nothing_is_planned_and_nobody_disturbed() -> None:
    county = replace(TOWN, groups=(*TOWN.groups, *NEWS[1:]))
    played = await Rehearsal.open(county, at("2026-11-24", "09:00"))
    try:
        assert await played.engine.store.read(timers.next_due) is None
        await played.engine.clock.forward(3 * 86400)
        assert not played.stage.sent
    finally:
        await played.close()


async def test_an_office_without_candidates_is_not_disturbed() -> None:
    async with house("2026-11-24 09:00", texts=[]) as office:
        card = editions.Card(0, "class", "公文写作三不准", "不准超范围标注。", made_by="qinyue")
        await office.engine.store.write(lambda tx: editions.add_card(tx, card))
        await office.until("2026-11-27", "18:00")
        assert not office.rows


async def test_the_calendar_decides_which_days_have_an_edition() -> None:
    county = replace(town(), calendar=(CalendarDay("2026-11-25", "holiday"), CalendarDay("2026-11-28", "workday")))
    async with house("2026-11-24 09:00", county, day="2026-11-26") as office:
        found = office.engine.office
        assert list(_planned(await _subjects(office.engine))) == ["2026-11-24", "2026-11-26", "2026-11-27"]
        assert timing.open_at(found, "2026-11-26") == at("2026-11-24", "15:30")
        day = await office.engine.store.read(lambda c: timing.edition_day(c, found, at("2026-11-27", "13:00")))
        assert day == "2026-11-28"
        await office.until("2026-11-26", "09:00")
        assert list(_planned(await _subjects(office.engine))) == ["2026-11-26", "2026-11-27", "2026-11-28"]


async def _subjects(engine: object) -> list[str]:
    rows = await engine.store.read(lambda c: c.execute("select subject from timer").fetchall())  # type: ignore[attr-defined]
    return [subject for (subject,) in rows]


def _planned(subjects: list[str]) -> Iterator[str]:
    yield from sorted({subject.split("/")[1] for subject in subjects if subject.startswith("edition/")})


async def test_the_draft_is_told_when_candidates_come_after_its_moment() -> None:
    async with house("2026-11-24 15:00", day="2026-11-26") as office:
        await office.until("2026-11-24", "15:40")
        assert not office.rows
        from bot.candidates import run_day

        await run_day(office.engine.store, office.engine.office.county, DAY)
        subject = f"edition/{DAY}"
        for n in (1, 2):
            fill = Event(
                "clock", f"{subject}/fill/{n}", "timer", group="edition", subject=subject, action="edition_fill"
            )
            await office.engine.inbox.accept((fill,))
            await office.engine.settle()
        assert [row.address for row, _ in office.rows] == ["qinyue"]


async def test_what_its_publisher_took_back_meanwhile_does_not_go_out() -> None:
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        first = (await office.lines())[0]
        await office.engine.store.write(lambda tx: digest.pull(tx, first.item or 0, None, "原发布者已撤回"))
        await office.until(DAY, "08:50")
        assert not office.ever("news") and any("到点未发" in text for text in office.said("qinyue"))


async def test_a_correction_passes_by_another_person_and_reaches_who_got_the_edition_once() -> None:
    late = Group("late", "新建群", "notices")
    county = town(STAFF, (*NEWS, late))
    async with house(EVENING, county) as office:
        for column in ("政策速递", "微课堂", "微警示", "税务", "本地工作"):
            await office.engine.store.write(
                lambda tx, column=column: editions.subscribe(tx, "late", column, "limin", wanted=False)
            )
        assert await office.say("qinyue", "摘要 更正 1 日期应为12月2日") == "wrong_state"
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "09:00")
        office.said()
        assert await office.say("fanwen", "摘要 更正 1 日期应为12月2日") == "not_allowed"
        assert await office.say("qinyue", "摘要 更正 1 日期应为12月2日") == ""
        short = edition_notes.text_hash("日期应为12月2日")[:6]
        assert await office.say("qinyue", f"摘要 更正通过 1 {short}") == "not_allowed"
        assert await office.say("gaoyuan", "摘要 更正通过 1 ffffff") == "wrong_state"
        assert await office.say("qinyue", "摘要 更正改 1 日期应为12月3日") == ""
        assert await office.say("gaoyuan", f"摘要 更正通过 1 {short}") == "wrong_state"
        short = edition_notes.text_hash("日期应为12月3日")[:6]
        assert await office.say("gaoyuan", f"摘要 更正通过 1 {short}") == ""
        assert await office.say("fanwen", f"摘要 更正通过 1 {short}") == "wrong_state"
        for group in ("news", "study"):
            (text,) = office.ever(group, "correction")
            assert text.startswith("【更正】11月25日（周三）摘要《") and text.endswith("日期应为12月3日")
        assert not office.ever("late", "correction")
        steps = await office.engine.store.read(lambda c: edition_notes.correction_steps(c, 1))
        assert [(person, verdict) for _, person, _, verdict in steps] == [
            ("qinyue", "wrote"), ("qinyue", "wrote"), ("gaoyuan", "pass"),
        ]  # fmt: skip


async def test_the_machines_proposal_is_put_before_those_who_may_pass_it() -> None:
    def propose(tx: Tx) -> None:
        (item, *_) = [line.item for line in editions.items(tx, DAY) if line.item]
        n = editions.propose_correction(tx, DAY, item, "correction", "原发布者已撤回或更正，请以新内容为准。")
        timers.put(tx, f"correction/{n}", "correction_told", tx.at, "edition")

    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "09:00")
        office.said()
        await office.engine.store.write(propose)
        await office.until(DAY, "09:01")
        told = [(row.address, message.buttons[0][1]) for row, message in office.rows[office.heard :]]
        assert [address for address, _ in told] == ["fanwen", "gaoyuan"]
        assert await office.say("fanwen", told[0][1]) == ""
        assert len(office.ever("news", "correction")) == 1


async def test_a_retraction_read_after_the_edition_went_out_leads_to_its_correction() -> None:
    words = "我局发布的《关于开展种粮补贴申报的通知》因数据有误，现予以撤回，请以正式文件为准，由此带来的不便敬请谅解。"
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "09:00")
        office.said()
        arrivals = Arrivals(office.engine.store, b"k" * 32)
        await arrivals.take(arrived("撤回声明", words), Origin("s9", "来源0", "k9"))
        await office.until(DAY, "09:01")
        (told,) = office.said("gaoyuan")
        assert "《关于开展种粮补贴申报的通知》" in told and "摘要 更正通过 1 " in told
        assert await office.say("qinyue", "摘要 更正") == "" and "种粮" in office.said("qinyue")[-1]


async def test_the_newsroom_weighs_the_day_in_the_making_and_fills_an_empty_draft_once() -> None:
    async with house("2026-11-24 15:00", day="2026-11-20") as office:
        engine = office.engine
        news = Newsroom(engine.store, (), b"k" * 32, engine.inbox)
        news._office = lambda: engine.office
        await office.until("2026-11-24", "15:40")
        assert not office.rows
        for _ in range(2):
            await news.weigh_if_new()
            await engine.settle()
        assert [row.address for row, _ in office.rows] == ["qinyue"]
        assert (await office.edition()).state == "draft" and await office.lines()
        await news.close()


async def test_a_recalled_edition_says_so_and_a_recalled_line_does_not_recall_the_rest() -> None:
    async with house(EVENING) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.until(DAY, "09:00")
        assert await office.say("qinyue", "摘要 撤回 1 来源有误") == ""
        await office.say("gaoyuan", f"摘要 更正通过 1 {edition_notes.text_hash('来源有误')[:6]}")
        assert office.ever("news", "correction")[0].startswith("【撤回】11月25日（周三）摘要《")
        assert (await office.edition()).state == "sent"
        assert await office.say("qinyue", "摘要 撤回 全部 整期有误") == ""
        await office.say("gaoyuan", f"摘要 更正通过 2 {edition_notes.text_hash('整期有误')[:6]}")
        assert len(office.ever("news", "correction")) == 2
        assert (await office.edition()).state == "recalled"


async def test_an_edition_without_any_group_says_what_is_missing() -> None:
    async with house(EVENING, town(STAFF, ())) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        office.said()
        await office.until(DAY, "08:48")
        assert office.said("qinyue") == [texts.say("no_groups")] and (await office.edition()).state == "approved"
        assert await office.say("gaoyuan", f"摘要 签发 {await office.code()}") == ""
        assert office.said("gaoyuan") == [texts.say("no_groups")]


async def test_an_alarm_answered_for_after_the_minute_lets_the_edition_go() -> None:
    visit = (
        "张大山调研乡村振兴",
        "11月23日，县委书记张大山到城关镇调研乡村振兴工作，强调要抓好秋冬农业生产和防火工作。",
    )
    async with house(EVENING, texts=[visit]) as office:
        await office.say("qinyue", "摘要")
        await office.pass_all("qinyue", "fanwen", "gaoyuan")
        await office.engine.store.write(lambda tx: digest.replace_leaders(tx, [("李建国", "县委书记", "", "")]))
        await office.until(DAY, "08:50")
        assert not office.ever("news") and any("张大山" in text for text in office.said("qinyue"))
        assert await office.say("fanwen", f"摘要 核对 {await office.code()} 1 已与县委办核实") == ""
        await office.until(DAY, "08:51")
        assert len(office.ever("news")) == 1


async def test_a_form_is_the_groups_own_where_its_channel_can_show_it() -> None:
    async with house(EVENING) as office:
        await office.engine.store.write(lambda tx: edition_notes.set_form(tx, "news", "markdown", QIN.id))
        channel = office.engine.office.channels["stage"]
        able = replace(channel, forms=("news", "markdown", "text"))
        form = await office.engine.store.read(lambda c: [sending.form_of(c, g, able) for g in ("news", "study")])
        assert form == ["markdown", "news"]
        assert await office.engine.store.read(lambda c: sending.form_of(c, "news", channel)) == "text"
        await office.say("qinyue", "摘要")
        shown = sending.sheet(office.engine.office, DAY, await office.lines())
        (cards,) = sending.messages(able, shown, "news")
        assert cards.form == "news" and len(cards.articles) == len(shown.lines)
        assert all(len(m.text.encode()) <= able.markdown_bytes for m in sending.messages(able, shown, "markdown"))
