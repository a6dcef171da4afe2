"""The board and today in a real browser: a sign when something changed, brought in place; keys; saved views; axe."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.console.session import COOKIE
from store import history, tasks
from tests.browser.conftest import SIZES
from tests.browser.house import Watch
from tests.console_house import House, open_house

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SHOTS = os.environ.get("QUNBAN_SHOTS", "")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def board(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("board")) as house:
        for n in range(14):
            due = house.parts.engine.store.now() + (n - 3) * 3600
            await house.task(unit="cgj", text=f"人行道上有杂物{n}", due_at=due, category="事件0101")
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def desk(chromium: Browser, watch: Watch, board: House) -> AsyncIterator[Any]:
    """`await desk("zhaojing", "/tasks", "phone")`: a page of somebody who is signed in."""
    contexts = []
    origin = str(board.client.make_url("/")).rstrip("/")

    async def opened(person: str, path: str, size: str = "desk", **more: Any) -> Page:
        context = await chromium.new_context(viewport=SIZES[size], locale="zh-CN", **more)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        await context.add_cookies([{"name": COOKIE, "value": await board.enter(person), "url": origin}])
        page = await context.new_page()
        watch.over(page, origin)
        async with page.expect_response("**/in/web/events*") if more.get("java_script_enabled", True) else _nothing():
            await page.goto(origin + path)
        return page

    yield opened
    for context in contexts:
        await context.close()


class _nothing:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


async def picture(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")


async def a_step(house: House, number: str) -> None:
    def job(tx: Any) -> None:
        task = tasks.by_number(tx, number)
        assert task is not None
        tx.execute("update task set state = 'accepted' where id = ?", (task.id,))
        history.append(tx, task.id, "accept", "dispatched", "accepted")

    await house.parts.engine.apply(job)


async def test_a_step_shows_a_sign_and_a_press_brings_it_in_place_with_the_focus_kept(board: House, desk: Any) -> None:
    page = await desk("zhaojing", "/tasks")
    sign = page.get_by_role("button", name="有更新，点此刷新")
    await expect(sign).to_be_hidden()
    await page.locator("input[type=search]").fill("还没有找")
    await page.locator("main h1").click()
    for _ in range(3):
        await page.keyboard.press("j")
    focused = await page.evaluate("document.activeElement.getAttribute('href')")
    number = focused.rpartition("/")[2]
    await a_step(board, number)
    await expect(sign).to_be_visible()
    await picture(page, "board-fresh")
    await sign.click()
    await expect(page.locator("[data-live] tr", has=page.locator(f'a[href="{focused}"]'))).to_contain_text("已签收")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == focused
    assert await page.locator("input[type=search]").input_value() == "还没有找"
    await expect(sign).to_be_hidden()


async def test_today_hears_a_new_task(board: House, desk: Any) -> None:
    page = await desk("zhangqiang", "/today")
    made = await board.task(unit="cgj", text="新来的一件")
    task = await board.parts.engine.store.read(lambda c: tasks.by_number(c, made))
    assert task is not None
    await board.parts.engine.apply(lambda tx: history.append(tx, task.id, "remind", task.state, task.state))
    await page.get_by_role("button", name="有更新，点此刷新").click()
    await expect(page.get_by_text("新来的一件")).to_be_visible()


@pytest.mark.parametrize("path", ["/tasks", "/today"])
async def test_a_list_is_worked_by_keys_alone(desk: Any, path: str) -> None:
    page = await desk("zhangqiang", path)
    rows = page.locator("[data-live] tbody th a")
    for key, n in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        await page.keyboard.press(key)
        await expect(rows.nth(n)).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="快捷键")).to_be_visible()
    await picture(page, f"keys-{path[1:]}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.locator("input[type=search]")).to_be_focused()
    await page.keyboard.type("jk?")
    assert await page.locator("input[type=search]").input_value() == "jk?"
    await page.keyboard.press("Tab")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("j")
    opened = await rows.nth(0).get_attribute("href")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{opened}")


async def test_single_letters_can_be_switched_off(desk: Any) -> None:
    page = await desk("zhangqiang", "/tasks")
    await page.get_by_role("button", name="快捷键").click()
    await page.get_by_label("在这台电脑上停用").check()
    await page.get_by_role("button", name="知道了").click()
    await page.reload()
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.closest('[data-live]') === null")


@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_views_are_saved_without_a_script_and_fit(desk: Any, size: str) -> None:
    page = await desk("zhaojing", "/tasks?state=dispatched", size, java_script_enabled=False)
    await page.get_by_text("常用筛选").last.click()
    await page.get_by_label("把现在的筛选存为").fill(f"待签收{size}")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("link", name=f"待签收{size}")).to_have_attribute("aria-current", "page")
    await page.get_by_text("常用筛选").last.click()
    await picture(page, f"views-{size}")
    await expect(page.get_by_role("button", name="有更新，点此刷新")).to_be_hidden()


@pytest.mark.parametrize("path", ["/tasks?late=1", "/today", "/statistics"])
async def test_axe_finds_nothing(desk: Any, path: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.async_playwright")
    page = await desk("zhaojing", path, java_script_enabled=True) if "stat" not in path else None
    if page is None:
        page = await desk("zhaojing", "/tasks")
        await page.goto(page.url.replace("/tasks", path))
    else:
        await page.evaluate("document.querySelector('.keys-help').showModal()")
        await page.evaluate("document.querySelector('.keys-help').close()")
    for details in await page.locator("details").all():
        await details.evaluate("one => { one.open = true; }")
    found = await axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
