"""A house for the digest's intake: a store in memory, web servers of our own, and no waiting between requests."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.fetcher import Fetcher
from bot.intake import Intake
from bot.polite import Polite
from config.digest.sources import Source, known_host
from store import Store

NOON = 1795492800  # 2026-11-24 12:00 in Shanghai
Answer = bytes | web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]]

ARTICLE = (
    '<html><head><meta charset="utf-8"><title>{title}</title></head><body><h1>{title}</h1>'
    '<div>发布时间：2026-11-23 09:00</div><div class="TRS_Editor">{text}</div></body></html>'
)
TEXT = (
    "<p>县财政局关于{what}的通知。各乡镇要在12月10日前完成申报，逾期不再受理，联系人在上班时间答复咨询。</p>"
    "<p>补助标准为每亩{n}元，资金通过一卡通发放，任何单位和个人不得截留挪用，发现问题及时向财政所反映。</p>"
)


@dataclass
class Site:
    """One web server: `pages` by path; `asked` is every request in order; `robots` its robots.txt (None: 404)."""

    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    robots: str | None = None
    robots_status: int = 200
    server: TestServer | None = None

    def url(self, path: str = "/") -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked if path != "/robots.txt"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, dict(request.headers)))
        if request.path == "/robots.txt":
            return (
                web.Response(status=404)
                if self.robots is None
                else web.Response(text=self.robots, status=self.robots_status)
            )
        found = self.pages.get(request.path_qs)
        if found is None:
            return web.Response(status=404)
        if isinstance(found, bytes):
            return web.Response(body=found, content_type="text/html")
        if isinstance(found, web.Response):  # it can be sent once: here it is what to say each time
            told = {name: value for name, value in found.headers.items() if name in ("Location", "Content-Encoding")}
            return web.Response(body=found.body, status=found.status, headers=told, content_type=found.content_type)
        return await found(request)


@dataclass
class House:
    """An intake with its store and the clock its cadence follows."""

    store: Store
    site: Site
    intake: Intake
    time: list[float]

    async def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda connection: connection.execute(query, values).fetchall())

    async def titles(self) -> list[str]:
        found = await self.sql("select replace(title, char(31), '') from item_text order by item")
        return [str(title) for (title,) in found]

    async def error(self, source: str = "src") -> str:
        found = await self.sql("select error from source_state where source = ?", source)
        return str(found[0][0]) if found else "（没有问过）"


def source(site: Site, kind: str = "html", path: str = "/list", **more: Any) -> Source:
    """A source on this site; HTML lists are `li`."""
    rules = {"html": {"item": "li"}, "json": {"title": "t", "url": "u", "date": "d"}}.get(kind, {})
    return Source("src", "县报", kind, site.url(path), on=True, **{"rules": rules, "body": ".TRS_Editor", **more})


def article(title: str, what: str = "种粮补助申报", n: int = 120) -> bytes:
    return ARTICLE.format(title=title, text=TEXT.format(what=what, n=n)).encode()


def listing(*rows: tuple[str, str]) -> bytes:
    """An HTML list of (address, title)."""
    items = "".join(f'<li><a href="{href}">{title}</a> 2026-11-23</li>' for href, title in rows)
    return f"<html><body><ul>{items}</ul></body></html>".encode()


def bomb(size: int = 200 << 20) -> bytes:
    """Zeros, packed a thousandfold."""
    return gzip.compress(bytes(size), 9)


@asynccontextmanager
async def sites(count: int = 1) -> AsyncIterator[list[Site]]:
    """So many servers on this machine."""
    opened: list[Site] = []
    try:
        for _ in range(count):
            site = Site()
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", site.answer)
            site.server = TestServer(app)
            await site.server.start_server()
            opened.append(site)
        yield opened
    finally:
        for site in opened:
            if site.server is not None:
                await site.server.close()


@asynccontextmanager
async def house(
    site: Site, table: Sequence[Source] | None = None, inside: Sequence[Site] | None = None
) -> AsyncIterator[House]:
    """An intake that knows this site (and nothing else on this machine, unless it is `inside`)."""
    known = tuple(table) if table is not None else (source(site),)
    time, store = [1_000_000.0], Store.open(None, lambda: NOON)
    allowed = [one.url()[len("http://") :].rstrip("/") for one in (inside if inside is not None else [site])]
    fetcher = Fetcher(allowed)
    polite = Polite(fetcher, lambda host: known_host(known, host), gap=0.0)
    intake = Intake(store, known, polite, b"k" * 32, lambda: time[0])
    try:
        yield House(store, site, intake, time)
    finally:
        await intake.close()
        await fetcher.close()
        store.close()
