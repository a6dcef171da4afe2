"""The load: plays an OneBot implementation, or an in-house system, keeping so many events in flight.

`python -m bench.load ws|http SPEC` reads its orders as JSON from standard input, one round a line, and answers one line each.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from bench.harness import FIRST_GROUP, TOKEN, USER, percentile, pin

SELF = 10001
SECRET = TOKEN.encode()


def group_message(i: int, group: int, text: str) -> str:
    """What NapCat sends for a text addressed to the bot (some 700 bytes)."""
    return json.dumps(
        {
            "time": int(time.time()), "self_id": SELF, "post_type": "message", "message_type": "group", "sub_type": "normal",
            "message_id": i, "message_seq": i, "real_id": i, "group_id": FIRST_GROUP + group, "user_id": int(USER), "anonymous": None,
            "raw_message": f"[CQ:at,qq={SELF}] {text}", "font": 14, "message_format": "array",
            "message": [{"type": "at", "data": {"qq": str(SELF)}}, {"type": "text", "data": {"text": f" {text}"}}],
            "sender": {"user_id": int(USER), "nickname": "张强", "card": "城管-张强", "role": "member", "title": "", "level": "12"},
            "group_name": f"测试群{group}", "target_id": FIRST_GROUP + group,
        },
        ensure_ascii=False,
    )  # fmt: skip


class Onebot:
    """One reverse WebSocket; an event is done when its reply arrives."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sent: dict[str, float] = {}

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Self-ID": str(SELF), "X-Client-Role": "Universal"}
        self._line = await self._session.ws_connect(self._url, headers=headers, max_msg_size=0)
        await self._line.send_str(
            json.dumps(
                {
                    "time": 0,
                    "self_id": SELF,
                    "post_type": "meta_event",
                    "meta_event_type": "lifecycle",
                    "sub_type": "connect",
                }
            )
        )

    async def run(self, order: dict[str, Any]) -> list[float]:
        """Play a round; the time from event to reply of each."""
        frames = [group_message(order["first"] + i, e["group"], e["text"]) for i, e in enumerate(order["events"])]
        took: list[float] = []
        ahead = iter(enumerate(frames))
        by_group: dict[int, list[float]] = {}
        groups = [e["group"] for e in order["events"]]

        async def more() -> None:
            for i, frame in ahead:
                by_group.setdefault(groups[i] + FIRST_GROUP, []).append(time.perf_counter())
                await self._line.send_str(frame)
                return

        for _ in range(order["flight"]):
            await more()
        while len(took) < len(frames):
            found = json.loads((await self._line.receive(timeout=60)).data)
            if "action" not in found:
                continue
            now = time.perf_counter()
            answer = {"status": "ok", "retcode": 0, "data": {"message_id": order["first"] + 10_000_000 + len(took)}}
            if found["action"] not in ("send_group_msg", "send_msg"):
                await self._line.send_str(json.dumps({**answer, "data": {}, "echo": found["echo"]}))
                continue
            took.append(now - by_group[int(found["params"]["group_id"])].pop(0))
            await self._line.send_str(json.dumps({**answer, "echo": found["echo"]}))
            await more()
        return took


class Inhouse:
    """Signed posts over kept-alive connections; an event is done when its 200 is here and its notice came back."""

    def __init__(self, url: str, callback: int) -> None:
        self._url, self._port = url, callback
        self._got = 0
        self._wake = asyncio.Event()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        if self._port:
            app = web.Application()
            app.router.add_post("/", self._callback)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self._port).start()

    async def _callback(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self._got += 1
        self._wake.set()
        return web.json_response({"id": f"r{body['id']}"})

    async def run(self, order: dict[str, Any]) -> list[float]:
        bodies = [
            json.dumps({"id": str(order["first"] + i), "group": str(FIRST_GROUP + e["group"]), "sender": USER, "name": "张强",
                        "text": f"@群办 {e['text']}", "sent_at": int(time.time())}, ensure_ascii=False).encode()
            for i, e in enumerate(order["events"])
        ]  # fmt: skip
        took: list[float] = []
        ahead, target = iter(bodies), self._got + len(bodies)

        async def worker() -> None:
            for body in ahead:
                stamp = str(int(time.time()))
                sign = hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
                begun = time.perf_counter()
                headers = {"X-Qunban-Timestamp": stamp, "X-Qunban-Signature": sign, "Content-Type": "application/json"}
                async with self._session.post(self._url, data=body, headers=headers) as response:
                    await response.read()
                    if response.status != 200:
                        raise SystemExit(f"HTTP {response.status}")
                took.append(time.perf_counter() - begun)

        await asyncio.gather(*(worker() for _ in range(order["flight"])))
        while self._port and self._got < target:
            self._wake.clear()
            await asyncio.wait_for(self._wake.wait(), 60)
        return took


async def main(kind: str, url: str, callback: int) -> None:
    client: Onebot | Inhouse = Onebot(url) if kind == "ws" else Inhouse(url, callback)
    await client.start()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        begun = time.perf_counter()
        took = await client.run(json.loads(line))
        wall = time.perf_counter() - begun
        answer = {"wall": wall, "p50": percentile(took, 0.5), "p99": percentile(took, 0.99), "n": len(took)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    pin(1)
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
