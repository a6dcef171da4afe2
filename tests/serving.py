"""A real `bot serve` for tests: a small county that loads fast, a browser session without a password, blocking requests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bot.console.session import COOKIE, csrf_of
from bot.engine import read_key
from store import Store, sessions

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0
TINY = {
    "units": "id,name,aliases,town,duty\nzx,指挥中心,,,\ncgj,城管执法局,城管,,市容环境\n",
    "people": (
        "id,name,unit,roles,accounts\n"
        "zhao,赵静,zx,admin|dispatcher|arbiter|verifier|security_officer,web:zhao\n"
        "zhang,张强,cgj,handler,web:zhang\nli,李敏,zx,reporter,web:li\n"
    ),
    "groups": "id,name,purpose,members,accounts\nssp,随手拍工作群,reports,,web:ssp\n",
    "categories": "code,name,kind,spoken_group\n事件0101,暴露垃圾,事件,垃圾\n",
    "standards": "code,condition,limit_n,limit_unit\n事件0101,发现暴露垃圾,4,work_hour\n",
    "duties": "code,place_or_town,unit,status\n事件0101,,cgj,confirmed\n",
    "calendar": "date,kind\n2026-12-31,workday\n",
    "phrases": "code,text\n事件0101,垃圾桶满了没人收\n事件0101,路边一堆垃圾\n,收到谢谢\n,今天天气不错\n",
}


def tiny_county(folder: Path) -> Path:
    """Three people, two units, one group, one category."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TINY.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return folder


def bot(*words: str, user: int | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """One command, run to its end in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        user=user,
    )


def until(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait for something to become true; its value."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("it did not come about in time")
        time.sleep(0.02)
    return found


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    cookie: str
    csrf: str


def signed_in(data: Path, person: str) -> Session:
    """Put a session into a data directory nobody is using."""
    token = f"test-session-of-{person}"
    store = Store.open(data)
    try:
        asyncio.run(store.write(partial(_begin, token, person)))
    finally:
        store.close()
    return Session(token, csrf_of(read_key(data / "key"), token))


def _begin(token: str, person: str, tx: Any) -> None:
    sessions.set_password(tx, person, "no password opens this")
    sessions.begin(tx, token, person, int(time.time()), "127.0.0.1")


@dataclass(slots=True)
class Server:
    """One running process."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path

    def get(self, path: str, session: Session | None = None) -> tuple[int, str]:
        """Status and body."""
        return self._ask(urllib.request.Request(self.url + path), session)

    def post(self, path: str, fields: dict[str, str], session: Session | None = None) -> tuple[int, str]:
        """Send a form."""
        body = urllib.parse.urlencode(fields).encode()
        return self._ask(urllib.request.Request(self.url + path, body), session)

    def say(self, session: Session, message: str, text: str, room: str = "ssp") -> int:
        """Say something in the work group; the status."""
        return self.post("in/web/messages", {"room": room, "id": message, "text": text}, session)[0]

    def health(self) -> int:
        """What a balancer sees."""
        return self.get("healthz")[0]

    def _ask(self, request: urllib.request.Request, session: Session | None) -> tuple[int, str]:
        request.add_header("Accept", "application/json")
        if session is not None:
            request.add_header("Cookie", f"{COOKIE}={session.cookie}")
            request.add_header("X-CSRF", session.csrf)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(data: Path, *words: str, log: Path | None = None, user: int | None = None, **env: str) -> Iterator[Server]:
    """A server that accepts; killed at the end if still there. `log` takes what it prints."""
    log = log or data.parent / f"{data.name}.log"
    with log.open("ab") as sink:
        before = sink.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve", "--data", str(data), "--port", "0", "--no-browser", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "QUNBAN_TOTP_ROLES": "", **env},
            stdout=sink,
            stderr=subprocess.STDOUT,
            user=user,
        )
    try:
        url = until(lambda: _url(process, log, before))
        yield Server(process, url, data)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _url(process: subprocess.Popen[bytes], log: Path, before: int) -> str:
    text = log.read_bytes()[before:].decode("utf-8", "replace")
    if process.poll() is not None:
        raise AssertionError(f"the server ended with {process.returncode}: {text}")
    line = next((line for line in text.splitlines(keepends=True) if "http://" in line and line.endswith("\n")), "")
    return line[line.index("http://") :].strip() if line else ""


def accepted(data: Path) -> list[str]:
    """The texts a data directory holds, in accept order, as the next start would find them."""
    store = Store.open(data)
    try:
        rows = asyncio.run(
            store.read(lambda c: c.execute("select body from inbox where kind = 'message' order by seq").fetchall())
        )
    finally:
        store.close()
    return [str(json.loads(row[0]).get("text", "")) for row in rows]
