"""Every page of the console, at a desk and on a phone: it answers, fits, names its controls, complains of nothing, stays in
the house; with large letters, at 200 % and without a script, too."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.console.session import COOKIE
from tests.browser.conftest import SIZES
from tests.browser.full_house import Filled, Open, fill, is_page, matches, pages
from tests.browser.house import Watch
from tests.console_house import House, open_house
from tests.test_console_rights import POLICY

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SHOTS = os.environ.get("QUNBAN_SHOTS", "")  # a folder: every page is photographed into it
LOOK = """() => {
  const named = (one) => (one.labels && one.labels.length) || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.title;
  const controls = [...document.querySelectorAll('input:not([type=hidden]):not([type=submit]), select, textarea')];
  return {
    wide: document.documentElement.scrollWidth - innerWidth,
    nameless: controls.filter((one) => !named(one)).map((one) => one.outerHTML.slice(0, 120)),
    headings: document.querySelectorAll('h1').length,
  };
}"""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, Filled]]:
    async with open_house(tmp_path_factory.mktemp("every")) as house:
        yield house, await fill(house)


async def seat(chromium: Browser, house: House, person: str, size: str, **more: Any) -> BrowserContext:
    """A browser of somebody who is signed in."""
    context = await chromium.new_context(viewport=SIZES[size], locale="zh-CN", **more)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    if person:
        await context.add_cookies([{"name": COOKIE, "value": await house.enter(person), "url": origin(house)}])
    return context


def origin(house: House) -> str:
    return str(house.client.make_url("/")).rstrip("/")


async def look(page: Page, house: House, one: Open, watch: Watch) -> list[str]:
    """What is wrong with a page."""
    answer = await page.goto(origin(house) + one.path)
    seen, wrong = await page.evaluate(LOOK), []
    if answer is None or answer.status != 200:
        wrong.append(f"status {answer.status if answer else 0}")
    if seen["wide"] > 0:
        wrong.append(f"{seen['wide']} px too wide")
    if seen["headings"] != 1:
        wrong.append(f"{seen['headings']} h1")
    wrong += [f"no label: {control}" for control in seen["nameless"]]
    wrong += watch.verdict()
    watch.complaints.clear()
    return wrong


async def walk(chromium: Browser, filled: tuple[House, Filled], watch: Watch, size: str, axe: Any = None) -> list[str]:
    """All pages in one size, one browser for each person."""
    house, known = filled
    found: list[str] = []
    todo = pages(known)
    for person in dict.fromkeys(one.person for one in todo):
        context = await seat(chromium, house, person, size)
        page = await context.new_page()
        watch.over(page, origin(house))
        for one in [one for one in todo if one.person == person]:
            wrong = await look(page, house, one, watch)
            if axe is not None:
                result = await axe.run(page)
                wrong += [f"axe {v['id']}: {v['nodes'][0]['html'][:140]}" for v in result.response["violations"]]
            if SHOTS:
                name = re.sub(r"[^\w一-龥]+", "-", f"{size}-{person}{one.path}")
                await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
            found += [f"{one.person}{one.path}: {said}" for said in wrong]
        await context.close()
    return found


async def test_every_page_route_is_walked() -> None:
    walked = {one.path for one in pages(Filled("2026-1124-001", "2026-1124-002", 1, "2026-11-25"))}
    missing = [
        pattern
        for method, pattern in POLICY
        if method == "GET" and is_page(pattern) and not any(matches(pattern, path) for path in walked)
    ]
    assert missing == []


@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_every_page_answers_fits_and_complains_of_nothing(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch, size: str
) -> None:
    assert await walk(chromium, filled, watch, size) == []


@pytest.mark.parametrize("size", ["desk", pytest.param("phone", marks=pytest.mark.long)])
async def test_axe_reports_nothing_on_any_page(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch, size: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.async_playwright")
    assert await walk(chromium, filled, watch, size, axe.Axe()) == []
