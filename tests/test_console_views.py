"""Saved views of the board: one's own, by plain forms, holding nothing but the board's filters."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from store import views
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("views")) as found:
        yield found


async def saved(house: House, person: str) -> list[views.View]:
    return await house.parts.engine.store.read(lambda c: views.of(c, person))


async def test_a_view_is_saved_opened_renamed_and_deleted_by_plain_forms(house: House) -> None:
    answer = await house.post("zhaojing", "/tasks/views", {"name": " 城管 超时 ", "query": "state=dispatched&late=1"})
    assert (answer.status, answer.headers["Location"]) == (303, "/tasks?state=dispatched&late=1")
    page = await (await house.get("zhaojing", "/tasks?state=dispatched&late=1&page=0")).text()
    assert re.search(r'href="/tasks\?state=dispatched&amp;late=1" aria-current="page">城管 超时</a>', page)
    (view,) = await saved(house, "zhaojing")
    await house.post("zhaojing", f"/tasks/views/{view.n}", {"step": "rename", "name": "急件"})
    assert "急件</a>" in await (await house.get("zhaojing", "/tasks")).text()
    await house.post("zhaojing", f"/tasks/views/{view.n}", {"step": "delete"})
    assert await saved(house, "zhaojing") == []


async def test_the_same_name_saves_anew_and_only_the_boards_filters_are_kept(house: House) -> None:
    for query in ("state=closed", "unit=cgj&evil=1&page=9&q=<b>"):
        await house.post("zhaojing", "/tasks/views", {"name": "一", "query": query})
    assert [(view.name, view.query) for view in await saved(house, "zhaojing")] == [("一", "q=%3Cb%3E&unit=cgj")]
    assert "<b>" not in (await (await house.get("zhaojing", "/tasks")).text()).partition("<main")[2]


async def test_nobody_sees_or_changes_anothers_view(house: House) -> None:
    await house.post("zhaojing", "/tasks/views", {"name": "只给自己", "query": "late=1"})
    view = (await saved(house, "zhaojing"))[-1]
    assert "只给自己" not in await (await house.get("gaoyuan", "/tasks")).text()
    for form in ({"step": "rename", "name": "抢"}, {"step": "delete"}):
        assert (await house.post("gaoyuan", f"/tasks/views/{view.n}", form)).status == 422
    assert view in await saved(house, "zhaojing")


async def test_a_wrong_name_no_filter_and_too_many_are_refused_in_words(house: House) -> None:
    for form in ({"name": " ", "query": "late=1"}, {"name": "长" * 21, "query": "late=1"}, {"name": "空", "query": ""}):
        assert (await house.post("qianfang", "/tasks/views", form)).status == 422
    for n in range(views.MOST):
        await house.post("qianfang", "/tasks/views", {"name": f"n{n}", "query": "late=1"})
    answer = await house.post("qianfang", "/tasks/views", {"name": "more", "query": "late=1"})
    assert answer.status == 422 and "最多" in await answer.text()
    first, second = (await saved(house, "qianfang"))[:2]
    assert (await house.post("qianfang", f"/tasks/views/{first.n}", {"name": second.name})).status == 422
