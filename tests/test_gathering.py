"""Several things said by one person in a minute: with the county's own reader, no report is swallowed by talk before it."""

from __future__ import annotations

import pytest

from bot.rehearse import Line, Rehearsal
from config.files import shipped_county
from handlers.reports.adding import same_problem
from handlers.reports.reading import Reading
from store.tasks import Task

pytestmark = pytest.mark.asyncio


async def said(*words: str) -> list[dict[str, object]]:
    """The tasks that stand after one person said these things, ten seconds apart."""
    rehearsal = await Rehearsal.open(shipped_county())
    try:
        steps = await rehearsal.play(Line(n * 10, "suishoupai", "wangfang", text) for n, text in enumerate(words))
        return steps[-1].tasks
    finally:
        await rehearsal.close()


async def test_praise_before_a_report_does_not_swallow_it() -> None:
    tasks = await said("给环卫的师傅点个赞，西环路今天真干净", "人民路38号门口井盖碎了一角")
    assert len(tasks) == 1


async def test_a_place_alone_still_waits_for_its_words() -> None:
    tasks = await said("西环路三角绿地", "雕塑上又贴满小广告了")
    assert [task["place"] for task in tasks] == ["西环路三角绿地"] or len(tasks) == 1


async def test_a_greeting_is_no_answer_to_where() -> None:
    tasks = await said("公厕没水了臭得很，没人管", "大家早上好，今天降温注意保暖", "人民路38号旁边")
    assert len(tasks) == 1 and "人民路" in str(tasks[0]["place"])


async def test_what_no_class_fits_is_not_added_to_the_task_before_it() -> None:
    bikes = Task("t1", "20261125", 4, "dispatched", "g", "wangfang", "共享单车占了盲道", category="事件0493")
    assert not same_problem(bikes, Reading("report", 0.9, matter="供热不足"))
    assert same_problem(bikes, Reading("report", 0.9)), "words that name nothing else are more of the same"
