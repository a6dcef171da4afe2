"""A warm child process that answers in length-prefixed frames: hired when first asked, killed when it hangs, gone after a
quiet while. What hostile bytes can do, they do in there (`bot.frames` is the child's side).
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from config.errors import Busy

ROOT = Path(__file__).resolve().parent.parent
PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TEMP")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a child is kept: `worker` its command; `start`, `wall` (one question) and `idle` in seconds; `most` bytes a frame.

    `unfit` is what people read when none comes up; `also` names further variables it inherits.
    """

    worker: Sequence[str]
    start: float
    wall: float
    idle: float
    most: int
    unfit: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hired:
    process: Process
    ask: asyncio.StreamWriter
    answer: asyncio.StreamReader


class Child:
    """One child at a time; whoever owns it sees to it that questions come one after the other."""

    def __init__(self) -> None:
        self._hired: _Hired | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._retirement: asyncio.TimerHandle | None = None

    @property
    def process(self) -> Process | None:
        """The process there is, alive or not."""
        return self._hired.process if self._hired else None

    async def ask(self, terms: Terms, parts: Sequence[bytes], answers: int = 1) -> list[bytes]:
        """Send frames, await so many. TimeoutError when it hung, EOFError or ConnectionError when it died, Busy when no
        child can be had; after any of these it is gone."""
        done = False
        try:
            hired = await self._hire(terms)
            async with asyncio.timeout(terms.wall):
                for part in parts:
                    hired.ask.write(len(part).to_bytes(4, "big"))
                    hired.ask.write(part)
                await hired.ask.drain()
                found = [await _frame(hired.answer, terms.most) for _ in range(answers)]
            done = True
            return found
        finally:
            if done:
                self._retirement = asyncio.get_running_loop().call_later(terms.idle, self.dismiss)
            else:
                self.dismiss()

    def dismiss(self) -> None:
        """Send it away now."""
        if self._retirement is not None:
            self._retirement.cancel()
        hired, self._hired, self._retirement = self._hired, None, None
        if hired is not None:
            leaving = asyncio.get_running_loop().create_task(_bury(hired))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Send it away and wait until it is gone."""
        self.dismiss()
        await asyncio.gather(*self._leaving)

    async def _hire(self, terms: Terms) -> _Hired:
        if self._retirement is not None:
            self._retirement.cancel()
        if self._hired is not None and self._hired.process.returncode is None:
            return self._hired
        self.dismiss()
        self._hired = await _spawn(terms)
        try:
            async with asyncio.timeout(terms.start):
                await _frame(self._hired.answer, terms.most)
        except (TimeoutError, EOFError) as trouble:
            log.error("child_does_not_start", worker=terms.worker[-1], returncode=self._hired.process.returncode)
            raise Busy(terms.unfit) from trouble
        return self._hired


async def _spawn(terms: Terms) -> _Hired:
    """A child that inherits no secrets: only the few variables an interpreter needs."""
    names = (*PASSED_ON, *terms.also)
    env = {name: os.environ[name] for name in names if name in os.environ} | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *terms.worker, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=ROOT, env=env
    )
    if process.stdin is None or process.stdout is None:
        raise Busy(terms.unfit)
    return _Hired(process, process.stdin, process.stdout)


async def _bury(hired: _Hired) -> None:
    if hired.process.returncode is None:
        hired.process.kill()
    hired.ask.close()
    await hired.answer.read()
    await hired.process.wait()


async def _frame(source: asyncio.StreamReader, most: int) -> bytes:
    size = int.from_bytes(await source.readexactly(4), "big")
    if size > most:
        raise EOFError("an answer nobody needs")
    return await source.readexactly(size)
