"""摘要 in a real browser: composed, ordered and passed on without a script; every page fits a phone and names its controls."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.house import House, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
TEXTS = (
    "关于开展种粮补贴申报的通知\n县农业农村局关于开展种粮补贴申报的通知。各乡镇要在12月1日前完成申报登记，逾期不予受理。",
    "关于小微企业所得税优惠的公告\n国家税务总局就小微企业所得税优惠政策公告如下。年应纳税所得额不超过300万元的部分减按25%计入。",
)
PATHS = ("digest", "digest/preview", "digest/history", "digest/archive", "digest/sources", "digest/choices")


async def fits(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


async def test_an_editor_pastes_orders_and_puts_forward_without_a_script(house: House, visit: Visit) -> None:
    page = await visit(house, "qinyue", path="digest", java_script_enabled=False)
    for text in TEXTS:
        await page.locator(".paste summary").click()
        await page.locator(".paste textarea").fill(text)
        await page.get_by_role("button", name="收下").click()
        await expect(page.get_by_role("status")).to_contain_text("已收下")
    if await page.get_by_role("button", name="现在组稿").count():
        await page.get_by_role("button", name="现在组稿").click()
    await page.locator("summary", has_text="重新组稿").click()
    await page.get_by_role("button", name="重新组稿").click()
    titles = page.locator(".lines h3")
    await expect(titles).to_have_count(2)
    first = await titles.first.inner_text()
    await page.get_by_role("button", name="第2条上移").click()
    await expect(titles.nth(1)).to_have_text(first)
    await page.locator("input[name=place-2]").fill("1")
    await page.locator("input[name=place-2]").press("Enter")
    await expect(titles.first).to_have_text(first)
    await page.get_by_role("button", name="送审", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("范文")


async def test_every_page_of_the_digest_fits_a_phone_and_a_reader(house: House, visit: Visit) -> None:
    page = await visit(house, "qinyue", "phone", path="digest")
    for path in PATHS:
        await page.goto(f"{house.url}{path}")
        await expect(page.locator("h1")).to_be_visible()
        await fits(page)
    axe = pytest.importorskip("axe_playwright_python.async_playwright")
    await page.goto(f"{house.url}digest")
    found = await axe.Axe().run(page)
    assert [one["id"] for one in found.response["violations"]] == []
