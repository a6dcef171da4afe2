"""Asking other people's web sites politely: only known hosts, by their robots.txt, one at a time, seconds apart (digest.md A3).

A site that answers 412, 521 or a page of scripts does not want programs: that is for people, and nothing is tried
to get round it. Real time throughout, whatever a demo's clock says.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yarl import URL

from bot import __version__
from bot.fetcher import Answer, Fetcher, retry_after
from config.digest.sources import GAP
from config.errors import Refused, Retry

if TYPE_CHECKING:
    from protego import Protego

AGENT = f"qunban/{__version__} (daily digest of a county office)"
PAGE_BYTES = 2 << 20  # digest.md A3
LIST_BYTES = 8 << 20  # gov.cn's list of interpretations
ROBOTS_BYTES = 512 << 10  # RFC 9309 2.5
ROBOTS_SECONDS = 86400.0
ROBOTS_AGAIN = 3600.0  # when it could not be had: everything is closed until then (RFC 9309 2.3.1.4)
LONGEST_GAP = 60.0
JITTER = 0.5
SLEEP = asyncio.sleep


class Challenged(Refused):
    """The site wants a browser or a person."""


@dataclass(slots=True)
class _Host:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    robots: Protego | None = None
    closed: str = ""  # why nothing may be asked of it
    robots_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Got:
    """What a site gave: `url` where it was in the end, 304 as well as 200."""

    url: str
    answer: Answer


class Polite:
    """`may` says which hosts are known; everything else is refused before a name is looked up."""

    def __init__(
        self,
        fetcher: Fetcher,
        may: Callable[[str], bool],
        sleep: Callable[[float], asyncio.Future[None]] | None = None,
        gap: float = GAP,
    ) -> None:
        self._fetcher = fetcher
        self._may = may
        self._sleep = sleep or SLEEP
        self._gap = gap
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    async def get(
        self, address: str, headers: Mapping[str, str] | None = None, gap: float = 0.0, limit: int = PAGE_BYTES
    ) -> Got:
        """One page or list. Raises Challenged, Refused or Retry."""
        url = _parsed(address)
        if not self._may(url.host or ""):
            raise Refused(f"{url.host} 不在允许访问的网站里")
        host = self._hosts[_key(url)]
        async with host.turn:
            await self._learn(url, host)
            if host.closed:
                raise Refused(host.closed)
            if host.robots is not None and not host.robots.can_fetch(address, AGENT):
                raise Refused("对方的 robots.txt 不允许")
            return _judged(await self._ask(url, host, headers or {}, gap, limit))

    async def _ask(self, url: URL, host: _Host, headers: Mapping[str, str], gap: float, limit: int) -> Got:
        await self._sleep(max(0.0, host.free_at - time.monotonic()))
        asked = {"User-Agent": AGENT, "Accept-Encoding": "gzip, identity", **headers}
        try:
            where, answer = await self._fetcher.look(str(url), limit, asked, lambda hop: self._may(hop.host or ""))
        finally:
            delay = host.robots.crawl_delay(AGENT) if host.robots is not None else None
            pause = min(LONGEST_GAP, max(self._gap, gap if self._gap else 0.0, float(delay or 0)))
            host.free_at = time.monotonic() + pause + random.uniform(0, JITTER if self._gap else 0)  # noqa: S311
        return Got(where, answer)

    async def _learn(self, url: URL, host: _Host) -> None:
        """Its robots.txt, once a day; a site without one has no wishes."""
        if time.monotonic() < host.robots_until:
            return
        from protego import Protego

        try:
            got = await self._ask(url.origin() / "robots.txt", host, {}, 0.0, ROBOTS_BYTES)
        except (Retry, Refused) as error:
            host.closed, host.robots = f"读不到对方的 robots.txt：{error}", None
            host.robots_until = time.monotonic() + ROBOTS_AGAIN
            return
        status, text = got.answer.status, got.answer.body.decode("utf-8", "replace")
        host.closed = f"读不到对方的 robots.txt（{status}）" if status >= 500 or status == 429 else ""
        host.robots = Protego.parse(text) if status == 200 and "<html" not in text[:500].lower() else None
        host.robots_until = time.monotonic() + (ROBOTS_AGAIN if host.closed else ROBOTS_SECONDS)


def _judged(got: Got) -> Got:
    status = got.answer.status
    if status in (412, 521):
        raise Challenged(f"对方要求验证（{status}）")
    if status == 429 or status >= 500:
        raise Retry(f"对方暂时不给（{status}）", retry_after(got.answer.headers))
    if status not in (200, 304):
        raise Refused(f"对方不给（{status}）")
    return got


def _parsed(address: str) -> URL:
    try:
        url = URL(address)
    except ValueError:
        raise Refused("地址写法不对") from None
    if url.scheme not in ("http", "https") or not url.host or url.user is not None:
        raise Refused("地址写法不对，应以 http:// 或 https:// 开头")
    return url


def _key(url: URL) -> str:
    return f"{url.scheme}://{url.host}:{url.port}"
