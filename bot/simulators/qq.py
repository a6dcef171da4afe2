"""A QQ open platform of one's own: signed callbacks or the gateway, tokens, windows of five answers, refused pushes.

In a group only messages that begin with @群办 reach the bot, unless `all_messages` (the page's users may write either).
`pushers` are rooms whose owner lets the bot speak unasked; none does at first.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import time
from collections.abc import Sequence
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from bot.platforms import qq_signature
from bot.simulators import qq_wire
from bot.simulators.frame import Said, SentLine, Stage, cut, half_answered
from bot.simulators.qq_hub import Hub
from bot.simulators.qq_rules import Rules, error
from bot.simulators.qq_wire import openid

APP, SECRET = "102000001", "DG5g3B4j9X2KOErG"
CALLS = ("@群办", "@机器人")
TOKEN_SECONDS = 7200
GROUP_SECONDS, PRIVATE_SECONDS = 300, 3600

Data = dict[str, Any]


class QQSimulator(Stage):
    """By callback; `QQGatewaySimulator` by gateway."""

    kind: ClassVar[str] = "qq"
    name = "qq"
    mode = "webhook"
    offered: ClassVar[tuple[str, ...]] = (
        "timeout", "reset", "html", "rate_limit", "token_expired", "half_sent", "slow", "disconnect", "error",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.secret = SECRET
        self.all_messages = False
        self.pushers: set[str] = set()
        self.tokens: list[str] = []
        self.calls: list[tuple[str, Data]] = []  # what was posted, for tests
        self.acknowledged: list[str] = []
        self.hub = Hub(self.valid)
        self._valid: set[str] = set()
        self.rules = Rules(self.fault)
        self._photos: dict[str, bytes] = {}
        self._challenged = False
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    def add_routes(self, app: web.Application) -> None:
        """What the platform answers."""
        app.router.add_post("/app/getAppAccessToken", self._token)
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/gateway/bot", self._gateway)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_get("/websocket", self.hub.dialled)
        app.router.add_get("/photo/{name}", self._photo)
        app.router.add_put("/interactions/{id}", self._pressed)
        app.router.add_post("/v2/{scope:groups|users}/{openid}/messages", self._message)
        app.router.add_post("/v2/{scope:groups|users}/{openid}/files", self._file)

    def channel(self, public_url: str) -> Data:
        """What settings.toml needs."""
        self.heard_at(public_url)
        options = {
            "appid": APP,
            "mode": self.mode,
            "api": self.url,
            "auth": f"{self.url}/app/getAppAccessToken",
            "allow": self.url.removeprefix("http://"),
            "private": True,
            "keyboard": True,
            "address_per_minute": 0,
        }
        return {"kind": self.kind, "options": options, "secrets": {"secret": self.secret}}

    async def close(self) -> None:
        """Close lines, then as every simulator."""
        await self.hub.close()
        if self._session is not None:
            await self._session.close()
        await super().close()

    def address(self, room: str) -> str:
        """What our bot calls a room."""
        return f"g{openid('group', room)}"

    def account(self, user: str, room: str = "") -> str:
        """What our bot calls a person, in a room or in private."""
        return f"m{openid('member', room, user)}" if room else f"u{openid('user', user)}"

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """A message event. In a room the bot hears what calls it, or everything."""
        said = Said(id or self.next_id("ROBOT1.0_"), room, user, text, tuple(photos), quote)
        self.say_line(said)
        call = next((mark for mark in CALLS if text.startswith(mark)), "")
        if room and not call and not self.all_messages:
            return said.id
        self._open(said.id, room, user)
        kind = (
            ("GROUP_MESSAGE_CREATE" if self.all_messages else "GROUP_AT_MESSAGE_CREATE")
            if room
            else "C2C_MESSAGE_CREATE"
        )
        words = text.removeprefix(call)
        if call and self.all_messages:
            words = f"<@{openid('bot', room)}>{words}"
        elif room:
            words = f" {words.lstrip()}"
        shown = [self._shown(photo, place) for place, photo in enumerate(photos, 1)]
        name = self.users.get(user, "网友")
        data = qq_wire.message(said.id, room, user, name, words, shown, self._quoted(quote), bool(call))
        await self.tell(kind, data)
        return said.id

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """A person presses a button by its label."""
        data = next(found for label, found in line.buttons if label == button)
        event = self.next_id("INTERACTION_CREATE:")
        self._open(event, line.room, user or line.user)
        await self.tell(
            "INTERACTION_CREATE", qq_wire.press(self.next_id("i"), line.room, user or line.user, data), event
        )

    async def tell(self, kind: str, data: Data, event: str = "") -> None:
        """Deliver one event by the configured way, again while it is not taken."""
        packet = {"op": 0, "id": event or self.next_id("event"), "t": kind, "d": data}
        if self.mode == "gateway":
            await self.hub.tell(packet)
            return
        if not self._challenged and not await self.challenge():
            raise RuntimeError("回调地址没有通过校验")
        body = json.dumps(packet | {"s": next(self._numbers)}, ensure_ascii=False).encode()
        if not await self.deliver(lambda: self._taken(body)):
            raise RuntimeError("机器人没有收下")

    async def challenge(self) -> bool:
        """Op 13, as the console sends it when a callback address is entered."""
        stamp, token = str(int(time.time())), openid("challenge", self.next_id())[:20]
        body = json.dumps({"op": 13, "d": {"plain_token": token, "event_ts": stamp}}).encode()
        status, answer = await self.post(body)
        wanted = qq_signature.sign(qq_signature.key_of(self.secret), stamp, token.encode())
        with contextlib.suppress(ValueError):
            self._challenged = status == 200 and json.loads(answer) == {"plain_token": token, "signature": wanted}
        return self._challenged

    async def post(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """A signed callback; `headers` replace ours (with _ for -)."""
        stamp = str(int(time.time()))
        own = {
            "User-Agent": "QQBot-Callback",
            "Content-Type": "application/json",
            "X-Bot-Appid": APP,
            "X-Signature-Timestamp": stamp,
            "X-Signature-Ed25519": qq_signature.sign(qq_signature.key_of(self.secret), stamp, body),
        }
        own |= {key.replace("_", "-"): value for key, value in headers.items()}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(self.callback, data=body, headers=own) as answer:
            return answer.status, await answer.read()

    async def _taken(self, body: bytes) -> bool:
        try:
            status, answer = await self.post(body)
        except aiohttp.ClientError:
            return False
        return status == 200 and b'"d": 1' not in answer  # other bots answer nothing at all, and are done

    def _open(self, found: str, room: str, user: str) -> None:
        self.rules.open(found, GROUP_SECONDS if room else PRIVATE_SECONDS)

    def _place(self, home: str) -> tuple[str, str] | None:
        """Which room or person an openid stands for."""
        rooms = {openid("group", room): (room, "") for room in self.rooms}
        return (rooms | {openid("user", user): ("", user) for user in self.users}).get(home)

    def lapse(self) -> None:
        """Every window closes now, as after five minutes."""
        self.rules.lapse()

    def _shown(self, photo: bytes, place: int) -> Data:
        name = f"{len(self._photos)}.jpg"
        self._photos[name] = photo
        return qq_wire.attachment(f"{self.url}/photo/{name}", photo, place)

    def _quoted(self, quote: str) -> Data | None:
        line = next((line for line in self.lines if line.id == quote), None) if quote else None
        if line is None:
            return None
        shown = [self._shown(photo, place) for place, photo in enumerate(line.photos, 1)]
        return {"content": line.text, "message_type": 0, "msg_idx": qq_wire.index_of(quote), "attachments": shown}

    def valid(self, authorization: str) -> bool:
        """Whether a token holds."""
        return authorization.removeprefix("QQBot ") in self._valid

    async def _token(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if asked.get("appId") != APP or asked.get("clientSecret") != self.secret:
            return web.json_response({"code": 100016, "message": "invalid appid or secret"})
        token = f"token{len(self.tokens)}"
        self.tokens.append(token)
        self._valid.add(token)
        return web.json_response({"access_token": token, "expires_in": str(TOKEN_SECONDS)})

    def _denied(self, request: web.Request) -> web.Response | None:
        if self.fault("token_expired"):
            self._valid.clear()
        if not self.valid(request.headers.get("Authorization", "")):
            return web.json_response({"code": 11243, "message": "token is invalid"}, status=401)
        return None

    async def _me(self, request: web.Request) -> web.StreamResponse:
        return self._denied(request) or web.json_response({"id": APP, "username": qq_wire.BOT, "avatar": ""})

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        limit = {"total": 1000, "remaining": 999, "reset_after": 14400000, "max_concurrency": 1}
        url = f"{self.url.replace('http', 'ws', 1)}/websocket"
        return self._denied(request) or web.json_response({"url": url, "shards": 1, "session_start_limit": limit})

    async def _photo(self, request: web.Request) -> web.StreamResponse:
        photo = self._photos.get(request.match_info["name"])
        return web.Response(body=photo, content_type="image/jpeg") if photo is not None else web.Response(status=404)

    async def _pressed(self, request: web.Request) -> web.StreamResponse:
        if (denied := self._denied(request)) is not None:
            return denied
        self.acknowledged.append(request.match_info["id"])
        return web.json_response({})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if (denied := self._denied(request)) is not None:
            return denied
        asked = await request.json()
        info = f"file{len(self.rules.files)}"
        photo = self._photos.get(str(asked.get("url", "")).rpartition("/")[2])
        if photo is None and not asked.get("file_data"):
            return error(304083)
        self.rules.files[info] = (request.match_info["openid"], photo or base64.b64decode(asked["file_data"]))
        return web.json_response({"file_uuid": info, "file_info": info, "ttl": 3600})

    async def _message(self, request: web.Request) -> web.StreamResponse:
        asked: Data = await request.json()
        if (denied := self._denied(request)) is not None:
            return denied
        if (trouble := await self.trouble(request)) is not None:
            return trouble
        self.calls.append((request.path, asked))
        place = self._place(request.match_info["openid"])
        problem = self.rules.problem(place, request.match_info["openid"], asked, self.pushers)
        if problem is not None:
            return problem
        found = self.next_id("ROBOT1.0_sent")
        room, user = place or ("", "")
        await self.record(self.rules.line(found, room, user, asked))
        if self.fault("half_sent"):
            return cut(request)
        if self.fault("disconnect"):
            return await half_answered(request)
        return web.json_response(
            {"id": found, "timestamp": qq_wire.now(), "ext_info": {"ref_idx": qq_wire.index_of(found)}}
        )


class QQGatewaySimulator(QQSimulator):
    """The same platform, events by WebSocket."""

    mode = "gateway"

    @property
    def connected(self) -> asyncio.Event:
        """Set while a bot is there."""
        return self.hub.connected
