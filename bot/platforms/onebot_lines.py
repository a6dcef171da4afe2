"""WebSocket lines to a OneBot implementation, whoever dialled: frames that are events are heard, the rest are answers.

The newest line of a role wins and closes the old one (peers.md A.2); whoever waited for an answer on a lost line learns
that nobody knows. Dialling goes on for ever, ever slower.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from aiohttp import WSMsgType, web

from config.errors import Offline, Unknown

log = structlog.get_logger()

Line = web.WebSocketResponse | aiohttp.ClientWebSocketResponse
Found = Mapping[str, Any]

FRAME_BYTES = 256 << 10  # security.md E
HEARTBEAT = 30.0
ROLES = frozenset({"Universal", "API", "Event"})
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
STEADY_SECONDS = 30.0  # a line that held so long was a good one: the next dial comes quickly
BROKEN = "QQ 端连接中断"


class Lines:
    """`heard` is given each event; `opened` is told of each line by role."""

    def __init__(
        self,
        channel: str,
        heard: Callable[[Found, str], Awaitable[None]],
        opened: Callable[[str], Awaitable[None]],
    ) -> None:
        self._channel = channel
        self._heard, self._opened = heard, opened
        self._lines: dict[str, Line] = {}
        self._answers: dict[str, asyncio.Future[Found]] = {}

    @property
    def api(self) -> Line | None:
        """The line actions can be called on."""
        line = self._lines.get("API") or self._lines.get("Universal")
        return None if line is None or line.closed else line

    async def call(self, line: Line, echo: str, frame: str) -> Found:
        """Send a call and wait for the answer that carries its echo. Raises Unknown when the line breaks meanwhile."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._answers[echo] = answer
        try:
            await line.send_str(frame)
            return await answer
        except (ConnectionError, aiohttp.ClientError):
            raise Unknown(BROKEN) from None
        finally:
            self._answers.pop(echo, None)

    async def follow(self, role: str, line: Line, self_id: str) -> None:
        """Listen until the line ends."""
        role = role if role in ROLES else "Universal"
        old, self._lines[role] = self._lines.get(role), line
        if old is not None:
            self._give_up()
            await old.close(message=b"replaced")
        log.info("onebot_connected", channel=self._channel, role=role)
        try:
            await self._opened(role)
            await self._listen(line, self_id)
        finally:
            if self._lines.get(role) is line:
                del self._lines[role]
                self._give_up()
            log.info("onebot_gone", channel=self._channel, role=role)

    async def hang_up(self) -> None:
        """Close every line."""
        for line in tuple(self._lines.values()):
            await line.close()

    def _give_up(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Unknown(BROKEN))

    async def _listen(self, line: Line, self_id: str) -> None:
        async for frame in line:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                found = json.loads(frame.data)
            except (ValueError, RecursionError):
                log.warning("onebot_bad_frame", channel=self._channel, size=len(frame.data))
                continue
            if isinstance(found, dict):
                await self._take(found, self_id)

    async def _take(self, found: Found, self_id: str) -> None:
        if "post_type" in found:
            await self._heard(found, self_id)  # a full queue stops the reading, and TCP stops the sender
            return
        answer = self._answers.get(str(found.get("echo")))
        if answer is not None and not answer.done():
            answer.set_result(found)


async def keep_dialling(lines: Lines, channel: str, address: str, token: str) -> None:
    """Forward WebSocket: dial the implementation, follow the line, and dial again when it ends."""
    wait = FIRST_WAIT
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "qunban"}
    async with aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session:
        while True:
            began = asyncio.get_running_loop().time()
            try:
                async with session.ws_connect(
                    address, headers=headers, heartbeat=HEARTBEAT, max_msg_size=FRAME_BYTES, compress=0
                ) as line:
                    await lines.follow("Universal", line, "")
            except (aiohttp.ClientError, OSError) as error:
                status = getattr(error, "status", None)
                log.warning("onebot_unreached", channel=channel, error=type(error).__name__, status=status)
            if asyncio.get_running_loop().time() - began > STEADY_SECONDS:
                wait = FIRST_WAIT
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT)


async def asked_once(address: str, token: str, action: str) -> Found:
    """Dial, ask one thing, hang up. Raises Offline when nobody is there or the token is not taken."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.ws_connect(address, headers=headers, max_msg_size=FRAME_BYTES) as line,
        ):
            await line.send_json({"action": action, "params": {}, "echo": "probe"})
            while True:
                found = await line.receive_json(timeout=5)
                if isinstance(found, dict) and found.get("echo") == "probe":
                    return found
    except aiohttp.WSServerHandshakeError as error:
        raise Offline(f"QQ 端拒绝连接（{error.status}），请核对令牌") from None
    except (aiohttp.ClientError, OSError, TimeoutError, TypeError, ValueError):
        raise Offline("QQ 端连不上") from None
