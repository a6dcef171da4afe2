"""The simulated QQ platform is qualified by NoneBot2's QQ adapter: what it does with QQ, it does with ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.platforms import qq_signature
from bot.simulators.qq import APP, SECRET, QQGatewaySimulator, QQSimulator
from bot.simulators.qq_wire import openid
from tests.peers.environments import venv
from tests.platforms.stage import picture

pytestmark = [pytest.mark.long, pytest.mark.asyncio]

PEERS = Path(__file__).parents[1] / "peers"
VERSIONS = json.loads((PEERS / "qq.json").read_text("utf-8"))
ROOM = "room1"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return venv(tmp_path_factory.mktemp("nonebot"), VERSIONS["pypi"])


class Peer:
    """NoneBot2 in its own process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.told: list[dict[str, Any]] = []

    async def does(self, did: str) -> dict[str, Any]:
        """Its next report of this."""
        out = self._process.stdout
        assert out is not None
        async with asyncio.timeout(30):
            while line := await out.readline():
                if not line.startswith(b"{"):
                    continue
                found: dict[str, Any] = json.loads(line)
                self.told.append(found)
                if found["did"] == did:
                    return found
        raise AssertionError(f"{did} never came: {self.told}")


@contextlib.asynccontextmanager
async def peer(python: str, simulator: QQSimulator, folder: Path) -> AsyncIterator[Peer]:
    await simulator.start()
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        port = int(plug.getsockname()[1])
    simulator.callback = f"http://127.0.0.1:{port}/qq/webhook"
    process = await asyncio.create_subprocess_exec(
        python, str(PEERS / "qq" / "bot.py"), simulator.mode, str(port), simulator.url, APP, SECRET,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found = Peer(process, port)
        await found.does("up")
        for _ in range(200):
            with contextlib.suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            await asyncio.sleep(0.05)
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await simulator.close()


@pytest.mark.parametrize("kind", [QQSimulator, QQGatewaySimulator])
async def test_a_bot_others_wrote_finds_its_platform_in_ours(
    python: str, tmp_path: Path, kind: type[QQSimulator]
) -> None:
    simulator, photo = kind(), picture(3)
    async with peer(python, simulator, tmp_path) as bot:
        if isinstance(simulator, QQGatewaySimulator):
            await asyncio.wait_for(simulator.connected.wait(), 30)
        else:
            assert await simulator.challenge()  # op 13: its signature is the one we await
        await simulator.say(ROOM, "limin", "@群办 路灯坏了")
        await bot.does("connected")
        heard = await bot.does("heard")
        assert heard["text"] == "路灯坏了" and f"m{heard['member']}" == simulator.account("limin", ROOM)
        line = await simulator.expect(lambda found: found.text == "收到：路灯坏了")
        assert line.room == ROOM
        await simulator.say(ROOM, "limin", "@群办 看图", [photo])
        assert len((await bot.does("heard"))["photos"]) == 1
        assert (await simulator.expect(lambda found: found.text == "收到照片")).photos == (photo,)
        await simulator.say(ROOM, "limin", "@群办 按钮", quote=line.id)
        await bot.does("heard")
        card = await simulator.expect(lambda found: found.form == "markdown")
        await simulator.press(card, "签收", "zhangqiang")
        assert (await bot.does("pressed"))["data"] == "签收 1124-001"
        async with asyncio.timeout(10):
            while not simulator.acknowledged:  # noqa: ASYNC110 - no event says it
                await asyncio.sleep(0.02)
        await simulator.say("", "limin", "你好")
        assert f"u{(await bot.does('whispered'))['user']}" == simulator.account("limin")
        await simulator.expect(lambda found: found.user == "limin" and found.text == "单独答复")
        await simulator.say(ROOM, "limin", "@群办 主动")
        assert (await bot.does("refused"))["code"] == 40034105
        await simulator.say(ROOM, "limin", "@群办 多条")
        sixth, twice = await bot.does("refused"), await bot.does("refused")
        assert (sixth["number"], sixth["code"]) == (6, 304027) and (twice["number"], twice["code"]) == (1, 40054005)


async def test_callbacks_are_taken_or_refused_as_there(python: str, tmp_path: Path) -> None:
    """Our signature satisfies its verifier; a forged one does not."""
    simulator = QQSimulator()
    async with peer(python, simulator, tmp_path) as bot:
        data = {"group_openid": openid("group", ROOM), "op_member_openid": "A1", "timestamp": int(time.time())}
        body = json.dumps({"op": 0, "id": "e1", "s": 1, "t": "GROUP_ADD_ROBOT", "d": data}).encode()
        wrong = qq_signature.sign(qq_signature.key_of("another secret!!"), "1", body)
        assert (await simulator.post(body, X_Signature_Ed25519=wrong))[0] == 403
        assert (await simulator.post(body))[0] == 200
        assert (await bot.does("added"))["group"] == data["group_openid"]
