"""The one way out: every HTTP request this program makes goes through here (security.md T9, T21, E).

The address is judged where it is final, at the socket: a name, a redirect or a rebinding resolver cannot lead inside.
Hosts an office names itself (`allow`) may be inside. No error says more of an address than its host.
"""

from __future__ import annotations

import io
import ssl
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address, ip_network
from socket import socket
from typing import Any

import aiohttp
from aiohttp import ClientTimeout
from yarl import URL

from config.errors import Refused, Retry, Unknown

MEDIA_BYTES = 10 << 20  # security.md T26
ANSWER_BYTES = 64 << 10
REDIRECTS = 3
TIMEOUT = ClientTimeout(total=10, connect=3, sock_read=8)  # security.md E
CHUNK = 64 << 10
LARGE = 1 << 20
DENIED = tuple(
    map(
        ip_network,
        (
            "64:ff9b::/96",  # NAT64 reaches 127.0.0.1 and passes is_global (security.md 0.6)
            "64:ff9b:1::/48",
            "2002::/16",  # 6to4
            "2001::/32",  # Teredo
            "::/96",  # IPv4-compatible
            "192.0.0.0/24",
            "168.63.129.16/32",  # a cloud's own metadata at a public address
        ),
    )
)
BLOCKED = "address not allowed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def public(address: str) -> bool:
    """Whether an IP address is somebody else's: not ours, not the intranet's, not a tunnel that could lead back."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    odd = ip.is_multicast or ip.is_reserved or ip.is_unspecified or (ip.version == 6 and ip.is_site_local)
    return ip.is_global and not odd and not any(ip in network for network in DENIED if network.version == ip.version)


def _guarded(info: tuple[Any, ...]) -> socket:
    family, kind, proto, _, address = info
    if not public(address[0]):
        raise OSError(BLOCKED)
    return socket(family, kind, proto)


class Fetcher:
    """`allow` are hosts (`oa.example`, `10.1.2.3` or with a port) that may lie inside.

    `ca` is a file with certificates to trust as well, `proxy` the address of an HTTP proxy.
    """

    def __init__(self, allow: Iterable[str] = (), ca: str = "", proxy: str = "") -> None:
        self._ca, self._proxy = ca, proxy
        self._allow = frozenset(host.strip().lower() for host in allow if host.strip())
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def get(self, address: str, limit: int = MEDIA_BYTES) -> bytes:
        """Download something, following a few redirects, each judged anew. Raises Retry or Refused."""
        url = _parsed(address)
        for _ in range(REDIRECTS + 1):
            answer = await self._got(url, limit)
            if answer.status not in (301, 302, 303, 307, 308):
                return _judged(answer)
            url = _parsed(answer.headers.get("Location", ""), url)
        raise Refused("图片地址跳转太多")

    async def look(
        self, address: str, limit: int, headers: Mapping[str, str], may: Callable[[URL], bool]
    ) -> tuple[str, Answer]:
        """Read a page with every answer it gives, 304 and 412 too: where it was in the end, and the answer, unpacked.

        `may` is asked about every address on the way. Raises Retry or Refused.
        """
        url = _parsed(address)
        for _ in range(REDIRECTS + 1):
            if not may(url):
                raise Refused(f"{url.host} 不在允许访问的网站里")
            answer = await self._got(url, limit, headers)
            if answer.status not in (301, 302, 303, 307, 308):
                return str(url), _unpacked(answer, limit)
            url = _parsed(answer.headers.get("Location", ""), url)
        raise Refused("网页跳转太多")

    async def post(self, address: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Answer:
        """Send something. Raises Retry when it certainly did not arrive, Unknown when it may have, Refused when it may not go there."""
        url = _parsed(address)
        try:
            async with self._session(url).request(
                method, url, data=_streamed(body), headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await _read(response, ANSWER_BYTES))
        except aiohttp.ClientConnectorError as error:
            raise _unreached(error, url) from None
        except (aiohttp.ConnectionTimeoutError, aiohttp.ServerTimeoutError) as error:
            early = isinstance(error, aiohttp.ConnectionTimeoutError)
            raise (Retry if early else Unknown)(f"{url.host} 没有回应") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unknown(f"{url.host} 中断（{type(error).__name__}）") from None

    async def _got(self, url: URL, limit: int, headers: Mapping[str, str] | None = None) -> Answer:
        try:
            async with self._session(url).get(url, headers=headers, allow_redirects=False) as response:
                return Answer(response.status, response.headers, await _read(response, limit))
        except aiohttp.ClientConnectorError as error:
            raise _unreached(error, url) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry(f"{url.host} 中断（{type(error).__name__}）") from None

    def _session(self, url: URL) -> aiohttp.ClientSession:
        inside = bool(self._allow.intersection((url.host or "", f"{url.host}:{url.port}")))
        if inside not in self._sessions:
            guard = None if inside else _guarded
            trust = ssl.create_default_context(cafile=self._ca) if self._ca else True
            connector = aiohttp.TCPConnector(limit=50, socket_factory=guard, ssl=trust)
            self._sessions[inside] = aiohttp.ClientSession(
                connector=connector,
                timeout=TIMEOUT,
                trust_env=False,
                proxy=self._proxy or None,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"Accept-Encoding": "identity", "User-Agent": "qunban"},
            )
        return self._sessions[inside]


def _parsed(address: str, base: URL | None = None) -> URL:
    try:
        url = base.join(URL(address)) if base is not None else URL(address)
    except ValueError:
        raise Refused("地址写法不对") from None
    if url.scheme not in ("http", "https") or not url.host or url.user is not None or url.password is not None:
        raise Refused("地址写法不对，应以 http:// 或 https:// 开头")
    return url


def _judged(answer: Answer) -> bytes:
    if answer.status == 429 or answer.status >= 500:
        raise Retry(f"对方暂时不给（{answer.status}）", retry_after(answer.headers))
    if answer.status != 200:
        raise Refused(f"对方不给（{answer.status}）")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused("对方给的是压缩内容")
    return answer.body


def _unpacked(answer: Answer, limit: int) -> Answer:
    """gzip and deflate from servers that pack unasked, never past the limit (security.md T6)."""
    packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packed in ("identity", "") or not answer.body:
        return answer
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise Refused("对方给的是读不了的压缩内容")
    try:
        return replace(answer, body=_inflated(answer.body, limit))
    except zlib.error:
        raise Refused("对方给的压缩内容是坏的") from None


def _inflated(packed: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while packed:
        pump = zlib.decompressobj(zlib.MAX_WBITS | 32)
        part = pump.decompress(packed, limit + 1 - size)
        size += len(part)
        if size > limit or pump.unconsumed_tail:
            raise Refused("内容太大")
        parts.append(part)
        packed = pump.unused_data
    return b"".join(parts)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds a server asks us to wait, at most an hour; 0 when it does not say."""
    value = headers.get("Retry-After", "")
    return float(min(int(value), 3600)) if value.isascii() and value.isdigit() and len(value) < 9 else 0.0


def _streamed(body: bytes) -> bytes | io.BytesIO | None:
    """A large body goes out bit by bit, or it would hold up everything else."""
    return io.BytesIO(body) if len(body) > LARGE else body or None


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    if (response.content_length or 0) > limit:
        raise Refused("内容太大")
    parts, size = [], 0
    async for part in response.content.iter_chunked(CHUNK):
        size += len(part)
        if size > limit:
            raise Refused("内容太大")
        parts.append(part)
    return b"".join(parts)


def _unreached(error: aiohttp.ClientConnectorError, url: URL) -> Retry | Refused:
    if BLOCKED in str(error.os_error):
        return Refused("这个地址不允许访问")
    return Retry(f"{url.host} 连不上")
