"""The QQ gateway: a WebSocket of events, resumed where it was left, so that a restart misses nothing (platforms.md 5.3).

How far it was read is stored with the event itself. Events are taken one by one in order; while nothing can be stored
the socket is not read. QQ calls the gateway deprecated and the callback is preferred.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from aiohttp import WSMsgType

from bot.platforms import standing
from bot.platforms.qq_api import QQApi
from bot.platforms.registry import Setup
from config.errors import Busy, Refused, Retry, SendError
from store import Store, qq

log = structlog.get_logger()

FRAME_BYTES = 256 << 10  # security.md E
BUSY_SECONDS = 0.5
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
DISPATCH, BEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, BEAT_ACK = 0, 1, 2, 6, 7, 9, 10, 11
BAD_INTENTS = frozenset({4013, 4014})
ENDED = {4914: "机器人已下架，只能连沙箱环境", 4915: "机器人已被封禁"}
RESUMES = frozenset({4008, 4009})

Take = Callable[[Mapping[str, Any], tuple[str, int]], Awaitable[None]]
Line = aiohttp.ClientWebSocketResponse


class _Broken(Exception):
    """The connection is of no more use."""


class Gateway:
    """`run` connects again and again until it is cancelled."""

    def __init__(self, setup: Setup, api: QQApi, take: Take, store: Store) -> None:
        self._name = setup.name
        self._fixed = setup.text("gateway")
        self._intents = setup.number("intents")
        self._extra = setup.number("extra_intents")
        self._schemes = ("wss://",) if setup.text("api").startswith("https://") else ("wss://", "ws://")
        self._api = api
        self._take = take
        self._store = store
        self._session = ""
        self._last = 0
        self._answered = True
        self._stands = ""
        self.failures = 0

    async def run(self) -> None:
        """Each pause is longer than the one before, until a connection lasts."""
        self._session, self._last = await self._store.read(lambda c: qq.reached(c, self._name))
        while True:
            try:
                await self._connect()
            except (SendError, aiohttp.ClientError, _Broken, OSError, TimeoutError) as error:
                log.warning("qq_gateway_lost", channel=self._name, reason=str(error) or type(error).__name__)
                await self._say(str(error) if isinstance(error, SendError | _Broken) else "网关连不上，正在重连")
            pause = PAUSES[min(self.failures, len(PAUSES) - 1)]
            self.failures += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _say(self, state: str) -> None:
        """For `bot check`: how the line stands, when that changes."""
        if state != self._stands:
            self._stands = state
            await self._store.write(lambda tx: standing.put(tx, self._name, state))

    async def _address(self) -> str:
        if self._fixed:
            return self._fixed
        url = (await self._api.call("GET", "/gateway/bot")).get("url")
        if not isinstance(url, str) or not url.startswith(self._schemes):
            raise Retry("QQ 没有给网关地址")
        return url

    async def _connect(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, connect=10)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.ws_connect(await self._address(), max_msg_size=FRAME_BYTES, autoping=True) as line,
        ):
            hello = await self._frame(line)
            if hello is None or hello.get("op") != HELLO:
                raise _Broken("网关没有打招呼")
            await line.send_json(await self._greeting())
            beat = asyncio.get_running_loop().create_task(self._beat(line, _interval(hello)))
            try:
                while (frame := await self._frame(line)) is not None:
                    await self._read(line, frame)
            finally:
                beat.cancel()
            await self._closed(line.close_code or 0)

    async def _greeting(self) -> dict[str, Any]:
        token = f"QQBot {await self._api.token()}"
        if self._session:
            return {"op": RESUME, "d": {"token": token, "session_id": self._session, "seq": self._last}}
        wanted = {"token": token, "intents": self._intents | self._extra, "shard": [0, 1], "properties": {}}
        return {"op": IDENTIFY, "d": wanted}

    async def _frame(self, line: Line) -> Mapping[str, Any] | None:
        """The next object; None when the line is closed."""
        while True:
            message = await line.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return None
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                found = json.loads(message.data)
            except (ValueError, RecursionError):
                log.warning("qq_bad_frame", channel=self._name, size=len(message.data))
                continue
            if isinstance(found, dict):
                return found

    async def _read(self, line: Line, frame: Mapping[str, Any]) -> None:
        op = frame.get("op")
        if op == DISPATCH:
            await self._dispatch(frame)
        elif op == BEAT_ACK:
            self._answered = True
        elif op == BEAT:
            await line.send_json({"op": BEAT, "d": self._last or None})
        elif op == RECONNECT:
            self.failures = 0
            await line.close()
        elif op == INVALID:
            await self._restart()
            await line.close()

    async def _dispatch(self, frame: Mapping[str, Any]) -> None:
        last, kind = frame.get("s"), frame.get("t")
        self._last = last if isinstance(last, int) and not isinstance(last, bool) else self._last
        if kind in ("READY", "RESUMED"):
            self.failures = 0
            await self._ready(frame.get("d"))
            await self._say(standing.CONNECTED)
            log.info("qq_gateway", channel=self._name, state=kind)
            return
        while True:  # until it is stored; nothing read is dropped
            try:
                return await self._take(frame, (self._session, self._last))
            except Busy:
                await asyncio.sleep(BUSY_SECONDS)

    async def _ready(self, data: object) -> None:
        session = data.get("session_id") if isinstance(data, dict) else None
        if isinstance(session, str) and session:
            self._session = session
            await self._store.write(lambda tx: qq.reach(tx, self._name, self._session, self._last))

    async def _restart(self) -> None:
        self._session, self._last = "", 0
        await self._store.write(lambda tx: qq.reach(tx, self._name, "", 0))

    async def _beat(self, line: Line, seconds: float) -> None:
        """A beat without an answer to the one before means a dead line."""
        self._answered = True
        while True:
            await asyncio.sleep(seconds)
            if not self._answered:
                log.warning("qq_no_heartbeat", channel=self._name)
                await line.close()
                return
            self._answered = False
            await line.send_json({"op": BEAT, "d": self._last or None})

    async def _closed(self, code: int) -> None:
        """What the close code asks for: to go on, to begin anew, to ask for less, or to give up for long."""
        if code in ENDED:
            self.failures = len(PAUSES)
            raise Refused(ENDED[code])
        if code in BAD_INTENTS:
            if not self._extra:
                self.failures = len(PAUSES)
                raise Refused("没有订阅这些事件的权限，请在 QQ 开放平台核对")
            log.warning("qq_fewer_intents", channel=self._name, without=self._extra)
            self._extra, self.failures = 0, 0
            return await self._restart()
        if 4000 <= code < 5000 and code not in RESUMES:
            await self._restart()


def _interval(hello: Mapping[str, Any]) -> float:
    data = hello.get("d")
    found = data.get("heartbeat_interval") if isinstance(data, dict) else None
    return min(max(found / 1000, 1.0), 300.0) if isinstance(found, int) and not isinstance(found, bool) else 45.0
