"""Pictures on their way out: named by the decision, made from their rows when the message leaves or is looked at.

So nothing waits for a picture but the message that carries it; a killed process makes it again under the same name; the
file is a cache. A comparison that cannot be made is replaced by its after-photo, an edition's long picture by words.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

import structlog

from bot.comparison import Caption
from bot.media import PhotoShop
from config.errors import Busy, Rejected
from handlers.events import Message
from store import Store, photos
from store.photos import Drawing, Pair

log = structlog.get_logger()
PATIENCE = 8.0  # seconds; then the message goes without


class Comparisons:
    """`finish` a message before it is sent; `show` a picture somebody looks at."""

    def __init__(self, store: Store, shop: PhotoShop) -> None:
        self._store = store
        self._shop = shop

    async def finish(self, message: Message) -> Message:
        """The message with every picture it names on disk."""
        if not message.photos:
            return message
        made = await self._store.read(lambda c: [_made(c, sha) for sha in message.photos])
        if not any(made):
            return message
        shown = [await self._shown(sha, row) for sha, row in zip(message.photos, made, strict=True)]
        missing = [row.instead for row in made if isinstance(row, Drawing)] if not all(shown) else []
        words = "\n".join(filter(None, (message.text, *missing)))
        return replace(message, photos=tuple(filter(None, shown)), text=words)

    async def show(self, sha: str) -> None:
        """Make an edition's picture whose file is not here (a backup holds none)."""
        row = await self._store.read(lambda c: photos.drawing(c, sha))
        if row is not None:
            await self._shown(sha, row)

    async def _shown(self, sha: str, row: Pair | Drawing | None) -> str:
        """What is sent in its place: itself where it is on disk; "" where words must do."""
        if row is None or self._shop.picture(sha).exists():
            return sha
        fallback = row.after if isinstance(row, Pair) else ""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._make(sha, row)
        except (Busy, Rejected, TimeoutError, OSError) as error:
            log.warning("picture_not_made", error=type(error).__name__)
            return fallback
        if await self._store.read(lambda c: _made(c, sha)) is None:
            await asyncio.to_thread(self._shop.erase, sha)  # what it shows was taken back meanwhile
            return fallback
        return sha

    async def _make(self, sha: str, row: Pair | Drawing) -> None:
        if isinstance(row, Drawing):
            return await self._shop.draw(sha, row.sheet)
        caption = Caption(row.title, row.said_before, row.said_after)
        return await self._shop.compare(sha, row.before, row.after, caption)


def _made(connection: sqlite3.Connection, sha: str) -> Pair | Drawing | None:
    return photos.pair(connection, sha) or photos.drawing(connection, sha)
