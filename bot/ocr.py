"""Words in photos, read afterwards in a process of their own (extra `ocr`): secrecy marks, a watermark's time and place.

The books are the queue: a photo without a row in `photo_read` is unread, so a restart forgets nothing. Each reading comes
in as an event; the words themselves are never stored.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from bot.child import Child, Terms
from config.errors import Busy
from digests.screening import find_secret
from digests.watermark import place_in, taken_at
from handlers.events import Event
from handlers.office import Office
from store import Store, photo_text
from store.history import keyed_mark

WORKER = (sys.executable, "-m", "bot.ocr_worker")
WALL = 30.0  # seconds for one photo, then the child is killed
START = 60.0
IDLE = 60.0  # then the child goes: it holds half a gigabyte
PAUSE = 3.0  # a photo whose message is still on its way is looked for again
LOOSE = 600  # seconds until a photo nothing shows is read all the same
TRIES = 2
ANSWER_BYTES = 1 << 20
NOT_SCREENED = "照片不筛查：没有安装文字识别组件，照片里的密级标志和水印看不出来。安装：./run --with ocr"
SCREENED = "照片收到后会识别文字，查密级标志和水印"

log = structlog.get_logger(__name__)
Accept = Callable[[Sequence[Event]], Awaitable[object]]


class Reader(Protocol):
    """Reads the lines of one kept photo. TimeoutError, EOFError or ConnectionError when it hung or died,
    Busy when it cannot be had."""

    async def read(self, path: Path) -> Sequence[str]: ...

    async def close(self) -> None: ...


def available() -> bool:
    """Whether the extra is installed; it is not imported here."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


class ChildReader:
    """One child, come with the first photo, gone after a quiet minute, killed when it hangs."""

    def __init__(self, worker: Sequence[str] = WORKER, wall: float = WALL) -> None:
        self._worker = worker
        self._wall = wall
        self._child = Child()

    async def read(self, path: Path) -> Sequence[str]:
        photo = await asyncio.to_thread(path.read_bytes)
        terms = Terms(self._worker, START, self._wall, IDLE, ANSWER_BYTES, "文字识别暂时不可用。")
        return [str(line) for line in json.loads((await self._child.ask(terms, (photo,)))[0])]

    async def close(self) -> None:
        await self._child.close()


class PhotoReading:
    """Reads what is unread, one photo at a time; `wanted()` says that there may be something new."""

    def __init__(
        self, store: Store, path: Callable[[str], Path], office: Callable[[], Office], accept: Accept, reader: Reader
    ) -> None:
        self._store = store
        self._path = path
        self._office = office
        self._accept = accept
        self._reader = reader
        self._news = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what the last process left unread."""
        self._news.set()
        self._work = asyncio.get_running_loop().create_task(self._run())

    def wanted(self) -> None:
        """A photo was registered."""
        self._news.set()

    async def close(self) -> None:
        """Stop; what is unread stays so on disk."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        await self._reader.close()

    async def round(self) -> int:
        """Read what can be read now; how many."""
        now = self._store.now()
        found = await self._store.read(lambda c: photo_text.unread(c, now - LOOSE))
        for sha, at in found:
            await self._bring(sha, at)
        return len(found)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if await self.round() or await self._store.read(photo_text.loose):
                asyncio.get_running_loop().call_later(PAUSE, self._news.set)

    async def _bring(self, sha: str, at: int) -> None:
        event = await self._read(sha, f"read/{sha}/{at}")
        while True:
            try:
                await self._accept((event,))
                return
            except Busy:
                await asyncio.sleep(PAUSE)

    async def _read(self, sha: str, name: str) -> Event:
        for _ in range(TRIES):
            try:
                return self._judge(sha, name, await self._reader.read(self._path(sha)))
            except (TimeoutError, EOFError, ConnectionError, Busy) as trouble:
                log.warning("photo reader ended midway", error=type(trouble).__name__)
            except FileNotFoundError:
                break
        return Event("ocr", name, "read", subject=sha, action="unread")

    def _judge(self, sha: str, name: str, lines: Sequence[str]) -> Event:
        text, office = "\n".join(lines), self._office()
        secret = find_secret(text)
        if secret is not None and secret.level != "warn":
            mark = keyed_mark(office.key, text)
            return Event("ocr", name, "read", subject=sha, action="secret", name=secret.rule, quote=mark)
        names = {said: place.id for place in office.places.values() for said in (place.name, *place.aliases)}
        at, place = taken_at(lines), place_in(lines, names)
        return Event("ocr", name, "read", subject=sha, action="read", text=place, due_at=at or 0)
