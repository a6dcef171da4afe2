"""可能重复 on the console: why, one click to join, one to part; for who dispatches."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from handlers.reports.reading_similar import Trace, similar
from handlers.tasks import twins as suggesting
from store import photos, tasks, twins
from store.tasks import Task
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRINTS = " ".join(f"{n:064x}:{n * 7:0256x}" for n in (0xF0F0F0, 0xABCDEF, 0x123456, 0x765432, 0x9ABCDE, 0x13579B))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("twins")) as found:
        yield found


async def pair(house: House) -> tuple[str, str]:
    """Two open tasks suggested as one: (the newer, the older)."""
    older = await house.task("dispatched", text="西环路雕塑贴满小广告")
    newer = await house.task("dispatched", reporter="wangfang", text="西环路那边小广告又来了")

    def job(tx: object) -> None:
        one, two = tasks.by_number(tx, newer), tasks.by_number(tx, older)  # type: ignore[arg-type]
        assert one and two
        twins.suggest(tx, one.id, two.id, ("地点相同", "类别相同"))  # type: ignore[arg-type]

    await house.parts.engine.store.write(job)
    return newer, older


async def test_both_task_pages_and_today_show_the_pair_with_its_reasons(house: House) -> None:
    newer, older = await pair(house)
    for number, other in ((newer, older), (older, newer)):
        page = await (await house.get("zhaojing", f"/tasks/{number}")).text()
        assert f"#{other[4:]}" in page and "地点相同、类别相同" in page
        assert "可能与" not in await (await house.get("zhangqiang", f"/tasks/{number}")).text(), (
            "not the unit's to decide"
        )
    assert "可能重复的工单" in await (await house.get("zhaojing", "/today")).text()
    listed = await (await house.get("zhaojing", "/twins")).text()
    assert "西环路雕塑贴满小广告" in listed and "西环路那边小广告又来了" in listed


async def test_one_click_joins_them_and_the_pair_is_gone(house: House) -> None:
    newer, older = await pair(house)
    page = await (await house.get("zhaojing", f"/tasks/{newer}")).text()
    panel = page[page.index("可能与") :]
    form = dict(re.findall(r'name="(permit|event|word|text)" value="([^"]*)"', panel)[:4])
    assert form["text"] == f"#{older[4:]}"
    assert (await house.post("zhaojing", f"/tasks/{newer}/steps", form)).status == 303
    assert (await house.state(newer), await house.state(older)) == ("merged", "dispatched")
    assert "可能与" not in await (await house.get("zhaojing", f"/tasks/{older}")).text()


async def test_no_by_a_person_is_remembered_and_needs_right_and_token(house: House) -> None:
    newer, older = await pair(house)
    assert (await house.post("zhangqiang", f"/tasks/{newer}/apart", {"other": older})).status == 403
    assert (await house.ask("POST", "zhaojing", f"/tasks/{newer}/apart", data={"other": older})).status == 403
    count = len(await house.parts.engine.store.read(twins.standing))
    assert (await house.post("zhaojing", f"/tasks/{newer}/apart", {"other": older})).status == 303
    assert len(await house.parts.engine.store.read(twins.standing)) == count - 1
    assert (await house.post("zhaojing", f"/tasks/{newer}/apart", {"other": older})).status == 422
    assert (await house.state(newer), await house.state(older)) == ("dispatched", "dispatched")


async def test_a_photo_that_shows_the_same_is_a_reason_by_itself(house: House) -> None:
    """Taken again by another phone: not the same file, the same picture."""
    numbers = [await house.task("dispatched", text=f"这里第{n}回了", place_text=f"别处{n}") for n in range(2)]
    for n, number in enumerate(numbers):
        await house.photo(number, f"{n + 5:064x}")

    def job(tx: object) -> list[tuple[Task, str]]:
        for n in range(2):
            tx.execute(
                "insert into photo_print values (?, ?) on conflict (sha) do update set prints = excluded.prints",
                (f"{n + 5:064x}", PRINTS),
            )  # type: ignore[attr-defined]
        newer = tasks.by_number(tx, numbers[1])  # type: ignore[arg-type]
        assert newer is not None and photos.prints(tx, f"{5:064x}") == PRINTS  # type: ignore[arg-type]
        return twins.with_photos(tx, newer, 0)  # type: ignore[arg-type]

    found = await house.parts.engine.store.write(job)
    assert f"{5:064x}" in {sha for _, sha in found}
    assert suggesting._looks_like(PRINTS, {"x": PRINTS})
    a = Trace("甲", photos=(suggesting.SAME_PHOTO,))
    assert similar(a, replace(a, text="乙")) == ("照片相同", "两小时内")
