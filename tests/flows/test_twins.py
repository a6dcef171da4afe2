"""Two reports that may be one: a dispatcher hears why, alone; nothing is joined, and nobody is told it was, without a person."""

from __future__ import annotations

import pytest

from handlers.office import Rules
from store import twins
from tests.flows.chat import perform, play

pytestmark = pytest.mark.asyncio


async def test_a_report_like_an_open_one_is_dispatched_as_usual_and_the_dispatcher_told_why() -> None:
    rehearsal = await play("""
        09:00 李敏: 西环路小广告 [图 a]
            群: 【已受理】#1123-001 西环路 · 小广告
        09:03 王芳: 西环路12号小广告 [图 b]
            群: 【已受理】#1123-002 西环路12号 · 小广告
            赵静: 【可能重复】#1123-002 与 #1123-001:地点相同、类别相同 … 并案 1123-002 到 1123-001
            = 1123-001 待签收 上报:李敏
            = 1123-002 待签收 上报:王芳 并入None
    """)
    assert all("并案" not in notice.text for notice in rehearsal.steps[1].notices if notice.to != "zhaojing")


async def test_the_dispatcher_joins_them_with_the_words_given_and_both_reporters_are_on_it() -> None:
    await play("""
        09:00 李敏: 西环路小广告 [图 a]
            群: 【已受理】#1123-001
        09:03 王芳: 西环路12号小广告 [图 b]
            群: 【已受理】#1123-002
            赵静: 【可能重复】
        09:04 赵静: 并案 1123-002 到 1123-001
            群: 【并案】#1123-002 已并入 #1123-001
            = 1123-002 并案 并入1123-001
            = 1123-001 上报:李敏、王芳
    """)


async def test_silence_joins_nothing_and_asks_nothing_again() -> None:
    await play(
        """
        09:00 李敏: 西环路小广告 [图 a]
            群: 【已受理】#1123-001
        09:01 张强: 签收
            群: 【已签收】
        09:20 王芳: 西环路12号小广告 [图 b]
            群: 【已受理】#1123-002
            赵静: 【可能重复】
        09:21 张强: 签收
            群: 【已签收】
        11:00
            = 1123-001 已签收 上报:李敏
            = 1123-002 已签收 上报:王芳
    """,
        Rules(verify_hours=9),
    )


async def test_different_problems_or_places_or_days_are_no_twins() -> None:
    await play("""
        09:00 李敏: 西环路小广告
            群: 【已受理】#1123-001
        09:03 王芳: 人民路小广告
            群: 【已受理】#1123-002
        09:04 邹萍: 西环路井盖坏了
            群: 【已受理】#1123-003
    """)


async def test_two_problems_of_one_message_are_no_twins() -> None:
    await play("""
        09:00 李敏: 西环路小广告，另外西环路12号小广告
            群: 【已受理】#1123-001
            群: 【已受理】#1123-002
    """)


async def test_a_report_taken_out_of_another_is_not_suggested_for_it_again() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告 [图 a]
            群: 【已受理】#1123-001
        09:03 王芳: 三角绿地小广告 [图 b]
            群: 【并案】与 #1123-001
        09:04 王芳: 拆分
            群: 【已受理】#1123-002
    """)


async def test_a_no_by_a_person_stands() -> None:
    rehearsal = await perform("""
        09:00 李敏: 西环路小广告 [图 a]
            群: 【已受理】#1123-001
        09:03 王芳: 西环路12号小广告 [图 b]
            群: 【已受理】#1123-002
            赵静: 【可能重复】
    """)
    try:
        store = rehearsal.engine.store
        (pair,) = await store.read(twins.standing)
        assert pair[1].reasons == ("地点相同", "类别相同", "两小时内") or "地点相同" in pair[1].reasons
        assert await store.write(lambda tx: twins.apart(tx, pair[0].id, pair[1].other.id, "zhaojing"))
        assert await store.read(twins.standing) == []
        await store.write(lambda tx: twins.suggest(tx, pair[0].id, pair[1].other.id, ("地点相同",)))
        assert await store.read(twins.standing) == []
    finally:
        await rehearsal.close()
