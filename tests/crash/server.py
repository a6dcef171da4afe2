"""A real `python -m bot serve` on a directory of its own, killed without a word and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0  # seconds for a start; the promise of 3 s is checked on the figures, not here


def free_port() -> int:
    """A port nobody listens on now; the server gets the same one at each start, as browsers expect."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`up` is set while events are accepted; `starts` are the seconds each start took until then."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{free_port()}"
        self.up = asyncio.Event()
        self.starts: list[float] = []
        self.kills = 0
        self._log = data.with_suffix(".log").open("ab")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, fail_at: str = "") -> bool:
        """True when it accepts events; False when it died at the armed place on the way up."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), "QUNBAN_FAIL_AT": fail_at, "PYTHONUNBUFFERED": "1"}
        port = self.url.rpartition(":")[2]
        command = (sys.executable, "-m", "bot", "serve", "--data", str(self.data), "--port", port, "--no-browser")
        began = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=env, stdout=self._log, stderr=self._log
        )
        async with aiohttp.ClientSession() as client:
            while time.monotonic() - began < PATIENCE:
                if self._process.returncode is not None:
                    if fail_at and self._process.returncode == -signal.SIGKILL:
                        self.kills += 1
                        return False
                    raise AssertionError(f"the server refused to start: {self.tail()}")
                if await _ready(client, self.url):
                    self.starts.append(time.monotonic() - began)
                    self.up.set()
                    return True
                await asyncio.sleep(0.02)
        raise AssertionError(f"the server is not ready after {PATIENCE} s: {self.tail()}")

    async def ended(self, within: float) -> bool:
        """Whether it died by itself (at a failpoint) within so many seconds."""
        assert self._process is not None
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            return False
        self.up.clear()
        self.kills += 1
        return True

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self.up.clear()
        if self._process.returncode is None:
            self._process.kill()
            self.kills += 1
        await self._process.wait()

    async def stop(self) -> None:
        """An orderly end."""
        self.up.clear()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            async with asyncio.timeout(30):
                await self._process.wait()
        self._log.close()

    def tail(self) -> str:
        """The last words of the log."""
        return self.data.with_suffix(".log").read_text("utf-8", "replace")[-1500:]


async def _ready(client: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with client.get(f"{url}/healthz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
