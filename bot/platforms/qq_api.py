"""The QQ open platform's HTTP interface: one token for all senders, one call, one table of what its codes mean.

Everything goes through the fetcher. A 5xx, a broken line or something that is no JSON says nothing about whether the
message left; a code of the platform's own says it did not (platforms.md 5.1, 5.6).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.fetcher import Answer, Fetcher, retry_after
from bot.platforms.tokens import Tokens
from config.errors import Paused, Refused, Retry, SendError, Unknown

TOKEN_CODES = frozenset({11243, 11244, 11241})
PUSH_CODES = frozenset({40034102, 40034105})
STALE_CODES = frozenset({304026, 304027, 40034024})  # the last one [U]
TWICE_CODES = frozenset({40054005})
AUDIT_CODES = frozenset({304023, 304024})
MEDIA_CODES = frozenset({304082, 304083, 850026, 850027})
OFTEN_CODES = frozenset({22009, 20028})
SAYS: Mapping[int, str] = {
    11253: "机器人没有这个接口的权限，请在 QQ 开放平台申请",
    304003: "文字里有未报备的网址",
    40034003: "文字里有未报备的网址",
}
OFTEN_SECONDS = 60.0
UNREACHED_SECONDS = 15.0


class Stale(SendError):
    """The message answered is too old, or unknown."""


class Twice(SendError):
    """This number has been used for this message before."""


class PushRefused(SendError):
    """Nobody may be spoken to there unasked."""


class TokenGone(SendError):
    """The token is no longer taken."""


class MediaGone(Retry):
    """What was uploaded is no longer there."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The bot's number and secret, as the open platform shows them."""

    app: str
    secret: str


class QQApi:
    """`call` talks to the platform; the token is fetched once for everybody who waits for it."""

    def __init__(self, credentials: Credentials, base: str, auth: str, fetcher: Fetcher) -> None:
        self._credentials = credentials
        self._base = base.rstrip("/")
        self._auth = auth
        self._fetcher = fetcher
        self.tokens = Tokens(self._renew)

    async def token(self) -> str:
        """A token that still holds."""
        return (await self.tokens.current()).word

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """One call; a token that expired early is replaced once."""
        token = await self.tokens.current()
        try:
            return await self._call(method, path, body, token.word)
        except TokenGone:
            self.tokens.reject(token)
        try:
            return await self._call(method, path, body, await self.token())
        except TokenGone:
            raise Paused("QQ 不认刚换的令牌，请核对 AppID 和 AppSecret", OFTEN_SECONDS) from None

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None, token: str) -> Mapping[str, Any]:
        headers = {
            "Authorization": f"QQBot {token}",
            "X-Union-Appid": self._credentials.app,
            "Content-Type": "application/json",
        }
        raw = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
        return judged(await self._fetcher.post(self._base + path, raw, headers, method))

    async def _renew(self) -> tuple[str, float]:
        """Nothing can be sent without one, so whatever goes wrong here the whole channel rests and no message is tried."""
        body = json.dumps({"appId": self._credentials.app, "clientSecret": self._credentials.secret}).encode()
        try:
            found = judged(await self._fetcher.post(self._auth, body, {"Content-Type": "application/json"}))
            return str(found["access_token"]), float(found["expires_in"])
        except Paused:
            raise
        except (Retry, Unknown) as error:
            raise Paused(str(error), UNREACHED_SECONDS) from None
        except (SendError, KeyError, ValueError, TypeError):
            raise Paused("QQ 没有给令牌，请核对 AppID 和 AppSecret", OFTEN_SECONDS) from None


def judged(answer: Answer) -> Mapping[str, Any]:
    """What the platform said. Raises what its code means."""
    if answer.status == 429:
        raise Paused("QQ 限制发送频率", retry_after(answer.headers) or OFTEN_SECONDS)
    found = _read(answer)
    code = _code(found)
    if answer.status < 300 and (not code or code in AUDIT_CODES):
        return found
    if code in AUDIT_CODES:
        return found
    _raise_for(code, answer.status)
    return found


def _read(answer: Answer) -> dict[str, Any]:
    if not answer.body and answer.status in (200, 204):
        return {}
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if answer.status == 401 and not isinstance(found, dict):
        return {"code": 11243}
    if not isinstance(found, dict):
        raise Unknown(f"QQ 的回答不是 JSON（{answer.status}）")
    return found


def _code(found: Mapping[str, Any]) -> int:
    """Newer answers name the business code err_code and keep `code` for its class."""
    for key in ("err_code", "code", "ret"):
        value = found.get(key)
        if isinstance(value, int) and value:
            return value
    return 0


def _raise_for(code: int, status: int) -> None:
    if code in TOKEN_CODES or status == 401:
        raise TokenGone("令牌已失效")
    if code in PUSH_CODES:
        raise PushRefused("这里不收主动消息")
    if code in STALE_CODES:
        raise Stale("回复的消息已过期")
    if code in TWICE_CODES:
        raise Twice("同一条已经发过")
    if code in MEDIA_CODES:
        raise MediaGone("图片要重新上传", 1.0)
    if code in OFTEN_CODES:
        raise Paused("QQ 限制发送频率", OFTEN_SECONDS)
    if status >= 500:
        raise Unknown(f"QQ 出错（{status}，{code}）")
    raise Refused(SAYS.get(code, f"QQ 拒绝（{code or status}）"))
