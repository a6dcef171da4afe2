"""WeCom AI bot called by webhook: encrypted JSON at /in/NAME, answered in the same response or through response_url.

What the decision says within some seconds goes out in the very response. A slower one opens a stream that the platform
asks about until it is finished. Anything later needs a response_url, good for one message within an hour; without one
a message waits until somebody there speaks. So this mode cannot push: use the long connection wherever it can be had.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace
from bot.platforms import wecom_aibot_cards as cards
from bot.platforms import wecom_aibot_events as events
from bot.platforms import wecom_aibot_media as media
from bot.platforms.alone import homeward
from bot.platforms.envelope import Envelope, read_body, refused
from bot.platforms.registry import Setup
from bot.platforms.wecom_aibot_sending import MARKDOWN_BYTES, WELCOME, channel_of, judge, shown
from bot.platforms.wecom_text import pieces
from config.errors import Awaiting, Busy, Unknown
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store import inbox, outbox
from store.outbox import OutboxRow

log = structlog.get_logger()

ANSWER_SECONDS = 2.5  # of the five the platform waits
STREAM_SECONDS = 330.0  # it asks for six minutes at most
LOOK_SECONDS, LEAVE_SECONDS = (
    0.3,
    1.0,
)  # how often to look whether it is decided; how long an answer then takes to leave
URL_SECONDS = 3500.0
AWAIT_SECONDS = 3600.0
KEPT, URLS = 2000, 20
STREAM_BYTES = 20_480
PICTURES = 10
WORKING, LATER, MORE = "正在办理，请稍候", "已记下，办理情况稍后告知", "…（全文见群办网页）"


@dataclass(slots=True)
class Exchange:
    """One thing somebody said, while it can still be answered in place."""

    address: str
    stream: str
    answer: asyncio.Future[dict[str, Any]]
    gone: asyncio.Future[None]
    until: float = field(default_factory=lambda: time.monotonic() + STREAM_SECONDS)

    def take(self, payload: dict[str, Any]) -> bool:
        """Whether there was still room for an answer."""
        if self.answer.done() or self.until < time.monotonic():
            return False
        self.answer.set_result(payload)
        return True


class WecomAibotWebhookPlatform:
    """A group's address is its chatid, a person's the userid."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "bot_name": "",
        "proxy": "",
        "ca_file": "",
        "allow": "",
        "cards": True,
        "markdown_bytes": MARKDOWN_BYTES,
        "address_per_minute": 30,
    }
    SECRETS = ("token", "aes_key")

    def __init__(self, setup: Setup) -> None:
        self.channel: Channel = replace(channel_of(setup), pushes=False, photos=False, forms=("markdown", "text"))
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or 0)
        self.engine: Engine | None = None
        self.answer_seconds, self.leave_seconds = ANSWER_SECONDS, LEAVE_SECONDS
        self._envelope = Envelope(setup.secrets["token"], setup.secrets["aes_key"], "")
        self._key = setup.secrets["aes_key"]
        self._bot_name = setup.text("bot_name")
        self._photo = setup.photo
        self._fetcher = Fetcher(setup.text("allow").split(","), setup.text("ca_file"), setup.text("proxy"))
        self._exchanges: OrderedDict[int, Exchange] = OrderedDict()  # by inbox seq
        self._streams: OrderedDict[str, Exchange] = OrderedDict()
        self._urls: defaultdict[str, deque[tuple[str, float]]] = defaultdict(lambda: deque(maxlen=URLS))
        self._cards: OrderedDict[str, cards.Card] = OrderedDict()

    def add_routes(self, app: web.Application) -> None:
        """The one address the platform verifies and calls."""
        app.router.add_get(f"/in/{self.channel.name}", self._verified)
        app.router.add_post(f"/in/{self.channel.name}", self._posted)

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Close connections."""
        await self._fetcher.close()

    async def fetch(self, photo: Photo) -> bytes:
        """Addresses live five minutes; the bytes are under the bot's own key."""
        return await media.fetched(self._fetcher, photo, self._key)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """In the open response if there is one, else through a response_url of that chat, else when somebody speaks."""
        payload = await self._payload(row, message)
        exchange = self._exchanges.get(row.origin or 0)
        if exchange is not None and exchange.address == row.address and exchange.take(payload):
            await exchange.gone
            return row.key
        url = self._url(row.address)
        if url is None:
            raise Awaiting(outbox.AWAITING, AWAIT_SECONDS)
        await self._post(url, _plain(payload, self.channel.markdown_bytes))
        return row.key

    async def _post(self, url: str, body: Mapping[str, Any]) -> None:
        said = json.dumps(body, ensure_ascii=False).encode()
        answer = await self._fetcher.post(url, said, {"Content-Type": "application/json"})
        if answer.status != 200:
            raise Unknown(f"企业微信回答 {answer.status}")
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise Unknown("企业微信的回答读不懂") from None
        judge(found if isinstance(found, dict) else {"errcode": -2})

    def _url(self, address: str) -> str | None:
        held = self._urls[address]
        while held:
            url, until = held.popleft()
            if until > time.monotonic():
                return url
        del self._urls[address]
        return None

    async def _payload(self, row: OutboxRow, message: Message) -> dict[str, Any]:
        text = shown(self._live.office, self.channel.name, row, message)
        card = cards.card_of(row, message, whole=False) if self.channel.buttons else None
        stream: dict[str, Any] = {"id": "", "finish": True, "content": pieces(text, STREAM_BYTES)[0] if text else ""}
        if message.photos:
            stream["msg_item"] = [await asyncio.to_thread(_item, self._photo(sha)) for sha in message.photos[:PICTURES]]
        if card is None:
            return {"msgtype": "stream", "stream": stream}
        _keep(self._cards, card["task_id"], card)
        return {"msgtype": "stream_with_template_card", "stream": stream, "template_card": card}

    async def _verified(self, request: web.Request) -> web.Response:
        """The admin site's check: the word alone, within a second."""
        word = self._envelope.echo(request.query)
        return refused(self.channel.name) if word is None else web.Response(text=word)

    async def _posted(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request)
        found = self._envelope.open_json(request.query, body) if body is not None else None
        if found is None:
            return refused(self.channel.name)
        kind = events.event_type(found) if found.get("msgtype") == "event" else found.get("msgtype")
        if kind == "stream":
            return await self._asked_again(request, found)
        if kind == "enter_chat":
            return self._sealed({"msgtype": "text", "text": {"content": WELCOME}})
        if kind == "template_card_event":
            return await self._clicked(found)
        event = events.read_message(self.channel.name, found, self._bot_name) if kind is not None else None
        return await self._heard(request, event, found) if event is not None else web.Response()

    async def _accept(self, event: Event) -> int | None:
        """The inbox row, 0 when it was there before; None when there is no room."""
        group = self._live.office.group_at.get((self.channel.name, event.address))
        placed = homeward(self._live, replace(event, group=group.id if group else ""))
        try:
            receipt = (await self._live.inbox.accept([placed]))[0]
        except Busy:
            return None
        return receipt.seq if receipt.state == "kept" else 0

    async def _heard(self, request: web.Request, event: Event, found: Mapping[str, Any]) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        seq = await self._accept(event)
        if seq is None:
            return _dropped(request)
        if seq == 0:
            return web.Response()  # a redelivery: its first delivery is answered
        exchange = Exchange(event.address, f"qb-{seq}", loop.create_future(), loop.create_future())
        _keep(self._exchanges, seq, exchange)
        url = found.get("response_url")
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            self._urls[event.address].append((url, time.monotonic() + URL_SECONDS))
        stands = await self._in_time(exchange, seq)
        if stands == "open":
            _keep(self._streams, exchange.stream, exchange)
            return self._sealed(_stream(exchange.stream, WORKING, finish=False))
        await self._wake(event.address)
        if stands == "silent":
            exchange.until = 0.0
            return web.Response()
        return await self._handed(request, exchange)

    async def _wake(self, address: str) -> None:
        """What waited for somebody there to speak may go now."""
        engine, name = self._live, self.channel.name
        try:
            if await engine.store.write(lambda tx: outbox.hasten(tx, name, outbox.AWAITING, address)):
                await engine.outbox.sweep()
        except Busy:
            log.warning("wecom_wake_postponed", channel=name)

    async def _in_time(self, exchange: Exchange, seq: int) -> str:
        """How it stands when the response must go: "answered", "open" (undecided) or "silent" (nothing to say)."""
        until = time.monotonic() + self.answer_seconds
        while True:
            await asyncio.wait((exchange.answer,), timeout=min(LOOK_SECONDS, self.answer_seconds))
            if exchange.answer.done():
                return "answered"
            undecided = await self._live.store.read(lambda c: inbox.is_open(c, seq))
            if time.monotonic() >= until:
                return "open" if undecided else "silent"
            if not undecided:
                until = min(until, time.monotonic() + self.leave_seconds)

    async def _asked_again(self, request: web.Request, found: Mapping[str, Any]) -> web.StreamResponse:
        """The platform asks how a stream goes on."""
        asked = found.get("stream")
        name = asked.get("id") if isinstance(asked, dict) else ""
        exchange = self._streams.get(name) if isinstance(name, str) else None
        if exchange is None or exchange.until < time.monotonic():
            return self._sealed(_stream(str(name), LATER, finish=True))
        if not exchange.answer.done():
            return self._sealed(_stream(exchange.stream, WORKING, finish=False))
        return await self._handed(request, exchange)

    async def _handed(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        """Write the answer out, and only then count it as sent; asked once more, it is said once more."""
        payload = exchange.answer.result()
        payload["stream"]["id"] = exchange.stream
        response = self._sealed(payload)
        try:
            await response.prepare(request)
            await response.write_eof()
        except (ConnectionError, OSError):
            _end(exchange.gone, Unknown("企业微信连接中断"))
            raise
        _end(exchange.gone)
        return response

    async def _clicked(self, found: Mapping[str, Any]) -> web.Response:
        """A click comes once: it is stored, and the card shows that it was pressed."""
        event = events.read_click(self.channel.name, found)
        if event is None:
            return web.Response()
        if await self._accept(event) is None:
            return web.Response(status=503)
        click = events.detail(found, "template_card_event")
        card = self._cards.get(str(click.get("task_id")))
        if card is None:
            return web.Response()
        updated = cards.pressed(card, str(click.get("event_key")))
        return self._sealed({"response_type": "update_template_card", "template_card": updated})

    def _sealed(self, payload: Mapping[str, Any]) -> web.Response:
        text = self._envelope.seal(json.dumps(payload, ensure_ascii=False)).to_json()
        return web.Response(text=text, content_type="application/json")

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine


def _stream(name: str, content: str, *, finish: bool) -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": name, "finish": finish, "content": content}}


def _plain(payload: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """For a response_url: markdown, in one message; pictures cannot go this way."""
    text = str(payload["stream"]["content"])
    if "msg_item" in payload["stream"]:
        text += "\n（照片请在群办网页查看）"
    parts = pieces(text, limit - len(MORE.encode())) or ["好的"]
    return {"msgtype": "markdown", "markdown": {"content": parts[0] + (MORE if len(parts) > 1 else "")}}


def _item(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    md5 = hashlib.md5(data).hexdigest()  # noqa: S324 - the platform's own choice
    return {"msgtype": "image", "image": {"base64": base64.b64encode(data).decode(), "md5": md5}}


def _dropped(request: web.Request) -> web.Response:
    """No room: break off, so that the platform says it again (security.md D.2)."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _end(future: asyncio.Future[None], error: Exception | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        future.exception()  # seen, even when nobody waits


def _keep(shelf: OrderedDict[Any, Any], key: object, value: object) -> None:
    shelf[key] = value
    if len(shelf) > KEPT:
        shelf.popitem(last=False)
