"""WeCom's group webhook: one key is one group, twenty messages a minute, nothing back."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aiohttp import web

from bot.simulators.frame import SentLine, Stage, cut

PER_MINUTE = 20
LIMITS = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}
OK = {"errcode": 0, "errmsg": "ok"}
ROOM = "room1"


class WecomWebhookSimulator(Stage):
    """The bot may speak into one room."""

    kind: ClassVar[str] = "wecom-webhook"
    name = "hook"
    offered: ClassVar[tuple[str, ...]] = ("timeout", "reset", "html", "rate_limit", "half_sent", "slow", "error")

    def __init__(self) -> None:
        super().__init__()
        self.rooms = {ROOM: "通知群"}
        self.key = secrets.token_hex(16)
        self.files: dict[str, bytes] = {}
        self.per_minute = PER_MINUTE
        self._times: deque[float] = deque()

    def add_routes(self, app: web.Application) -> None:
        """The two addresses of a webhook."""
        app.router.add_post("/cgi-bin/webhook/send", self._send)
        app.router.add_post("/cgi-bin/webhook/upload_media", self._upload)

    def channel(self, public_url: str) -> dict[str, Any]:
        """What settings.toml needs."""
        return {"kind": self.kind, "options": {"base": f"{self.url}/cgi-bin/"}, "secrets": {"key": self.key}}

    async def say(
        self, room: str, user: str, text: str, photos: Sequence[bytes] = (), quote: str = "", id: str = ""
    ) -> str:
        """Nobody hears."""
        raise RuntimeError("群消息推送只能发，听不到群里的话")

    async def press(self, line: SentLine, button: str, user: str = "") -> None:
        """There are no buttons."""
        raise RuntimeError("群消息推送没有按钮")

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if problem := await self.trouble(request):
            return problem
        found = await request.json()
        code = self._refusal(request) or _wrong(found, self.files)
        if code:
            return web.json_response({"errcode": code, "errmsg": f"hint: [x], from ip: {request.remote}"})
        await self.record(self._line(found))
        return cut(request) if self.fault("half_sent") else web.json_response(OK)

    def _refusal(self, request: web.Request) -> int:
        if request.query.get("key") != self.key:
            return 93000
        if self.fault("rate_limit"):
            return 45009
        if found := self.fault("error"):
            return found.code or -1
        now = time.monotonic()
        while self._times and now - self._times[0] >= 60:
            self._times.popleft()
        self._times.append(now)
        return 45009 if len(self._times) > self.per_minute else 0

    def _line(self, found: Mapping[str, Any]) -> SentLine:
        kind, content = found["msgtype"], found[found["msgtype"]]
        photos = (base64.b64decode(content["base64"]),) if kind == "image" else ()
        articles = tuple((a["title"], a.get("description", ""), a["url"]) for a in content.get("articles", ()))
        called = tuple(content.get("mentioned_list", ()))
        return SentLine(
            self.next_id("push"), ROOM, "", kind, content.get("content", ""), photos, articles, mentions=called
        )

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("key") != self.key:
            return web.json_response({"errcode": 93000, "errmsg": "invalid webhook url"})
        part = (await request.post()).get("media")
        if not isinstance(part, web.FileField) or request.query.get("type") not in ("file", "voice"):
            return web.json_response({"errcode": 41005, "errmsg": "media data missing"})
        media = secrets.token_hex(12)
        self.files[media] = await asyncio.to_thread(part.file.read)
        return web.json_response({**OK, "type": "file", "media_id": media, "created_at": str(int(time.time()))})


def _wrong(found: Mapping[str, Any], files: Mapping[str, bytes]) -> int:
    kind = found.get("msgtype", "")
    content = found.get(kind)
    if not isinstance(content, dict):
        return 40008
    if kind in LIMITS:
        return 45002 if len(str(content.get("content", "")).encode()) > LIMITS[kind] else 0
    if kind == "image":
        return _wrong_image(content)
    if kind == "news":
        articles = content.get("articles", ())
        return 0 if 1 <= len(articles) <= 8 and all(a.get("title") and a.get("url") for a in articles) else 40061
    return 0 if kind == "file" and content.get("media_id") in files else 40007


def _wrong_image(content: Mapping[str, Any]) -> int:
    try:
        data = base64.b64decode(content.get("base64", ""), validate=True)
    except binascii.Error:
        return 301019
    if len(data) > 2 << 20 or data[:3] not in (b"\xff\xd8\xff", b"\x89PN"):
        return 40009
    return 0 if hashlib.md5(data, usedforsecurity=False).hexdigest() == content.get("md5") else 301019
