"""A signed JSON webhook for systems an office already has: POST /in/NAME in, POST to `callback` out (docs/channels.md).

Both ways the signature is HMAC-SHA256 over timestamp, a dot and the raw body. It is checked before anything is parsed, and
every way to fail it looks the same. 200 is said only after the commit; a repetition is harmless, since ids are unique.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web

from bot.engine import Engine
from bot.fetcher import Answer, Fetcher, retry_after
from bot.platforms import Pace
from bot.platforms.bodies import read_within
from bot.platforms.registry import Setup, clean
from config.errors import Busy, Refused, Rejected, Retry, Unknown
from digests.screening import clean_name
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store.outbox import OutboxRow

log = structlog.get_logger()

BODY_BYTES = 64 << 10  # security.md T4
BODY_SECONDS = 10.0
FRESH_SECONDS = 300  # security.md T2: real time, whatever the business clock says
EVENTS = 100
PHOTOS = 9
PER_MINUTE = 600
LENGTHS = {"id": 128, "group": 128, "sender": 128, "name": 256, "text": 16000, "quote": 128, "recall": 128}
DENIED = "签名不对或已过期"
_HEX = re.compile(r"[0-9a-f]{64}")
_STAMP = re.compile(r"[0-9]{1,12}")


def sign(key: bytes, stamp: str, body: bytes) -> str:
    """What X-Qunban-Signature must say."""
    return hmac.new(key, stamp.encode("utf-8", "surrogateescape") + b"." + body, hashlib.sha256).hexdigest()


class HttpPlatform:
    """Addresses are the other system's own ids; its group ids and its user ids must differ."""

    OPTIONS: Mapping[str, str | int | bool] = {"callback": "", "allow": "", "private": True, "address_per_minute": 0}
    SECRETS = ("key",)

    def __init__(self, setup: Setup) -> None:
        private = bool(setup.options["private"])
        self.channel = Channel(setup.name, private, "idempotent", "内部系统（HTTP）", buttons=True, recalls=True)
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or PER_MINUTE)
        self.engine: Engine | None = None
        self._key = setup.secrets["key"].encode()
        self._callback = setup.text("callback")
        self._photo = setup.photo
        self._fetcher = Fetcher(setup.text("allow").split(","))

    def add_routes(self, app: web.Application) -> None:
        """The one address the other system posts to."""
        app.router.add_post(f"/in/{self.channel.name}", self._posted)

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Close connections to the callback."""
        await self._fetcher.close()

    async def fetch(self, photo: Photo) -> bytes:
        """Photos come by address."""
        return await self._fetcher.get(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Post to the callback; a repetition carries the same Idempotency-Key and the same body."""
        if not self._callback:
            raise Refused("没有设置 callback，不能发送")
        body = json.dumps(await self._told(row, message), ensure_ascii=False).encode()
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": row.key,
            "X-Qunban-Timestamp": stamp,
            "X-Qunban-Signature": sign(self._key, stamp, body),
        }
        return _receipt(await self._fetcher.post(self._callback, body, headers), row)

    async def _told(self, row: OutboxRow, message: Message) -> dict[str, Any]:
        office, name = self._live.office, self.channel.name
        mark = f"{name}:"
        people = (office.people[person] for person in message.mention if person in office.people)
        return {
            "id": row.key,
            "to": row.address,
            "private": bool(row.person) or (name, row.address) in office.person_at,
            "kind": row.kind,
            "text": message.text,
            "mention": [a.removeprefix(mark) for p in people for a in p.accounts if a.startswith(mark)],
            "quote": message.quote,
            "buttons": [{"label": label, "text": said} for label, said in message.buttons],
            "photos": [await asyncio.to_thread(self._encoded, sha) for sha in message.photos],
        }

    def _encoded(self, sha: str) -> dict[str, str]:
        path = self._photo(sha)
        return {"sha256": sha, path.suffix.replace("jpg", "jpeg")[1:]: base64.b64encode(path.read_bytes()).decode()}

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine

    async def _posted(self, request: web.Request) -> web.Response:
        stamp, signature = request.headers.get("X-Qunban-Timestamp", ""), request.headers.get("X-Qunban-Signature", "")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return _said(415, "正文不要压缩")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await read_within(request, BODY_BYTES)
        except TimeoutError:
            return _said(408, "正文没有传完")
        if body is None:
            return _said(413, f"正文超过 {BODY_BYTES >> 10} KiB")
        if not self._signed(stamp, signature, body):
            log.warning("signature_refused", channel=self.channel.name)
            return _said(403, DENIED)
        try:
            events = [self.parse(piece) for piece in _pieces(body)]
        except Rejected as error:
            return _said(400, str(error))
        return await self._accept(events)

    def _signed(self, stamp: str, signature: str, body: bytes) -> bool:
        """Every part is always computed, so that no failure is quicker than another."""
        expected = sign(self._key, stamp, body)
        same = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape"))
        fresh = bool(_STAMP.fullmatch(stamp)) and abs(time.time() - int(stamp)) <= FRESH_SECONDS
        return same and fresh and bool(_HEX.fullmatch(signature))

    async def _accept(self, events: list[Event]) -> web.Response:
        try:
            receipts = await self._live.inbox.accept(events)
        except Busy as error:
            return _said(503, str(error), {"Retry-After": "2"})
        found = [
            {"id": event.subject if event.kind == "recall" else event.id, "state": receipt.state}
            for event, receipt in zip(events, receipts, strict=True)
        ]
        return web.json_response({"events": found})

    def parse(self, piece: object) -> Event:
        """One event of theirs as ours. Raises Rejected with the field to mend."""
        if not isinstance(piece, dict):
            raise Rejected("每个事件应为一个对象")
        said = {key: _word(piece, key, limit) for key, limit in LENGTHS.items()}
        if not said["sender"] or not (said["id"] or said["recall"]):
            raise Rejected("缺少 id 或 sender")
        name, address = self.channel.name, said["group"] or said["sender"]
        found = self._live.office.group_at.get((name, address))
        group = found.id if found and said["group"] else ""
        if said["recall"]:
            subject = said["recall"]
            return Event(name, f"recall/{subject}", "recall", address, group, said["sender"], subject=subject)
        return Event(
            name,
            said["id"],
            address=address,
            group=group,
            sender=said["sender"],
            name=clean_name(said["name"]) if said["name"] else "",
            text=said["text"],
            photos=_photos(piece.get("photos")),
            quote=said["quote"],
            addressed=piece.get("addressed") is True or "@群办" in said["text"],
            sent_at=_moment(piece.get("sent_at")),
        )


