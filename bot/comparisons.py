"""Comparison pictures on their way out: named by the decision, made from their rows when the message leaves.

So nothing waits for a picture but the message that carries it; a killed process makes it again under the same name; the
file is a cache. One that cannot be made is replaced by its after-photo.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from bot.comparison import Caption
from bot.media import PhotoShop
from config.errors import Busy, Rejected
from handlers.events import Message
from store import Store, photos
from store.photos import Pair

log = structlog.get_logger()
PATIENCE = 8.0  # seconds; then the message goes without


class Comparisons:
    """`finish` a message before it is sent."""

    def __init__(self, store: Store, shop: PhotoShop) -> None:
        self._store = store
        self._shop = shop

    async def finish(self, message: Message) -> Message:
        """The message with every picture it names on disk."""
        if not message.photos:
            return message
        pairs = await self._store.read(lambda c: [photos.pair(c, sha) for sha in message.photos])
        if not any(pairs):
            return message
        shown = [await self._shown(sha, pair) for sha, pair in zip(message.photos, pairs, strict=True)]
        return replace(message, photos=tuple(shown))

    async def _shown(self, sha: str, pair: Pair | None) -> str:
        if pair is None or self._shop.picture(sha).exists():
            return sha
        try:
            async with asyncio.timeout(PATIENCE):
                await self._shop.compare(
                    sha, pair.before, pair.after, Caption(pair.title, pair.said_before, pair.said_after)
                )
        except (Busy, Rejected, TimeoutError, OSError) as error:
            log.warning("comparison_not_made", error=type(error).__name__)
            return pair.after
        if await self._store.read(lambda c: photos.pair(c, sha)) is None:
            await asyncio.to_thread(self._shop.erase, sha)  # a photo in it was taken back meanwhile
            return pair.after
        return sha
