"""A decision waits half a second for photos, no more; what is late comes as an event of its own, across restarts too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from bot import prepare as preparing
from bot.media import CleanPhoto, PhotoShop
from bot.prepare import Preparer
from config.errors import Busy, Refused, Rejected, Retry
from handlers.events import Event, Photo, body_of
from store import Store, Tx, inbox, photos
from tests.fakes import FakeClock, FakePlatform, until
from tests.lanes import OFFICE, said


class Camera(FakePlatform):
    """Fetches what it is told: bytes, an error, or an Event to wait for first."""

    def __init__(self) -> None:
        super().__init__(name="web")
        self.rolls: dict[str, list[Any]] = {}
        self.fetched: list[str] = []

    async def fetch(self, photo: Photo) -> bytes:
        self.fetched.append(photo.ref)
        frame = self.rolls[photo.ref].pop(0) if self.rolls.get(photo.ref) else b"ok"
        if isinstance(frame, asyncio.Event):
            await frame.wait()
        elif isinstance(frame, Exception):
            raise frame
        return photo.ref.encode()


class Shop:
    async def clean(self, raw: bytes) -> CleanPhoto:
        return CleanPhoto(f"sha-{raw.decode()}", 1, 1, 1, "0")

    def path(self, sha: str) -> Path:
        return Path(__file__)


class Darkroom:
    def __init__(self) -> None:
        self.store, self.camera = Store.open(None, FakeClock()), Camera()
        self.came: list[Event] = []
        self.refuse = 0
        self.preparer = self.another()

    def another(self) -> Preparer:
        made = Preparer(self.store, cast(PhotoShop, Shop()), {"web": self.camera})
        made.accept = self._accept
        return made

    async def _accept(self, events: Sequence[Event]) -> None:
        if self.refuse:
            self.refuse -= 1
            raise Busy("忙")
        self.came += events


@pytest_asyncio.fixture
async def room(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Darkroom]:
    monkeypatch.setattr(preparing, "PATIENCE", 0.02)
    monkeypatch.setattr(preparing, "FETCH_PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(preparing, "BUSY_SECONDS", 0.0)
    built = Darkroom()
    yield built
    await built.preparer.close()
    built.store.close()


def _with(*refs: str) -> Event:
    return said("keep", photos=tuple(Photo(ref) for ref in refs), seq=7)


@pytest.mark.asyncio
async def test_a_slow_photo_is_waited_for_beside_and_comes_as_an_event(room: Darkroom) -> None:
    late = asyncio.Event()
    room.camera.rolls = {"slow": [late, late], "bad": [Rejected("这个文件不是照片")]}
    facts = await room.preparer(_with("quick", "slow", "bad"), OFFICE)
    assert (facts.photos, facts.waiting, facts.bad_photos) == (("sha-quick",), ("slow",), ("这个文件不是照片",))
    late.set()
    await until(lambda: bool(room.came))
    (event,) = room.came
    assert (event.id, event.kind, event.due_at, event.photos) == (
        "photo/slow",
        "photo",
        7,
        (Photo("slow", "sha-slow"),),
    )


@pytest.mark.parametrize("frames", [[Retry("忙"), Retry("忙")], [Busy("满")] * 20, [OSError("断"), TimeoutError()]])
@pytest.mark.asyncio
async def test_trouble_that_passes_costs_no_photo(room: Darkroom, frames: list[Exception]) -> None:
    room.camera.rolls = {"p": list(frames)}
    facts = await room.preparer(_with("p"), OFFICE)
    assert facts.waiting == ("p",)
    await until(lambda: bool(room.came))
    assert room.came[0].photos == (Photo("p", "sha-p"),)


@pytest.mark.parametrize("frames", [[OSError("断")] * 9, [Retry("忙"), Refused("已过期")]])
@pytest.mark.asyncio
async def test_a_photo_that_cannot_be_had_is_said_to_be_missing(room: Darkroom, frames: list[Exception]) -> None:
    room.camera.rolls = {"p": list(frames)}
    await room.preparer(_with("p"), OFFICE)
    await until(lambda: bool(room.came))
    assert room.came[0].photos == () and room.came[0].action == "p"


@pytest.mark.asyncio
async def test_an_inbox_without_room_does_not_lose_the_photo(room: Darkroom) -> None:
    room.camera.rolls, room.refuse = {"p": [Retry("忙")]}, 5
    await room.preparer(_with("p"), OFFICE)
    await until(lambda: bool(room.came))
    assert room.refuse == 0 and len(room.came) == 1


@pytest.mark.asyncio
async def test_a_restart_goes_on_waiting(room: Darkroom) -> None:
    event = _with("p", "gone")

    def left(tx: Tx) -> None:
        row = inbox.add(tx, "web", event.id, "message", event.lane, event.sender, body_of(event), None)
        assert row is not None
        photos.wait(tx, "web", ("p", "gone"), row.seq)
        photos.wait(tx, "no-longer-there", ("x",), row.seq)

    await room.store.write(left)
    room.camera.rolls = {"gone": [Refused("已过期")]}
    again = room.another()
    assert await again.resume() == 3
    await until(lambda: len(room.came) == 2)
    found = {e.action: (e.photos, e.group, e.sender, e.subject) for e in room.came}
    assert found["p"] == ((Photo("p", "sha-p"),), "g", "a", event.id)
    assert found["gone"][0] == ()
    await again.close()
