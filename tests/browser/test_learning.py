"""学习 and 职责 in a real browser: a correction is seen and taken back by keyboard; duties are changed without a script."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.house import House, Visit, become

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SEND = """async ([text, id]) => { const form = new FormData();
form.set('room', 'suishoupai'); form.set('id', id); form.set('text', text);
const headers = {'X-CSRF': document.querySelector('meta[name=csrf]').content};
return (await fetch('/in/web/messages', {method: 'POST', body: form, headers})).status; }"""


async def no_side_scroll(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


async def test_a_correction_stands_on_the_page_and_is_taken_back_by_keyboard(house: House, visit: Visit) -> None:
    words = "建设路87号门前电线耷拉到地上了"
    page = await visit(house, "zouping", path="g/suishoupai")
    assert await page.evaluate(SEND, [f"#随手拍 {words}", "learn-1"]) == 200
    await expect(page.locator("body")).to_contain_text(re.compile(r"#\d{4}-\d{3}.*建设路87号"))
    await become(page, house, "zhaojing")
    await page.goto(f"{house.url}tasks")
    await page.locator("table.tasks tr", has_text=words).locator("a").first.click()
    step = page.locator("#do details", has=page.locator("select[name=unit]")).first
    if await step.get_attribute("open") is None:
        await step.locator("summary").click()
    await step.locator("select").select_option("gdgs")
    await step.locator("button").click()
    await expect(page.locator("#do").get_by_role("status")).to_be_visible()
    await page.goto(f"{house.url}learning")
    row = page.locator("tr", has_text=words).first
    await expect(row).to_contain_text("供电公司")
    await no_side_scroll(page)
    await row.get_by_role("button", name="撤回").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("已撤回")
    await expect(page.locator(".story")).to_contain_text("赵静")
    phone = await visit(house, "zhaojing", "phone", path="learning?tab=revoked")
    await expect(phone.locator("main")).to_contain_text(words)
    await no_side_scroll(phone)


async def test_duties_are_looked_at_and_changed_without_a_script(house: House, visit: Visit) -> None:
    page = await visit(house, "zhaojing", path="duties?status=&unit=rqgs", java_script_enabled=False)
    boxes = page.locator("td.pick input")
    assert await boxes.count() > 0
    await boxes.first.focus()
    await page.keyboard.press("Space")
    await page.locator(".picks select").select_option("rlgs")
    await page.get_by_role("button", name="改单位").click()
    await expect(page.locator("h1")).to_contain_text("改给供热公司")
    await expect(page.locator("main")).to_contain_text("已定的")
    await page.get_by_role("link", name="不改").click()
    await page.goto(f"{house.url}duties?status=&unit=rlgs")
    await expect(page.locator("main")).not_to_contain_text("确认 11月")


@pytest.mark.parametrize("path", ["learning", "duties", "twins"])
async def test_the_pages_fit_a_phone(house: House, visit: Visit, path: str) -> None:
    page = await visit(house, "zhaojing", "phone", path=path)
    await expect(page.locator("h1")).to_be_visible()
    await no_side_scroll(page)
