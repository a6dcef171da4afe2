"""What every simulated platform shares: a server, what was said and sent, and the faults waiting to happen.

A simulator subclasses `Stage`, adds its platform's addresses in `add_routes`, delivers in `say`, records what the bot
sent with `record`, and asks `fault(...)` at each place where its platform can fail. Its page is in page.py.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from aiohttp import web

BODY_BYTES = 64 << 20
HANG_SECONDS = 60.0
FAULTS: Mapping[str, str] = {
    "timeout": "不回应",
    "reset": "回到一半断开",
    "html": "回网页而不是 JSON",
    "rate_limit": "限频",
    "token_expired": "凭证过期",
    "half_sent": "已发出但没有回执",
    "slow": "慢 30 秒",
    "disconnect": "断开连接",
    "error": "回错误码",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong next: one of FAULTS, how often, how long it takes, and the platform's code for "error"."""

    name: str
    times: int = 1
    seconds: float = 30.0
    code: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said to the bot."""

    id: str
    room: str  # "" = in private
    user: str
    text: str
    photos: tuple[bytes, ...] = ()
    quote: str = ""


@dataclass(frozen=True, slots=True)
class SentLine:
    """What the bot sent. `user` is set when it went to one person; `buttons` are (label, the platform's key)."""

    id: str
    room: str = ""
    user: str = ""
    form: str = "text"
    text: str = ""
    photos: tuple[bytes, ...] = ()
    articles: tuple[tuple[str, str, str], ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    mentions: tuple[str, ...] = ()
    quote: str = ""


class Simulator(Protocol):
    """What tests, the command and the page know of a simulated platform."""

    kind: str  # as in settings.toml
    name: str  # the channel's name
    title: str  # what people call the platform
    url: str
    rooms: dict[str, str]  # id → what people call it
    users: dict[str, str]
    lines: list[Said | SentLine]
    sent: list[SentLine]
    faults: deque[Fault]
    offered: tuple[str, ...]  # the faults this platform can have

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve; the address."""

    async def close(self) -> None:
        """Stop."""

    def channel(self, public_url: str) -> dict[str, Any]:
        """What settings.toml needs under [channels.NAME]: kind, options, secrets. `public_url` is the bot's own."""

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """Deliver what a person says as the platform would, again and again if it would; the message's id."""

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """A person presses a button by its label."""

    async def expect(self, wanted: Callable[[SentLine], bool], seconds: float = 10.0) -> SentLine:
        """The first line the bot sent, now or later, that is so."""


class Stage:
    """The common part of a simulator."""

    kind: ClassVar[str] = ""
    name = "sim"
    title = ""
    offered: ClassVar[tuple[str, ...]] = tuple(FAULTS)

    def __init__(self) -> None:
        self.url = ""
        self.callback = ""  # where the bot is called, known once `channel` has been asked
        self.rooms: dict[str, str] = {"room1": "城管随手拍工作群", "room2": "税费服务群"}
        self.users: dict[str, str] = {"limin": "李敏", "zhangqiang": "张强", "wanglei": "王磊"}
        self.lines: list[Said | SentLine] = []
        self.sent: list[SentLine] = []
        self.faults: deque[Fault] = deque()
        self.happened: list[str] = []  # faults that have been played
        self.patience = 5.0  # seconds between two deliveries of what was not taken
        self._ids = itertools.count(1)
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._work: set[asyncio.Task[Any]] = set()

    def add_routes(self, app: web.Application) -> None:
        """What the platform answers."""
        raise NotImplementedError

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve the platform and its page."""
        from bot.simulators import page

        app = web.Application(client_max_size=BODY_BYTES)
        self.add_routes(app)
        page.add_routes(app, self)  # type: ignore[arg-type]  # a subclass is a Simulator
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.url

    async def close(self) -> None:
        """Stop what is under way, then the server."""
        for task in tuple(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def heard_at(self, public_url: str) -> str:
        """Remember where the bot is called; its address."""
        self.callback = f"{public_url.rstrip('/')}/in/{self.name}"
        return self.callback

    def next_id(self, prefix: str = "m") -> str:
        """An id nobody has had."""
        return f"{prefix}{next(self._ids)}"

    def say_line(self, line: Said) -> None:
        """Put what a person said on the page."""
        self.lines.append(line)

    async def record(self, line: SentLine) -> SentLine:
        """What the bot sent; a line with a known id replaces the earlier one (streams, updated cards)."""
        for shelf in (self.lines, self.sent):
            place = next((i for i, old in enumerate(shelf) if isinstance(old, SentLine) and old.id == line.id), None)
            if place is None:
                shelf.append(line)
            else:
                shelf[place] = line
        async with self._changed:
            self._changed.notify_all()
        return line

    async def expect(self, wanted: Callable[[SentLine], bool], seconds: float = 10.0) -> SentLine:
        """The first line the bot sent, now or later, that is so."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: any(map(wanted, self.sent)))
        except TimeoutError:
            raise AssertionError(f"no such line; sent so far: {[line.text for line in self.sent]}") from None
        return next(line for line in self.sent if wanted(line))

    def fault(self, *names: str) -> Fault | None:
        """Take the next fault when it is one of these; it is used up."""
        if not self.faults or self.faults[0].name not in names:
            return None
        found = self.faults.popleft()
        if found.times > 1:
            self.faults.appendleft(replace(found, times=found.times - 1))
        self.happened.append(found.name)
        return found

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """Faults of any HTTP server. None: go on (after a while, for "slow"). Call before anything is done."""
        found = self.fault("timeout", "reset", "html", "slow")
        if found is None:
            return None
        if found.name in ("timeout", "slow"):
            await asyncio.sleep(found.seconds if found.name == "slow" else HANG_SECONDS)
            return None if found.name == "slow" else cut(request)
        if found.name == "html":
            return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
        return await half_answered(request)

    def keep(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """Run something beside; it ends with the simulator."""
        task = asyncio.ensure_future(_awaited(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def deliver(self, attempt: Callable[[], Awaitable[bool]], times: int = 3) -> bool:
        """Deliver until it is taken, as callback platforms do; whether it was."""
        for left in range(times, 0, -1):
            if await attempt():
                return True
            if left > 1:
                await asyncio.sleep(self.patience)
        return False


def cut(request: web.Request) -> web.Response:
    """Close the connection hard (RST), nothing answered; the response is for the type only."""
    transport = request.transport
    if transport is not None:
        plug = transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def half_answered(request: web.Request) -> web.StreamResponse:
    """Headers and the beginning of a body, then RST."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "200"})
    await response.prepare(request)
    await response.write(b'{"errcode":0,')
    cut(request)
    return response


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
