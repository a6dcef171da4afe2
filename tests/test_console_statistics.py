"""The statistics page: every rate with both its numbers, the formulas, one month at a time, units in the county's order."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from handlers.calendar import local
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("statistics")) as found:
        for unit in ("zjj", "cgj", "cgj"):
            await found.task("dispatched", unit)
        yield found


async def test_the_page_shows_counts_denominators_and_formulas(house: House) -> None:
    answer = await house.get("zhaojing", "/statistics")
    page = await answer.text()
    assert answer.status == 200
    assert re.search(r"合计</th>\s*<td>\d+</td>", page)
    assert "结案率=结案÷应结案" in page and "单位按固定顺序，不排名" in page
    assert "按环节" in page and "待签收" in page


async def test_a_month_is_picked_by_its_name_and_nonsense_means_the_running_one(house: House) -> None:
    month = f"{local(house.parts.engine.store.now()):%Y-%m}"
    for asked in (month, "1999-13", "<b>"):
        page = await (await house.get("gaoyuan", f"/statistics?month={asked}")).text()
        assert f'value="{month}" selected' in page and "<b>" not in page.partition("<main")[2]


async def test_units_stand_in_the_countys_order(house: House) -> None:
    page = await (await house.get("zhaojing", "/statistics")).text()
    rows = re.findall(r'<th scope="row">([^<]+)</th>', page)
    order = [unit.name for unit in house.parts.engine.office.county.units]
    shown = [order.index(name) for name in rows if name in order]
    assert shown and shown == sorted(shown)


async def test_who_sees_no_task_but_his_own_sees_no_statistics(house: House) -> None:
    assert (await house.get("limin", "/statistics")).status == 403
    assert "/statistics" not in await (await house.get("limin", "/today")).text()


async def test_a_week_a_quarter_a_year_and_free_days_stand_in_the_address(house: House) -> None:
    now = local(house.parts.engine.store.now())
    year, week, _ = now.isocalendar()
    for asked, said in (
        (f"period={year}-W{week:02d}", f"第{week}周"),
        (f"period={now.year}-Q{(now.month + 2) // 3}", "季度</h2>"),
        (f"period={now.year}", f"<h2>{now.year}年</h2>"),
        (f"from={now:%Y-%m}-01&to={now:%Y-%m-%d}", "自选起止"),
        ("from=%3Cb%3E&to=1", f"<h2>{now.year}年{now.month}月</h2>"),
    ):
        answer = await house.get("gaoyuan", f"/statistics?{asked}")
        assert answer.status == 200 and said in await answer.text(), asked


async def test_every_chart_says_what_it_shows_and_its_numbers_stand_in_a_table(house: House) -> None:
    page = await (await house.get("zhaojing", "/statistics")).text()
    charts = re.findall(r"<svg viewBox.*?</svg>", page, re.S)
    assert len(charts) == 3
    for chart in charts:
        title = re.search(r'<title id="[\w-]+">([^<]+)</title>', chart)
        assert title and "<desc" in chart and 'role="img"' in chart and " style=" not in chart
        assert f'<caption class="visually-hidden">{title[1][:2]}' in page
    drawn = sum(int(n) for n in re.findall(r'class="digits">(\d+)<', charts[1]))
    assert drawn == 3 and page.count("<details") == 2
