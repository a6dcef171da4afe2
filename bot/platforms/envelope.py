"""The envelope Tencent's callbacks come in: signature, AES, receiver. XML (WeCom app, official account) and JSON (AI bot).

The signature is checked, in constant time, over characters cut out of the body before anything is parsed. Whatever is
wrong, the answer is None, and callers say `refused`: one status, one text, one log line. wechatpy does AES and XML.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from bot.platforms.bodies import packed, read_within
from config.errors import ConfigError, Fault
from config.settings import FILE

log = structlog.get_logger()

BODY_BYTES = 64 << 10  # security.md T3, T4
BODY_SECONDS = 4.0  # the platform hangs up at 5 s (platforms.md 1.5)
FRESH_SECONDS = 300  # security.md T2: real time, whatever the business clock says
MARKS = 400  # angle brackets outside CDATA: 200 nodes (security.md T3)
BLOCK = 32  # PKCS#7 pads to 32, not 16 (platforms.md 1.4)
DENIED = "不接受"

_BASE64 = rb"[A-Za-z0-9+/]+={0,2}"
_XML = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[(%s)\]\]>|(%s))\s*</Encrypt>" % (_BASE64, _BASE64))
_JSON = re.compile(rb'"encrypt"\s*:\s*"((?:[A-Za-z0-9+/]|\\/)+={0,2})"')
_STAMP = re.compile(r"[0-9]{1,12}")
_HEX = re.compile(r"[0-9a-f]{40}")
_CDATA = re.compile(r"<!\[CDATA\[.*?\]\]>", re.DOTALL)
_AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, slots=True)
class Sealed:
    """One encrypted message with what proves it."""

    encrypt: str
    signature: str
    stamp: str
    nonce: str

    def to_xml(self) -> str:
        """As WeCom apps and official accounts take it."""
        return (
            f"<xml><Encrypt><![CDATA[{self.encrypt}]]></Encrypt><MsgSignature><![CDATA[{self.signature}]]></MsgSignature>"
            f"<TimeStamp>{self.stamp}</TimeStamp><Nonce><![CDATA[{self.nonce}]]></Nonce></xml>"
        )

    def to_json(self) -> str:
        """As AI bots take it: the key has no underscore, the time is a number (platforms.md 2.2)."""
        said = {"encrypt": self.encrypt, "msgsignature": self.signature, "timestamp": int(self.stamp)}
        return json.dumps(said | {"nonce": self.nonce})


class Envelope:
    """Opens what the platform sends to one receiver and seals what answers it. `receiver` is corpid, appid or ""."""

    def __init__(self, token: str, aes_key: str, receiver: str, clock: Callable[[], float] = time.time) -> None:
        from wechatpy.crypto.base import WeChatCipher

        if not _AES_KEY.fullmatch(aes_key):
            raise ConfigError([Fault(FILE, None, None, "EncodingAESKey 应为 43 位字母和数字，请从管理后台原样复制")])
        self._token = token
        self._receiver = receiver.encode()
        self._cipher = WeChatCipher(base64.b64decode(aes_key + "="))
        self._clock = clock

    def echo(self, query: Mapping[str, str]) -> str | None:
        """The word to say back when the platform verifies the address."""
        return self._open(query, query.get("echostr", ""))

    def open_xml(self, query: Mapping[str, str], body: bytes) -> dict[str, Any] | None:
        """The fields of a message in an XML envelope."""
        found = _XML.findall(body) if body.count(b"<Encrypt") == 1 and b"<!DOCTYPE" not in body else []
        text = self._open(query, b"".join(found[0]).decode()) if len(found) == 1 else None
        return fields(text) if text is not None else None

    def open_json(self, query: Mapping[str, str], body: bytes) -> dict[str, Any] | None:
        """A message in a JSON envelope."""
        found = _JSON.findall(body) if body.count(b'"encrypt"') == 1 else []
        text = self._open(query, found[0].replace(b"\\/", b"/").decode()) if len(found) == 1 else None
        return _object(text) if text is not None else None

    def seal(self, text: str, nonce: str = "") -> Sealed:
        """Encrypt an answer (or, in a simulator, a message)."""
        said = text.encode()
        plain = secrets.token_bytes(16) + len(said).to_bytes(4, "big") + said + self._receiver
        pad = BLOCK - len(plain) % BLOCK
        encrypt = base64.b64encode(self._cipher.encrypt(plain + bytes([pad]) * pad)).decode()
        stamp, nonce = str(int(self._clock())), nonce or secrets.token_hex(8)
        return Sealed(encrypt, sign(self._token, stamp, nonce, encrypt), stamp, nonce)

    def _open(self, query: Mapping[str, str], encrypt: str) -> str | None:
        stamp, given = query.get("timestamp", ""), query.get("msg_signature", "")
        expected = sign(self._token, stamp, query.get("nonce", ""), encrypt)
        if not same(expected, given) or not fresh(stamp, self._clock()):
            return None
        try:
            return self._read(self._cipher.decrypt(base64.b64decode(encrypt, validate=True)))
        except (binascii.Error, ValueError):  # wrong length, not UTF-8 …
            return None

    def _read(self, plain: bytes) -> str | None:
        """random(16) ‖ length(4) ‖ message ‖ receiver ‖ padding, each of them as it must be."""
        pad = plain[-1] if plain else 0
        if not 1 <= pad <= BLOCK or len(plain) < 20 + pad or plain[-pad:] != bytes([pad]) * pad:
            return None
        end = 20 + int.from_bytes(plain[16:20], "big")
        if end > len(plain) - pad or not hmac.compare_digest(plain[end:-pad], self._receiver):
            return None
        return plain[20:end].decode()


def sign(*parts: str) -> str:
    """Tencent's signature: SHA-1 over the sorted parts."""
    joined = b"".join(sorted(part.encode("utf-8", "surrogateescape") for part in parts))
    return hashlib.sha1(joined).hexdigest()  # noqa: S324 - the platform's own choice


def same(expected: str, given: str) -> bool:
    """Compared in constant time; only 40 lower-case hex digits can be a signature."""
    equal = hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
    return equal and bool(_HEX.fullmatch(given))


def fresh(stamp: str, now: float) -> bool:
    """Whether a request is of these minutes."""
    return bool(_STAMP.fullmatch(stamp)) and abs(now - int(stamp)) <= FRESH_SECONDS


def fields(text: str) -> dict[str, Any] | None:
    """The fields of a message's XML; None when it is none, or one built to do harm."""
    import xmltodict

    outside = _CDATA.sub("", text)
    if "<!" in outside or outside.count("<") > MARKS:
        return None
    try:
        found = xmltodict.parse(text).get("xml")
    except (xmltodict.expat.ExpatError, ValueError):
        return None
    return found if isinstance(found, dict) else None


async def read_body(request: web.Request) -> bytes | None:
    """The body as it came; None when it is too long, too slow or compressed."""
    if packed(request):
        return None
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_within(request, BODY_BYTES)
    except TimeoutError:
        return None


def refused(channel: str) -> web.Response:
    """The one answer to everything that is not the platform's."""
    log.warning("callback_refused", channel=channel)
    return web.Response(status=403, text=DENIED)


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
