"""The simulated group webhook against a pusher others wrote: whatever it sends WeCom, ours takes, and refuses alike."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from bot.simulators.wecom_webhook import WecomWebhookSimulator
from tests.peers.environments import venv
from tests.platforms.stage import picture

PEERS = Path(__file__).parents[1] / "peers"


@pytest.mark.long
@pytest.mark.asyncio
async def test_a_pusher_others_wrote_finds_its_webhook_in_ours(tmp_path: Path) -> None:
    versions = json.loads((PEERS / "wecom-webhook.json").read_text("utf-8"))
    python = await asyncio.to_thread(venv, tmp_path / "peer", versions["pypi"])
    (tmp_path / "a.jpg").write_bytes(picture(1))
    (tmp_path / "要闻.txt").write_text("今日要闻", "utf-8")
    simulator = WecomWebhookSimulator()
    await simulator.start()
    try:
        words = [python, str(PEERS / "wecom_webhook" / "push.py"), simulator.url, simulator.key]
        files = [str(tmp_path / "a.jpg"), str(tmp_path / "要闻.txt")]
        done = await asyncio.to_thread(
            lambda: subprocess.run([*words, *files], capture_output=True, text=True, timeout=60, check=False)
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [True] * 5 + [False] * 2, "too long; a wrong key"
        assert [line.form for line in simulator.sent] == ["text", "markdown", "image", "news", "file"]
        assert simulator.sent[0].mentions == ("limin",) and simulator.sent[2].photos == (picture(1),)
        assert list(simulator.files.values()) == ["今日要闻".encode()]
    finally:
        await simulator.close()
