"""A WeCom AI bot's server, long connection: subscribe, callbacks, replies, pushes, uploads, cards (platforms.md 2.3).

It keeps the platform's rules: one live line a bot, @ needed in groups, pictures encrypted and gone after five minutes,
30 messages a minute and chat, pushes only where somebody called the bot before, text pushes refused. Qualified by
@wecom/aibot-node-sdk and wecom-aibot-sdk (tests/peers).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from bot.simulators.frame import Said, SentLine, Stage, cut
from bot.simulators.wecom_aibot_frames import Pictures, quoted, shown_card, spoken

BOT_ID, SECRET, NAME = "aibSIMULATED", "simulated-secret-0123456789", "群办"
PER_MINUTE = 30
FRAME_BYTES = 4 << 20
UPLOAD_BYTES, CHUNKS = 10 << 20, 100
REPLIED, REFUSED_TYPE, BAD_EXCHANGE, TOO_OFTEN, BAD_SECRET, BAD_UPLOAD = 0, 40008, 846605, 45009, 40001, 40007
PUSHED = frozenset({"markdown", "template_card", "image", "file", "voice", "video"})

Body = Mapping[str, Any]


class WecomAibotSimulator(Stage):
    """The long connection is at /ws."""

    kind = "wecom-aibot"
    name = "wecom"
    offered: ClassVar[tuple[str, ...]] = (
        "timeout",
        "reset",
        "html",
        "rate_limit",
        "half_sent",
        "slow",
        "disconnect",
        "error",
    )

    def __init__(self) -> None:
        super().__init__()
        self.rooms = {"wrSUISHOUPAI": "城管随手拍工作群", "wrTAX": "税费服务群"}
        self.pictures = Pictures()
        self.subscribed = Counter[str]()
        self.quiet = False  # do not count the minute's messages
        self._line: web.WebSocketResponse | None = None
        self.called: set[str] = set()  # chats in which the bot may push
        self._exchanges: dict[str, Body] = {}
        self._uploads: dict[str, tuple[Body, dict[int, bytes]]] = {}
        self._media: dict[str, bytes] = {}
        self._cards: dict[str, str] = {}  # task_id → line
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._open, self._gone = asyncio.Event(), asyncio.Event()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Pictures are fetched from here too."""
        self.pictures.base = await super().start(host, port)
        return self.url

    def add_routes(self, app: web.Application) -> None:
        """The socket and the pictures."""
        app.router.add_get("/ws", self._connected)
        app.router.add_get("/media/{name}", self._picture)

    def channel(self, public_url: str) -> dict[str, Any]:
        """The bot dials us."""
        host = self.url.removeprefix("http://")
        options = {"bot_id": BOT_ID, "bot_name": NAME, "ws_url": f"ws://{host}/ws", "allow": host}
        return {"kind": self.kind, "options": options, "secrets": {"secret": SECRET}}

    async def connected(self, seconds: float = 10.0) -> None:
        """Wait for a subscribed line."""
        async with asyncio.timeout(seconds):
            await self._open.wait()

    async def lost(self, seconds: float = 10.0) -> None:
        """Wait until nobody is on the line."""
        async with asyncio.timeout(seconds):
            await self._gone.wait()

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """Delivered once, on the live line; in a group only what calls the bot is delivered at all."""
        message_id = id or self.next_id("CAI")
        said = Said(message_id, room, user, text, tuple(photos), quote)
        self.say_line(said)
        if room and f"@{NAME}" not in text:
            return message_id
        body = {**self._head(message_id, room, user), **spoken(said, self.pictures)}
        if quote and (cited := next((line for line in self.lines if line.id == quote), None)) is not None:
            body["quote"] = quoted(cited, self.pictures)
        self.called.add(room or user)
        await self._push("aibot_msg_callback", body)
        return message_id

    async def enter(self, user: str) -> None:
        """Somebody opens the chat with the bot."""
        await self._event(user, "", "enter_chat", {})

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """A click is delivered once."""
        key = next(key for label, key in line.buttons if label == button)
        task_id = next((task for task, at in self._cards.items() if at == line.id), "")
        detail = {"card_type": "button_interaction", "event_key": key, "task_id": task_id}
        await self._event(user or line.user, line.room, "template_card_event", detail)

    async def kick(self) -> None:
        """Another server subscribes as the same bot."""
        await self._event("", "", "disconnected_event", {})
        if self._line is not None:
            await self._line.close()

    async def drop(self) -> None:
        """The line breaks, without a word."""
        if self._line is not None:
            await self._line.close(code=1006)

    async def _event(self, user: str, room: str, kind: str, detail: Body) -> None:
        event = {"eventtype": kind, kind: detail}
        body = {**self._head(self.next_id("EVT"), room, user), "msgtype": "event", "event": event}
        await self._push("aibot_event_callback", {**body, "create_time": int(time.time())})

    def _head(self, message_id: str, room: str, user: str) -> dict[str, Any]:
        chat = {"chatid": room, "chattype": "group"} if room else {"chattype": "single"}
        return {"msgid": message_id, "aibotid": BOT_ID, "from": {"userid": user}, **chat}

    async def _push(self, cmd: str, body: Body) -> None:
        if self._line is None or self._line.closed:
            raise RuntimeError("机器人没有连上，平台不会补发")
        exchange = self.next_id("R")
        self._exchanges[exchange] = body
        await self._line.send_json({"cmd": cmd, "headers": {"req_id": exchange}, "body": body})

    async def _connected(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.trouble(request)) is not None:
            return broken
        line = web.WebSocketResponse(max_msg_size=FRAME_BYTES)
        await line.prepare(request)
        try:
            async for frame in line:
                if frame.type is WSMsgType.TEXT:
                    await self._took(request, line, json.loads(frame.data))
        finally:
            if self._line is line:
                self._line = None
                self._open.clear()
                self._gone.set()
        return line

    async def _took(self, request: web.Request, line: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        cmd, exchange, body = str(frame.get("cmd")), frame["headers"]["req_id"], frame.get("body", {})
        if cmd in _SENDS and (await self._faulty(request, line, cmd, exchange, body)):
            return
        code, said = REPLIED, dict[str, Any]()
        if cmd == "aibot_subscribe":
            code = await self._subscribe(line, body)
        elif cmd != "ping":
            code, said = await self._done(cmd, exchange, body)
        await self._ack(line, exchange, code, said)

    async def _faulty(
        self, request: web.Request, line: web.WebSocketResponse, cmd: str, exchange: str, body: Body
    ) -> bool:
        """Whether a fault took the place of the answer."""
        found = self.fault("timeout", "reset", "rate_limit", "half_sent", "slow", "disconnect", "error")
        if found is None:
            return False
        if found.name == "slow":
            self.keep(self._later(found.seconds, line, cmd, exchange, body))
        elif found.name == "rate_limit":
            await self._ack(line, exchange, TOO_OFTEN, {})
        elif found.name == "error":
            await self._ack(line, exchange, found.code or BAD_EXCHANGE, {})
        elif found.name == "half_sent":
            await self._done(cmd, exchange, body)
            cut(request)
        elif found.name == "reset":
            cut(request)
        elif found.name == "disconnect":
            await line.close()
        return True

    async def _later(self, seconds: float, line: web.WebSocketResponse, cmd: str, exchange: str, body: Body) -> None:
        await asyncio.sleep(seconds)
        code, said = await self._done(cmd, exchange, body)
        await self._ack(line, exchange, code, said)

    async def _ack(self, line: web.WebSocketResponse, exchange: str, code: int, said: Body) -> None:
        answer = {"headers": {"req_id": exchange}, "errcode": code, "errmsg": "ok" if code == 0 else f"error {code}"}
        if not line.closed:
            await line.send_json({**answer, "body": said} if said else answer)

    async def _subscribe(self, line: web.WebSocketResponse, body: Body) -> int:
        if (body.get("bot_id"), body.get("secret")) != (BOT_ID, SECRET):
            return BAD_SECRET
        old, self._line = self._line, line
        self.subscribed[BOT_ID] += 1
        if old is not None and old is not line and not old.closed:
            event = {"eventtype": "disconnected_event", "disconnected_event": {}}
            body = {"msgid": self.next_id("EVT"), "aibotid": BOT_ID, "msgtype": "event", "event": event}
            await old.send_json({"cmd": "aibot_event_callback", "headers": {"req_id": self.next_id("R")}, "body": body})
            self.keep(old.close())
        self._gone.clear()
        self._open.set()
        return REPLIED

    async def _done(self, cmd: str, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        handler = _SENDS.get(cmd)
        return await handler(self, exchange, body) if handler else (40035, {})

    async def _respond(self, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        asked = self._exchanges.get(exchange)
        if asked is None:
            return BAD_EXCHANGE, {}
        room = str(asked.get("chatid", ""))
        return await self._show(room, "" if room else asked["from"]["userid"], body, f"reply-{exchange}")

    async def _send(self, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        chat = str(body.get("chatid", ""))
        if body.get("msgtype") not in PUSHED:
            return REFUSED_TYPE, {}
        if chat not in self.called:
            return 846611, {}  # the number is ours: what the platform says here is not known
        room = chat if chat in self.rooms else ""
        return await self._show(room, "" if room else chat, body, self.next_id("push"))

    async def _show(self, room: str, user: str, body: Body, line_id: str) -> tuple[int, dict[str, Any]]:
        if not self._may(room or user):
            return TOO_OFTEN, {}
        kind = str(body.get("msgtype"))
        line = SentLine(line_id, room, user, kind)
        if kind in ("stream", "stream_with_template_card"):
            stream = body["stream"]
            pictures = tuple(base64.b64decode(i["image"]["base64"]) for i in stream.get("msg_item", ()))
            line = replace(line, text=str(stream.get("content", "")), photos=pictures)
        if kind in ("template_card", "stream_with_template_card"):
            line = shown_card(line, body["template_card"])
            self._cards[str(body["template_card"].get("task_id"))] = line_id
        if kind in ("markdown", "text"):
            line = replace(line, text=str(body[kind]["content"]))
        if kind == "image":
            picture = self._media.get(str(body["image"].get("media_id")))
            if picture is None:
                return BAD_UPLOAD, {}
            line = replace(line, photos=(picture,))
        await self.record(replace(line, mentions=tuple(_called(line.text))))
        return REPLIED, {}

    def _may(self, chat: str) -> bool:
        """30 messages a minute and chat."""
        times, now = self._times[chat], time.monotonic()
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) >= PER_MINUTE and not self.quiet:
            return False
        times.append(now)
        return True

    async def _update(self, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        card = body.get("template_card", {})
        line_id = self._cards.get(str(card.get("task_id")))
        old = next((line for line in self.sent if line.id == line_id), None)
        if exchange not in self._exchanges or old is None:
            return BAD_EXCHANGE, {}
        await self.record(
            shown_card(replace(old, text=""), card)
            if old.form == "template_card"
            else replace(old, buttons=tuple((b["text"], b["key"]) for b in card.get("button_list", ())))
        )
        return REPLIED, {}

    async def _init(self, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        if not 5 < int(body["total_size"]) <= UPLOAD_BYTES or not 0 < int(body["total_chunks"]) <= CHUNKS:
            return BAD_UPLOAD, {}
        upload = self.next_id("UP")
        self._uploads[upload] = (body, {})
        return REPLIED, {"upload_id": upload}

    async def _chunk(self, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        upload = self._uploads.get(str(body.get("upload_id")))
        if upload is None or not 0 <= int(body["chunk_index"]) < int(upload[0]["total_chunks"]):
            return BAD_UPLOAD, {}
        upload[1][int(body["chunk_index"])] = base64.b64decode(body["base64_data"])
        return REPLIED, {}

    async def _finish(self, exchange: str, body: Body) -> tuple[int, dict[str, Any]]:
        begun, parts = self._uploads.pop(str(body.get("upload_id")), ({}, {}))
        data = b"".join(parts[i] for i in sorted(parts))
        if not begun or len(data) != int(begun["total_size"]):
            return BAD_UPLOAD, {}
        if begun.get("md5") and hashlib.md5(data).hexdigest() != begun["md5"]:  # noqa: S324 - the platform's
            return BAD_UPLOAD, {}
        media = self.next_id("MEDIA")
        self._media[media] = data
        return REPLIED, {"type": begun["type"], "media_id": media, "created_at": int(time.time())}

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.trouble(request)) is not None:
            return broken
        return self.pictures.served(request.match_info["name"])


def _called(text: str) -> list[str]:
    return [part.partition(">")[0] for part in text.split("<@")[1:] if ">" in part]


_SENDS: Mapping[str, Callable[[WecomAibotSimulator, str, Body], Any]] = {
    "aibot_respond_msg": WecomAibotSimulator._respond,
    "aibot_respond_welcome_msg": WecomAibotSimulator._respond,
    "aibot_respond_update_msg": WecomAibotSimulator._update,
    "aibot_send_msg": WecomAibotSimulator._send,
    "aibot_upload_media_init": WecomAibotSimulator._init,
    "aibot_upload_media_chunk": WecomAibotSimulator._chunk,
    "aibot_upload_media_finish": WecomAibotSimulator._finish,
}
