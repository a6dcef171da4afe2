"""The gateway of a simulated QQ: hello, identify or resume, heartbeats, and what was missed sent again on resume."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

INTERVAL = 1000  # ms
KEPT = 200
MOST = 1 << 25 | 1 << 26 | 1 << 30  # intents it grants


class Hub:
    """`tell` gives an event to the live session; a session outlives its connections."""

    def __init__(self, valid: Callable[[str], bool]) -> None:
        self._valid = valid
        self.granted = MOST
        self.interval = INTERVAL
        self.deaf = False  # answers no heartbeat
        self.greetings: list[tuple[int, Any]] = []
        self.connected = asyncio.Event()
        self._session = ""
        self._sent: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._last = 0
        self._line: web.WebSocketResponse | None = None

    async def tell(self, packet: dict[str, Any]) -> None:
        """Number it, keep it for a resume, send it if somebody is there."""
        self._last += 1
        numbered = packet | {"s": self._last}
        self._sent.append(numbered)
        if self._line is not None and not self._line.closed:
            await self._line.send_json(numbered)

    async def drop(self, code: int = 4009) -> None:
        """Close the connection."""
        self.connected.clear()
        if self._line is not None:
            await self._line.close(code=code)

    async def close(self) -> None:
        """As at the end."""
        await self.drop(1000)

    async def dialled(self, request: web.Request) -> web.StreamResponse:
        """One connection."""
        line = web.WebSocketResponse()
        await line.prepare(request)
        await line.send_json({"op": 10, "d": {"heartbeat_interval": self.interval}})
        async for message in line:
            if message.type is WSMsgType.TEXT:
                await self._answer(line, json.loads(message.data))
        if self._line is line:
            self._line = None
            self.connected.clear()
        return line

    async def _answer(self, line: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        op, data = frame.get("op"), frame.get("d")
        if op == 1 and not self.deaf:
            await line.send_json({"op": 11})
        elif op == 2 and isinstance(data, dict):
            await self._identified(line, data)
        elif op == 6 and isinstance(data, dict):
            await self._resumed(line, data)

    async def _identified(self, line: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.greetings.append((2, data))
        if not self._valid(str(data.get("token"))):
            await line.close(code=4004)
            return
        if int(data.get("intents", 0)) & ~self.granted:
            await line.close(code=4014)
            return
        self._session, self._last = f"session{len(self.greetings)}", 0
        self._sent.clear()
        user = {"id": "1", "username": "群办", "bot": True}
        self._last += 1
        await line.send_json(
            {
                "op": 0,
                "s": self._last,
                "t": "READY",
                "d": {"version": 1, "session_id": self._session, "user": user, "shard": [0, 1]},
            }
        )
        self._adopt(line)

    async def _resumed(self, line: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.greetings.append((6, data))
        if data.get("session_id") != self._session:
            await line.send_json({"op": 9, "d": False})
            return
        for packet in [p for p in self._sent if p["s"] > int(data.get("seq", 0))]:
            await line.send_json(packet)
        await line.send_json({"op": 0, "s": self._last, "t": "RESUMED", "d": ""})
        self._adopt(line)

    def _adopt(self, line: web.WebSocketResponse) -> None:
        self._line = line
        self.connected.set()
