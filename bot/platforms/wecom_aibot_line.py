"""The long connection of a WeCom AI bot: one line, subscribed, kept warm, dialled again with growing pauses.

A bot has exactly one live connection. Whoever subscribes later takes over and we are told by `disconnected_event`;
then we stay away, or two servers would throw each other out for ever (platforms.md 2.3).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog

from config.errors import Offline, QunbanError, Refused, Unknown

log = structlog.get_logger()

FRAME_BYTES = 1 << 20
ACK_SECONDS = 5.0  # as the SDK waits
PING_SECONDS = 30.0
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
DENIED_PAUSE = 300.0  # after a wrong secret: asking faster would only get the bot locked
OFFLINE_SECONDS = 15.0
NO_LINE = "企业微信长连接未接通"
TAKEN = "另一处用同一个机器人连上了，这里已让出；请停掉另一处后重启群办"

Frame = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """Where and as whom to connect."""

    url: str
    bot_id: str
    secret: str
    proxy: str = ""
    ca_file: str = ""


class Denied(Refused):
    """The platform does not let this bot in."""


class Line:
    """`hear` gets every callback in order and may hold up the reading; `turned` is told "connected" and why not."""

    def __init__(
        self, access: Access, hear: Callable[[Frame], Awaitable[None]], turned: Callable[[str], Awaitable[None]]
    ) -> None:
        self.ping_seconds = PING_SECONDS
        self.pauses = PAUSES
        self.state = ""
        self._access = access
        self._hear = hear
        self._turned = turned
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._acks: dict[str, asyncio.Future[Frame]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._ids = itertools.count(random.randrange(1 << 30))  # noqa: S311 - only has to differ from the last start's
        self._life: asyncio.Task[None] | None = None
        self._taken = False

    def start(self) -> None:
        """Dial, and dial again whenever the line breaks."""
        self._life = asyncio.get_running_loop().create_task(self._live())

    async def close(self) -> None:
        """Hang up for good."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)

    async def ended(self) -> None:
        """Wait until it dials no more."""
        if self._life is not None:
            await asyncio.wait((self._life,))

    async def prove(self) -> None:
        """Subscribe once, hear one answer to a ping, hang up. Raises Denied, Offline or Unknown."""
        try:
            async with aiohttp.ClientSession() as session, self._dialled(session) as socket:
                self._socket = socket
                reader = asyncio.get_running_loop().create_task(self._read(socket))
                try:
                    await self._subscribe()
                    await self.call("ping")
                finally:
                    reader.cancel()
                    await asyncio.gather(reader, return_exceptions=True)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Offline(f"{NO_LINE}（{type(error).__name__}）", OFFLINE_SECONDS) from None

    async def call(self, cmd: str, body: Frame | None = None, req_id: str = "") -> Frame:
        """Send a command and wait for its acknowledgement. Raises Offline before it left, Unknown after."""
        socket = self._socket
        if socket is None or socket.closed:
            raise Offline(TAKEN if self._taken else NO_LINE, OFFLINE_SECONDS)
        name = req_id or f"{cmd}_{next(self._ids)}"
        frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": name}}
        if body is not None:
            frame["body"] = body
        async with self._locks.setdefault(name, asyncio.Lock()):
            try:
                return await self._asked(socket, name, json.dumps(frame, ensure_ascii=False))
            finally:
                self._locks.pop(name, None)

    async def _asked(self, socket: aiohttp.ClientWebSocketResponse, name: str, text: str) -> Frame:
        ack: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._acks[name] = ack
        try:
            await socket.send_str(text)
            async with asyncio.timeout(ACK_SECONDS):
                return await ack
        except (ConnectionError, aiohttp.ClientError):
            raise Unknown("企业微信连接中断") from None
        except TimeoutError:
            raise Unknown("企业微信没有回执") from None
        finally:
            self._acks.pop(name, None)

    async def _live(self) -> None:
        failures = 0
        while not self._taken:
            try:
                async with aiohttp.ClientSession() as session, self._dialled(session) as socket:
                    await self._talk(socket)
                    failures = 0
            except Denied as error:
                await self._turn(str(error))
                await asyncio.sleep(DENIED_PAUSE)
            except (aiohttp.ClientError, OSError, TimeoutError, QunbanError) as error:
                log.info("wecom_line_failed", error=type(error).__name__)
            await self._turn(TAKEN if self._taken else NO_LINE)
            if not self._taken:
                await asyncio.sleep(self.pauses[min(failures, len(self.pauses) - 1)] * random.uniform(0.75, 1.0))  # noqa: S311
                failures += 1

    def _dialled(self, session: aiohttp.ClientSession) -> Any:
        context = ssl.create_default_context(cafile=self._access.ca_file) if self._access.ca_file else True
        return session.ws_connect(
            self._access.url, max_msg_size=FRAME_BYTES, ssl=context, proxy=self._access.proxy or None, autoping=True
        )

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        work = [asyncio.get_running_loop().create_task(self._read(socket))]
        try:
            await self._subscribe()
            await self._turn("connected")
            work.append(asyncio.get_running_loop().create_task(self._keep_warm()))
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._socket = None
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            self._give_up()

    async def _subscribe(self) -> None:
        said = await self.call("aibot_subscribe", {"bot_id": self._access.bot_id, "secret": self._access.secret})
        if said.get("errcode") != 0:
            raise Denied(f"企业微信不让机器人接入（{said.get('errcode')}），请核对 bot_id 和 secret")

    async def _keep_warm(self) -> None:
        """Two missed answers in a row and the line counts as dead."""
        missed = 0
        while missed < 2:
            await asyncio.sleep(self.ping_seconds)
            try:
                await self.call("ping")
                missed = 0
            except Unknown:
                missed += 1

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                found = json.loads(frame.data)
            except (ValueError, RecursionError):
                log.warning("wecom_bad_frame", size=len(frame.data))
                continue
            if isinstance(found, dict) and not await self._took(found):
                return

    async def _took(self, found: Frame) -> bool:
        """False when the line is to be given up."""
        if not found.get("cmd"):
            ack = self._acks.get(req_id(found))
            if ack is not None and not ack.done():
                ack.set_result(found)
            return True
        event = (found.get("body") or {}).get("event") if isinstance(found.get("body"), dict) else None
        if isinstance(event, dict) and event.get("eventtype") == "disconnected_event":
            self._taken = True
            return False
        await self._hear(found)
        return True

    def _give_up(self) -> None:
        for ack in self._acks.values():
            if not ack.done():
                ack.set_exception(Unknown("企业微信连接中断"))

    async def _turn(self, state: str) -> None:
        if state != self.state:
            self.state = state
            log.info("wecom_line", state=state)
            await self._turned(state)


def req_id(frame: Frame) -> str:
    """Which exchange a frame belongs to."""
    headers = frame.get("headers")
    found = headers.get("req_id") if isinstance(headers, dict) else None
    return found if isinstance(found, str) else ""
