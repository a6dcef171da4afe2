"""OneBot v11, all its ways: reverse WebSocket and HTTP POST come in at /in/NAME, forward WebSocket and HTTP go out.

Unofficial, off unless configured (docs/platforms/onebot.md names the risk). Events are accepted in batches in the order
they came; while nothing can be stored no line is read. After a gap what was missed is pulled before new words are
decided. Sends are at-most-once: there is no idempotency key, an implementation's time-out is often a message that did
go out, and doubles get accounts frozen, so what is unclear is parked for a person (security.md D.2, peers.md A.2).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace, onebot_events, onebot_history, segments
from bot.platforms.alone import homeward
from bot.platforms.onebot_http import NO_LINE, OFFLINE_SECONDS, HttpApi, signed_body
from bot.platforms.onebot_lines import FRAME_BYTES, HEARTBEAT, Found, Lines, asked_once, keep_dialling
from bot.platforms.registry import Setup
from config.errors import Busy, ConfigError, Offline, Parked, Refused, Retry, SendError, Unknown
from digests.characters import split
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store import Tx, inbox, meta, outbox
from store.inbox import InboxRow
from store.outbox import OutboxRow

log = structlog.get_logger()

QUEUE = 256  # events read and not yet stored
BATCH = 64
BUSY_SECONDS = 0.5
POST_SECONDS = 10.0  # a posted event waits so long for room before it is answered 503
CATCH_UP_SECONDS = 20.0
UNCLEAR = frozenset({1200, 1202})  # NapCat's time-out codes: sent or not, nobody knows (peers.md A.2)
ADDRESS_PER_MINUTE = 20
CHANNEL_PER_MINUTE = 60
TEXT_BYTES = 3000  # not documented anywhere: an option


class OneBotPlatform:
    """Groups have the address g7788, people the address 20002."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "format": "array",
        "private": False,
        "address_per_minute": ADDRESS_PER_MINUTE,
        "allow": "",
        "connect": "",
        "api": "",
        "self_id": "",
        "history": True,
        "text_bytes": TEXT_BYTES,
    }
    SECRETS = ("token",)

    def __init__(self, setup: Setup) -> None:
        self.channel = Channel(
            setup.name,
            bool(setup.options["private"]),
            "at-most-once",
            "QQ（OneBot，非官方）",
            text_bytes=setup.number("text_bytes"),
            recalls=True,
        )
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or CHANNEL_PER_MINUTE)
        self.engine: Engine | None = None
        self._token = setup.secrets["token"]
        self._strings = setup.text("format") == "string"
        self._photo = setup.photo
        self._fetcher = Fetcher(setup.text("allow").split(","))
        self._address = _address(setup, "connect", ("ws://", "wss://"))
        base = _address(setup, "api", ("http://", "https://"))
        self._api = HttpApi(base, self._token) if base else None
        self._self_id, self._wants_history = setup.text("self_id"), bool(setup.options["history"])
        self._lines = Lines(setup.name, self._hear, self._opened)
        self._echoes = itertools.count(1)
        self._heard: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        self._caught_up = asyncio.Event()
        self._caught_up.set()
        self._since = 0  # when something was last heard
        self._tasks: list[asyncio.Task[None]] = []
        self._catching: asyncio.Task[None] | None = None

    def add_routes(self, app: web.Application) -> None:
        """The one address implementations dial or post to."""
        app.router.add_get(f"/in/{self.channel.name}", self._dialled)
        app.router.add_post(f"/in/{self.channel.name}", self._posted)
        app.on_shutdown.append(self._hang_up)

    async def start(self) -> None:
        """Wait to be called; dial where an address is given."""
        self._since = int(await self._live.store.read(lambda c: meta.get(c, self._cursor, "0")))
        self._tasks.append(asyncio.create_task(self._take()))
        if self._address:
            self._tasks.append(
                asyncio.create_task(keep_dialling(self._lines, self.channel.name, self._address, self._token))
            )
        elif self._api is not None:
            self._look_back()

    async def close(self) -> None:
        """What was read is stored first; then stop."""
        try:
            async with asyncio.timeout(5):
                await self._heard.join()
            await self._keep_cursor()
        except (TimeoutError, Busy):
            log.error("onebot_unstored", channel=self.channel.name, events=self._heard.qsize())
        under_way = [*self._tasks, *([self._catching] if self._catching else [])]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._fetcher.close()
        if self._api is not None:
            await self._api.close()

    async def probe(self) -> str:
        """Whether the implementation can be reached and takes the token."""
        if self._api is not None:
            found = await self._api.call("get_login_info", {})
        elif self._address:
            found = await asked_once(self._address, self._token, "get_login_info")
        else:
            return f"配置完整，等 QQ 端来连 /in/{self.channel.name}，启动后看连接情况"
        data = found.get("data")
        return f"已连上 QQ 端，登录账号 {data.get('user_id') if isinstance(data, dict) else '未知'}"

    async def fetch(self, photo: Photo) -> bytes:
        """Photo addresses expire quickly, so this is called at once."""
        return await self._fetcher.get(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Call send_group_msg or send_private_msg and wait for the message's id; the outbox bounds the waiting."""
        if self._lines.api is None and self._api is None:
            raise Offline(NO_LINE, OFFLINE_SECONDS)
        if self._heard.full():
            raise Retry("正在等磁盘，暂不发送", 2.0)
        receipt = ""
        for place, parts in enumerate(await self._messages(message)):
            action, params = _call(row, segments.as_string(parts) if self._strings else parts)
            try:
                found = _receipt(await self._ask(action, params, f"{row.seq}/{place}"))
            except SendError as error:
                if place:
                    raise Parked(f"前 {place} 段已发出，后面没有发成") from error
                raise
            receipt = receipt or found
        return receipt

    async def _ask(self, action: str, params: Mapping[str, Any], echo: str = "") -> Found:
        """Over the line where there is one, else over HTTP."""
        line = self._lines.api
        if line is not None:
            echo = echo or f"q{next(self._echoes)}"
            frame = json.dumps({"action": action, "params": params, "echo": echo}, ensure_ascii=False)
            return await self._lines.call(line, echo, frame)
        if self._api is None:
            raise Offline(NO_LINE, OFFLINE_SECONDS)
        return await self._api.call(action, params)

    async def _messages(self, message: Message) -> list[list[segments.Segment]]:
        """As many messages as its words need: the first quotes and calls, the last carries the pictures."""
        quote = message.quote.partition("@")[0]
        head = [segments.reply(quote)] if onebot_events.is_number(quote) else []
        if message.mention:
            head += self._call_out(message.mention[0])
        limit = self.channel.text_bytes
        pieces = split(message.text, limit) if limit else (message.text,)
        found: list[list[segments.Segment]] = [[segments.text(piece)] for piece in pieces or ("",)]
        found[0][:0] = head
        for sha in message.photos:
            found[-1].append(segments.image(await asyncio.to_thread(self._encoded, sha)))
        return found

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
        self_id = request.headers.get("X-Self-ID", "")
        if not token:
            return web.Response(status=401, text="需要令牌")
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token.encode()):
            return web.Response(status=403, text="令牌不对")
        if self._self_id and self_id and self_id != self._self_id:
            return web.Response(status=403, text="不是这个账号")
        line = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=FRAME_BYTES, compress=False)
        await line.prepare(request)
        await self._lines.follow(request.headers.get("X-Client-Role", "Universal"), line, self_id)
        return line

    async def _posted(self, request: web.Request) -> web.Response:
        """204 after the commit; 503 when there was no room."""
        body = await signed_body(request, self._token.encode())
        if isinstance(body, web.Response):
            log.warning("onebot_post_refused", channel=self.channel.name, status=body.status)
            return body
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return web.Response(status=400)
        event = self.parse(found, request.headers.get("X-Self-ID", "")) if isinstance(found, dict) else None
        if event is None:
            return web.Response(status=204)
        try:
            async with asyncio.timeout(POST_SECONDS):
                await self._turn()
                await self._store([event])
        except TimeoutError:
            return web.Response(status=503, headers={"Retry-After": "2"})
        return web.Response(status=204)

    async def _turn(self) -> None:
        """What is being pulled goes first, if it is quick: nobody posts again what was not taken."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POST_SECONDS / 2):
                await self._caught_up.wait()

    async def _opened(self, role: str) -> None:
        if role == "Event":
            return
        self._look_back()
        await self._live.store.write(lambda tx: outbox.hasten(tx, self.channel.name, NO_LINE))
        await self._live.outbox.sweep()

    async def _hang_up(self, app: web.Application) -> None:
        await self._lines.hang_up()

    async def _hear(self, found: Found, self_id: str) -> None:
        event = self.parse(found, self_id)
        if event is not None:
            await self._heard.put(event)  # a full queue stops the reading
        if self._caught_up.is_set():
            self._since = max(self._since, onebot_events.moment(found) or 0)

    def parse(self, found: Found, self_id: str = "") -> Event | None:
        """One OneBot event as ours; None for what we do not follow or what is another account's."""
        if self._self_id and str(found.get("self_id") or self_id) != self._self_id:
            return None
        event = onebot_events.read(self.channel.name, found, self_id, self._group)
        return homeward(self._live, event) if event is not None and event.private else event

    def _group(self, address: str) -> str:
        group = self._live.office.group_at.get((self.channel.name, address))
        return group.id if group else ""

    def _look_back(self) -> None:
        """What was missed since the last word comes before what is heard from now on."""
        now = int(time.time())
        since, self._since = self._since, now
        if not self._wants_history or not since:
            return
        self._caught_up.clear()
        self._catching = asyncio.create_task(self._catch_up(max(since, now - onebot_history.LONGEST_GAP)))

    async def _catch_up(self, since: int) -> None:
        groups = [address for name, address in self._live.office.group_at if name == self.channel.name]
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                found = await onebot_history.missed(self._ask, groups, since)
                events = [event for one in found if (event := self.parse(one, self._self_id)) is not None]
                log.info(
                    "onebot_caught_up", channel=self.channel.name, seconds=int(time.time()) - since, events=len(events)
                )
                if events:
                    await self._store(events)
        except TimeoutError:
            self._since = since
            log.warning("onebot_history_late", channel=self.channel.name)
        finally:
            self._caught_up.set()

    async def _take(self) -> None:
        while True:
            batch = [await self._heard.get()]
            await self._caught_up.wait()
            while len(batch) < BATCH and not self._heard.empty():
                batch.append(self._heard.get_nowait())
            await self._store(batch)
            for _ in batch:
                self._heard.task_done()

    async def _store(self, batch: list[Event]) -> None:
        """Until it is stored; nothing read is dropped."""
        newest = max(event.sent_at or 0 for event in batch)
        while True:
            try:
                receipts = await self._live.inbox.accept(batch, partial(self._beside, newest))
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
            await self._store([onebot_events.again(event)])

    @property
    def _cursor(self) -> str:
        return f"heard/{self.channel.name}"

    def _beside(self, newest: int, tx: Tx, rows: Sequence[InboxRow | None]) -> None:
        """How far the words are on disk; what was read and not yet stored is pulled again after a death."""
        if newest and self._caught_up.is_set():
            meta.put(tx, self._cursor, str(newest))

    async def _keep_cursor(self) -> None:
        if self._since and self._caught_up.is_set():
            await self._live.store.write(lambda tx: meta.put(tx, self._cursor, str(self._since)))


def _address(setup: Setup, key: str, schemes: tuple[str, ...]) -> str:
    value = setup.text(key)
    if value and not value.startswith(schemes):
        raise ConfigError(f"channels.{setup.name} 选项 {key} 应以 {' 或 '.join(schemes)} 开头")
    return value


def _call(row: OutboxRow, message: object) -> tuple[str, Mapping[str, Any]]:
    group = row.address.startswith("g")
    action, target = ("send_group_msg", "group_id") if group else ("send_private_msg", "user_id")
    number = row.address.removeprefix("g")
    if not number.isascii() or not number.isdigit():
        raise Refused("地址写法不对，应为 g群号 或 QQ 号")
    return action, {target: int(number), "message": message}


def _receipt(answer: Found) -> str:
    data, code = answer.get("data"), answer.get("retcode")
    if answer.get("status") in ("ok", "async"):
        return onebot_events.number(data, "message_id") if isinstance(data, dict) else ""
    words = f"{answer.get('message', '')}{answer.get('wording', '')}"
    if code in UNCLEAR or "imeout" in words or "超时" in words:
        raise Unknown(f"QQ 端说超时（{code}）")
    raise Refused(f"QQ 端拒绝（{code}）")
