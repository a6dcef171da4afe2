"""A WeChat official account (公众号/服务号): people write to it one to one; it has no groups (platforms.md 4).

Safe mode seals every message; plain mode signs only the time, so an office should not use it. The answer is "success"
after the commit and never words: what there is to say goes by customer-service message, for which WeChat gives 48 hours
and five messages after each of a person's own; beyond that by template message, where one is set, else it is said why not.
Nothing swallows repetitions, so what is unclear is parked for a person.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web
from yarl import URL

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace, wecom_parts
from bot.platforms.alone import homeward
from bot.platforms.envelope import Envelope, fields, fresh, read_body, refused, same, sign
from bot.platforms.official_api import BASE, Closed, OfficialApi
from bot.platforms.registry import Setup
from bot.platforms.wecom_letters import letter
from config.errors import Busy, ConfigError, Parked, Refused, Retry, Unknown
from digests.characters import clipped, split
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store.outbox import OutboxRow

log = structlog.get_logger()

MODES = ("safe", "plain")
BUSY_SECONDS, PATIENCE = 0.25, 4.0  # WeChat hangs up at 5 s and comes twice again (platforms.md 4.4)
CHANNEL_PER_MINUTE = 600
TEXT_BYTES = 2048
TEMPLATE_BYTES = 600  # not documented: an option
PICTURE_BYTES = 2 << 20
TAKEN = "success"


class OfficialAccountPlatform:
    """A person's address is the openid."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "app": "",
        "account": "",
        "mode": "safe",
        "base": BASE,
        "ca": "",
        "proxy": "",
        "stable_token": True,
        "template": "",
        "template_field": "content",
        "template_bytes": TEMPLATE_BYTES,
        "template_url": "",
        "text_bytes": TEXT_BYTES,
        "address_per_minute": 0,
    }
    SECRETS = ("secret", "token", "aes_key")

    def __init__(self, setup: Setup) -> None:
        self.channel = Channel(
            setup.name,
            True,
            "at-most-once",
            "微信公众号",
            text_bytes=setup.number("text_bytes"),
            hears="none",
            pushes=False,
        )
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or CHANNEL_PER_MINUTE)
        self.engine: Engine | None = None
        if setup.text("mode") not in MODES:
            raise ConfigError(f"channels.{setup.name} 选项 mode 应为 {' 或 '.join(MODES)}")
        self._setup, self._safe, self._photo = setup, setup.text("mode") == "safe", setup.photo
        app, base = setup.text("app"), setup.text("base")
        self._token = setup.secrets["token"]
        self._envelope = Envelope(self._token, setup.secrets["aes_key"], app)
        self._fetcher = Fetcher((URL(base).host or "",), setup.text("ca"), setup.text("proxy"))
        self.api = OfficialApi(
            base, self._fetcher, app, setup.secrets["secret"], stable=bool(setup.options["stable_token"])
        )

    def add_routes(self, app: web.Application) -> None:
        """The one address WeChat verifies and posts to."""
        app.router.add_get(f"/in/{self.channel.name}", self._verified, allow_head=False)
        app.router.add_post(f"/in/{self.channel.name}", self._posted)

    async def start(self) -> None:
        """WeChat calls us; a token is fetched with the first message."""

    async def close(self) -> None:
        """Close connections."""
        await self._fetcher.close()

    async def probe(self) -> str:
        """Whether AppID and AppSecret are taken and this machine may call."""
        found = await self.api.read("get_api_domain_ip")
        return f"AppID 和 AppSecret 有效（接口地址 {len(found.get('ip_list') or ())} 个）"

    async def fetch(self, photo: Photo) -> bytes:
        """Media ids hold three days."""
        return await self.api.download(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """By customer-service message; where the window is shut, by template message."""
        shown = await self._shown(message)
        for place, (kind, content) in enumerate(shown):
            try:
                await self.api.send("message/custom/send", {"touser": row.address, "msgtype": kind, kind: content})
            except Closed as error:
                if place:
                    raise Parked(f"前 {place} 段已发出，后面没有发成:{error}") from None
                return await self._by_template(row, message, error)
            except (Retry, Refused, Unknown) as error:
                if place:
                    raise Parked(f"前 {place} 段已发出，后面没有发成") from error
                raise
        return row.key

    async def _by_template(self, row: OutboxRow, message: Message, why: Closed) -> str:
        template = self._setup.text("template")
        if not template:
            raise Refused(f"{why}；没有设置模板消息，请换别的方式告诉对方")
        words = clipped(" ".join(message.text.split()), self._setup.number("template_bytes"))
        body: dict[str, Any] = {
            "touser": row.address,
            "template_id": template,
            "data": {self._setup.text("template_field"): {"value": words}},
        }
        if self._setup.text("template_url"):
            body["url"] = self._setup.text("template_url")
        found = await self.api.send("message/template/send", body)
        return str(found.get("msgid") or row.key)

    async def _shown(self, message: Message) -> list[wecom_parts.Part]:
        """Pictures are handed over first: until then nothing has been said."""
        pictures = [("image", {"media_id": await self._uploaded(sha)}) for sha in message.photos]
        words = split(wecom_parts.plain(message.text), self.channel.text_bytes)
        return [*(("text", {"content": piece}) for piece in words), *pictures]

    async def _uploaded(self, sha: str) -> str:
        data = await asyncio.to_thread(wecom_parts.picture, self._photo(sha), PICTURE_BYTES)
        kind = "png" if data.startswith(b"\x89PNG") else "jpg"
        return await self.api.upload(f"{sha[:16]}.{kind}", data)

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine

    async def _verified(self, request: web.Request) -> web.Response:
        """The admin site's check."""
        if not self._signed(request.query):
            return refused(self.channel.name)
        return web.Response(text=request.query.get("echostr", "")[:200])

    async def _posted(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        found = self._opened(request.query, body) if body is not None else None
        if found is None:
            return refused(self.channel.name)
        event = self.parse(found)
        if event is not None and not await self._kept([event]):
            if request.transport is not None:
                request.transport.abort()  # an answer other than 200 may end the repetitions (security.md D.2)
            return web.Response(status=503)
        return web.Response(text=TAKEN)

    def parse(self, found: Mapping[str, Any]) -> Event | None:
        """One opened message as an event; None for what is not followed."""
        said = letter(self.channel.name, found)
        return homeward(self._live, said.event) if said is not None else None

    def _opened(self, query: Mapping[str, str], body: bytes) -> Mapping[str, Any] | None:
        """The fields of a message, if it is WeChat's and for this account."""
        found = self._envelope.open_xml(query, body) if self._safe else self._open_plain(query, body)
        account = self._setup.text("account")
        return None if found is None or (account and found.get("ToUserName") != account) else found

    def _open_plain(self, query: Mapping[str, str], body: bytes) -> Mapping[str, Any] | None:
        if not self._signed(query):
            return None
        try:
            return fields(body.decode())
        except UnicodeDecodeError:
            return None

    def _signed(self, query: Mapping[str, str]) -> bool:
        stamp = query.get("timestamp", "")
        good = same(sign(self._token, stamp, query.get("nonce", "")), query.get("signature", ""))
        return fresh(stamp, time.time()) and good

    async def _kept(self, events: Sequence[Event]) -> bool:
        """Durably; for as long as WeChat waits while there is no room."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                await self._live.inbox.accept(events)
            except Busy:
                if asyncio.get_running_loop().time() > deadline:
                    return False
                await asyncio.sleep(BUSY_SECONDS)
                continue
            return True
