"""经验 in chat: what was learnt, taken back and given back, by who dispatches and nobody else."""

from __future__ import annotations

import pytest

from store import audit, lessons
from tests.flows.chat import perform, play

pytestmark = pytest.mark.asyncio

CHOSEN = """
    09:00 李敏: 人民路好像有小广告 [图 a]
        群: 【请确认】#1123-001
    09:01 赵静: 派 住建局
        群: 【已受理】#1123-001 … 派:住建局
"""


async def test_a_dispatcher_asks_for_the_lessons_and_takes_one_back_and_gives_it_back() -> None:
    rehearsal = await perform(
        CHOSEN
        + """
        09:02 赵静→: 经验
            赵静: 经验1 人民路好像有小广告 → 住建局 … 撤回经验 1
        09:03 赵静→: 撤回经验1
            赵静: 经验1已撤回 … 恢复经验 1
        09:03:30 赵静→: 撤回经验 1
            赵静: 经验1现在已经是这样
            ! wrong_state
        09:04 赵静→: 恢复经验 1
            赵静: 经验1已恢复
        09:04:20 赵静→: 撤回经验 7
            赵静: 没有经验7
            ! unclear
        09:04:40 赵静→: 撤回经验
            赵静: 请写明编号
            ! unclear
    """
    )
    try:
        store = rehearsal.engine.store
        steps = await store.read(lambda c: lessons.steps(c, 1))
        assert [(step.event, step.actor) for step in steps] == [
            ("made", "zhaojing"),
            ("revoked", "zhaojing"),
            ("given_back", "zhaojing"),
        ]
        rows = await store.read(audit.listing)
        assert [(row[2], row[5], row[6]) for row in rows if row[5] == "lesson/1"] == [
            ("zhaojing", "lesson/1", "given_back"), ("zhaojing", "lesson/1", "revoked")
        ]  # fmt: skip
        (row,) = await store.read(lessons.everything)
        assert (row.unit, row.offered.split("|")[0], row.was_unit) == ("zjj", "cgj", "")
    finally:
        await rehearsal.close()


async def test_nobody_else_touches_lessons_and_talk_about_experience_is_talk() -> None:
    await play(
        CHOSEN
        + """
        09:02 李敏→: 撤回经验 1
            李敏: 经验由指挥员或裁定人管理
            ! not_allowed
        09:03 李敏: 经验
        09:03:30 赵静: 经验丰富的同志多带带新人
        09:03:40 李敏: 撤回经验 1
    """
    )


async def test_a_task_that_stands_is_as_it_was_after_its_lesson_is_taken_back() -> None:
    await play(
        CHOSEN
        + """
        09:02 赵静→: 撤回经验 1
            赵静: 经验1已撤回
            = 1123-001 待签收 住建局
    """
    )
