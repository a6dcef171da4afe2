"""OneBot v11 over HTTP: events posted to us with X-Signature, actions posted to the implementation's own HTTP server.

The signature is HMAC-SHA1 over the raw body and is checked before anything is parsed. There is no time in it, so a
replayed post is admitted and known by its message id. 204 is the whole answer: quick replies are not used, since an
answer that gets lost with its connection could not be counted (security.md D.2).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.fetcher import Answer, Fetcher
from bot.platforms.bodies import read_within
from config.errors import Offline, Paused, Refused, Retry, Unknown

BODY_BYTES = 256 << 10  # as much as a frame
BODY_SECONDS = 10.0
OFFLINE_SECONDS = 30.0
TOKEN_SECONDS = 60.0
NO_LINE = "QQ 端未连接"


def sign(token: bytes, body: bytes) -> str:
    """What X-Signature says of a body."""
    return f"sha1={hmac.new(token, body, hashlib.sha1).hexdigest()}"


async def signed_body(request: web.Request, token: bytes) -> bytes | web.Response:
    """The body, or the answer that refuses it: 401 without a signature, 403 with a wrong one (platforms.md 9)."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return web.Response(status=415)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await read_within(request, BODY_BYTES)
    except TimeoutError:
        return web.Response(status=408)
    if body is None:
        return web.Response(status=413)
    given = request.headers.get("X-Signature", "")
    if not given:
        return web.Response(status=401)
    good = hmac.compare_digest(sign(token, body).encode(), given.encode("utf-8", "surrogateescape"))
    return body if good else web.Response(status=403)


class HttpApi:
    """Calls actions at `base`, which the office names itself and may therefore lie inside."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._fetcher = Fetcher((urlsplit(base).netloc,))

    async def close(self) -> None:
        """Close connections."""
        await self._fetcher.close()

    async def call(self, action: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to an action. Raises Offline, Paused, Refused or Unknown."""
        body = json.dumps(params, ensure_ascii=False).encode()
        try:
            answer = await self._fetcher.post(f"{self._base}/{action}", body, self._headers)
        except Retry:
            raise Offline(NO_LINE, OFFLINE_SECONDS) from None
        return _read_answer(answer)


def _read_answer(answer: Answer) -> Mapping[str, Any]:
    if answer.status in (401, 403):
        raise Paused("QQ 端不认令牌，请核对 token", TOKEN_SECONDS)
    if 400 <= answer.status < 500:
        raise Refused(f"QQ 端拒绝（{answer.status}）")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if answer.status != 200 or not isinstance(found, dict):
        raise Unknown(f"QQ 端的回答读不懂（{answer.status}）")
    return found
