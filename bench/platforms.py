"""What one event costs by platform: 签收 on an existing task, encrypted in, durable, answered by the platform's own call.

    python -m bench.platforms                    WeCom app, 50 and 500 in flight

There is no NoneBot2 adapter for WeCom apps, so the other side is wechatpy on aiohttp: it decrypts, parses and answers
encrypted, and keeps nothing. Medians of interleaved rounds; judges nothing.
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

from bench.events import Target, summary
from bench.harness import ROOT, TOKEN, USER, Prepared, bot, free_port, percentile, pin, prepare, running, scratch
from bot.platforms.envelope import Envelope

CORP, AGENT, KEY = "wwbench0000000001", 1000002, "A" * 43


def settings(api: int) -> str:
    """settings.toml of the measured bot."""
    return (
        '[channels.app]\nkind = "wecom-app"\nper_minute = 1000000\n'
        f'options = {{corp = "{CORP}", agent = {AGENT}, base = "http://127.0.0.1:{api}/", address_per_minute = 0}}\n'
        f'secrets = {{secret = "{TOKEN}", token = "{TOKEN}", aes_key = "{KEY}"}}\n'
    )


class Wecom:
    """Posts sealed messages over kept-alive connections; an event is done when its answer has been sent to us."""

    def __init__(self, url: str, api: int) -> None:
        self._url, self._api = url, api
        self._got, self._wake = 0, asyncio.Event()
        self._envelope = Envelope(TOKEN, KEY, CORP)

    async def start(self) -> None:
        """Connections out; WeCom's interface for who answers by calling it."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        if self._api:
            app = web.Application()
            app.router.add_get("/gettoken", self._token)
            app.router.add_post("/message/send", self._sent)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self._api).start()

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response({"errcode": 0, "access_token": "t" * 512, "expires_in": 7200})

    async def _sent(self, request: web.Request) -> web.Response:
        await request.read()
        self._got += 1
        self._wake.set()
        return web.json_response({"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": f"m{self._got}"})

    def _letter(self, i: int, text: str) -> tuple[dict[str, str], str]:
        xml = (
            f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[{USER}]]></FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{text}]]></Content><MsgId>{7 * 10**15 + i}</MsgId><AgentID>{AGENT}</AgentID></xml>"
        )
        sealed = self._envelope.seal(xml)
        query = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
        return query, (
            f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><AgentID><![CDATA[{AGENT}]]></AgentID>"
            f"<Encrypt><![CDATA[{sealed.encrypt}]]></Encrypt></xml>"
        )

    async def run(self, order: dict[str, Any]) -> list[float]:
        """Play a round; the time from post to 200 of each."""
        letters = [self._letter(order["first"] + i, text) for i, text in enumerate(order["texts"])]
        ahead, wanted, took = iter(letters), self._got + len(letters), list[float]()

        async def worker() -> None:
            for query, body in ahead:
                begun = time.perf_counter()
                async with self._session.post(self._url, params=query, data=body) as response:
                    await response.read()
                    if response.status != 200:
                        raise SystemExit(f"HTTP {response.status}")
                took.append(time.perf_counter() - begun)

        await asyncio.gather(*(worker() for _ in range(order["flight"])))
        while self._api and self._got < wanted:
            self._wake.clear()
            await asyncio.wait_for(self._wake.wait(), 60)
        return took


async def load(url: str, api: int) -> None:
    """Rounds by line of standard input."""
    client, loop = Wecom(url, api), asyncio.get_running_loop()
    await client.start()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        begun = time.perf_counter()
        took = await client.run(json.loads(line))
        wall = time.perf_counter() - begun
        print(json.dumps({"wall": wall, "p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}), flush=True)


class Sealed(Target):
    """A target whose events are private messages."""

    def round(self, flight: int, count: int, groups: int) -> dict[str, float]:
        """Play `count` events; CPU µs per event and the client's times."""
        numbers = range(self.next, self.next + count)
        self.next += count
        texts = [f"签收 {self.prepared.number(i) if self.prepared else i}" for i in numbers]
        before = self.process.cpu()
        assert self.load.stdin and self.load.stdout
        self.load.stdin.write(json.dumps({"first": 1 + numbers.start, "flight": flight, "texts": texts}) + "\n")
        self.load.stdin.flush()
        answer = json.loads(self.load.stdout.readline())
        spent = (self.process.cpu() - before) / count * 1e6
        return {"cpu": spent, "rate": count / answer["wall"], "p50": answer["p50"] * 1e3, "p99": answer["p99"] * 1e3}


@contextmanager
def target(
    name: str, command: list[str], port: int, path: str, api: int, per_round: int, prepared: Prepared | None = None
) -> Iterator[Sealed]:
    """A server and its load."""
    with running(name, command, port) as process:
        words = [sys.executable, "-m", "bench.platforms", "--load", f"http://127.0.0.1:{port}{path}", str(api)]
        player = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield Sealed(name, process, player, per_round, prepared)
        finally:
            player.terminate()
            player.wait(10)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Both sides, rounds interleaved."""
    with ExitStack() as stack:
        folder, api = stack.enter_context(scratch()), free_port()
        fresh = (args.events * args.rounds + 500) * len(args.flight) + 1000
        prepared = prepare(folder / "data", "app", args.groups, fresh, 0, settings(api))
        port, other = free_port(), free_port()
        echo = [sys.executable, str(ROOT / "bench/targets/wechatpy_echo.py"), str(other), TOKEN, KEY, CORP]
        targets: list[Target] = [
            stack.enter_context(target("群办", bot(prepared, port), port, "/in/app", api, args.events, prepared)),
            stack.enter_context(target("wechatpy", echo, other, "/", 0, args.events)),
        ]
        for one in targets:
            one.process.rest()
            one.round(50, 300, args.groups)
        results = {}
        for flight in args.flight:
            for one in targets:
                one.figures.clear()
            for _ in range(args.rounds):
                for one in targets:
                    one.figures.append(one.round(flight, one.per_round, args.groups))
            results[str(flight)] = summary("wecom-app", flight, targets)
        return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--events", type=int, default=2000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flight", type=int, nargs="*", default=[50, 500])
    args = parser.parse_args()
    if args.load:
        pin(1)
        return asyncio.run(load(args.load[0], int(args.load[1])))
    print(json.dumps(measure(args), ensure_ascii=False))


if __name__ == "__main__":
    main()
