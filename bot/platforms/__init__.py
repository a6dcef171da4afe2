"""The contract every platform keeps: parse → Event, send → receipt, fetch → bytes, and what it can honestly promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from handlers.events import Message, Photo
from handlers.office import Channel
from store.outbox import OutboxRow


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a platform takes messages: per address and for the whole channel, in messages a minute; 0 = unlimited."""

    address_per_minute: int = 0
    channel_per_minute: int = 0


class Platform(Protocol):
    """One configured channel."""

    channel: Channel
    pace: Pace

    def add_routes(self, app: web.Application) -> None:
        """Register what the platform (or a browser) calls, under /in/NAME."""

    async def start(self) -> None:
        """Connect. Called once the store is open."""

    async def close(self) -> None:
        """Disconnect."""

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Deliver one message and return the platform's id of it. Raises Retry, Refused or Unknown."""

    async def fetch(self, photo: Photo) -> bytes:
        """Download a photo an event named. Raises Retry or Refused."""
