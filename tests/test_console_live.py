"""Open boards hear of steps: one bare sign over the tab's one stream, to those who may see the task, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from store import history
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOON = 5.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("live")) as found:
        yield found


async def a_step(house: House, number: str) -> None:
    """As the pipeline takes one: behind its commit, open boards are told."""
    from store import tasks

    task = await house.parts.engine.store.read(lambda c: tasks.by_number(c, number))
    assert task is not None
    await house.parts.engine.apply(lambda tx: history.append(tx, task.id, "remind", task.state, task.state))


async def heard(house: House, person: str, query: str, steps: list[str]) -> list[str]:
    """The names of the events that reach a tab while steps are taken; a clock sign, which everybody gets, ends it."""
    answer = await house.get(person, f"/in/web/events?after=now{query}", headers={"Accept": "text/event-stream"})
    names: list[str] = []
    async with asyncio.timeout(SOON):
        async for raw in answer.content:
            line = raw.decode().strip()
            if not line.startswith("event:"):
                continue
            names.append(line.partition(":")[2].strip())
            if names == ["hello"]:
                for number in steps:
                    await a_step(house, number)
                asyncio.get_running_loop().call_later(0.5, house.parts.web.broadcast, "clock", {"now": 1})
            if names[-1] == "clock":
                break
    answer.close()
    return names


async def test_steps_of_one_moment_come_as_one_sign_to_who_may_see_them(house: House) -> None:
    numbers = [await house.task(unit="cgj"), await house.task(unit="cgj")]
    assert await heard(house, "zhaojing", "&tasks=1", numbers) == ["hello", "tasks", "clock"]
    assert await heard(house, "zhangqiang", "&tasks=1", numbers[:1]) == ["hello", "tasks", "clock"]


async def test_another_units_step_is_no_sign_and_a_chat_gets_none(house: House) -> None:
    number = await house.task(unit="zjj", reporter="haojun", group_id="xihequn")
    assert await heard(house, "zhangqiang", "&tasks=1", [number]) == ["hello", "clock"]
    assert await heard(house, "zhaojing", "", [number]) == ["hello", "clock"]


async def test_board_and_today_carry_one_stream_and_a_sign_that_is_hidden_without_a_script(house: House) -> None:
    await house.task(unit="cgj")
    for path in ("/tasks", "/today"):
        page = await (await house.get("zhangqiang", path)).text()
        assert page.count("<event-stream") == 1 and "data-fresh hidden" in page
        assert 'role="status"' in page and "data-as=" in page


async def test_no_script_but_the_stream_opens_one() -> None:
    static = Path(__file__).resolve().parents[1] / "bot" / "console" / "static"
    assert [path.name for path in static.glob("*.js") if "new EventSource" in path.read_text("utf-8")] == [
        "event-stream.js"
    ]
