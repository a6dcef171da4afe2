"""WeCom calling an AI bot by webhook: encrypted JSON, streams asked for again, response_url, clicks (platforms.md 2.2)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from bot.platforms.envelope import Envelope
from bot.simulators.frame import Said, SentLine, Stage, cut
from bot.simulators.wecom_aibot import NAME, REPLIED, TOO_OFTEN
from bot.simulators.wecom_aibot_frames import Pictures, quoted, shown_card, spoken

TOKEN, AES_KEY = "SimulatedToken0123456789", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PATIENCE = 5.0  # seconds for an answer; then it is delivered again, three times in all
POLLS = 360
Body = Mapping[str, Any]


class WecomAibotWebhookSimulator(Stage):
    """Pictures and response_urls are served here."""

    kind = "wecom-aibot-webhook"
    name = "wecom"
    offered: ClassVar[tuple[str, ...]] = ("timeout", "reset", "html", "rate_limit", "half_sent", "slow", "error")

    def __init__(self) -> None:
        super().__init__()
        self.rooms = {"wrSUISHOUPAI": "城管随手拍工作群", "wrTAX": "税费服务群"}
        self.envelope = Envelope(TOKEN, AES_KEY, "")
        self.pictures = Pictures(AES_KEY)
        self.poll_seconds = 1.0
        self._urls: dict[str, tuple[str, str]] = {}  # response codes not used yet → room, user
        self._cards: dict[str, str] = {}

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Pictures are fetched from here too."""
        self.pictures.base = await super().start(host, port)
        return self.url

    def add_routes(self, app: web.Application) -> None:
        """What the bot calls."""
        app.router.add_post("/cgi-bin/aibot/response", self._responded)
        app.router.add_get("/media/{name}", self._picture)

    def channel(self, public_url: str) -> dict[str, Any]:
        """We call the bot."""
        self.heard_at(public_url)
        options = {"bot_name": NAME, "allow": self.url.removeprefix("http://")}
        return {"kind": self.kind, "options": options, "secrets": {"token": TOKEN, "aes_key": AES_KEY}}

    async def verify(self) -> bool:
        """The admin site's check of the address."""
        sealed = self.envelope.seal("1234567890")
        query = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
        asked = {**query, "echostr": sealed.encrypt}
        async with aiohttp.ClientSession() as session, session.get(self.callback, params=asked) as answer:
            return answer.status == 200 and await answer.text() == "1234567890"

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """Delivered until it is answered with 200, at most three times; in a group only what calls the bot."""
        message_id = id or self.next_id("CAI")
        said = Said(message_id, room, user, text, tuple(photos), quote)
        self.say_line(said)
        if room and f"@{NAME}" not in text:
            return message_id
        body = {**self._head(message_id, room, user), **spoken(said, self.pictures)}
        if quote and (cited := next((line for line in self.lines if line.id == quote), None)) is not None:
            body["quote"] = quoted(cited, self.pictures)
        code = self.next_id("RC")
        self._urls[code] = (room, user)
        body["response_url"] = f"{self.url}/cgi-bin/aibot/response?response_code={code}"
        if not await self.deliver(lambda: self._called(body, room, user)):
            raise RuntimeError("机器人没有接收")
        return message_id

    async def enter(self, user: str) -> None:
        """Somebody opens the chat with the bot."""
        await self._called(self._event(user, "", "enter_chat", {}), "", user)

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """A click is delivered once."""
        key = next(key for label, key in line.buttons if label == button)
        task_id = next((task for task, at in self._cards.items() if at == line.id), "")
        detail = {"card_type": "button_interaction", "event_key": key, "task_id": task_id}
        who = user or line.user
        await self._called(self._event(who, line.room, "template_card_event", detail), line.room, who)

    def _event(self, user: str, room: str, kind: str, detail: Body) -> dict[str, Any]:
        event = {"eventtype": kind, kind: detail}
        return {**self._head(self.next_id("EVT"), room, user), "msgtype": "event", "event": event}

    def _head(self, message_id: str, room: str, user: str) -> dict[str, Any]:
        chat = {"chatid": room, "chattype": "group"} if room else {"chattype": "single"}
        return {"msgid": message_id, "aibotid": "aibSIMULATED", "from": {"userid": user}, **chat}

    async def _called(self, body: Body, room: str, user: str) -> bool:
        """One delivery; whether it was answered."""
        found = await self._posted(body)
        if found:
            await self._answered(found, body, room, user)
        return found is not None

    async def _posted(self, said: Body) -> dict[str, Any] | None:
        """The opened answer, {} for an empty one, None for none."""
        sealed = self.envelope.seal(json.dumps(said, ensure_ascii=False))
        query = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
        limit = aiohttp.ClientTimeout(total=PATIENCE)
        try:
            body = {"encrypt": sealed.encrypt}
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(self.callback, params=query, json=body) as answer,
            ):
                text = await answer.text()
                return self._opened(text) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _opened(self, text: str) -> dict[str, Any]:
        if not text:
            return {}
        said = json.loads(text)
        query = {
            "msg_signature": said["msgsignature"],
            "timestamp": str(said["timestamp"]),
            "nonce": str(said["nonce"]),
        }
        found = self.envelope.open_json(query, json.dumps({"encrypt": said["encrypt"]}).encode())
        if found is None:
            raise RuntimeError("机器人的回答验不了签名")
        return found

    async def _answered(self, found: Body, body: Body, room: str, user: str) -> None:
        if found.get("response_type") == "update_template_card":
            card = found["template_card"]
            old = next(line for line in self.sent if line.id == self._cards[card["task_id"]])
            await self.record(replace(old, buttons=shown_card(old, card).buttons))
            return
        await self._show(found, room, user, f"reply-{body['msgid']}")
        if found.get("msgtype", "").startswith("stream") and not found["stream"]["finish"]:
            self.keep(self._ask_again(found["stream"]["id"], body, room, user))

    async def _ask_again(self, stream: str, body: Body, room: str, user: str) -> None:
        """As the platform does until a stream is finished."""
        asked = {**body, "msgtype": "stream", "stream": {"id": stream}}
        for _ in range(POLLS):
            await asyncio.sleep(self.poll_seconds)
            found = await self._posted({**asked, "msgid": self.next_id("POLL")})
            if not found:
                continue
            await self._show(found, room, user, f"reply-{body['msgid']}")
            if found["stream"]["finish"]:
                return

    async def _show(self, found: Body, room: str, user: str, line_id: str) -> None:
        kind = str(found["msgtype"])
        line = SentLine(line_id, room, "" if room else user, kind)
        if "stream" in found:
            pictures = [base64.b64decode(i["image"]["base64"]) for i in found["stream"].get("msg_item", ())]
            line = replace(line, text=str(found["stream"]["content"]), photos=tuple(pictures))
        if "template_card" in found:
            line = shown_card(line, found["template_card"])
            self._cards[found["template_card"]["task_id"]] = line_id
        if kind in ("text", "markdown"):
            line = replace(line, text=str(found[kind]["content"]))
        calls = tuple(part.partition(">")[0] for part in line.text.split("<@")[1:] if ">" in part)
        await self.record(replace(line, mentions=calls))

    async def _responded(self, request: web.Request) -> web.StreamResponse:
        """One message for each response_url."""
        body = await request.json()
        if (broken := await self.trouble(request)) is not None:
            return broken
        if self.fault("rate_limit") is not None:
            return web.json_response({"errcode": TOO_OFTEN, "errmsg": "api freq out of limit"})
        if (found := self.fault("error")) is not None:
            return web.json_response({"errcode": found.code or 40035, "errmsg": "error"})
        place = self._urls.pop(request.query.get("response_code", ""), None)
        if place is None or body.get("msgtype") not in ("markdown", "template_card"):
            return web.json_response({"errcode": 40008 if place else 41001, "errmsg": "refused"})
        await self._show(body, *place, self.next_id("late"))
        if self.fault("half_sent") is not None:
            return cut(request)
        return web.json_response({"errcode": REPLIED, "errmsg": "ok"})

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.trouble(request)) is not None:
            return broken
        return self.pictures.served(request.match_info["name"])
