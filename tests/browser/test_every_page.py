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

from bot.console import passwords
from bot.console.session import COOKIE
from store import sessions
from tests.browser.conftest import SIZES
from tests.browser.full_house import Filled, Open, fill, is_page, matches, pages
from tests.browser.house import Watch
from tests.console_house import House, open_house
from tests.test_console_rights import POLICY

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PASSWORD = "修井盖要先打市政中心的电话"
ONLY = {"resultTypes": ["violations"], "preload": False}
SHOTS = os.environ.get("QUNBAN_SHOTS", "")  # a folder: every page is photographed into it
LOOK = """() => {
  const named = (one) => (one.labels && one.labels.length) || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.title;
  const controls = [...document.querySelectorAll('input:not([type=hidden]):not([type=submit]), select, textarea')];
  const over = [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
  return {
    widest: over.length ? over[over.length - 1].outerHTML.slice(0, 120) : '',
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
    if answer is not None and "script-src 'self';" not in answer.headers.get("content-security-policy", ""):
        wrong.append("no strict policy")
    if seen["wide"] > 0:
        wrong.append(f"{seen['wide']} px too wide: {seen['widest']}")
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
    todo, judged = pages(known), set[str]()
    for person in dict.fromkeys(one.person for one in todo):
        context = await seat(chromium, house, person, size)
        page = await context.new_page()
        watch.over(page, origin(house))
        for one in [one for one in todo if one.person == person]:
            wrong = await look(page, house, one, watch)
            if axe is not None and one.path not in judged:  # the same page of somebody else has the same parts
                judged.add(one.path)
                result = await axe.run(page, options=ONLY)
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


async def test_every_page_on_a_phone_answers_fits_and_complains_of_nothing(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch
) -> None:
    assert await walk(chromium, filled, watch, "phone") == []


@pytest.mark.parametrize("size", ["desk", pytest.param("phone", marks=pytest.mark.long)])
async def test_axe_too_reports_nothing_on_any_page(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch, size: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.async_playwright")
    assert await walk(chromium, filled, watch, size, axe.Axe()) == []


SAMPLE = ("/today", "/tasks", "/statistics", "/delivery", "/learning", "/duties", "/rehearsal")


@pytest.mark.parametrize(("width", "letters"), [(683, ""), (1366, "large"), (390, "large")])
async def test_at_twice_the_size_and_with_large_letters_nothing_scrolls_sideways(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch, width: int, letters: str
) -> None:
    house, known = filled
    context = await seat(chromium, house, "zhaojing", "desk")
    page = await context.new_page()
    watch.over(page, origin(house))
    await page.set_viewport_size({"width": width, "height": 384 if width == 683 else 768})  # 1366 × 768 at 200 %
    await page.goto(f"{origin(house)}/today")
    await page.evaluate(f"localStorage.setItem('size', '{letters}')")
    wrong = []
    for path in (*SAMPLE, f"/tasks/{known.number}"):
        wrong += [f"{path}: {said}" for said in await look(page, house, Open("zhaojing", path), watch)]
    await context.close()
    assert wrong == []


async def test_without_a_script_pages_read_and_the_main_forms_work(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch
) -> None:
    house, known = filled
    context = await seat(chromium, house, "zhangqiang", "phone", java_script_enabled=False)
    page = await context.new_page()
    watch.over(page, origin(house))
    await page.goto(f"{origin(house)}/tasks")
    await page.get_by_label("状态").select_option("dispatched")
    await page.get_by_role("button", name="筛选").click()
    assert "state=dispatched" in page.url
    await page.goto(f"{origin(house)}/tasks/{known.number}")
    await page.get_by_role("button", name="签收", exact=True).click()
    await expect(page.get_by_role("status").first).to_be_visible()
    await expect(page.locator(".chip").first).to_have_text("已签收")
    await page.locator("summary", has_text="反馈").click()
    await page.get_by_placeholder("办理情况").fill("已清运干净")
    await page.get_by_role("button", name="反馈", exact=True).click()
    await expect(page.locator(".chip").first).to_have_text("待核查")
    await page.goto(f"{origin(house)}/g/suishoupai")
    await expect(page.locator("main")).to_be_visible()
    await context.close()


async def test_signing_in_without_a_script_says_what_is_wrong_and_then_lets_in(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch
) -> None:
    house, _ = filled
    watch.expected.append("401")
    vault = passwords.Vault()
    kept = await vault.hash(PASSWORD)
    vault.close()
    await house.parts.engine.store.write(lambda tx: sessions.set_password(tx, "wangfang", kept))
    context = await seat(chromium, house, "", "phone", java_script_enabled=False)
    page = await context.new_page()
    watch.over(page, origin(house))
    await page.goto(f"{origin(house)}/login")
    await page.get_by_label("账号").fill("wangfang")
    await page.get_by_label("密码").fill("不对不对不对不对不对")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert")).to_contain_text("账号或密码不对")
    await page.get_by_label("账号").fill("wangfang")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(re.compile("/g/"))
    await page.goto(f"{origin(house)}/today")
    await expect(page.locator("h1")).to_be_visible()
    await context.close()


async def test_an_edition_is_put_forward_without_a_script(
    chromium: Browser, filled: tuple[House, Filled], watch: Watch
) -> None:
    house, _ = filled
    context = await seat(chromium, house, "qinyue", "desk", java_script_enabled=False)
    page = await context.new_page()
    watch.over(page, origin(house))
    await page.goto(f"{origin(house)}/digest")
    await page.get_by_role("button", name="送审", exact=True).click()
    await expect(page.get_by_role("status").first).to_contain_text("范文")
    await context.close()


@pytest.mark.long
@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_no_word_is_so_long_that_a_page_scrolls_sideways(
    chromium: Browser, watch: Watch, tmp_path: Path, size: str
) -> None:
    async with open_house(tmp_path) as house:
        known = await fill(house, lambda text: f"{text}{'abcdefghij' * 6}")
        assert await walk(chromium, (house, known), watch, size) == []
