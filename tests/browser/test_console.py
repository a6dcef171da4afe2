"""The office's day in a real browser: first password, codes for others, board, task, step, delivery; desk and phone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import SIZES
from tests.browser.house import ROOT, House, Watch

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PASSWORD = "修井盖要先打市政中心的电话"


@dataclass(slots=True)
class OfficeHouse(House):
    """A server with a county of its own: no demo, a login for everybody."""

    first: str = ""

    def start(self) -> None:
        command = (
            sys.executable,
            "-m",
            "bot",
            "serve",
            "--data",
            str(self.data),
            "--port",
            str(self.port),
            "--no-browser",
        )
        county = ("--county", str(ROOT / "config" / "county"))
        with (self.data.parent / "office.log").open("a") as log:
            self.process = subprocess.Popen(
                (*command, *county),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "QUNBAN_TOTP_ROLES": ""},
            )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().strip().rstrip("/").rpartition(":")[2])
        found = re.search(r"http\S+", self.process.stdout.readline())
        assert found, "no first-run token was printed"
        self.first = found[0]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeHouse]:
    built = OfficeHouse(tmp_path_factory.mktemp("office") / "data")
    built.start()
    yield built
    built.end()


@pytest_asyncio.fixture(loop_scope="session")
async def browser_of(chromium: Browser, watch: Watch, office: OfficeHouse) -> AsyncIterator[Any]:
    """`await browser_of("phone")`: a fresh browser that knows nobody."""
    contexts = []

    async def fresh(size: str = "desk") -> Page:
        context = await chromium.new_context(viewport=SIZES[size], locale="zh-CN")  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = await context.new_page()
        watch.over(page, office.url)
        return page

    yield fresh
    for context in contexts:
        await context.close()


async def set_password(page: Page, address: str) -> None:
    await page.goto(address)
    await page.get_by_label("新密码").fill(PASSWORD)
    await page.get_by_label("再输一次").fill(PASSWORD)
    await page.get_by_role("button", name="设置并登录").click()
    await page.wait_for_url(re.compile(r"/g/"))


async def login_code(admin: Page, office: OfficeHouse, name: str) -> str:
    """The administrator makes somebody's first login code; the address it stands for."""
    await admin.goto(f"{office.url}people")
    await admin.get_by_role("link", name=name, exact=True).click()
    await admin.get_by_role("button", name="登录码", exact=True).click()
    slip = await admin.locator(".code").inner_text()
    return office.url.rstrip("/") + slip.strip()


async def no_side_scroll(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


async def test_from_the_first_password_to_a_signed_task(office: OfficeHouse, browser_of: Any, tmp_path: Path) -> None:
    admin = await browser_of()
    await set_password(admin, office.first)
    addresses = {name: await login_code(admin, office, name) for name in ("李敏", "张强")}

    reporter = await browser_of("phone")
    await set_password(reporter, addresses["李敏"])
    sent = await reporter.evaluate(
        """async () => { const form = new FormData();
        form.set('room', 'suishoupai'); form.set('id', 'walk-1'); form.set('text', '#随手拍 解放路农行门口有人乱贴小广告');
        const headers = {'X-CSRF': document.querySelector('meta[name=csrf]').content};
        const answer = await fetch('/in/web/messages', {method: 'POST', body: form, headers});
        return [answer.status, (await answer.json()).state]; }"""
    )
    assert sent == [200, "kept"]

    officer = await browser_of()
    await set_password(officer, addresses["张强"])
    number = ""
    for _ in range(40):  # the report gathers until its sender is quiet; then it is on the board
        await officer.goto(f"{office.url}tasks")
        links = await officer.locator("table.tasks tbody th a").all_inner_texts()
        if links:
            number = links[0]
            break
        await officer.wait_for_timeout(250)
    assert number, "the report did not reach the unit's board"
    await no_side_scroll(officer)
    await officer.get_by_role("link", name=number).click()
    await officer.get_by_role("button", name="签收", exact=True).click()
    await expect(officer.get_by_role("status")).to_have_text("已办理。")
    await expect(officer.locator(".chip").first).to_have_text("已签收")
    await expect(officer.locator(".story")).to_contain_text("张强")
    await officer.locator("summary", has_text="反馈").click()
    await officer.get_by_placeholder("办理情况").fill("已清理干净")
    await officer.get_by_role("button", name="反馈", exact=True).click()
    await expect(officer.locator(".chip").first).to_have_text("待核查")

    await reporter.goto(f"{office.url}today")
    await expect(reporter.locator("main")).to_contain_text(number)
    await no_side_scroll(reporter)
    await reporter.get_by_role("link", name=number).click()
    await reporter.get_by_role("button", name="核查通过").click()
    await expect(reporter.locator(".chip").first).to_have_text("已办结")
    await no_side_scroll(reporter)

    await admin.goto(f"{office.url}delivery")
    await expect(admin.locator("main")).to_contain_text("网页工作群")
    await no_side_scroll(admin)


@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_signing_in_and_out(office: OfficeHouse, browser_of: Any, watch: Watch, size: str) -> None:
    watch.expected.append("401")
    page = await browser_of(size)
    await page.goto(f"{office.url}people")
    assert "/login?next=" in page.url
    await page.get_by_label("账号").fill("hetao")
    await page.get_by_label("密码").fill("不对不对不对不对不对")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert")).to_contain_text("账号或密码不对")
    await page.get_by_label("账号").fill("hetao")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{office.url}people")
    await no_side_scroll(page)
    await page.get_by_role("button", name="退出").click()
    await page.wait_for_url(re.compile(r"/login"))
    await page.goto(f"{office.url}people")
    assert "/login" in page.url
