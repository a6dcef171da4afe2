"""Reading lists and pages in a child process: hostile bytes, and the libraries that read them, stay out of this one.

`await room.ask({"op": "page", …}, data)`; one question at a time, a child that takes too long is killed and the answer
is Unreadable. The child leaves after a minute without work.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from bot.child import Child, Terms
from config.errors import Rejected

WALL = 10.0  # seconds for one page, then the child is killed (security.md T7)
START = 30.0
IDLE = 60.0
ANSWER_BYTES = 32 << 20
WORKER = (sys.executable, "-W", "ignore", "-m", "bot.reading_worker")  # the warnings are jieba's
ALSO = ("TMPDIR", "HOME")  # where jieba keeps its dictionary
TEXTS = {
    "slow": "内容读得太久，已停止",
    "broken": "内容读不出来",
    "worker": "读网页的程序暂时起不来，请稍后再试。",
}


class Unreadable(Rejected):
    """The child could not read this, or died of it."""


class ReadingRoom:
    """One warm child and the queue before it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._child = Child()

    async def ask(self, asked: Mapping[str, Any], data: bytes = b"") -> dict[str, Any]:
        """The child's answer. Raises Unreadable, or Busy when no child can be had."""
        terms = Terms(WORKER, START, WALL, IDLE, ANSWER_BYTES, TEXTS["worker"], ALSO)
        async with self._turn:
            try:
                answer = await self._child.ask(terms, (json.dumps(asked, ensure_ascii=False).encode(), data))
            except TimeoutError:
                raise Unreadable(TEXTS["slow"]) from None
            except (EOFError, ConnectionError):
                raise Unreadable(TEXTS["broken"]) from None
        found: dict[str, Any] = json.loads(answer[0])
        return found

    async def close(self) -> None:
        """Send the child away."""
        await self._child.close()
