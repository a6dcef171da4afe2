"""The QQ open platform's bot (API v2): callbacks at /in/NAME or the gateway in, HTTPS out (docs/platforms/qq.md).

A callback's Ed25519 signature is checked before anything is parsed, every failure is the same 403, and 200 is said only
after the commit. QQ lets a bot answer, not speak: what nobody asked for waits for the next call, where a group refuses it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace, qq_signature, standing
from bot.platforms.bodies import packed, read_within
from bot.platforms.qq_api import Credentials, QQApi
from bot.platforms.qq_events import Heard, heard
from bot.platforms.qq_replies import Replies
from bot.platforms.qq_sending import Look, Sender
from bot.platforms.registry import Setup
from config.errors import Busy, ConfigError, SendError
from digests.screening import clean_name
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store import Tx, qq
from store.inbox import InboxRow
from store.outbox import OutboxRow

log = structlog.get_logger()

BODY_BYTES = 64 << 10  # security.md T4
BODY_SECONDS = 10.0
DISPATCH, CHALLENGE, ACK = 0, 13, 12
MODES = ("webhook", "gateway")
DENIED = "签名不对或已过期"
ADDRESS_PER_MINUTE = 20
CHANNEL_PER_MINUTE = 300


class QQPlatform:
    """Addresses are g + group_openid and u + user_openid; members are known as m + member_openid."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "appid": "",
        "mode": "webhook",
        "private": False,
        "all_messages": False,
        "pushes": True,
        "push_again_days": 7,
        "markdown": False,
        "keyboard": False,
        "urls": "",
        "text_bytes": 3000,
        "fresh_seconds": 300,
        "address_per_minute": ADDRESS_PER_MINUTE,
        "api": "https://api.sgroup.qq.com",
        "auth": "https://bots.qq.com/app/getAppAccessToken",
        "gateway": "",
        "intents": 1 << 25 | 1 << 26,
        "extra_intents": 1 << 24,
        "allow": "",
    }
    SECRETS = ("secret",)

    def __init__(self, setup: Setup) -> None:
        option = setup.options
        if not setup.text("appid") or setup.text("mode") not in MODES:
            raise ConfigError(f"channels.{setup.name} 要写 appid，mode 只能是 {' 或 '.join(MODES)}")
        self.channel = Channel(
            setup.name,
            bool(option["private"]),
            "idempotent",
            "QQ 官方机器人",
            text_bytes=setup.number("text_bytes"),
            forms=("markdown", "text") if option["markdown"] else ("text",),
            markdown_bytes=setup.number("text_bytes"),
            hears="all" if option["all_messages"] else "mention",
            pushes=False,
            buttons=bool(option["keyboard"]),
            private_prefix="u",
        )
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or CHANNEL_PER_MINUTE)
        self.engine: Engine | None = None
        self._setup = setup
        self._key = qq_signature.key_of(setup.secrets["secret"])
        self._public = self._key.public_key()
        self._fetcher = Fetcher(setup.text("allow").split(","))
        self.api = QQApi(
            Credentials(setup.text("appid"), setup.secrets["secret"]),
            setup.text("api"),
            setup.text("auth"),
            self._fetcher,
        )
        self.replies = Replies(setup.name, bool(option["pushes"]), setup.number("push_again_days"))
        hosts = tuple(host.strip().lower() for host in setup.text("urls").split(",") if host.strip())
        look = Look(setup.number("text_bytes"), hosts, bool(option["markdown"]), bool(option["keyboard"]))
        self._sender = Sender(self.api, self.replies, look, setup.photo)
        self._work: set[asyncio.Task[None]] = set()
        self._gateway: asyncio.Task[None] | None = None

    def add_routes(self, app: web.Application) -> None:
        """The one address the platform calls, in webhook mode."""
        if self._setup.text("mode") != "gateway":
            app.router.add_post(f"/in/{self.channel.name}", self._posted)

    async def start(self) -> None:
        """Take up the windows an earlier process knew; in gateway mode, connect."""
        await self.replies.load(self._live.store)
        await self._live.store.write(lambda tx: standing.forget(tx, self.channel.name))  # of another mode's time
        if self._setup.text("mode") == "gateway":
            from bot.platforms.qq_gateway import Gateway

            gateway = Gateway(self._setup, self.api, self.take, self._live.store)
            self._gateway = asyncio.get_running_loop().create_task(gateway.run())

    async def close(self) -> None:
        """Disconnect."""
        tasks = [*self._work, *((self._gateway,) if self._gateway is not None else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.close()

    async def fetch(self, photo: Photo) -> bytes:
        """Photo addresses expire, so this is called at once."""
        return await self._fetcher.get(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Answer in a window, else speak unasked, else wait for one."""
        return await self._sender.send(self._live.store, row, message)

    async def probe(self) -> str:
        """Ask who we are; in gateway mode also where the gateway is."""
        found = await self.api.call("GET", "/users/@me")
        name = clean_name(str(found.get("username", ""))) or "未命名"
        if self._setup.text("mode") != "gateway":
            return f"已连通，机器人“{name}”；消息从回调地址 /in/{self.channel.name} 进来，请在开放平台点一次校验"
        await self.api.call("GET", "/gateway/bot")
        return f"已连通，机器人“{name}”，网关可用"

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine

    async def _posted(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = None if packed(request) else await read_within(request, BODY_BYTES)
        except TimeoutError:
            body = None
        if body is None or not self._signed(request.headers, body):
            log.warning("signature_refused", channel=self.channel.name)
            return web.Response(status=403, text=DENIED)
        try:
            packet = json.loads(body)
        except (ValueError, RecursionError):
            packet = None
        if not isinstance(packet, dict):
            return web.Response(status=400, text="不是 JSON 对象")
        if packet.get("op") == CHALLENGE:
            return self._challenged(packet.get("d"))
        return await self._dispatched(packet)

    def _signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        stamp = headers.get("X-Signature-Timestamp", "")
        right = qq_signature.signed(self._public, stamp, headers.get("X-Signature-Ed25519", "").lower(), body)
        ours = hmac.compare_digest(
            headers.get("X-Bot-Appid", "").encode("utf-8", "surrogateescape"), self._setup.text("appid").encode()
        )
        return right and ours and abs(time.time() - int(stamp)) <= self._setup.number("fresh_seconds")

    def _challenged(self, data: object) -> web.Response:
        asked = data if isinstance(data, dict) else {}
        answer = qq_signature.challenge_answer(self._key, asked.get("event_ts"), asked.get("plain_token"))
        if answer is None:
            return web.Response(status=400, text="校验请求不对")
        log.info("qq_challenged", channel=self.channel.name)
        return web.json_response(answer)

    async def _dispatched(self, packet: Mapping[str, Any]) -> web.Response:
        if packet.get("op") != DISPATCH:
            return web.json_response({"op": ACK, "d": 0})
        try:
            await self.take(packet)
        except Busy:  # d = 1 asks for it again, says botgo
            return web.json_response({"op": ACK, "d": 1}, status=503, headers={"Retry-After": "2"})
        return web.json_response({"op": ACK, "d": 0})

    async def take(self, packet: Mapping[str, Any], session: tuple[str, int] | None = None) -> None:
        """Store what a packet says, how far the gateway was read beside it, then let what waited for it leave."""
        found = heard(self.channel.name, packet)
        if found is None:
            return
        if found.window is not None:
            self.replies.heard(found.window)  # first: an answer may leave right behind the commit
        if found.pushes is not None:
            await self.replies.consent(self._live.store, found.address, found.pushes)
        if found.event is not None:
            event = await self._placed(found.event)
            await self._live.inbox.accept((event,), partial(self._beside, found, session))
        if found.pressed:
            self._begin(self._acknowledge(found.pressed))
        if (found.window is not None or found.pushes) and await self.replies.wake(self._live.store, found.address):
            await self._live.outbox.sweep()

    def _beside(self, found: Heard, session: tuple[str, int] | None, tx: Tx, rows: Sequence[InboxRow | None]) -> None:
        if found.window is not None:
            qq.open_window(tx, self.channel.name, found.window)
        if session is not None:
            qq.reach(tx, self.channel.name, *session)

    async def _placed(self, event: Event) -> Event:
        """With its work group, and what it quotes under the id we know."""
        group = self._live.office.group_at.get((self.channel.name, event.address))
        quote = event.quote
        if quote:
            quote = await self._live.store.read(lambda c: qq.quoted(c, self.channel.name, event.quote)) or quote
        return replace(event, group=group.id if group else "", quote=quote) if group or quote else event

    async def _acknowledge(self, interaction: str) -> None:
        try:
            await self.api.call("PUT", f"/interactions/{interaction}", {"code": 0})
        except SendError as error:
            log.warning("qq_press_unanswered", reason=str(error))

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
