"""OneBot v11, all its ways: reverse WebSocket and HTTP POST come in at /in/NAME, forward WebSocket and HTTP go out.

Unofficial, off unless configured (docs/platforms/onebot.md names the risk). Events are accepted in batches in the order
they came; while nothing can be stored no line is read. After a gap what was missed is pulled before new words are
decided. Sends are at-most-once: there is no idempotency key, an implementation's time-out is often a message that did
go out, and doubles get accounts frozen, so what is unclear is parked for a person (security.md D.2, peers.md A.2).
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import json
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace, onebot_events, segments
from bot.platforms.alone import homeward
from bot.platforms.onebot_hearing import Hearing
from bot.platforms.onebot_http import NO_LINE, OFFLINE_SECONDS, HttpApi, signed_body
from bot.platforms.onebot_lines import FRAME_BYTES, HEARTBEAT, Found, Lines, asked_once, keep_dialling
from bot.platforms.registry import Setup
from config.errors import ConfigError, Offline, Parked, Refused, Retry, SendError, Unknown
from digests.characters import split
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store import outbox
from store.outbox import OutboxRow

log = structlog.get_logger()

POST_SECONDS = 10.0  # a posted event waits so long before it is answered 503
UNCLEAR = frozenset({1200, 1202})  # NapCat's time-out codes: sent or not, nobody knows (peers.md A.2)
ADDRESS_PER_MINUTE = 20
CHANNEL_PER_MINUTE = 60
TEXT_BYTES = 3000  # not documented anywhere: an option


class OneBotPlatform:
    """Groups have the address g7788, people the address 20002."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "format": "array",
        "private": False,
        "address_per_minute": ADDRESS_PER_MINUTE,
        "allow": "",
        "connect": "",
        "api": "",
        "self_id": "",
        "history": True,
        "text_bytes": TEXT_BYTES,
    }
    SECRETS = ("token",)

    def __init__(self, setup: Setup) -> None:
        self.channel = Channel(
            setup.name,
            bool(setup.options["private"]),
            "at-most-once",
            "QQ（OneBot，非官方）",
            text_bytes=setup.number("text_bytes"),
            recalls=True,
        )
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or CHANNEL_PER_MINUTE)
        self.engine: Engine | None = None
        self._token = setup.secrets["token"]
        self._strings = setup.text("format") == "string"
        self._photo = setup.photo
        self._fetcher = Fetcher(setup.text("allow").split(","))
        self._address = _address(setup, "connect", ("ws://", "wss://"))
        base = _address(setup, "api", ("http://", "https://"))
        self._api = HttpApi(base, self._token) if base else None
        self._self_id = setup.text("self_id")
        wanted = bool(setup.options["history"])
        self._hearing = Hearing(setup.name, self._ask, lambda found: self.parse(found, self._self_id), wanted=wanted)
        self._lines = Lines(setup.name, self._hear, self._opened)
        self._echoes = itertools.count(1)
        self._dialling: asyncio.Task[None] | None = None

    def add_routes(self, app: web.Application) -> None:
        """The one address implementations dial or post to."""
        app.router.add_get(f"/in/{self.channel.name}", self._dialled)
        app.router.add_post(f"/in/{self.channel.name}", self._posted)
        app.on_shutdown.append(self._hang_up)

    async def start(self) -> None:
        """Wait to be called; dial where an address is given."""
        await self._hearing.start(self._live)
        if self._address:
            dialling = keep_dialling(self._lines, self.channel.name, self._address, self._token)
            self._dialling = asyncio.create_task(dialling)
        elif self._api is not None:
            self._hearing.look_back()

    async def close(self) -> None:
        """What was read is stored first; then stop."""
        await self._hearing.close()
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.gather(self._dialling, return_exceptions=True)
        await self._fetcher.close()
        if self._api is not None:
            await self._api.close()

    async def probe(self) -> str:
        """Whether the implementation can be reached and takes the token."""
        if self._api is not None:
            found = await self._api.call("get_login_info", {})
        elif self._address:
            found = await asked_once(self._address, self._token, "get_login_info")
        else:
            return f"配置完整，等 QQ 端来连 /in/{self.channel.name}，启动后看连接情况"
        data = found.get("data")
        return f"已连上 QQ 端，登录账号 {data.get('user_id') if isinstance(data, dict) else '未知'}"

    async def fetch(self, photo: Photo) -> bytes:
        """Photo addresses expire quickly, so this is called at once."""
        return await self._fetcher.get(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Call send_group_msg or send_private_msg and wait for the message's id; the outbox bounds the waiting."""
        if self._lines.api is None and self._api is None:
            raise Offline(NO_LINE, OFFLINE_SECONDS)
        if self._hearing.queue.full():
            raise Retry("正在等磁盘，暂不发送", 2.0)
        receipt = ""
        for place, parts in enumerate(await self._messages(message)):
            action, params = _call(row, segments.as_string(parts) if self._strings else parts)
            try:
                found = _receipt(await self._ask(action, params, f"{row.seq}/{place}"))
            except SendError as error:
                if place:
                    raise Parked(f"前 {place} 段已发出，后面没有发成") from error
                raise
            receipt = receipt or found
        return receipt

    async def _ask(self, action: str, params: Mapping[str, Any], echo: str = "") -> Found:
        """Over the line where there is one, else over HTTP."""
        line = self._lines.api
        if line is not None:
            echo = echo or f"q{next(self._echoes)}"
            frame = json.dumps({"action": action, "params": params, "echo": echo}, ensure_ascii=False)
            return await self._lines.call(line, echo, frame)
        if self._api is None:
            raise Offline(NO_LINE, OFFLINE_SECONDS)
        return await self._api.call(action, params)

    async def _messages(self, message: Message) -> list[list[segments.Segment]]:
        """As many messages as its words need: the first quotes and calls, the last carries the pictures."""
        quote = message.quote.partition("@")[0]
        head = [segments.reply(quote)] if onebot_events.is_number(quote) else []
        if message.mention:
            head += self._call_out(message.mention[0])
        limit = self.channel.text_bytes
        pieces = split(message.text, limit) if limit else (message.text,)
        found: list[list[segments.Segment]] = [[segments.text(piece)] for piece in pieces or ("",)]
        found[0][:0] = head
        for sha in message.photos:
            found[-1].append(segments.image(await asyncio.to_thread(self._encoded, sha)))
        return found

    def _call_out(self, person: str) -> list[segments.Segment]:
        found, mark = self._live.office.people.get(person), f"{self.channel.name}:"
        users = [a.removeprefix(mark) for a in found.accounts if a.startswith(mark)] if found else []
        return [segments.at(users[0]), segments.text(" ")] if users else []

    def _encoded(self, sha: str) -> str:
        return base64.b64encode(self._photo(sha).read_bytes()).decode()

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine

    async def _dialled(self, request: web.Request) -> web.StreamResponse:
        """401 without a token, 403 with a wrong one, as other OneBot applications answer (platforms.md 9)."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        token = given if kind in ("Bearer", "Token") else request.query.get("access_token", "")
        self_id = request.headers.get("X-Self-ID", "")
        if not token:
            return web.Response(status=401, text="需要令牌")
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token.encode()):
            return web.Response(status=403, text="令牌不对")
        if self._self_id and self_id and self_id != self._self_id:
            return web.Response(status=403, text="不是这个账号")
        line = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=FRAME_BYTES, compress=False)
        await line.prepare(request)
        await self._lines.follow(request.headers.get("X-Client-Role", "Universal"), line, self_id)
        return line

    async def _posted(self, request: web.Request) -> web.Response:
        """204 after the commit; 503 when there was no room."""
        body = await signed_body(request, self._token.encode())
        if isinstance(body, web.Response):
            log.warning("onebot_post_refused", channel=self.channel.name, status=body.status)
            return body
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return web.Response(status=400)
        event = self.parse(found, request.headers.get("X-Self-ID", "")) if isinstance(found, dict) else None
        if event is None:
            return web.Response(status=204)
        if not await self._hearing.take_now(event, POST_SECONDS):
            return web.Response(status=503, headers={"Retry-After": "2"})
        return web.Response(status=204)

    async def _opened(self, role: str) -> None:
        if role == "Event":
            return
        self._hearing.look_back()
        await self._live.store.write(lambda tx: outbox.hasten(tx, self.channel.name, NO_LINE))
        await self._live.outbox.sweep()

    async def _hang_up(self, app: web.Application) -> None:
        await self._lines.hang_up()

    async def _hear(self, found: Found, self_id: str) -> None:
        await self._hearing.take(self.parse(found, self_id), onebot_events.moment(found))

    def parse(self, found: Found, self_id: str = "") -> Event | None:
        """One OneBot event as ours; None for what we do not follow or what is another account's."""
        if self._self_id and str(found.get("self_id") or self_id) != self._self_id:
            return None
        event = onebot_events.read(self.channel.name, found, self_id, self._group)
        return homeward(self._live, event) if event is not None and event.private else event

    def _group(self, address: str) -> str:
        group = self._live.office.group_at.get((self.channel.name, address))
        return group.id if group else ""


def _address(setup: Setup, key: str, schemes: tuple[str, ...]) -> str:
    value = setup.text(key)
    if value and not value.startswith(schemes):
        raise ConfigError(f"channels.{setup.name} 选项 {key} 应以 {' 或 '.join(schemes)} 开头")
    return value


def _call(row: OutboxRow, message: object) -> tuple[str, Mapping[str, Any]]:
    group = row.address.startswith("g")
    action, target = ("send_group_msg", "group_id") if group else ("send_private_msg", "user_id")
    number = row.address.removeprefix("g")
    if not number.isascii() or not number.isdigit():
        raise Refused("地址写法不对，应为 g群号 或 QQ 号")
    return action, {target: int(number), "message": message}


def _receipt(answer: Found) -> str:
    data, code = answer.get("data"), answer.get("retcode")
    if answer.get("status") in ("ok", "async"):
        return onebot_events.number(data, "message_id") if isinstance(data, dict) else ""
    words = f"{answer.get('message', '')}{answer.get('wording', '')}"
    if code in UNCLEAR or "imeout" in words or "超时" in words:
        raise Unknown(f"QQ 端说超时（{code}）")
    raise Refused(f"QQ 端拒绝（{code}）")
