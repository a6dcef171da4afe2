"""What browser tests are made of: a server process to start and kill, a watch over what pages do, becoming somebody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page

ROOT = Path(__file__).resolve().parents[2]

Visit = Callable[..., Awaitable[Page]]


@dataclass(slots=True)
class House:
    """One data directory and the server process on it; `kill` is kill -9."""

    data: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "QUNBAN_TOTP_ROLES": ""}
        command = (sys.executable, "-m", "bot", "serve", "--data", str(self.data), "--port", str(self.port))
        log = (self.data.parent / f"{self.data.name}.log").open("a")
        self.process = subprocess.Popen(
            (*command, "--no-browser"), stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.data.parent, env=env
        )
        log.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, f"the server did not start: {line}"
        self.port = int(line.strip().rstrip("/").rpartition(":")[2])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)


@dataclass(slots=True)
class Watch:
    """What pages did that they should not; `expected` are parts of complaints a test provokes on purpose."""

    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def over(self, page: Page, origin: str) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("request", lambda request: self._inside(request.url, origin))

    def _inside(self, url: str, origin: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(origin):
            self.complaints.append(f"left the house: {url}")

    def verdict(self) -> list[str]:
        return [said for said in self.complaints if not any(part in said for part in self.expected)]


async def become(page: Page, house: House, person: str) -> None:
    """Go on as somebody else, in the room one was in."""
    token = await page.get_attribute('meta[name="csrf"]', "content") or ""
    await page.request.post(
        f"{house.url}demo/persona", form={"person": person, "csrf": token}, max_redirects=0, fail_on_status_code=False
    )
    await page.goto(page.url)


async def quietly(thing: Callable[[], None]) -> None:
    """Run something that blocks without holding up the browser."""
    await asyncio.to_thread(thing)
