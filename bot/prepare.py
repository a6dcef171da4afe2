"""Prepare: what a decision needs from outside (photos fetched and cleaned), for at most half a second.

A photo that takes longer comes back as an event of its own and joins the task; one that cannot be taken is said so.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import structlog

from bot import failpoints
from bot.media import CleanPhoto, PhotoShop
from bot.platforms import Platform
from config.errors import Busy, Refused, Rejected, SendError
from handlers.commands import without_tag
from handlers.editions import finding
from handlers.events import Event, Facts, Photo, restored
from handlers.faq.hall import Hearing, in_tax_group
from handlers.office import Office
from handlers.reports.reading import Reading
from store import Store, Tx, inbox, photos
from store.inbox import InboxRow

log = structlog.get_logger()

PATIENCE = 0.5  # seconds (design 3)
FETCH_PAUSES = (1.0, 2.0, 4.0, 8.0, 30.0, 120.0, 300.0)  # seconds after each failure; then the photo is given up
BUSY_SECONDS = 2.0
Accept = Callable[[Sequence[Event]], Awaitable[object]]
Cut = Callable[[str], Awaitable[Sequence[Sequence[str]]]]


class Preparer:
    """Called once per event with photos; keeps fetching slow ones in the background."""

    def __init__(self, store: Store, shop: PhotoShop, platforms: Mapping[str, Platform]) -> None:
        self._store = store
        self._shop = shop
        self._platforms = platforms
        self.accept: Accept | None = None
        self.heard: Callable[[], None] | None = None  # told of each tax question
        self.entered: Callable[[], None] | None = None  # told of each photo
        self.cut: Cut | None = None  # cuts an archive search into words
        self._slow: set[asyncio.Task[None]] = set()

    async def __call__(self, event: Event, office: Office) -> Facts:
        ready = tuple(photo.sha for photo in event.photos if photo.sha)
        missing = [photo for photo in event.photos if not photo.sha]
        reading, hearing = read_words(event, office), hear_words(event, office)
        if hearing is not None and self.heard is not None:
            self.heard()
        terms = await self._terms(finding.asked(event, office))
        if not missing:
            return Facts(photos=ready, reading=reading, hearing=hearing, terms=terms)
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
            hearing=hearing,
            terms=terms,
        )

    async def _terms(self, words: str) -> tuple[tuple[str, ...], ...] | None:
        """A search's words as the archive cuts them, if the child that does so is warm enough to answer in time."""
        if not words or self.cut is None:
            return None
        cutting: asyncio.Future[Sequence[Sequence[str]]] = asyncio.ensure_future(self.cut(words))
        cutting.add_done_callback(lambda done: done.cancelled() or done.exception())  # late or failed: nobody waits
        done, _ = await asyncio.wait((cutting,), timeout=PATIENCE)
        return None if not done or cutting.exception() else tuple(map(tuple, cutting.result()))

    def follow(self, channel: str, photo: Photo, message: str, sender: str, seq: int, group: str) -> None:
        """Keep trying for a photo; when it is here, it comes in as an event."""
        task = asyncio.get_running_loop().create_task(self._bring(channel, photo, message, sender, seq, group))
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)

    async def register(self, made: CleanPhoto) -> str:
        """Enter a cleaned photo in the books; returns its hash."""
        if failpoints.ARMED:
            failpoints.reach("photo.kept")
        await self._store.write(partial(enter, made))
        if failpoints.ARMED:
            failpoints.reach("photo.entered")
        if not self._shop.path(made.sha).exists():
            raise Busy("照片刚好被清理，请再发一次。")  # the nightly purge came between file and row
        if self.entered is not None:
            self.entered()
        return made.sha

    async def resume(self) -> int:
        """At start: go on waiting for the photos the last process was waiting for; how many."""
        waited, rows = await self._store.read(_waited_for)
        for channel, ref, seq in waited:
            row = rows.get(seq)
            if row is not None and channel in self._platforms:
                group = restored(row.channel, row.event_id, row.kind, row.sender, row.body, None, seq, row.at).group
                self.follow(channel, Photo(ref), row.event_id, row.sender, seq, group)
        return len(waited)

    async def close(self) -> None:
        """Stop fetching; what waits is on disk."""
        for task in tuple(self._slow):
            task.cancel()
        await asyncio.gather(*self._slow, return_exceptions=True)

    async def _take(self, channel: str, photo: Photo) -> str:
        return await self.register(await self._shop.clean(await self._platforms[channel].fetch(photo)))

    async def _bring(self, channel: str, photo: Photo, message: str, sender: str, seq: int, group: str) -> None:
        sha = await self._persist(channel, photo)
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
        while self.accept is not None:
            try:
                await self.accept((event,))
                return
            except Busy:
                await asyncio.sleep(BUSY_SECONDS)

    async def _persist(self, channel: str, photo: Photo) -> str:
        """The photo's hash, or "" when it cannot be had. Our own hurry does not count as a failure."""
        for pause in FETCH_PAUSES:
            while True:
                try:
                    return await self._take(channel, photo)
                except Busy:
                    await asyncio.sleep(BUSY_SECONDS)
                except (Refused, Rejected):
                    return ""
                except (SendError, TimeoutError, OSError) as error:
                    log.warning("photo_postponed", channel=channel, error=type(error).__name__)
                    break
            await asyncio.sleep(pause)
        return ""


def enter(made: CleanPhoto, tx: Tx) -> None:
    """A cleaned photo's row."""
    taken = photos.Taken(made.taken_at, made.lat, made.lon)
    photos.add(tx, made.sha, made.width, made.height, made.size, made.dhash, made.prints, taken)


def _waited_for(connection: sqlite3.Connection) -> tuple[list[tuple[str, str, int]], dict[int, InboxRow]]:
    waited = photos.waited_for(connection)
    return waited, inbox.bodies(connection, [seq for _, _, seq in waited]) if waited else {}


def hear_words(event: Event, office: Office) -> Hearing | None:
    """What a message in a tax group asks; noted, so that the sender's next one may lean on it."""
    if office.hall is None or not (event.private or (event.kind == "message" and in_tax_group(event, office))):
        return None
    hearing = office.hall.hear(event, event.at)
    office.hall.note(event, event.at, hearing)
    return hearing


def read_words(event: Event, office: Office) -> Reading | None:
    """What the words report, read here so that the writer need not wait for it; None when they are for something else."""
    group, words = office.groups.get(event.group), without_tag(event.text)
    if group is None or group.purpose != "reports" or event.quote or not words:
        return None
    person = office.person_at.get((event.channel, event.sender))
    return office.reader.read(words, len(event.photos), person.unit if person else "")
