"""A real server process and a real Chromium. Every page is watched: no script error, no policy violation, no request
that leaves the house, unless a test says which one it expects."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browser.house import House, Visit, Watch, become

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A demo shared by the tests of a run; each works with words of its own."""
    built = House(tmp_path_factory.mktemp("house") / "data")
    built.start()
    yield built
    built.end()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here; ./test installs one or says how")
    root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*root, *QUIET])
        yield browser
        await browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    seen = Watch()
    yield seen
    assert seen.verdict() == []


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser, watch: Watch) -> AsyncIterator[Visit]:
    """`await visit(house, "limin", "phone", path="g/suishoupai")`: a page of one's own, signed in as somebody."""
    contexts: list[BrowserContext] = []

    async def open_page(house: House, person: str = "limin", size: str = "desk", path: str = "", **more: Any) -> Page:
        touch = {"has_touch": True, "is_mobile": True} if size == "phone" else {}
        context = await chromium.new_context(viewport=SIZES[size], locale="zh-CN", **touch, **more)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = await context.new_page()
        watch.over(page, house.url)
        await page.goto(house.url)
        if person != "limin":
            await become(page, house, person)
        if path:
            await page.goto(house.url + path)
        return page

    yield open_page
    for context in contexts:
        await context.close()
