"""What one QQ event costs: 签收 on an existing task by signed callback, durable, answered by the open platform's own call.

    python -m bench.platforms_qq                 50 in flight

The other side is NoneBot2 with nonebot-adapter-qq, which checks the signature, echoes by the same call and keeps nothing;
once with the client its guide names (httpx, a new one and a TLS context for every call), once with aiohttp.
An event is done when its answer has been posted to us. Medians of interleaved rounds; judges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import aiohttp
from aiohttp import web

from bench import harness
from bench.events import Target, summary
from bench.harness import (
    FIRST_GROUP,
    ROOT,
    TOKEN,
    Prepared,
    bot,
    free_port,
    peer_python,
    percentile,
    pin,
    prepare,
    running,
    scratch,
)
from bot.platforms import qq_signature

APP, MEMBER = "102000001", "20002"


def settings(api: int) -> str:
    """settings.toml of the measured bot."""
    base = f"http://127.0.0.1:{api}"
    return (
        '[channels.qq]\nkind = "qq"\nper_minute = 1000000\n'
        f'options = {{appid = "{APP}", api = "{base}", auth = "{base}/app/getAppAccessToken", '
        'allow = "127.0.0.1", address_per_minute = 0}\n'
        f'secrets = {{secret = "{TOKEN}"}}\n'
    )


class QQ:
    """Posts signed callbacks over kept-alive connections; QQ's interface for whoever answers."""

    def __init__(self, url: str, api: int) -> None:
        self._url, self._api = url, api
        self._key = qq_signature.key_of(TOKEN)
        self._open: dict[str, asyncio.Future[None]] = {}
        self._sent = 0

    async def start(self) -> None:
        """Both directions."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2.0)
        )  # uvicorn hangs up after 5 s
        app = web.Application()
        app.router.add_post("/app/getAppAccessToken", self._token)
        app.router.add_get("/users/@me", self._me)
        app.router.add_post("/v2/groups/{group}/messages", self._answered)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._api).start()

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t" * 64, "expires_in": "7200"})

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"id": APP, "username": "bot", "avatar": ""})

    async def _answered(self, request: web.Request) -> web.Response:
        told = json.loads(await request.read())
        waiting = self._open.pop(str(told.get("msg_id")), None)
        if waiting is not None:
            waiting.set_result(None)
        self._sent += 1
        return web.json_response({"id": f"ROBOT1.0_s{self._sent}", "timestamp": "2026-11-25T08:00:00+08:00"})

    def _callback(self, i: int, group: int, text: str, stamp: str) -> tuple[str, bytes, dict[str, str]]:
        found, openid = f"ROBOT1.0_{i}", str(FIRST_GROUP + group)
        data = {
            "id": found, "group_id": openid, "group_openid": openid, "content": f" {text}",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(time.time() + 8 * 3600)),
            "author": {"id": MEMBER, "member_openid": MEMBER, "member_role": "member", "bot": False, "username": "张强"},
            "attachments": [], "mentions": [], "message_type": 0,
            "message_scene": {"source": "default", "ext": [f"msg_idx=REFIDX_{i}"]},
        }  # fmt: skip
        packet = {"op": 0, "id": f"GROUP_AT_MESSAGE_CREATE:{i}", "s": i, "t": "GROUP_AT_MESSAGE_CREATE", "d": data}
        body = json.dumps(packet, ensure_ascii=False).encode()
        signature = qq_signature.sign(self._key, stamp, body)
        return found, body, {
            "X-Bot-Appid": APP, "X-Signature-Timestamp": stamp, "X-Signature-Ed25519": signature,
            "Content-Type": "application/json", "User-Agent": "QQBot-Callback",
        }  # fmt: skip

    async def run(self, order: dict[str, Any]) -> tuple[float, list[float]]:
        """Play a round, signed beforehand; seconds in all, and from post to answer of each."""
        stamp, took = str(int(time.time())), list[float]()
        calls = [
            self._callback(order["first"] + i, e["group"], e["text"], stamp) for i, e in enumerate(order["events"])
        ]
        ahead, loop, begun = iter(calls), asyncio.get_running_loop(), time.perf_counter()

        async def worker() -> None:
            for found, body, headers in ahead:
                start, done = time.perf_counter(), loop.create_future()
                self._open[found] = done
                async with self._session.post(self._url, data=body, headers=headers) as response:
                    await response.read()
                    if response.status != 200:
                        raise SystemExit(f"HTTP {response.status}")
                await asyncio.wait_for(done, 60)
                took.append(time.perf_counter() - start)

        await asyncio.gather(*(worker() for _ in range(order["flight"])))
        return time.perf_counter() - begun, took


async def load(url: str, api: int) -> None:
    """Rounds by line of standard input."""
    client, loop = QQ(url, api), asyncio.get_running_loop()
    await client.start()
    print(json.dumps({"ready": True}), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        wall, took = await client.run(json.loads(line))
        print(json.dumps({"wall": wall, "p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}), flush=True)


@contextmanager
def target(
    name: str, command: list[str], port: int, path: str, api: int, per_round: int, prepared: Prepared | None = None
) -> Iterator[Target]:
    """The platform first, then the server that talks to it."""
    words = [sys.executable, "-m", "bench.platforms_qq", "--load", f"http://127.0.0.1:{port}{path}", str(api)]
    player = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert player.stdout
        player.stdout.readline()
        with running(name, command, port) as process:
            yield Target(name, process, player, per_round, prepared)
    finally:
        player.terminate()
        player.wait(10)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Both sides, rounds interleaved."""
    harness.USER = f"m{MEMBER}"  # a member of a group, in this channel's words
    with ExitStack() as stack:
        folder, api = stack.enter_context(scratch()), free_port()
        prepared = prepare(folder / "data", "qq", args.groups, args.events * args.rounds + 2000, 0, settings(api))
        port = free_port()
        targets = [stack.enter_context(target("群办", bot(prepared, port), port, "/in/qq", api, args.events, prepared))]
        for client in ("httpx", "aiohttp"):
            port, api = free_port(), free_port()
            words = [str(ROOT / "bench/targets/nonebot_qq_echo.py"), str(port), f"http://127.0.0.1:{api}"]
            command = [peer_python(), *words, APP, TOKEN, client]
            peer = target(f"NoneBot2 {client}", command, port, "/qq/webhook", api, max(args.events // 8, 100))
            targets.append(stack.enter_context(peer))
        for one in targets:
            one.process.rest()
            one.round(args.flight, 100, args.groups)
        for _ in range(args.rounds):
            for one in targets:
                one.figures.append(one.round(args.flight, one.per_round, args.groups))
        return summary("qq", args.flight, targets)


def main() -> None:
    if sys.argv[1:2] == ["--load"]:
        pin(1)
        asyncio.run(load(sys.argv[2], int(sys.argv[3])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--events", type=int, default=2000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flight", type=int, default=50)
    print(json.dumps(measure(parser.parse_args()), ensure_ascii=False))


if __name__ == "__main__":
    main()
