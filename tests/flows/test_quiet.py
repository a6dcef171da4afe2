"""Nights, weekends, holidays, and how often one person is reminded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bot.rehearse import Line, Rehearsal
from config.county import CalendarDay
from handlers.calendar import local
from handlers.events import Message
from store import county, tasks
from store.outbox import OutboxRow
from tests.flows.chat import perform, play, read
from tests.flows.town import TOWN

pytestmark = pytest.mark.asyncio


async def test_at_night_the_sender_is_answered_at_once_and_the_unit_at_half_past_eight() -> None:
    await play("""
        — 11月23日 —
        20:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 三角绿地 · 小广告 … 派:城管局 · 明日18:00前反馈，上班后通知
        — 11月24日 —
        08:29
        08:30
            张强: 【新工单】#1123-001 …
        08:34
        08:35
            王磊: 【请签收】#1123-001 …
    """)


async def test_a_report_taken_back_before_morning_never_reaches_the_unit() -> None:
    await play("""
        20:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        20:05 李敏: 撤回
            群: 【已撤回】#1123-001 …
        — 11月24日 —
        09:00
    """)


async def test_at_night_the_dispatcher_is_asked_in_the_morning() -> None:
    await play("""
        20:00 李敏: 人民路好像有小广告
            群: 【请确认】#1123-001 …
        — 11月24日 —
        08:30
            赵静: 【请确认】#1123-001 …
        08:31 赵静: 1
            群: 【已受理】#1123-001 …
    """)


async def test_the_national_day_week_is_one_long_night() -> None:
    await play("""
        — 9月30日 —
        19:00 李敏: 三角绿地小广告
            群: 【已受理】#0930-001 … 10月8日(周四)18:00前反馈，上班后通知
            = 0930-001 10-08/18:00
        — 10月7日 —
        12:00
        — 10月8日 —
        08:30
            张强: 【新工单】#0930-001 …
    """)


async def test_beyond_the_published_calendar_a_deadline_is_called_provisional() -> None:
    await play("""
        — 12月31日 —
        17:00 李敏: 三角绿地小广告
            群: 【已受理】#1231-001 … 预计2027年1月4日(周一)17:00前反馈
            = 1231-001 01-04/17:00
    """)


async def test_reminders_end_after_two_to_one_person_whatever_happens() -> None:
    rehearsal = await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        17:06
            张强: 【将超时】#1123-001 …
        — 11月24日 —
        09:00
            张强: 【已超时】#1123-001 …
            刘建国: 【督办】#1123-001 …
            高远: 【督办】#1123-001 …
        09:10 李敏: 催办
            群: #1123-001 已提醒到上限 …
        — 12月1日 —
        10:00
        10:01 张强: 反馈 已清理
            群: 【已反馈】#1123-001 …
        10:02 李敏: 通过
            群: 【已办结】#1123-001 … 超时
    """)
    assert sum(notice.to == "zhangqiang" for step in rehearsal.steps for notice in step.notices) == 2


