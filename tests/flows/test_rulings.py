"""What stands once it was decided: rulings, parts reported, days asked for, overruns."""

from __future__ import annotations

import pytest

from tests.flows.chat import play

pytestmark = pytest.mark.asyncio


async def test_a_ruling_that_names_a_lead_with_assistants_is_not_returned_any_more() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 退单 不属于我们
            群: 【退单待裁】#1123-001 …
        09:02 周敏: 会办 城管局牵头，住建局协办
            群: 【会办】#1123-001 … 城管局牵头 … 住建局协办 …
            陈波: 【会办】#1123-001 …
            = 1123-001 待签收 城管局+住建局
        09:03 张强: 退单 还是不属于
            群: #1123-001 已裁定由贵单位承办，不再退单
            ! not_allowed
            = 1123-001 待签收
    """)


async def test_what_a_unit_reported_stays_reported_when_another_joins() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:02 赵静: 会办 1123-001 住建局协办
            群: 【会办】#1123-001 …
            陈波: 【会办】#1123-001 …
        09:03 陈波: 反馈 1123-001 我们这边好了
            群: 【已反馈】#1123-001 住建局 … 会办还差 城管局 反馈
        09:04 赵静: 会办 1123-001 住建局、交警大队协办
            群: 【会办】#1123-001 …
            何建: 【会办】#1123-001 …
        09:05 何建: 反馈 1123-001 好了
            群: 【已反馈】#1123-001 交警大队 … 会办还差 城管局 反馈
        09:06 张强: 反馈 1123-001 清完了
            群: 【已反馈】#1123-001 …
            = 1123-001 待核查
    """)


async def test_a_suspension_is_not_granted_once_its_day_has_passed() -> None:
    await play("""
        09:00 李敏: 三角绿地小广告
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        09:02 张强: 挂账 2026-11-24 等配件
            群: 【申请挂账】#1123-001 …
            张强: 【将超时】#1123-001 …
        — 11月24日 —
        08:40 赵静: 同意挂账 1123-001
            群: 请写明挂账到哪一天 …
            ! unclear
            = 1123-001 已签收
    """)


async def test_rework_does_not_mend_an_overrun() -> None:
    await play("""
        09:00 李敏: 菜市场垃圾
            群: 【已受理】#1123-001 …
        09:01 张强: 签收
            群: 【已签收】…
        12:13
            张强: 【将超时】…
        13:00
            张强: 【已超时】…
            刘建国: 【督办】…
            高远: 【督办】…
        14:00 张强: 反馈 清了
            群: 【已反馈】…
        14:01 李敏: 返工 还有
            张强: 【返工】…
            群: 【返工】…
        14:10 张强: 反馈 都清了
            群: 【已反馈】…
        14:11 李敏: 通过
            群: 【已办结】#1123-001 … 超时
    """)


async def test_a_task_split_off_before_anybody_chose_a_unit_is_asked_about_again() -> None:
    await play("""
        09:00 李敏: 人民路好像有小广告
            群: 【请确认】#1123-001 …
        09:01 王芳: 府前路违停
            群: 【已受理】#1123-002 …
        09:02 赵静: 并案 1123-001 到 1123-002
            群: 【并案】#1123-001 …
        09:10 李敏: 拆分 1123-001
            群: 【拆分】#1123-001 …
            = 1123-001 待确认
        09:13
            赵静: 【请确认】#1123-001 …
    """)
