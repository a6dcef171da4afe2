"""WeCom's HTTP interface: one token, one call, one table of what its codes mean. All of it through the fetcher.

Reading may be tried again whatever happens. Of a message that met a broken line, a gateway's page or a 5xx nobody knows
whether it left; one that met a code of WeCom's own did not. No address, no token and no errmsg (it holds IPs) is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from yarl import URL

from bot.fetcher import MEDIA_BYTES, Answer, Fetcher
from bot.platforms.registry import Setup
from bot.platforms.tencent import code_of, is_json, judged, multipart, token_in
from bot.platforms.tokens import Tokens
from config.errors import ConfigError, Fault, Offline, Paused, Refused, Retry, SendError, Unknown
from config.settings import FILE

WHO = "企业微信"
BASE = "https://qyapi.weixin.qq.com/cgi-bin/"
SPENT = frozenset({40001, 40014, 42001})  # platforms.md 1.2
PAUSES: Mapping[int, float] = {45009: 60.0, 45033: 5.0}  # a minute block lasts 60 s (platforms.md 1.2)
BUSY = -1
MENDS: Mapping[int, str] = {  # wrong until somebody mends it in the admin site
    40001: "企业微信不认这个 Secret，请核对",
    40013: "企业微信不认这个 corpid，请核对",
    40091: "企业微信不认这个 Secret，请核对",
    60020: "本机出口 IP 不在应用的“企业可信 IP”里，请在管理后台加上",
    93000: "群消息推送的 key 无效，可能已被删除",
}
SAYS: Mapping[int, str] = {
    40007: "企业微信说素材已过期",
    60011: "应用没有权限，应用可见范围要包含对方（建群要包含根部门）",
    81013: "收件人都不在应用的可见范围里",
}
MEND_SECONDS = 300.0
DIRECTORY_BYTES = 8 << 20


def outward(setup: Setup) -> Fetcher:
    """The way to `base`, wherever it lies, by `ca` and `proxy`. Raises ConfigError naming the option to mend."""
    base, ca = URL(setup.text("base")), setup.text("ca")
    wrong = "" if base.scheme in ("http", "https") and base.host else "base 应以 http:// 或 https:// 开头"
    if ca and not Path(ca).is_file():
        wrong = f"ca 指的文件不存在:{ca}"
    if wrong:
        raise ConfigError([Fault(FILE, None, None, f"channels.{setup.name} 选项 {wrong}")])
    return Fetcher((base.host or "",), ca, setup.text("proxy"))


class WecomApi:
    """`corp` and `secret` are one app's. Without a secret (group webhooks) no token is fetched and `key` goes along."""

    def __init__(self, base: str, fetcher: Fetcher, corp: str = "", secret: str = "", key: str = "") -> None:
        self._base = base.rstrip("/") + "/"
        self._host = URL(base).host
        self._fetcher = fetcher
        self._corp, self._secret, self._key = corp, secret, key
        self.tokens = Tokens(self._renew)

    async def read(self, path: str, limit: int = DIRECTORY_BYTES, **query: str) -> dict[str, Any]:
        """Ask for something."""
        return _judged((await self._with_token("GET", path, query, limit=limit)), sending=False)

    async def download(self, media_id: str) -> bytes:
        """What somebody sent; valid three days."""
        answer = await self._with_token("GET", "media/get", {"media_id": media_id}, limit=MEDIA_BYTES)
        if answer.status == 200 and not is_json(answer):
            return answer.body
        _judged(answer, sending=False)
        raise Refused("企业微信没有给出照片")

    async def send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send something. Raises Unknown when nobody knows whether it left."""
        raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return _judged(await self._with_token("POST", path, {}, raw, "application/json"), sending=True)

    async def upload(self, path: str, kind: str, name: str, data: bytes) -> str:
        """Hand over a file; its media_id."""
        raw, form = multipart(name, data)
        try:
            found = _judged(await self._with_token("POST", path, {"type": kind}, raw, form), sending=False)
        except Unknown as error:
            raise Retry(str(error)) from None  # nothing has been said yet
        if not isinstance(found.get("media_id"), str):
            raise Retry("企业微信没有给素材编号")
        return str(found["media_id"])

    async def _with_token(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", form: str = "", limit: int = 0
    ) -> Answer:
        """One call; a token that ended early is replaced once."""
        if not self._secret:
            return await self._ask(method, path, {**query, "key": self._key}, body, form, limit)
        for _ in range(2):
            token = await self.tokens.current()
            answer = await self._ask(method, path, {"access_token": token.word, **query}, body, form, limit)
            if code_of(answer) not in SPENT:
                return answer
            self.tokens.reject(token)
        raise Retry("企业微信不认刚换的令牌", 5.0)

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, form: str, limit: int
    ) -> Answer:
        address = f"{self._base}{path}?{urlencode(query)}"
        if method == "GET":
            return (await self._fetcher.look(address, limit, {}, lambda url: url.host == self._host))[1]
        return await self._fetcher.post(address, body, {"Content-Type": form})

    async def _renew(self) -> tuple[str, float]:
        query = {"corpid": self._corp, "corpsecret": self._secret}
        found = _judged(await self._ask("GET", "gettoken", query, b"", "", 64 << 10), sending=False)
        return token_in(found, WHO)


def _judged(answer: Answer, *, sending: bool) -> dict[str, Any]:
    return judged(answer, WHO, _problem, sending=sending)


def _problem(code: int) -> SendError:
    if code in PAUSES:
        return Paused(f"企业微信限制发送频率（{code}）", PAUSES[code])
    if code == BUSY or code in SPENT - MENDS.keys():
        return Retry(f"企业微信系统繁忙（{code}）", 3.0)
    if code in MENDS:
        return Offline(MENDS[code], MEND_SECONDS)
    return Refused(SAYS.get(code, f"企业微信拒绝（{code}）"))
