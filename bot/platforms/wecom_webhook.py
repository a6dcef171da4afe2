"""WeCom's group webhook (消息推送): digests and notices into one group, nothing back (platforms.md 2.1).

It gives no message id and knows no idempotency key, so what is unclear is parked for a person. Twenty messages a minute:
counted here as well as paced, since one of ours may be several of theirs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections import deque
from collections.abc import Mapping

from aiohttp import web

from bot.engine import Engine
from bot.platforms import Pace
from bot.platforms.registry import Setup
from bot.platforms.wecom_api import BASE, WecomApi, outward
from bot.platforms.wecom_parts import Part, parts, picture
from config.errors import Parked, Paused, Refused, Retry
from handlers.events import Message, Photo
from handlers.office import Channel
from store.outbox import OutboxRow

PER_MINUTE = 20  # platforms.md 2.1
MINUTE = 60.0
MARKDOWN_BYTES = 4096
FILE_BYTES = 20 << 20


class WecomWebhookPlatform:
    """One webhook is one group: any address of this channel is that group. `accounts` names the channel with userids."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "base": BASE,
        "ca": "",
        "proxy": "",
        "accounts": "",
        "repeat": False,
        "markdown_bytes": MARKDOWN_BYTES,
    }
    SECRETS = ("key",)

    def __init__(self, setup: Setup) -> None:
        delivery = "at-least-once" if setup.options["repeat"] else "at-most-once"
        self.channel = Channel(
            setup.name,
            False,
            delivery,
            "企业微信群消息推送",
            forms=("markdown", "news", "picture", "text"),
            markdown_bytes=setup.number("markdown_bytes"),
            hears="none",
        )
        self._most = setup.per_minute or PER_MINUTE
        self.pace = Pace(0, self._most)
        self.engine: Engine | None = None
        self._accounts = setup.text("accounts")
        self._photo = setup.photo
        base = setup.text("base")
        self._fetcher = outward(setup)
        self._api = WecomApi(base, self._fetcher, key=setup.secrets["key"])
        self._left: deque[float] = deque(maxlen=self._most)

    def add_routes(self, app: web.Application) -> None:
        """Nothing comes back from the group."""

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Close connections."""
        await self._fetcher.close()

    async def fetch(self, photo: Photo) -> bytes:
        """No photo ever comes from here."""
        raise Refused("群消息推送不接收照片")

    async def probe(self) -> str:
        """Whether the key is taken: a message of no known type is refused by its type, and shown to nobody."""
        try:
            await self._api.send("webhook/send", {"msgtype": "none"})
        except Refused:
            return "key 有效（没有发出任何消息）"
        return "已应答"

    async def send(self, row: OutboxRow, message: Message) -> str:
        """One message, or several when it is long or has pictures; after the first the rest must not be repeated."""
        pieces = await self._pieces(message)
        self._wait_for_room(len(pieces))
        for gone, (kind, content) in enumerate(pieces):
            self._left.append(time.monotonic())
            try:
                await self._api.send("webhook/send", {"msgtype": kind, kind: content})
            except (Retry, Refused) as error:
                if gone:
                    raise Parked(f"前 {gone} 段已发出，后面没有发成") from error
                raise
        return row.key

    async def send_file(self, name: str, data: bytes) -> None:
        """A file for the group."""
        if len(data) > FILE_BYTES:
            raise Refused("文件超过 20 MB")
        self._wait_for_room(1)
        media = await self._api.upload("webhook/upload_media", "file", name, data)
        self._left.append(time.monotonic())
        await self._api.send("webhook/send", {"msgtype": "file", "file": {"media_id": media}})

    async def _pieces(self, message: Message) -> list[Part]:
        found = parts(message, self.channel.markdown_bytes)
        called = self._called(message)
        if called and found and found[0][0] == "text":
            found[0] = ("text", {**found[0][1], "mentioned_list": called})
        return [*found, *[await asyncio.to_thread(self._image, sha) for sha in message.photos]]

    def _called(self, message: Message) -> list[str]:
        """Only whom a duty names; never everybody."""
        mark = f"{self._accounts}:"
        people = self.engine.office.people if self.engine is not None and self._accounts else {}
        users = (
            a.removeprefix(mark)
            for p in message.mention
            if p in people
            for a in people[p].accounts
            if a.startswith(mark)
        )
        return [user for user in users if not user.startswith("@")]

    def _image(self, sha: str) -> Part:
        data = picture(self._photo(sha))
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return "image", {"base64": base64.b64encode(data).decode(), "md5": md5}

    def _wait_for_room(self, count: int) -> None:
        now = time.monotonic()
        recent = [at for at in self._left if now - at < MINUTE]
        short = len(recent) + min(count, self._most) - self._most
        if short > 0:
            raise Paused(f"每分钟最多 {self._most} 条", MINUTE - (now - recent[short - 1]))
