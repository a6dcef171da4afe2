"""Prepare: what a decision needs from outside (photos fetched and cleaned), for at most half a second.

A photo that takes longer comes back as an event of its own and joins the task; one that cannot be taken is said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.media import CleanPhoto, PhotoShop
from bot.platforms import Platform
from config.errors import Busy, Refused, Rejected, Retry
from handlers.commands import without_tag
from handlers.events import Event, Facts, Photo
from handlers.office import Office
from handlers.reports.reading import Reading
from store import Store, photos

PATIENCE = 0.5  # seconds (design 3)
FETCH_TRIES = 4
Accept = Callable[[Sequence[Event]], Awaitable[object]]


class Preparer:
    """Called once per event with photos; keeps fetching slow ones in the background."""

    def __init__(self, store: Store, shop: PhotoShop, platforms: Mapping[str, Platform]) -> None:
        self._store = store
        self._shop = shop
        self._platforms = platforms
        self.accept: Accept | None = None
        self._slow: set[asyncio.Task[None]] = set()

    async def __call__(self, event: Event, office: Office) -> Facts:
        ready = tuple(photo.sha for photo in event.photos if photo.sha)
        missing = [photo for photo in event.photos if not photo.sha]
        reading = _read(event, office)
        if not missing:
            return Facts(photos=ready, reading=reading)
        work = {asyncio.ensure_future(self._take(event.channel, photo)): photo for photo in missing}
        done, pending = await asyncio.wait(work, timeout=PATIENCE)
        good, bad = [], []
        for task in done:
            if isinstance(error := task.exception(), Rejected):
                bad.append(str(error))
            elif error is not None:
                pending.add(task)
            else:
                good.append(task.result())
        for task in pending:
            self.follow(event.channel, work[task], event.id, event.sender, event.seq, event.group)
            task.cancel()
        return Facts(
            photos=(*ready, *good),
            bad_photos=tuple(bad),
            waiting=tuple(work[task].ref for task in pending),
            reading=reading,
        )

    def follow(self, channel: str, photo: Photo, message: str, sender: str, seq: int, group: str) -> None:
        """Keep trying for a photo; when it is here, it comes in as an event."""
        task = asyncio.get_running_loop().create_task(self._bring(channel, photo, message, sender, seq, group))
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)

    async def register(self, made: CleanPhoto) -> str:
        """Enter a cleaned photo in the books; returns its hash."""
        await self._store.write(lambda tx: photos.add(tx, made.sha, made.width, made.height, made.size, made.dhash))
        return made.sha

    async def close(self) -> None:
        """Stop fetching; what waits is on disk."""
        for task in tuple(self._slow):
            task.cancel()
        await asyncio.gather(*self._slow, return_exceptions=True)

    async def _take(self, channel: str, photo: Photo) -> str:
        return await self.register(await self._shop.clean(await self._platforms[channel].fetch(photo)))

    async def _bring(self, channel: str, photo: Photo, message: str, sender: str, seq: int, group: str) -> None:
        sha = ""
        for attempt in range(FETCH_TRIES):
            try:
                sha = await self._take(channel, photo)
                break
            except (Retry, Busy):
                await asyncio.sleep(2.0**attempt)
            except (Refused, Rejected):
                break
        found = (Photo(photo.ref, sha),) if sha else ()
        event = Event(
            channel,
            f"photo/{photo.ref}",
            "photo",
            group=group,
            sender=sender,
            photos=found,
            subject=message,
            action=photo.ref,
            due_at=seq,
        )
        if self.accept is not None:
            await self.accept((event,))


def _read(event: Event, office: Office) -> Reading | None:
    """What the words report, read here so that the writer need not wait for it; None when they are for something else."""
    group, words = office.groups.get(event.group), without_tag(event.text)
    if group is None or group.purpose != "reports" or event.quote or not words:
        return None
    person = office.person_at.get((event.channel, event.sender))
    return office.reader.read(words, len(event.photos), person.unit if person else "")
