"""OneBot v11 by reverse WebSocket: the implementation dials in at /in/NAME and both events and sends use that line.

Unofficial, off unless configured (docs/channels.md names the risk). Events are accepted in batches in the order they
came; while nothing can be stored the socket is not read. Sends are at-most-once: there is no idempotency key, an
implementation's time-out is often a message that did go out, and doubles get accounts frozen, so what is unclear is
parked for a person (security.md D.2, peers.md A.2).
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import WSMsgType, web

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace, segments
from bot.platforms.registry import Setup, clean
from config.errors import Busy, Offline, Refused, Retry, Unknown
from digests.screening import clean_name
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store import inbox, outbox
from store.outbox import OutboxRow

log = structlog.get_logger()

FRAME_BYTES = 256 << 10  # security.md E
HEARTBEAT = 30.0
QUEUE = 256  # events read and not yet stored
BATCH = 64
BUSY_SECONDS = 0.5
OFFLINE_SECONDS = 30.0
UNCLEAR = frozenset({1200, 1202})  # NapCat's time-out codes: sent or not, nobody knows (peers.md A.2)
ADDRESS_PER_MINUTE = 20
CHANNEL_PER_MINUTE = 60
NO_LINE = "QQ 端未连接"
_NUMBER = re.compile(r"-?\d{1,20}")


class OneBotPlatform:
    """Groups have the address g7788, people the address 20002."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "format": "array",
        "private": False,
        "address_per_minute": ADDRESS_PER_MINUTE,
        "allow": "",
    }
    SECRETS = ("token",)

    def __init__(self, setup: Setup) -> None:
        self.channel = Channel(setup.name, bool(setup.options["private"]), "at-most-once", "QQ（OneBot，非官方）")
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or CHANNEL_PER_MINUTE)
        self.engine: Engine | None = None
        self._token = setup.secrets["token"].encode()
        self._strings = setup.text("format") == "string"
        self._photo = setup.photo
        self._fetcher = Fetcher(setup.text("allow").split(","))
        self._lines: dict[str, web.WebSocketResponse] = {}
        self._answers: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._heard: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        self._taker: asyncio.Task[None] | None = None

    def add_routes(self, app: web.Application) -> None:
        """The one address implementations dial."""
        app.router.add_get(f"/in/{self.channel.name}", self._dialled)
        app.on_shutdown.append(self._hang_up)

    async def start(self) -> None:
        """Wait to be dialled."""

    async def close(self) -> None:
        """What was read is stored first; then stop."""
        if self._taker is not None:
            try:
                async with asyncio.timeout(5):
                    await self._heard.join()
            except TimeoutError:
                log.error("onebot_unstored", channel=self.channel.name, events=self._heard.qsize())
            self._taker.cancel()
        await self._fetcher.close()

    async def fetch(self, photo: Photo) -> bytes:
        """Photo addresses expire quickly, so this is called at once."""
        return await self._fetcher.get(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Call send_group_msg or send_private_msg and wait for the message's id; the outbox bounds the waiting."""
        line = self._lines.get("API") or self._lines.get("Universal")
        if line is None or line.closed:
            raise Offline(NO_LINE, OFFLINE_SECONDS)
        if self._heard.full():
            raise Retry("正在等磁盘，暂不发送", 2.0)
        parts = await self._parts(message)
        frame = _call(row, segments.as_string(parts) if self._strings else parts)
        return _receipt(await self._ask(line, str(row.seq), frame))

    async def _ask(self, line: web.WebSocketResponse, echo: str, frame: str) -> Mapping[str, Any]:
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[echo] = answer
        try:
            await line.send_str(frame)
            return await answer
        except ConnectionError:
            raise Unknown("QQ 端连接中断") from None
        finally:
            self._answers.pop(echo, None)

    async def _parts(self, message: Message) -> list[segments.Segment]:
        quote = message.quote.partition("@")[0]
        parts = [segments.reply(quote)] if _NUMBER.fullmatch(quote) else []
        if message.mention:
            parts += self._call_out(message.mention[0])
        parts.append(segments.text(message.text))
        for sha in message.photos:
            parts.append(segments.image(await asyncio.to_thread(self._encoded, sha)))
        return parts

    def _call_out(self, person: str) -> list[segments.Segment]:
        found, mark = self._live.office.people.get(person), f"{self.channel.name}:"
        users = [a.removeprefix(mark) for a in found.accounts if a.startswith(mark)] if found else []
        return [segments.at(users[0]), segments.text(" ")] if users else []

    def _encoded(self, sha: str) -> str:
        return base64.b64encode(self._photo(sha).read_bytes()).decode()

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine

    async def _dialled(self, request: web.Request) -> web.StreamResponse:
        """401 without a token, 403 with a wrong one, as other OneBot applications answer (platforms.md 9)."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        token = given if kind in ("Bearer", "Token") else request.query.get("access_token", "")
        if not token:
            return web.Response(status=401, text="需要令牌")
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            return web.Response(status=403, text="令牌不对")
        line = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=FRAME_BYTES, compress=False)
        await line.prepare(request)
        role = request.headers.get("X-Client-Role", "Universal")
        await self._adopt(role, line)
        try:
            await self._listen(line, request.headers.get("X-Self-ID", ""))
        finally:
            if self._lines.get(role) is line:
                del self._lines[role]
                self._give_up()
            log.info("onebot_gone", channel=self.channel.name, role=role)
        return line

    async def _adopt(self, role: str, line: web.WebSocketResponse) -> None:
        """The newest connection wins (peers.md A.2); what waited for one leaves now."""
        old, self._lines[role] = self._lines.get(role), line
        if old is not None:
            self._give_up()
            await old.close(message=b"replaced")
        if self._taker is None or self._taker.done():
            self._taker = asyncio.get_running_loop().create_task(self._take())
        log.info("onebot_connected", channel=self.channel.name, role=role)
        if role != "Event":
            await self._live.store.write(lambda tx: outbox.hasten(tx, self.channel.name, NO_LINE))
            await self._live.outbox.sweep()

    def _give_up(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Unknown("QQ 端连接中断"))

    async def _hang_up(self, app: web.Application) -> None:
        for line in tuple(self._lines.values()):
            await line.close()

    async def _listen(self, line: web.WebSocketResponse, self_id: str) -> None:
        async for frame in line:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                found = json.loads(frame.data)
            except (ValueError, RecursionError):
                log.warning("onebot_bad_frame", channel=self.channel.name, size=len(frame.data))
                continue
            if isinstance(found, dict):
                await self._hear(found, self_id)

    async def _hear(self, found: Mapping[str, Any], self_id: str) -> None:
        if "post_type" not in found:
            answer = self._answers.get(str(found.get("echo")))
            if answer is not None and not answer.done():
                answer.set_result(found)
            return
        event = self.parse(found, self_id)
        if event is not None:
            await self._heard.put(event)  # a full queue stops the reading, and TCP stops the sender

    def parse(self, found: Mapping[str, Any], self_id: str = "") -> Event | None:
        """One OneBot event as ours; None for what we do not follow (heartbeats, files, our own messages)."""
        reads = _READS.get(str(found.get("post_type")), {}).get(_kind(found))
        return reads(self, found, str(found.get("self_id") or self_id)) if reads else None

    def _message(self, found: Mapping[str, Any], self_id: str) -> Event | None:
        sender, message_id, sent_at = _id(found, "user_id"), _id(found, "message_id"), found.get("time")
        if not sender or not message_id or sender == self_id:
            return None
        said = segments.heard(found.get("message"), self_id)
        if said == segments.Heard():
            return None
        address = self._address(found) or sender
        name = found.get("sender")
        card = (name.get("card") or name.get("nickname")) if isinstance(name, dict) else ""
        return Event(
            self.channel.name,
            message_id,
            address=address,
            group=self._group(address),
            sender=f"anonymous/{sender}" if found.get("anonymous") else sender,
            name=clean_name(clean(card)) if isinstance(card, str) and card else "",
            text=said.text,
            photos=tuple(Photo(url) for url in said.images),
            quote=said.quote,
            addressed=said.addressed,
            voice=said.voice,
            sent_at=sent_at if isinstance(sent_at, int) and 0 < sent_at < 1 << 40 else None,
        )

    def _recall(self, found: Mapping[str, Any], self_id: str) -> Event | None:
        subject, sender = _id(found, "message_id"), _id(found, "user_id")
        address = self._address(found) or sender
        if not subject or not sender or sender == self_id:
            return None
        return Event(
            self.channel.name, f"recall/{subject}", "recall", address, self._group(address), sender, subject=subject
        )

    def _joined(self, found: Mapping[str, Any], self_id: str) -> Event | None:
        address = self._address(found)
        if not address or _id(found, "user_id") != self_id:
            return None
        return Event(self.channel.name, f"joined/{address}", "joined", address, self._group(address))

    def _address(self, found: Mapping[str, Any]) -> str:
        group = _id(found, "group_id")
        return f"g{group}" if group else ""

    def _group(self, address: str) -> str:
        group = self._live.office.group_at.get((self.channel.name, address))
        return group.id if group else ""

    async def _take(self) -> None:
        while True:
            batch = [await self._heard.get()]
            while len(batch) < BATCH and not self._heard.empty():
                batch.append(self._heard.get_nowait())
            await self._store(batch)
            for _ in batch:
                self._heard.task_done()

    async def _store(self, batch: list[Event]) -> None:
        """Until it is stored; nothing read is dropped."""
        while True:
            try:
                receipts = await self._live.inbox.accept(batch)
                break
            except Busy:
                await asyncio.sleep(BUSY_SECONDS)
        for event, receipt in zip(batch, receipts, strict=True):
            if receipt.state == "known" and event.kind == "message" and "@" not in event.id:
                await self._store_again(event)

    async def _store_again(self, event: Event) -> None:
        """Message ids are 32-bit and do collide: another sender or another time is another message, not a redelivery."""
        known = await self._live.store.read(lambda c: inbox.find(c, event.channel, event.id))
        if known is not None and event.sent_at and (known.sender, known.sent_at) != (event.sender, event.sent_at):
            await self._store([_renamed(event)])


_READS = {
    "message": {"group": OneBotPlatform._message, "private": OneBotPlatform._message},
    "notice": {
        "group_recall": OneBotPlatform._recall,
        "friend_recall": OneBotPlatform._recall,
        "group_increase": OneBotPlatform._joined,
    },
}


def _renamed(event: Event) -> Event:
    return replace(event, id=f"{event.id}@{event.sent_at}")


def _kind(found: Mapping[str, Any]) -> str:
    return str(found.get("message_type") or found.get("notice_type"))


def _id(found: Mapping[str, Any], key: str) -> str:
    """Ids come as numbers or as text."""
    value = found.get(key)
    word = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return word if _NUMBER.fullmatch(word) else ""


def _call(row: OutboxRow, message: object) -> str:
    group = row.address.startswith("g")
    action, target = ("send_group_msg", "group_id") if group else ("send_private_msg", "user_id")
    number = row.address.removeprefix("g")
    if not number.isascii() or not number.isdigit():
        raise Refused("地址写法不对，应为 g群号 或 QQ 号")
    params = {target: int(number), "message": message}
    return json.dumps({"action": action, "params": params, "echo": str(row.seq)}, ensure_ascii=False)


def _receipt(answer: Mapping[str, Any]) -> str:
    data, code = answer.get("data"), answer.get("retcode")
    if answer.get("status") in ("ok", "async"):
        return _id(data, "message_id") if isinstance(data, dict) else ""
    words = f"{answer.get('message', '')}{answer.get('wording', '')}"
    if code in UNCLEAR or "imeout" in words or "超时" in words:
        raise Unknown(f"QQ 端说超时（{code}）")
    raise Refused(f"QQ 端拒绝（{code}）")
