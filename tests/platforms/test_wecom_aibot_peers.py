"""The simulated AI-bot server is qualified by two bots others wrote: whatever they do with WeCom's, they do with ours."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.simulators.wecom_aibot import BOT_ID, SECRET, WecomAibotSimulator
from bot.simulators.wecom_aibot_webhook import AES_KEY, TOKEN, WecomAibotWebhookSimulator
from tests.peers.environments import npm, venv
from tests.platforms.stage import REPORTS, picture, staged

pytestmark = [pytest.mark.long, pytest.mark.asyncio]

PEERS = Path(__file__).parents[1] / "peers"
VERSIONS = json.loads((PEERS / "wecom-aibot.json").read_text("utf-8"))
ROOM = "wrSUISHOUPAI"
CARD = {
    "card_type": "button_interaction",
    "task_id": "qb-1-0",
    "main_title": {"title": "新问题"},
    "button_list": [{"text": "签收", "style": 1, "key": "签收 1125-001"}],
}


class Peer:
    """A bot in its own process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []

    async def does(self, did: str, seconds: float = 20.0) -> dict[str, Any]:
        """Its next report of this."""
        out = self._process.stdout
        assert out is not None
        async with asyncio.timeout(seconds):
            while line := await out.readline():
                found: dict[str, Any] = json.loads(line)
                self.told.append(found)
                assert found["did"] not in ("failed", "error", "stranger_taken"), found
                if found["did"] == did:
                    return found
        raise AssertionError(f"{did} never came: {self.told}")


def words(kind: str, folder: Path) -> list[str]:
    """How the peer is started."""
    if kind == "node":
        npm(folder, VERSIONS["npm"])
        shutil.copy(PEERS / "wecom_aibot" / "sdk.cjs", folder)
        return ["node", "sdk.cjs"]
    return [venv(folder, VERSIONS["pypi"]), str(PEERS / "wecom_aibot" / "sdk.py")]


@contextlib.asynccontextmanager
async def started(command: Sequence[str], folder: Path, url: str, secret: str = SECRET) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        *command,
        BOT_ID,
        secret,
        url.replace("http", "ws") + "/ws",
        json.dumps(CARD),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Peer(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("kind", ["node", "python"])
async def test_a_bot_others_wrote_finds_its_platform_in_ours(kind: str, tmp_path: Path) -> None:
    command = await asyncio.to_thread(words, kind, tmp_path)
    simulator, photo = WecomAibotSimulator(), picture(3)
    await simulator.start()
    try:
        async with started(command, tmp_path, simulator.url) as peer:
            await peer.does("authenticated")
            await simulator.enter("limin")
            await peer.does("welcome")
            quote = await simulator.say(ROOM, "limin", "没有叫机器人")
            await simulator.say(ROOM, "limin", "@群办 路灯坏了", [photo], quote)
            seen = await peer.does("photo")
            assert seen["sha256"] == hashlib.sha256(photo).hexdigest()
            assert (seen["from"], seen["filename"], seen["quoted"]) == ("limin", "photo.jpg", True)
            for step in ("stream", "upload", "push", "stranger_refused"):
                await peer.does(step)
            card = next(line for line in simulator.sent if line.buttons)
            assert (card.text, card.buttons) == ("已登记", (("签收", "签收 1125-001"),))
            assert next(line for line in simulator.sent if line.photos).photos == (photo,)
            await simulator.press(card, "签收", "limin")
            await peer.does("update")
            assert next(line for line in simulator.sent if line.buttons).buttons == (("已点", "k"),)
            async with started(command, tmp_path, simulator.url) as other:
                await other.does("authenticated")
                await peer.does("taken")
    finally:
        await simulator.close()


async def test_the_platforms_own_crypto_calls_our_server_and_opens_its_answers(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    await asyncio.to_thread(npm, folder, VERSIONS["npm"])
    shutil.copy(PEERS / "wecom_aibot" / "caller.cjs", folder)

    async def call(url: str, key: str, text: str) -> dict[str, Any]:
        body = {"msgid": text, "chattype": "single", "from": {"userid": "limin"}, "msgtype": "text"}
        said = json.dumps({**body, "text": {"content": text}}, ensure_ascii=False)
        process = await asyncio.create_subprocess_exec(
            "node", "caller.cjs", url, TOKEN, key, said, cwd=folder, stdout=asyncio.subprocess.PIPE
        )
        found: dict[str, Any] = json.loads((await process.communicate())[0])
        return found

    simulator = WecomAibotWebhookSimulator()
    async with staged(tmp_path / "data", simulator, {REPORTS: ROOM}, {"limin": "limin"}):
        answer = await call(simulator.callback, AES_KEY, "帮助")
        assert (answer["status"], answer["good"], answer["id"]) == (200, True, "")
        assert "查进度" in answer["message"]["stream"]["content"] and answer["message"]["stream"]["finish"] is True
        assert (await call(simulator.callback, AES_KEY[::-1], "帮助"))["status"] == 403