def _pieces(body: bytes) -> list[object]:
    try:
        found = json.loads(body)
    except RecursionError:
        raise Rejected("JSON 嵌套太深") from None
    except ValueError:
        raise Rejected("不是正确的 JSON") from None
    pieces = found.get("events", [found]) if isinstance(found, dict) else None
    if not isinstance(pieces, list) or not pieces:
        raise Rejected("应为一个事件，或 {“events”: […]}")
    if len(pieces) > EVENTS:
        raise Rejected(f"一次最多 {EVENTS} 个事件")
    return pieces


def _word(piece: Mapping[str, Any], key: str, limit: int) -> str:
    value = piece.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise Rejected(f"{key} 应为文字，最多 {limit} 字")
    return clean(value)


def _photos(value: object) -> tuple[Photo, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > PHOTOS:
        raise Rejected(f"photos 应为网址的列表，最多 {PHOTOS} 个")
    found = [clean(ref) for ref in value if isinstance(ref, str) and ref.startswith(("http://", "https://"))]
    if len(found) != len(value) or any(len(ref) > 2000 for ref in found):
        raise Rejected("photos 里应为 http:// 或 https:// 开头的网址，最多 2000 字")
    return tuple(Photo(ref) for ref in dict.fromkeys(found))


def _moment(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 40:
        raise Rejected("sent_at 应为整数秒")
    return value


def _said(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)


def _receipt(answer: Answer, row: OutboxRow) -> str:
    if answer.status == 429 or answer.status >= 500:
        raise Retry(f"对方暂时不收（{answer.status}）", retry_after(answer.headers))
    if not 200 <= answer.status < 300:
        raise Refused(f"对方不收（{answer.status}）")
    try:
        found = json.loads(answer.body) if answer.body else {}
    except (ValueError, RecursionError):
        raise Unknown("对方的回答读不懂") from None
    given = found.get("id") if isinstance(found, dict) else None
    return clean(given)[:128] if isinstance(given, str) and given else row.key
