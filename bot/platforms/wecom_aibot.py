"""WeCom AI bot (智能机器人) over its long connection: no public address, no callback crypto (docs/platforms/wecom-aibot.md).

The first answer to somebody goes out as the reply to what they said, a finished stream; everything else is pushed into
the chat. Delivery is at-least-once: an unacknowledged step is sent again, with the same task number in it. What the
platform says while we are away it does not say again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from bot.engine import Engine
from bot.fetcher import Fetcher
from bot.platforms import Pace, standing
from bot.platforms import wecom_aibot_cards as cards
from bot.platforms import wecom_aibot_events as events
from bot.platforms import wecom_aibot_media as media
from bot.platforms.alone import homeward
from bot.platforms.registry import Setup
from bot.platforms.wecom_aibot_line import NO_LINE, Access, Line, req_id
from bot.platforms.wecom_aibot_sending import (
    KNOWN,
    LATE,
    MARKDOWN_BYTES,
    WELCOME,
    Step,
    channel_of,
    judge,
    planned,
    reply,
    shown,
)
from config.errors import Awaiting, Busy, ConfigError, Retry
from handlers.events import Event, Message, Photo
from store import outbox
from store.outbox import OutboxRow

log = structlog.get_logger()

URL = "wss://openws.work.weixin.qq.com"
PER_MINUTE = 30  # replies and pushes of one chat together (platforms.md 2.3, third-party)
REPLY_SECONDS = 300.0
KEPT = 2000
QUEUE, BATCH = 256, 64
BUSY_SECONDS = 0.5
AWAIT_SECONDS = 3600.0
K = TypeVar("K")
V = TypeVar("V")


class WecomAibotPlatform:
    """A group's address is its chatid, a person's the userid."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "bot_id": "",
        "bot_name": "",
        "ws_url": URL,
        "proxy": "",
        "ca_file": "",
        "allow": "",
        "cards": True,
        "markdown_bytes": MARKDOWN_BYTES,
        "address_per_minute": PER_MINUTE,
    }
    SECRETS = ("secret",)

    def __init__(self, setup: Setup) -> None:
        if not setup.text("bot_id"):
            raise ConfigError("需要选项 bot_id（管理后台里机器人的 Bot ID）")
        if not setup.text("ws_url").startswith(("wss://", "ws://")):
            raise ConfigError("选项 ws_url 应以 wss:// 开头")
        self.channel = channel_of(setup)
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or 0)
        self.engine: Engine | None = None
        self._bot_name = setup.text("bot_name")
        self._photo = setup.photo
        self._fetcher = Fetcher(setup.text("allow").split(","), setup.text("ca_file"), setup.text("proxy"))
        access = Access(
            setup.text("ws_url"),
            setup.text("bot_id"),
            setup.secrets["secret"],
            setup.text("proxy"),
            setup.text("ca_file"),
        )
        self.line = Line(access, self._hear, self._turned)
        self._heard: asyncio.Queue[tuple[Event, str]] = asyncio.Queue(QUEUE)
        self._replies: OrderedDict[int, tuple[str, str, float]] = OrderedDict()  # inbox seq → exchange, address, until
        self._plans: OrderedDict[str, deque[Step]] = OrderedDict()  # outbox key → steps left
        self._cards: OrderedDict[str, cards.Card] = OrderedDict()
        self._spoken: set[str] = set()  # addresses that called the bot since it started
        self._work: set[asyncio.Task[None]] = set()

    def add_routes(self, app: Any) -> None:
        """Nobody calls us: we call."""

    async def start(self) -> None:
        """Dial."""
        self._beside(self._take())
        self.line.start()

    async def close(self) -> None:
        """What was heard is stored first; then hang up."""
        await self.line.close()
        try:
            async with asyncio.timeout(5):
                await self._heard.join()
        except TimeoutError:
            log.error("wecom_unstored", channel=self.channel.name, events=self._heard.qsize())
        for task in tuple(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._fetcher.close()

    async def probe(self) -> str:
        """For `bot check`: subscribe once and be answered. Raises what went wrong."""
        await self.line.prove()
        return "长连接已接通，机器人凭证有效"

    async def fetch(self, photo: Photo) -> bytes:
        """Addresses live five minutes, so this is called at once."""
        return await media.fetched(self._fetcher, photo)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Send the steps that are left of this message; one that failed is where the next attempt begins."""
        if self._heard.full():
            raise Retry("正在等磁盘，暂不发送", 2.0)
        steps = self._plans.get(row.key)
        if steps is None:
            steps = deque(self._planned(row, message))
            _keep(self._plans, row.key, steps)
        while steps:
            await self._play(row, steps)
        self._plans.pop(row.key, None)
        return row.key

    def _planned(self, row: OutboxRow, message: Message) -> list[Step]:
        text = shown(self._live.office, self.channel.name, row, message)
        return planned(self.channel, row, message, text, self._exchange(row))

    def _exchange(self, row: OutboxRow) -> str:
        name, address, until = self._replies.get(row.origin or 0, ("", "", 0.0))
        return name if address == row.address and until > time.monotonic() else ""

    async def _play(self, row: OutboxRow, steps: deque[Step]) -> None:
        step = steps[0]
        if step.reply:
            self._replies.pop(row.origin or 0, None)
            answer = await self.line.call("aibot_respond_msg", reply(row, step), step.reply)
            if answer.get("errcode") in LATE:
                steps.popleft()
                steps.extendleft([s for s in (Step(card=step.card), Step(step.text)) if s.card or s.text])
                return
            judge(answer)
        else:
            body = {**self._to(row.address), **await self._pushed(step)}
            answer = await self.line.call("aibot_send_msg", body)
            if answer.get("errcode", 0) not in KNOWN and row.address not in self._spoken:
                raise Awaiting(outbox.AWAITING, AWAIT_SECONDS)  # pushes go only where somebody called the bot before
            judge(answer)
        if step.card is not None:
            _keep(self._cards, step.card["task_id"], step.card)
        steps.popleft()

    async def _pushed(self, step: Step) -> dict[str, Any]:
        if step.photo:
            path = self._photo(step.photo)
            data = await asyncio.to_thread(Path.read_bytes, path)
            return {"msgtype": "image", "image": {"media_id": await media.uploaded(self._ask, path.name, data)}}
        if step.card is not None:
            return {"msgtype": "template_card", "template_card": step.card}
        return {"msgtype": "markdown", "markdown": {"content": step.text}}

    def _to(self, address: str) -> dict[str, Any]:
        office, place = self._live.office, (self.channel.name, address)
        kind = 2 if place in office.group_at else 1 if place in office.person_at else 0  # 0: the platform finds out
        return {"chatid": address, "chat_type": kind} if kind else {"chatid": address}

    async def _ask(self, cmd: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = await self.line.call(cmd, body)
        judge(answer)
        return answer

    async def _hear(self, frame: Mapping[str, Any]) -> None:
        """A full queue stops the reading, and TCP stops the platform."""
        body, name = frame.get("body"), self.channel.name
        if not isinstance(body, dict):
            return
        event = None
        if frame.get("cmd") == "aibot_msg_callback":
            event = events.read_message(name, body, self._bot_name)
        elif events.event_type(body) == "template_card_event":
            event = events.read_click(name, body)
            self._beside(self._mark_pressed(events.detail(body, "template_card_event"), req_id(frame)))
        elif events.event_type(body) == "enter_chat":
            self._beside(self._welcome(req_id(frame)))
        if event is not None:
            group = self._live.office.group_at.get((name, event.address))
            placed = homeward(self._live, replace(event, group=group.id if group else ""))
            exchange = req_id(frame) if event.text and not event.id.startswith("click/") else ""
            await self._heard.put((placed, exchange))

    async def _welcome(self, exchange: str) -> None:
        await self.line.call("aibot_respond_welcome_msg", {"msgtype": "text", "text": {"content": WELCOME}}, exchange)

    async def _mark_pressed(self, click: Mapping[str, Any], exchange: str) -> None:
        card, key = self._cards.get(str(click.get("task_id"))), click.get("event_key")
        if card is not None and isinstance(key, str):
            body = {"response_type": "update_template_card", "template_card": cards.pressed(card, key)}
            await self.line.call("aibot_respond_update_msg", body, exchange)

    async def _take(self) -> None:
        while True:
            batch = [await self._heard.get()]
            while len(batch) < BATCH and not self._heard.empty():
                batch.append(self._heard.get_nowait())
            await self._store(batch)
            for _ in batch:
                self._heard.task_done()

    async def _store(self, batch: list[tuple[Event, str]]) -> None:
        """Until it is stored; nothing heard is dropped."""
        while True:
            try:
                receipts = await self._live.inbox.accept([event for event, _ in batch])
                break
            except Busy:
                await asyncio.sleep(BUSY_SECONDS)
        until = time.monotonic() + REPLY_SECONDS
        for (event, exchange), receipt in zip(batch, receipts, strict=True):
            if exchange and receipt.state == "kept":
                _keep(self._replies, receipt.seq, (exchange, event.address, until))
        for address in {event.address for event, _ in batch} - self._spoken:
            self._spoken.add(address)
            self._beside(self._wake(address))

    async def _wake(self, address: str) -> None:
        """What waited for somebody there to speak may go now."""
        engine, name = self._live, self.channel.name
        if await engine.store.write(lambda tx: outbox.hasten(tx, name, outbox.AWAITING, address)):
            await engine.outbox.sweep()

    async def _turned(self, state: str) -> None:
        """The line came or went: on record for `bot check`; what waited for it leaves now."""
        engine, name = self._live, self.channel.name
        try:
            await engine.store.write(lambda tx: standing.put(tx, name, state))
            if state == standing.CONNECTED:
                await engine.store.write(lambda tx: outbox.hasten(tx, name, NO_LINE))
                await engine.outbox.sweep()
        except Busy:
            log.warning("wecom_standing_unwritten", channel=name)  # the next tick sweeps anyway

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("wecom_courtesy_failed", channel=self.channel.name, error=type(error).__name__)

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine


def _keep(shelf: OrderedDict[K, V], key: K, value: V) -> None:
    shelf[key] = value
    if len(shelf) > KEPT:
        shelf.popitem(last=False)
