"""The official account's HTTP interface: one token, one call, one table of what its codes mean (platforms.md 4.5).

A code of WeChat's own means that nothing left; a broken line, a gateway's page or a 5xx leaves it open. No address, no
token and no errmsg (it holds IPs) is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from yarl import URL

from bot.fetcher import MEDIA_BYTES, Answer, Fetcher
from bot.platforms.tencent import code_of, is_json, judged, multipart, token_in
from bot.platforms.tokens import Tokens
from config.errors import Offline, Paused, Refused, Retry, SendError, Unknown

WHO = "微信"
BASE = "https://api.weixin.qq.com/cgi-bin/"
SPENT = frozenset({40001, 40014, 42001})
PAUSES: Mapping[int, float] = {45009: 3600.0, 45011: 60.0}  # the day's quota; the minute's
CLOSED: Mapping[int, str] = {  # the 48 hours are over, or their five messages are spent (platforms.md 4.5)
    45015: "对方 48 小时内没有给公众号发过消息，微信不让主动发",
    45047: "对方发来消息后，公众号能回的条数用完了",
}
BUSY = -1
MENDS: Mapping[int, str] = {
    40013: "微信不认这个 AppID，请核对",
    40125: "微信不认这个 AppSecret，请核对",
    40164: "本机出口 IP 不在公众号的 IP 白名单里，请在管理后台加上",
    48001: "公众号没有这个接口的权限（未认证？）",
}
SAYS: Mapping[int, str] = {
    40003: "对方的 openid 不属于这个公众号",
    40037: "模板编号不对",
    43004: "对方没有关注公众号",
    43101: "对方拒收模板消息",
    50005: "对方没有关注公众号",
}
MEND_SECONDS = 300.0


class Closed(Refused):
    """WeChat's window for free messages is shut: only a template message may pass."""


class OfficialApi:
    """`stable` uses stable_token, which does not end the tokens of an office's other programs."""

    def __init__(self, base: str, fetcher: Fetcher, app: str, secret: str, *, stable: bool) -> None:
        self._base = base.rstrip("/") + "/"
        self._host = URL(base).host
        self._fetcher = fetcher
        self._app, self._secret, self._stable = app, secret, stable
        self.tokens = Tokens(self._renew)

    async def read(self, path: str) -> dict[str, Any]:
        """Ask for something."""
        return _judged(await self._with_token("GET", path, {}), sending=False)

    async def send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send something. Raises Unknown when nobody knows whether it left, Closed when the window is shut."""
        raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return _judged(await self._with_token("POST", path, {}, raw, "application/json"), sending=True)

    async def upload(self, name: str, data: bytes) -> str:
        """Hand over a picture; its media_id, good for three days."""
        raw, form = multipart(name, data)
        try:
            found = _judged(await self._with_token("POST", "media/upload", {"type": "image"}, raw, form), sending=False)
        except Unknown as error:
            raise Retry(str(error)) from None  # nothing has been said yet
        if not isinstance(found.get("media_id"), str):
            raise Retry("微信没有给素材编号")
        return str(found["media_id"])

    async def download(self, media_id: str) -> bytes:
        """What somebody sent; valid three days."""
        answer = await self._with_token("GET", "media/get", {"media_id": media_id})
        if answer.status == 200 and not is_json(answer):
            return answer.body
        _judged(answer, sending=False)
        raise Refused("微信没有给出照片")

    async def _with_token(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", form: str = ""
    ) -> Answer:
        """One call; a token that ended early is replaced once."""
        for _ in range(2):
            token = await self.tokens.current()
            answer = await self._ask(method, path, {"access_token": token.word, **query}, body, form)
            if code_of(answer) not in SPENT:
                return answer
            self.tokens.reject(token)
        raise Retry("微信不认刚换的令牌", 5.0)

    async def _ask(self, method: str, path: str, query: Mapping[str, str], body: bytes, form: str) -> Answer:
        address = f"{self._base}{path}?{urlencode(query)}" if query else f"{self._base}{path}"
        if method == "GET":
            return (await self._fetcher.look(address, MEDIA_BYTES, {}, lambda url: url.host == self._host))[1]
        return await self._fetcher.post(address, body, {"Content-Type": form})

    async def _renew(self) -> tuple[str, float]:
        who = {"grant_type": "client_credential", "appid": self._app, "secret": self._secret}
        try:
            if self._stable:
                answer = await self._ask("POST", "stable_token", {}, json.dumps(who).encode(), "application/json")
            else:
                answer = await self._ask("GET", "token", who, b"", "")
        except Unknown as error:
            raise Retry(str(error)) from None
        found = _judged(answer, sending=False)
        return token_in(found, WHO)


def _judged(answer: Answer, *, sending: bool) -> dict[str, Any]:
    return judged(answer, WHO, _problem, sending=sending)


def _problem(code: int) -> SendError:
    if code in PAUSES:
        return Paused(f"微信限制发送频率（{code}）", PAUSES[code])
    if code in CLOSED:
        return Closed(CLOSED[code])
    if code == BUSY:
        return Retry("微信系统繁忙", 3.0)
    if code in MENDS or code in SPENT:
        return Offline(MENDS.get(code, "微信不认这个 AppSecret，请核对"), MEND_SECONDS)
    return Refused(SAYS.get(code, f"微信拒绝（{code}）"))
