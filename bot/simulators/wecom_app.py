"""A WeCom that has one self-built app: signed and encrypted callbacks, redelivered; tokens, messages, cards, chats, media.

It swallows a repeated request as the real one does: same bytes within the interval, when the sender asked for it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from bot.platforms.envelope import Envelope
from bot.simulators.frame import Said, SentLine, Stage, cut

TOKEN_SECONDS = 7200
CARD_SECONDS = 72 * 3600
LIMITS = {"text": 2048, "markdown": 2048}
GROUP_FORMS = ("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown")
DEPARTMENTS = ({"id": 1, "name": "云溪县", "parentid": 0}, {"id": 2, "name": "城管执法局", "parentid": 1})

Answer = Mapping[str, Any]
OK: Answer = {"errcode": 0, "errmsg": "ok"}


class WecomAppSimulator(Stage):
    """Rooms are chats the app made. The app hears people only one to one."""

    kind: ClassVar[str] = "wecom-app"
    name = "app"

    def __init__(self) -> None:
        super().__init__()
        self.rooms = {}
        self.corp, self.agent = f"ww{secrets.token_hex(8)}", 1000002
        self.secret, self.token = secrets.token_urlsafe(32), secrets.token_hex(12)
        self.aes_key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        self.envelope = Envelope(self.token, self.aes_key, self.corp)
        self.renewals = 0
        self.deliveries = 0
        self.updates: list[Answer] = []  # cards changed after a press
        self.media: dict[str, bytes] = {}
        self.cards: dict[str, Mapping[str, Any]] = {}  # line → card
        self._tokens: dict[str, float] = {}
        self._swallowed: dict[str, tuple[float, str]] = {}
        self._codes: dict[str, float] = {}
        self._serial = 0
        self._session: aiohttp.ClientSession | None = None

    def add_routes(self, app: web.Application) -> None:
        """What WeCom answers under /cgi-bin/."""
        app.router.add_get("/cgi-bin/gettoken", self._gettoken)
        app.router.add_get("/cgi-bin/media/get", self._media_get)
        for path, answer in _READS.items():
            app.router.add_get(f"/cgi-bin/{path}", self._guarded(answer))
        for path, answer in _SENDS.items():
            app.router.add_post(f"/cgi-bin/{path}", self._guarded(answer))

    def channel(self, public_url: str) -> dict[str, Any]:
        """What settings.toml needs."""
        self.heard_at(public_url)
        return {
            "kind": self.kind,
            "options": {"corp": self.corp, "agent": self.agent, "base": f"{self.url}/cgi-bin/"},
            "secrets": {"secret": self.secret, "token": self.token, "aes_key": self.aes_key},
        }

    async def close(self) -> None:
        """Stop."""
        await super().close()
        if self._session is not None:
            await self._session.close()

    async def verify(self) -> str:
        """The admin site's check of the address: what the bot said back."""
        sealed = self.envelope.seal("7301293344")
        query = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
        async with self._client().get(self.callback, params=query | {"echostr": sealed.encrypt}) as answer:
            return await answer.text()

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """Each picture is a message of its own, before the words."""
        if room:
            raise RuntimeError("自建应用听不到群里的话，请选“私聊”")
        said = id
        for data in photos:
            media = self._kept(data)
            parts = {"MsgType": "image", "PicUrl": f"{self.url}/pic/{media}", "MediaId": media}
            said = await self.tell(user, parts, id if not text else "")
        if text:
            said = await self.tell(user, {"MsgType": "text", "Content": text}, id)
        self.say_line(Said(said, "", user, text, tuple(photos)))
        return said

    async def locate(self, user: str, label: str, x: str = "30.1", y: str = "120.2") -> str:
        """A person sends a place."""
        return await self.tell(
            user, {"MsgType": "location", "Location_X": x, "Location_Y": y, "Scale": "16", "Label": label}
        )

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """A button of a card; WeCom says so once only (security.md D.2)."""
        key = next(key for label, key in line.buttons if label == button)
        code = self._code()
        card = self.cards[line.id]
        event = {
            "MsgType": "event", "Event": "template_card_event", "EventKey": key, "TaskId": card["task_id"],
            "CardType": card["card_type"], "ResponseCode": code,
        }  # fmt: skip
        await self._deliver_xml(self._xml(user or line.user, event, ""), times=1)

    async def tell(self, user: str, parts: Mapping[str, str], id: str = "") -> str:
        """Deliver one message as WeCom does; its MsgId."""
        self._serial += 1
        said = id or str(7_300_000_000_000_000 + int(time.time() * 1000) % 10**12 + self._serial)
        if not await self._deliver_xml(self._xml(user, parts, said)):
            raise RuntimeError("机器人三次都没有接收")
        return said

    async def _deliver_xml(self, xml: str, times: int = 3) -> bool:
        return await self.deliver(lambda: self._post(xml), times)

    async def _post(self, xml: str) -> bool:
        self.deliveries += 1
        sealed = self.envelope.seal(xml)
        query = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
        body = (
            f"<xml><ToUserName><![CDATA[{self.corp}]]></ToUserName><AgentID><![CDATA[{self.agent}]]></AgentID>"
            f"<Encrypt><![CDATA[{sealed.encrypt}]]></Encrypt></xml>"
        )
        try:
            timeout = aiohttp.ClientTimeout(total=5)
            async with self._client().post(self.callback, params=query, data=body, timeout=timeout) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    def _xml(self, user: str, parts: Mapping[str, str], id: str) -> str:
        fields = {"ToUserName": self.corp, "FromUserName": user, "CreateTime": str(int(time.time()))}
        said = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in {**fields, **parts}.items())
        tail = f"<MsgId>{id}</MsgId>" if id else ""
        return f"<xml>{said}{tail}<AgentID>{self.agent}</AgentID></xml>"

    def _kept(self, data: bytes) -> str:
        media = f"media-{secrets.token_hex(8)}"
        self.media[media] = data
        return media

    def _code(self) -> str:
        code = secrets.token_urlsafe(16)
        self._codes[code] = time.monotonic() + CARD_SECONDS
        return code

    def _guarded(
        self, answer: Callable[[WecomAppSimulator, web.Request], Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if problem := await self.trouble(request):
                return problem
            if code := self._refusal(request):
                return web.json_response({"errcode": code, "errmsg": f"hint: [x], from ip: {request.remote}"})
            found = await answer(self, request)
            if self.fault("half_sent", "disconnect"):
                return cut(request)
            return web.json_response(found)

        return guarded

    def _refusal(self, request: web.Request) -> int:
        """The code a request is refused with; 0 lets it pass."""
        if self.fault("token_expired"):
            self._tokens.clear()
        given = request.query.get("access_token", "")
        if given not in self._tokens:
            return 42001 if given else 41001
        if time.monotonic() > self._tokens[given]:
            return 42001
        if self.fault("rate_limit"):
            return 45009
        found = self.fault("error")
        return found.code or -1 if found else 0

    async def _gettoken(self, request: web.Request) -> web.StreamResponse:
        if problem := await self.trouble(request):
            return problem
        if request.query.get("corpid") != self.corp:
            return web.json_response({"errcode": 40013, "errmsg": "invalid corpid"})
        if request.query.get("corpsecret") != self.secret:
            return web.json_response({"errcode": 40091, "errmsg": "invalid secret"})
        self.renewals += 1
        word = secrets.token_urlsafe(120)
        self._tokens[word] = time.monotonic() + TOKEN_SECONDS
        return web.json_response({**OK, "access_token": word, "expires_in": TOKEN_SECONDS})

    async def _media_get(self, request: web.Request) -> web.StreamResponse:
        if problem := await self.trouble(request):
            return problem
        code, data = self._refusal(request), self.media.get(request.query.get("media_id", ""))
        if code or data is None:
            return web.json_response({"errcode": code or 40007, "errmsg": "invalid media_id"})
        headers = {"Content-Disposition": 'attachment; filename="photo.jpg"', "Content-Type": "image/jpeg"}
        return web.Response(body=data, headers=headers)

    async def _send(self, request: web.Request) -> Answer:
        raw = await request.text()
        found = json.loads(raw)
        users = [user for user in found.get("touser", "").split("|") if user]
        known = {user.lower() for user in self.users}
        bad = [user.lower() for user in users if user.lower() not in known]
        if found.get("agentid") != self.agent or not users or len(users) > 1000:
            return {"errcode": 40056, "errmsg": "invalid agentid"}
        if len(bad) == len(users):
            return {"errcode": 81013, "errmsg": "user & party & tag all invalid", "invaliduser": "|".join(bad)}
        if code := self._wrong(found):
            return {"errcode": code, "errmsg": "invalid"}
        now, again = time.monotonic(), self._swallowed.get(raw)
        if found.get("enable_duplicate_check") and again and now < again[0]:
            return {**OK, "invaliduser": "|".join(bad), "msgid": again[1]}
        said = self.next_id("msg")
        self._swallowed[raw] = now + found.get("duplicate_check_interval", 1800), said
        if found["msgtype"] == "template_card":
            self.cards[said] = found["template_card"]
        await self.record(self._line(found, said, user=users[0]))
        extra = {"response_code": self._code()} if found["msgtype"] == "template_card" else {}
        return {**OK, "invaliduser": "|".join(bad), "msgid": said, **extra}

    def _wrong(self, found: Mapping[str, Any]) -> int:
        kind = found.get("msgtype", "")
        content = found.get(kind)
        if not isinstance(content, dict):
            return 40008
        if kind in LIMITS and len(str(content.get("content", "")).encode()) > LIMITS[kind]:
            return 45002
        if kind == "image" and content.get("media_id") not in self.media:
            return 40007
        if kind == "template_card" and not content.get("task_id"):
            return 42014
        return 0

    def _line(self, found: Mapping[str, Any], said: str, room: str = "", user: str = "") -> SentLine:
        kind, content = found["msgtype"], found[found["msgtype"]]
        photos = (self.media[content["media_id"]],) if kind == "image" else ()
        articles = tuple((a["title"], a["description"], a["url"]) for a in content.get("articles", ()))
        title = content.get("main_title", {}).get("title", "")
        text = content.get("content") or "\n".join(filter(None, (title, content.get("sub_title_text", ""))))
        buttons = tuple((button["text"], button["key"]) for button in content.get("button_list", ()))
        return SentLine(said, room, user, kind, text, photos, articles, buttons)

    async def _update(self, request: web.Request) -> Answer:
        found = await request.json()
        if self._codes.pop(found.get("response_code", ""), 0.0) < time.monotonic():
            return {"errcode": 42014, "errmsg": "invalid response_code"}
        self.updates.append(found)
        return OK

    async def _upload(self, request: web.Request) -> Answer:
        form = await request.post()
        part = form.get("media")
        if not isinstance(part, web.FileField) or request.query.get("type") not in ("image", "voice", "video", "file"):
            return {"errcode": 41005, "errmsg": "media data missing"}
        data = await asyncio.to_thread(part.file.read)
        if len(data) <= 5 or len(data) > 10 << 20:
            return {"errcode": 40009, "errmsg": "invalid media size"}
        return {**OK, "type": request.query["type"], "media_id": self._kept(data), "created_at": str(int(time.time()))}

    async def _create(self, request: web.Request) -> Answer:
        found = await request.json()
        if not 2 <= len(found.get("userlist", ())) <= 2000 or len(found.get("name", "")) > 50:
            return {"errcode": 86001, "errmsg": "invalid chat"}
        chat = found.get("chatid") or f"chat{secrets.token_hex(8)}"
        self.rooms[chat] = found["name"]
        return {**OK, "chatid": chat}

    async def _send_chat(self, request: web.Request) -> Answer:
        found = await request.json()
        if found.get("chatid") not in self.rooms:
            return {"errcode": 86003, "errmsg": "chat not found"}
        if found.get("msgtype") not in GROUP_FORMS:
            return {"errcode": 40008, "errmsg": "invalid msgtype"}
        if code := self._wrong(found):
            return {"errcode": code, "errmsg": "invalid"}
        await self.record(self._line(found, self.next_id("chatmsg"), room=found["chatid"]))
        return OK

    async def _addresses(self, request: web.Request) -> Answer:
        return {**OK, "ip_list": ["127.0.0.1"]}

    async def _departments(self, request: web.Request) -> Answer:
        return {**OK, "department_id": [{k: d[k] for k in ("id", "parentid")} | {"order": 1} for d in DEPARTMENTS]}

    async def _department(self, request: web.Request) -> Answer:
        found = next((d for d in DEPARTMENTS if str(d["id"]) == request.query.get("id")), None)
        return {**OK, "department": found} if found else {"errcode": 60003, "errmsg": "department not found"}

    async def _people(self, request: web.Request) -> Answer:
        place = int(request.query.get("department_id", "0"))
        users = [{"userid": u, "name": n, "department": [2]} for u, n in self.users.items()] if place == 2 else []
        return {**OK, "userlist": users}

    async def _person(self, request: web.Request) -> Answer:
        user = request.query.get("userid", "")
        if user not in self.users:
            return {"errcode": 60111, "errmsg": "userid not found"}
        leads = [int(user == next(iter(self.users)))]
        return {**OK, "userid": user, "name": self.users[user], "department": [2], "is_leader_in_dept": leads}


_READS = {
    "getcallbackip": WecomAppSimulator._addresses,
    "department/simplelist": WecomAppSimulator._departments,
    "department/get": WecomAppSimulator._department,
    "user/simplelist": WecomAppSimulator._people,
    "user/get": WecomAppSimulator._person,
}
_SENDS = {
    "message/send": WecomAppSimulator._send,
    "message/update_template_card": WecomAppSimulator._update,
    "media/upload": WecomAppSimulator._upload,
    "appchat/create": WecomAppSimulator._create,
    "appchat/send": WecomAppSimulator._send_chat,
}
