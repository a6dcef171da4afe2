"""The simulated OneBot implementation is qualified by two applications others wrote, by every way each of them has."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.simulators.onebot import OneBotSimulator
from tests.peers.environments import venv
from tests.platforms.stage import picture

pytestmark = pytest.mark.long

PEERS = Path(__file__).parents[1] / "peers"
VERSIONS = json.loads((PEERS / "onebot.json").read_text("utf-8"))
ROOM, FANG = "7788", "20001"
PATHS = {
    "aiocqhttp": {"reverse": "/ws/", "http": "/"},
    "nonebot": {"reverse": "/onebot/v11/ws", "http": "/onebot/v11/"},
}


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {name: venv(tmp_path_factory.mktemp(name), packages) for name, packages in VERSIONS.items()}


def free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])


@contextlib.asynccontextmanager
async def started(python: str, peer: str, simulator: OneBotSimulator, port: int) -> AsyncIterator[asyncio.StreamReader]:
    script = str(PEERS / "onebot" / f"{peer}_app.py")
    process = await asyncio.create_subprocess_exec(
        python, script, simulator.way, str(port), simulator.token, simulator.url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def does(out: asyncio.StreamReader, did: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while line := await out.readline():
            if not line.startswith(b"{"):
                continue
            found: dict[str, Any] = json.loads(line)
            if found["did"] == did:
                return found
    raise AssertionError(f"{did} never came")


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            await writer.wait_closed()
            return


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("peer", "way", "strings"),
    [
        ("aiocqhttp", "reverse", False),
        ("aiocqhttp", "reverse", True),
        ("aiocqhttp", "http", False),
        ("nonebot", "reverse", False),
        ("nonebot", "reverse", True),
        ("nonebot", "forward", False),
        ("nonebot", "http", False),
    ],
)
async def test_an_application_others_wrote_finds_its_implementation_in_ours(
    pythons: dict[str, str], peer: str, way: str, strings: bool
) -> None:
    simulator, port, photo = OneBotSimulator(way, strings), free_port(), picture(3)
    await simulator.start()
    try:
        async with started(pythons[peer], peer, simulator, port) as out:
            await until_it_listens(port)
            path = PATHS[peer].get(way, "")
            simulator.callback = f"http://127.0.0.1:{port}{path}"
            if way == "reverse":
                simulator.dial(f"ws://127.0.0.1:{port}{path}")
            if way != "http":
                await asyncio.wait_for(simulator.connected.wait(), 20)
            before = await simulator.say(ROOM, FANG, "路灯,坏了&[x]", [photo])
            heard = await does(out, "heard")
            assert (heard["text"], heard["user"]) == ("路灯,坏了&[x]", int(FANG))
            async with aiohttp.ClientSession() as session, session.get(heard["urls"][0]) as answer:
                assert await answer.read() == photo
            line = simulator.sent[0] if simulator.sent else await simulator.expect(lambda line: bool(line.text))
            assert (line.text, line.photos, line.room, line.quote) == ("收到,李敏[&]", (b"picture",), ROOM, before)
            assert (await does(out, "sent"))["id"] == int(line.id)
            assert (await does(out, "history"))["ids"] == [int(before)]
            await does(out, "refused")
            await simulator.recall(ROOM, FANG, before)
            assert (await does(out, "recalled"))["id"] == int(before)
            if way != "forward":
                first, second = await refusals(simulator, way)
                assert first in (401, 403) and second == 403  # NoneBot2 says 403 to both over a socket
    finally:
        await simulator.close()


async def refusals(simulator: OneBotSimulator, way: str) -> tuple[int, int]:
    """What the application answers without and with a wrong secret: our own server answers the same."""
    found = []
    async with aiohttp.ClientSession() as session:
        for wrong in ({}, {"Authorization": "Bearer wrong", "X-Signature": "sha1=wrong"}):
            headers = {"X-Self-ID": "10001", "X-Client-Role": "Universal", **wrong}
            if way == "http":
                async with session.post(
                    simulator.callback, json={"post_type": "meta_event"}, headers=headers
                ) as answer:
                    found.append(answer.status)
                continue
            try:
                async with session.ws_connect(simulator.callback, headers=headers) as line:
                    found.append(401 if not wrong else 403 if (await line.receive()).data in (1008, 4403) else 0)
            except aiohttp.WSServerHandshakeError as error:
                found.append(error.status)
    return found[0], found[1]
