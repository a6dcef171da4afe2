"""Reading lists and pages in a child process: hostile bytes, and the libraries that read them, stay out of this one.

`await room.ask({"op": "page", …}, data)`; one question at a time, a child that takes too long is killed and the answer
is Unreadable. The child leaves after a minute without work.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from config.errors import Busy, Rejected

WALL = 10.0  # seconds for one page, then the child is killed (security.md T7)
START = 30.0
IDLE = 60.0
ANSWER_BYTES = 32 << 20
WORKER = (sys.executable, "-m", "bot.reading_worker")
ROOT = Path(__file__).resolve().parent.parent
PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TEMP", "TMPDIR", "HOME")
TEXTS = {
    "slow": "内容读得太久，已停止",
    "broken": "内容读不出来",
    "worker": "读网页的程序暂时起不来，请稍后再试。",
}

log = structlog.get_logger(__name__)


class Unreadable(Rejected):
    """The child could not read this, or died of it."""


@dataclass(frozen=True, slots=True)
class _Child:
    process: Process
    ask: asyncio.StreamWriter
    answer: asyncio.StreamReader


class ReadingRoom:
    """One warm child and the queue before it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._child: _Child | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._retirement: asyncio.TimerHandle | None = None

    async def ask(self, asked: Mapping[str, Any], data: bytes = b"") -> dict[str, Any]:
        """The child's answer. Raises Unreadable, or Busy when no child can be had."""
        async with self._turn:
            child = await self._hire()
            done = False
            try:
                async with asyncio.timeout(WALL):
                    answer = await _exchange(child, json.dumps(asked, ensure_ascii=False).encode(), data)
                done = True
            except TimeoutError:
                raise Unreadable(TEXTS["slow"]) from None
            except (EOFError, ConnectionError):
                raise Unreadable(TEXTS["broken"]) from None
            finally:
                self._rest() if done else self._dismiss()
        found: dict[str, Any] = json.loads(answer)
        return found

    async def close(self) -> None:
        """Send the child away."""
        self._dismiss()
        await asyncio.gather(*self._leaving)

    async def _hire(self) -> _Child:
        if self._retirement is not None:
            self._retirement.cancel()
        if self._child is not None and self._child.process.returncode is None:
            return self._child
        self._dismiss()
        self._child = await _spawn()
        try:
            async with asyncio.timeout(START):
                await _frame(self._child.answer)
        except (TimeoutError, EOFError) as trouble:
            log.error("reading_child_does_not_start", returncode=self._child.process.returncode)
            self._dismiss()
            raise Busy(TEXTS["worker"]) from trouble
        return self._child

    def _rest(self) -> None:
        self._retirement = asyncio.get_running_loop().call_later(IDLE, self._dismiss)

    def _dismiss(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
        child, self._child, self._retirement = self._child, None, None
        if child is not None:
            leaving = asyncio.get_running_loop().create_task(_bury(child))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


async def _spawn() -> _Child:
    """A child that inherits no secrets: only the few variables an interpreter needs."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"PYTHONPATH": str(ROOT)}
    env["PYTHONWARNINGS"] = "ignore"  # jieba's
    process = await asyncio.create_subprocess_exec(*WORKER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=ROOT, env=env)
    if process.stdin is None or process.stdout is None:
        raise Busy(TEXTS["worker"])
    return _Child(process, process.stdin, process.stdout)


async def _bury(child: _Child) -> None:
    if child.process.returncode is None:
        child.process.kill()
    child.ask.close()
    await child.answer.read()
    await child.process.wait()


async def _exchange(child: _Child, head: bytes, data: bytes) -> bytes:
    for part in (head, data):
        child.ask.write(len(part).to_bytes(4, "big"))
        child.ask.write(part)
    await child.ask.drain()
    return await _frame(child.answer)


async def _frame(source: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await source.readexactly(4), "big")
    if size > ANSWER_BYTES:
        raise EOFError("an answer no page needs")
    return await source.readexactly(size)