async def test_nothing_closes_by_silence() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 反馈 已清理
            群: 【已反馈】#1123-001 …
        11:01
            钱芳: 【请核查】#1123-001 …
        13:01
            钱芳: 【请核查】#1123-001 …
        — 12月20日 —
        09:00
            = 1123-001 待核查
    """)


async def test_a_hundred_overdue_tasks_for_thirty_days_name_nobody_in_the_group() -> None:
    start, _ = read("09:00 李敏: 三角绿地小广告")
    rehearsal = await Rehearsal.open(TOWN, start)
    sent = _with_its_moment(rehearsal)
    for n in range(100):  # some at night; a third is never signed for, a third is signed for, a third is begun
        await rehearsal.step(Line(n * 600, "ssp", "limin", f"人民路{n}号小广告"))
        if n % 3:
            await rehearsal.step(Line(n * 600 + 60, "ssp", "zhangqiang", ("", "签收", "到场")[n % 3] + f" {number(n)}"))
    before = len(sent)
    for day in range(1, 31):
        for n in (3, 4, 5):  # somebody asks every day at nine, for one of each third
            await rehearsal.step(Line(day * 86400 + n, "ssp", "limin", f"催办 {number(n)}"))
    late = await rehearsal.engine.store.read(
        lambda c: c.execute("select count(distinct task) from history where event = 'overdue'").fetchone()[0]
    )
    await rehearsal.close()
    assert late == 100

    names = [person.name for person in TOWN.people]
    assert not [said for _, row, said in sent[before:] if not row.person and any(name in said for name in names)]
    private = [(at, row) for at, row, _ in sent if row.person and row.person != "limin"]
    told = Counter((row.person, row.task) for _, row in private)
    reminded = Counter((row.person, row.task) for _, row in private if row.kind in ("reminder", "escalation"))
    assert len({task for _, task in reminded}) == 100
    assert max(reminded.values()) <= 2
    assert max(told.values()) <= 3  # the first notice to somebody newly responsible is no reminder
    is_quiet = rehearsal.engine.office.worktime.is_quiet
    assert not [row for at, row in private if is_quiet(at)]


def number(n: int) -> str:
    """The n-th of these tasks: 90 of them fall into the first day, from 09:00 on."""
    return f"1123-{n + 1:03d}" if n < 90 else f"1124-{n - 89:03d}"


def _with_its_moment(rehearsal: Rehearsal) -> list[tuple[int, OutboxRow, str]]:
    """Everything sent from now on, with the moment at which it really left."""
    sent: list[tuple[int, OutboxRow, str]] = []
    real = rehearsal.stage.send

    async def send(row: OutboxRow, message: Message) -> str:
        sent.append((rehearsal.engine.business(), row, message.text))
        return await real(row, message)

    rehearsal.stage.send = send  # type: ignore[method-assign]
    return sent


async def test_where_no_private_channel_reaches_anybody_the_unit_is_named_at_most_twice_and_no_person() -> None:
    start, scenes = read("""
        09:00 李敏: 三角绿地小广告
        — 11月30日 —
        10:00
    """)
    rehearsal = await Rehearsal.open(TOWN, start)
    rehearsal.stage.channel = replace(rehearsal.stage.channel, can_private=False)
    await rehearsal.engine.reload({"people"})
    steps = await rehearsal.play(scene.line for scene in scenes)
    await rehearsal.close()
    lines = [notice for step in steps for notice in step.notices][1:]
    assert {notice.to for notice in lines} == {"ssp"} and len(lines) == 2
    assert all("城管局" in notice.text and "张强" not in notice.text for notice in lines)


async def test_who_asked_for_quiet_is_left_alone_but_not_in_an_emergency() -> None:
    await play("""
        09:00 王磊→: 静音 2小时
            王磊: 好的，2小时内不再私聊提醒
        09:01 李敏: 三角绿地小广告
            群: 【已受理】…
        09:06
        09:10
        09:11
            刘建国: 【请签收】…
    """)


async def test_a_reminder_due_at_night_waits_for_the_morning_and_is_dropped_when_it_no_longer_fits() -> None:
    await play("""
        — 11月23日 —
        17:00 李敏: 府前路井盖缺了
            群: 【已受理】#1123-001 … 今日19:00前反馈
        17:01 陈波: 签收
            群: 【已签收】…
        19:30 陈波: 反馈 已补
            群: 【已反馈】…
        20:00 李敏: 通过
            群: 【已办结】… 超时
        — 11月24日 —
        08:30
        09:00
    """)


async def test_a_calendar_that_comes_in_later_moves_a_provisional_deadline_once() -> None:
    rehearsal = await perform("""
        — 12月31日 —
        17:00 李敏: 三角绿地小广告
            群: 【已受理】#1231-001 … 预计2027年1月4日(周一)17:00前反馈
    """)
    try:
        engine = rehearsal.engine
        days = (CalendarDay("2027-01-04", "holiday"), CalendarDay("2027-01-05", "holiday"))
        await engine.store.write(lambda tx: county.save(tx, replace(TOWN, calendar=days)))
        await engine.start()
        await engine.settle()
        found = await engine.store.read(lambda c: tasks.by_number(c, "1231-001"))
        assert found is not None and found.due_at is not None
        assert f"{local(found.due_at):%m-%d %H:%M}" == "01-06 17:00"
    finally:
        await rehearsal.close()
