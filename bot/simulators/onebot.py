"""A OneBot v11 implementation without a QQ account: dials in, is dialled, posts and is posted to; forgets nothing said.

`way` is how the bot is reached: reverse, forward or http. Nothing is delivered twice, and what is said while nobody is
connected stays in the history only, as with the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import aiohttp
from aiohttp import WSMsgType, web

from bot.platforms import segments
from bot.simulators.frame import HANG_SECONDS, Fault, Said, SentLine, Stage

WAYS = ("reverse", "forward", "http")
SELF = 10001
AGAIN_SECONDS = 0.2
HISTORY = 500
PNG = b"\x89PNG"
Line = web.WebSocketResponse | aiohttp.ClientWebSocketResponse
Data = Mapping[str, Any]


class OneBotSimulator(Stage):
    """Rooms are group numbers, users QQ numbers."""

    kind: ClassVar[str] = "onebot"
    name = "qq"
    offered: ClassVar[tuple[str, ...]] = ("timeout", "reset", "html", "half_sent", "slow", "disconnect", "error")

    def __init__(self, way: str = "reverse", strings: bool = False) -> None:
        super().__init__()
        self.way, self.strings = way, strings
        self.token = "onebot-simulator-token"  # noqa: S105 - a toy's
        self.rooms = {"7788": "城管随手拍工作群", "7799": "税费服务群"}
        self.users = {"20001": "李敏", "20002": "张强", "20003": "王磊"}
        self.history: list[dict[str, Any]] = []
        self.has_history = True
        self.connected = asyncio.Event()
        self._lines: set[Line] = set()
        self._pictures: dict[str, bytes] = {}
        self._dialling: asyncio.Task[Any] | None = None
        self._session: aiohttp.ClientSession | None = None

    def add_routes(self, app: web.Application) -> None:
        """Forward WebSocket at /, HTTP actions, and the pictures people sent."""
        app.router.add_get("/picture/{name}", self._picture)
        for path in ("/", "/api", "/event"):
            app.router.add_get(path, self._dialled)
        app.router.add_post("/{action:[a-z_]+}", self._called)

    def channel(self, public_url: str) -> dict[str, Any]:
        """What settings.toml needs."""
        address = self.heard_at(public_url)
        host = self.url.removeprefix("http://")
        options: dict[str, Any] = {"allow": host, "private": True, "address_per_minute": 0}
        if self.strings:
            options["format"] = "string"
        if self.way == "forward":
            options["connect"] = f"ws://{host}/"
        elif self.way == "http":
            options["api"] = self.url
        else:
            self.dial(address.replace("http://", "ws://", 1))
        return {"kind": self.kind, "options": options, "secrets": {"token": self.token}}

    def dial(self, address: str) -> None:
        """Reverse WebSocket: dial an application, and again whenever the line is gone."""
        self.hang_up()
        self._dialling = self.keep(self._keep_dialling(address))

    def hang_up(self) -> None:
        """Dial nobody any more."""
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None

    async def close(self) -> None:
        """Close lines, then as every simulator."""
        for line in tuple(self._lines):
            await line.close()
        if self._session is not None:
            await self._session.close()
        await super().close()

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """One message event, delivered once, if anybody is there."""
        said = Said(id or self.next_id("1"), room, user, text, tuple(photos), quote)
        self.say_line(said)
        event = self._event(said)
        self.history.append(event)
        del self.history[:-HISTORY]
        await self.tell(event)
        return said.id

    async def recall(self, room: str, user: str, message: str) -> None:
        """Somebody takes a message back."""
        self.history = [event for event in self.history if str(event["message_id"]) != message]
        notice = {"notice_type": "group_recall", "group_id": int(room), "operator_id": int(user)}
        await self.tell(_stamped("notice") | notice | {"user_id": int(user), "message_id": int(message)})

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """QQ groups have no buttons."""
        raise RuntimeError("OneBot 没有按钮，请直接发文字")

    async def tell(self, event: Data) -> None:
        """Hand an event to whoever listens, by the configured way."""
        if self.way == "http" and self.callback:
            await self._post(event)
        for line in tuple(self._lines):
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):  # a dying line: nobody was there
                await line.send_json(event)

    async def post(self, address: str, event: Data) -> int:
        """HTTP POST with its signature; the status."""
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Self-ID": str(SELF),
            "X-Signature": f"sha1={hmac.new(self.token.encode(), body, hashlib.sha1).hexdigest()}",
        }
        async with self._client().post(address, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def _post(self, event: Data) -> None:
        status = await self.post(self.callback, event)
        if status >= 300:
            raise RuntimeError(f"机器人没有接收（{status}）")

    def _event(self, said: Said) -> dict[str, Any]:
        parts: list[segments.Segment] = [segments.reply(said.quote)] if said.quote else []
        words = said.text
        if words.startswith("@群办"):
            parts.append(segments.at(str(SELF)))
            words = words.removeprefix("@群办")
        parts += [segments.text(words)] if words else []
        parts += [{"type": "image", "data": self._shown(photo)} for photo in said.photos]
        where = {"message_type": "group", "sub_type": "normal", "group_id": int(said.room)} if said.room else {}
        written = segments.as_string(parts)
        return (
            _stamped("message")
            | {"message_type": "private", "sub_type": "friend", "font": 0, "raw_message": written}
            | {"message_id": int(said.id), "user_id": int(said.user), "message": written if self.strings else parts}
            | {"sender": {"user_id": int(said.user), "nickname": self.users.get(said.user, "网友"), "card": ""}}
            | where
        )

    def _shown(self, photo: bytes) -> dict[str, str]:
        name = f"{hashlib.md5(photo).hexdigest()}.{'png' if photo.startswith(PNG) else 'jpg'}"  # noqa: S324 - as QQ names them
        self._pictures[name] = photo
        return {"file": name, "url": f"{self.url}/picture/{name}"}

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        found = self._pictures.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found, content_type="image/png" if found.startswith(PNG) else "image/jpeg")

    async def _keep_dialling(self, address: str) -> None:
        headers = {"X-Self-ID": str(SELF), "X-Client-Role": "Universal", "Authorization": f"Bearer {self.token}"}
        while True:
            try:
                async with self._client().ws_connect(address, headers=headers) as line:
                    await self._serve(line)
            except (aiohttp.ClientError, OSError):
                pass
            await asyncio.sleep(AGAIN_SECONDS)

    async def _dialled(self, request: web.Request) -> web.StreamResponse:
        refused = self._refused(request)
        if refused is not None:
            return refused
        line = web.WebSocketResponse()
        await line.prepare(request)
        await self._serve(line)
        return line

    def _refused(self, request: web.Request) -> web.Response | None:
        """401 without a token, 403 with a wrong one."""
        given = request.headers.get("Authorization", "").partition(" ")[2] or request.query.get("access_token", "")
        if given == self.token:
            return None
        return web.Response(status=403 if given else 401)

    async def _serve(self, line: Line) -> None:
        self._lines.add(line)
        try:
            await line.send_json(_stamped("meta_event") | {"meta_event_type": "lifecycle", "sub_type": "connect"})
            self.connected.set()
            async for frame in line:
                if frame.type is WSMsgType.TEXT:
                    self.keep(self._answer(line, json.loads(frame.data)))
        finally:
            self._lines.discard(line)
            if not self._lines:
                self.connected.clear()

    async def _answer(self, line: Line, call: Data) -> None:
        found = self.fault("timeout", "slow", "half_sent", "disconnect", "error")
        if found is not None and found.name == "disconnect":
            await line.close()
            return
        answer = await self._done(str(call.get("action")), call.get("params") or {}, found)
        if answer is not None and not line.closed:
            await line.send_json(dict(answer) | {"echo": call.get("echo")})
        elif answer is None and found is not None and found.name == "half_sent":
            await line.close()

    async def _called(self, request: web.Request) -> web.StreamResponse:
        refused = self._refused(request) or await self.trouble(request)
        if refused is not None:
            return refused
        found = self.fault("half_sent", "error")
        answer = await self._done(request.match_info["action"], await request.json(), found)
        if answer is None:
            from bot.simulators.frame import cut

            return cut(request)
        return web.json_response(answer, status=404 if answer["retcode"] == 1404 else 200)

    async def _done(self, action: str, params: Data, found: Fault | None) -> dict[str, Any] | None:
        """None: no answer will come."""
        if found is not None and found.name == "slow":
            await asyncio.sleep(found.seconds)
        if found is not None and found.name == "timeout":
            await asyncio.sleep(HANG_SECONDS)
            return None
        if found is not None and found.name == "error":
            return _failed(found.code or 1200)
        does = _ACTIONS.get(action)
        try:
            answer = await does(self, params) if does else _failed(1404)
        except (KeyError, TypeError, ValueError):
            answer = _failed(1400)
        return None if found is not None and found.name == "half_sent" else answer

    async def _send(self, params: Data) -> dict[str, Any]:
        parts = list(segments.pieces(params["message"]))
        photos = tuple(_decoded(str(data.get("file", ""))) for kind, data in parts if kind == "image")
        line = SentLine(
            self.next_id("9"),
            str(params.get("group_id") or ""),
            "" if params.get("group_id") else str(params["user_id"]),
            text="".join(str(data["text"]) for kind, data in parts if kind == "text").strip(),
            photos=photos,
            mentions=tuple(str(data["qq"]) for kind, data in parts if kind == "at"),
            quote=next((str(data["id"]) for kind, data in parts if kind == "reply"), ""),
        )
        await self.record(line)
        return _ok({"message_id": int(line.id)})

    async def _past(self, params: Data) -> dict[str, Any]:
        if not self.has_history:
            return _failed(1404)
        said = [event for event in self.history if event.get("group_id") == int(params["group_id"])]
        if params.get("message_seq"):
            until = str(params["message_seq"])
            place = next((i for i, event in enumerate(said) if str(event["message_id"]) == until), len(said) - 1)
            said = said[: place + 1]
        return _ok({"messages": said[-int(params.get("count", 20)) :]})

    async def _who(self, params: Data) -> dict[str, Any]:
        return _ok({"user_id": SELF, "nickname": "群办"})

    async def _message_of(self, params: Data) -> dict[str, Any]:
        wanted = str(params["message_id"])
        return _ok(next(event for event in self.history if str(event["message_id"]) == wanted))

    async def _version(self, params: Data) -> dict[str, Any]:
        return _ok({"app_name": "qunban-simulator", "protocol_version": "v11", "app_version": "1"})

    async def _member(self, params: Data) -> dict[str, Any]:
        user = str(params["user_id"])
        return _ok({"group_id": params["group_id"], "user_id": int(user), "nickname": self.users[user], "card": ""})


_ACTIONS: Mapping[str, Callable[[OneBotSimulator, Data], Any]] = {
    "send_group_msg": OneBotSimulator._send,
    "send_private_msg": OneBotSimulator._send,
    "send_msg": OneBotSimulator._send,
    "get_group_msg_history": OneBotSimulator._past,
    "get_login_info": OneBotSimulator._who,
    "get_msg": OneBotSimulator._message_of,
    "get_version_info": OneBotSimulator._version,
    "get_group_member_info": OneBotSimulator._member,
}


def _stamped(kind: str) -> dict[str, Any]:
    return {"time": int(time.time()), "self_id": SELF, "post_type": kind}


def _ok(data: Any) -> dict[str, Any]:
    return {"status": "ok", "retcode": 0, "data": data}


def _failed(code: int) -> dict[str, Any]:
    words = "Timeout" if code in (1200, 1202) else "failed"
    return {"status": "failed", "retcode": code, "data": None, "message": words, "wording": words}


def _decoded(file: str) -> bytes:
    try:
        return base64.b64decode(file.removeprefix("base64://"), validate=True)
    except binascii.Error:
        return b""
