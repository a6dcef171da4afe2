"""The official account's side of WeChat: sealed or plain callbacks with redelivery, tokens, media, both kinds of message.

A person's own message opens the window: five customer-service messages within 48 hours, then code 45047, later 45015.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from bot.platforms.envelope import Envelope, sign
from bot.simulators.frame import Said, SentLine, Stage, cut

ACCOUNT, APP = "gh_0000000000a1", "wx00000000000000a1"
WINDOW, FREE = 48 * 3600, 5  # platforms.md 4.5
LIFE = 7200
CODES = {"rate_limit": 45011, "token_expired": 42001}


class OfficialAccountSimulator(Stage):
    """Users are openids; there are no rooms."""

    kind: ClassVar[str] = "official-account"
    name = "mp"
    offered: ClassVar[tuple[str, ...]] = (
        "timeout", "reset", "html", "rate_limit", "token_expired", "half_sent", "slow", "error",
    )  # fmt: skip

    def __init__(self, mode: str = "safe") -> None:
        super().__init__()
        self.mode = mode
        self.rooms = {}
        self.users = {"oLimin0001": "李敏", "oZhang0002": "张强", "oWang0003": "王磊"}
        self.secret, self.token = secrets.token_hex(16), secrets.token_hex(16)
        self.aes_key = secrets.token_hex(22)[:43]
        self.envelope = Envelope(self.token, self.aes_key, APP)
        self.template = ""
        self.tokens: dict[str, float] = {}  # word → until
        self.renewals = 0
        self.windows: dict[str, tuple[float, int]] = {}  # openid → when they wrote, what has been sent since
        self.media: dict[str, bytes] = {}

    def add_routes(self, app: web.Application) -> None:
        """What the bot calls."""
        app.router.add_get("/cgi-bin/token", self._token)
        app.router.add_post("/cgi-bin/stable_token", self._token)
        app.router.add_get("/cgi-bin/get_api_domain_ip", self._guarded(self._domains))
        app.router.add_get("/cgi-bin/media/get", self._guarded(self._given))
        app.router.add_post("/cgi-bin/media/upload", self._guarded(self._uploaded))
        app.router.add_post("/cgi-bin/message/custom/send", self._guarded(self._custom))
        app.router.add_post("/cgi-bin/message/template/send", self._guarded(self._by_template))

    def channel(self, public_url: str) -> dict[str, Any]:
        """What settings.toml needs."""
        self.heard_at(public_url)
        options = {"app": APP, "account": ACCOUNT, "mode": self.mode, "base": f"{self.url}/cgi-bin/"}
        options |= {"template": self.template} if self.template else {}
        return {
            "kind": self.kind,
            "options": options,
            "secrets": {"secret": self.secret, "token": self.token, "aes_key": self.aes_key},
        }

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """Words and each photo are messages of their own, as WeChat sends them."""
        said = Said(id or self.next_id("23"), "", user, text, tuple(photos))
        self.say_line(said)
        self.windows[user] = (time.time(), 0)
        for place, photo in enumerate(photos):
            media = self._keep(photo)
            await self.post(user, "image", {"PicUrl": f"{self.url}/pic", "MediaId": media}, f"{said.id}{place:02}")
        if text:
            await self.post(user, "text", {"Content": text}, said.id)
        return said.id

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """There are no buttons."""
        raise RuntimeError("公众号没有按钮，请直接发文字")

    async def post(self, user: str, kind: str, content: Mapping[str, str], message_id: str = "") -> None:
        """One message, three times at most; raises when it was never taken."""
        xml = letter_xml(user, kind, content, message_id)
        if not await self.deliver(lambda: self.once(xml)):
            raise RuntimeError("群办没有接收（3 次）")

    async def once(self, xml: str) -> bool:
        """One delivery; whether it was taken."""
        query, body = self.wrapped(xml)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
                session.post(self.callback, params=query, data=body.encode()) as answer,
            ):
                return answer.status == 200 and (await answer.text()) in ("", "success")
        except (aiohttp.ClientError, TimeoutError):
            return False

    def wrapped(self, xml: str) -> tuple[dict[str, str], str]:
        """The query and body of a delivery."""
        sealed = self.envelope.seal(xml)
        stamp, nonce = sealed.stamp, sealed.nonce
        query = {"signature": sign(self.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": "o"}
        if self.mode == "plain":
            return query, xml
        query |= {"encrypt_type": "aes", "msg_signature": sealed.signature}
        head = f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>"
        return query, f"{head}<Encrypt><![CDATA[{sealed.encrypt}]]></Encrypt></xml>"

    def close_window(self, user: str) -> None:
        """Two days pass for somebody."""
        self.windows[user] = (time.time() - WINDOW - 1, 0)

    def _keep(self, data: bytes) -> str:
        media = f"media{hashlib.sha256(data).hexdigest()[:24]}"
        self.media[media] = data
        return media

    def _guarded(self, does: Any) -> Any:
        """Faults, then the token, then what was asked."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            found = await self.trouble(request)
            if found is not None:
                return found
            fault = self.fault("rate_limit", "token_expired", "error")
            if fault is not None:
                if fault.name == "token_expired":
                    self.tokens.clear()
                return _code(fault.code or CODES.get(fault.name, -1))
            if self.tokens.get(request.query.get("access_token", ""), 0) < time.time():
                return _code(42001)
            answer: web.StreamResponse = await does(request)
            return answer

        return guarded

    async def _token(self, request: web.Request) -> web.StreamResponse:
        who = await request.json() if request.method == "POST" else request.query
        if who.get("appid") != APP or who.get("secret") != self.secret:
            return _code(40125)
        self.renewals += 1
        word = secrets.token_hex(32)
        self.tokens = {word: time.time() + LIFE}
        return web.json_response({"access_token": word, "expires_in": LIFE})

    async def _domains(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"ip_list": ["127.0.0.1"]})

    async def _given(self, request: web.Request) -> web.StreamResponse:
        found = self.media.get(request.query.get("media_id", ""))
        if found is None:
            return _code(40007)
        headers = {"Content-Disposition": 'attachment; filename="a.jpg"'}
        return web.Response(body=found, content_type="image/jpeg", headers=headers)

    async def _uploaded(self, request: web.Request) -> web.StreamResponse:
        part = (await request.post()).get("media")
        if not isinstance(part, web.FileField):
            return _code(41005)
        return web.json_response(
            {"type": "image", "media_id": self._keep(part.file.read()), "created_at": int(time.time())}
        )

    async def _custom(self, request: web.Request) -> web.StreamResponse:
        said = await request.json()
        user = str(said["touser"])
        if user not in self.users:
            return _code(40003)
        since, sent = self.windows.get(user, (0.0, 0))
        if time.time() - since > WINDOW:
            return _code(45015)
        if sent >= FREE:
            return _code(45047)
        kind = str(said["msgtype"])
        content = said[kind]
        if kind == "text" and len(str(content["content"]).encode()) > 2048:
            return _code(45002)
        self.windows[user] = (since, sent + 1)
        photos = (self.media[content["media_id"]],) if kind == "image" else ()
        await self.record(SentLine(self.next_id("c"), "", user, kind, str(content.get("content", "")), photos))
        return cut(request) if self.fault("half_sent") else _code(0)

    async def _by_template(self, request: web.Request) -> web.StreamResponse:
        said = await request.json()
        if said.get("template_id") != self.template or not self.template:
            return _code(40037)
        words = "\n".join(str(value["value"]) for value in said["data"].values())
        line = SentLine(self.next_id("t"), "", str(said["touser"]), "template", words)
        await self.record(line)
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": 200163836})


def letter_xml(user: str, kind: str, content: Mapping[str, str], message_id: str = "", at: int = 0) -> str:
    """A message as WeChat writes it."""
    inner = "".join(f"<{key}><![CDATA[{value}]]></{key}>" for key, value in content.items())
    ids = f"<MsgId>{message_id}</MsgId>" if message_id else ""
    return (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName>"
        f"<CreateTime>{at or int(time.time())}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{inner}{ids}</xml>"
    )


def _code(code: int) -> web.Response:
    return web.json_response({"errcode": code, "errmsg": "ok" if not code else f"error {code} hint: [127.0.0.1]"})
