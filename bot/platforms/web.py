"""The built-in work group: a real platform whose client is the browser.

Lines are the kept inbox rows and the sent outbox rows; what the bot does not keep lives in a bounded list in memory
and is gone after a restart. A message's id is the browser's own, so pressing send twice is one message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from bot.engine import Engine
from bot.inbox import Receipt
from bot.platforms import Pace
from config.county import Group, Person
from config.errors import Refused, Rejected
from handlers.events import Event, Message, Photo, restored
from handlers.office import Channel
from handlers.screening import clean_name
from store import Tx, chat, inbox, photos
from store.inbox import InboxRow
from store.outbox import OutboxRow

NAME = "web"
CHATTER = 200  # lines of unkept chatter a room remembers
LISTENER_QUEUE = 500
TEXT_LIMIT = 4000
PHOTO_LIMIT = 9


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line as a browser shows it. `pos` orders it; chatter shares the position of the line before it."""

    pos: int
    room: str
    id: str
    sender: str
    name: str
    text: str
    at: int
    photos: tuple[str, ...] = ()
    quote: str = ""
    kind: str = ""
    task: str | None = None
    mention: tuple[str, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    recalled: bool = False
    kept: bool = True


@dataclass(slots=True, eq=False)
class Listener:
    """One open browser tab."""

    person: str
    rooms: frozenset[str]
    queue: asyncio.Queue[tuple[str, ChatLine]] = field(default_factory=lambda: asyncio.Queue(LISTENER_QUEUE))


def private_room(person: str) -> str:
    """The room in which the bot and one person talk alone."""
    return f"@{person}"


class WebPlatform:
    """Set `engine` before `start`."""

    pace = Pace()

    def __init__(self, name: str = NAME) -> None:
        self.channel = Channel(name, can_private=True, delivery="idempotent", label="网页工作群")
        self.engine: Engine | None = None
        self._chatter: dict[str, deque[ChatLine]] = {}
        self._listeners: set[Listener] = set()

    def add_routes(self, app: web.Application) -> None:
        """The browser's routes are the console's (bot.console.chat): they need its sessions."""

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Browsers reconnect by themselves."""

    async def fetch(self, photo: Photo) -> bytes:
        """Photos were cleaned when they were uploaded."""
        raise Refused("照片没有上传成功，请重发一次")

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Put a line in its room; the same row is one line however often it is sent."""
        room = private_room(row.person) if row.person else self._room_of(row)
        pos = await self._live.store.write(lambda tx: chat.add_told(tx, room, row.seq))
        self._push("line", _told(pos, room, row, message))
        return f"o{row.seq}"

    def _room_of(self, row: OutboxRow) -> str:
        group = self._live.office.group_at.get((self.channel.name, row.address))
        return group.id if group else private_room(row.address)

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the web platform has no engine yet")
        return self.engine

    def user_of(self, person: Person) -> str:
        """A person's user id on this channel."""
        own = [a.partition(":")[2] for a in person.accounts if a.startswith(f"{self.channel.name}:")]
        return own[0] if own else person.id

    def groups_of(self, person: str) -> list[Group]:
        """The work groups a person sees."""
        office = self._live.office
        return [
            g
            for g in office.county.groups
            if office.member(g.id, person) and office.address_of(g.id, self.channel.name)
        ]

    async def say(
        self, person: Person, room: str, message_id: str, text: str, shas: Sequence[str] = (), quote: str = ""
    ) -> Receipt:
        """A member says something. Raises Rejected when it cannot be taken, Busy when it should be tried again."""
        office = self._live.office
        private = room == private_room(person.id)
        if not private and not office.member(room, person.id):
            raise Rejected("您不在这个群里。", "not_member")
        if len(text) > TEXT_LIMIT:
            raise Rejected(f"文字太长，请控制在 {TEXT_LIMIT} 字以内。")
        if len(shas) > PHOTO_LIMIT:
            raise Rejected(f"一次最多发 {PHOTO_LIMIT} 张照片。")
        if not text.strip() and not shas:
            raise Rejected("请写一句话或选一张照片。")
        missing = await self._live.store.read(lambda c: [sha for sha in shas if not photos.known(c, sha)])
        if missing:
            raise Rejected("照片已过期，请重新选择。")
        user = self.user_of(person)
        event = Event(
            self.channel.name,
            f"{person.id}/{message_id}",
            address=user if private else (office.address_of(room, self.channel.name) or ("", room))[1],
            group="" if private else room,
            sender=user,
            name=clean_name(person.name),
            text=text,
            photos=tuple(Photo(sha, sha) for sha in shas),
            quote=quote,
            addressed="@群办" in text,
        )
        receipt = (await self._live.inbox.accept((event,), partial(_place, room, event.id)))[0]
        await self._show(receipt, event, room, person)
        return receipt

    async def _show(self, receipt: Receipt, event: Event, room: str, person: Person) -> None:
        """A kept message is shown from its row (as it was stored); chatter from memory; a secret one never."""
        if receipt.state == "forgotten":
            pos = await self._live.store.read(chat.last_pos)
            line = ChatLine(
                pos,
                room,
                event.id,
                person.id,
                person.name,
                event.text,
                self._live.store.now(),
                tuple(p.sha for p in event.photos),
                event.quote,
                kept=False,
            )
            self._chatter.setdefault(room, deque(maxlen=CHATTER)).append(line)
            self._push("line", line)
        elif receipt.state == "kept":
            for line in await self._live.store.read(lambda c: _one(chat.of_inbox(c, receipt.seq))):
                self._push("line", self.shown(line))

    async def recall(self, person: Person, room: str, message_id: str) -> None:
        """Take one's own message back. Raises Rejected when there is none."""
        event_id, user = f"{person.id}/{message_id}", self.user_of(person)
        chatter = self._chatter.get(room, deque())
        for line in [line for line in chatter if line.id == event_id]:
            chatter.remove(line)
            self._push("recall", line)
            return
        row = await self._live.store.read(lambda c: inbox.find(c, self.channel.name, event_id))
        if row is None or row.sender != user:
            raise Rejected("没有找到这条消息。", "unclear")
        group = "" if room.startswith("@") else room
        address = (self._live.office.address_of(room, self.channel.name) or ("", user))[1]
        event = Event(self.channel.name, f"recall/{event_id}", "recall", address, group, user, subject=event_id)
        await self._live.inbox.accept((event,), lambda tx, rows: chat.recall(tx, row.seq))
        for line in await self._live.store.read(lambda c: _one(chat.of_inbox(c, row.seq))):
            self._push("recall", self.shown(line))

    async def lines(self, room: str, before: int | None = None, limit: int = 60) -> list[ChatLine]:
        """A room as its members see it, oldest first, remembered chatter in its place."""
        stored = [
            self.shown(line) for line in await self._live.store.read(lambda c: chat.lines(c, room, before, limit))
        ]
        first = stored[0].pos if len(stored) == limit else 0
        chatter = [
            line for line in self._chatter.get(room, ()) if first <= line.pos and (before is None or line.pos < before)
        ]
        return sorted((*stored, *chatter), key=lambda line: (line.pos, not line.kept, line.at))

    def shown(self, line: chat.Line) -> ChatLine:
        """A stored line with names."""
        if line.told is not None:
            message = Message.from_json(line.told)
            return _told_line(
                line.pos, line.room, f"o{line.outbox_seq}", line.told_kind or "", line.task, line.told_at or 0, message
            )
        event = restored(
            self.channel.name,
            line.event_id or "",
            line.said_kind or "",
            line.sender or "",
            line.said or "{}",
            None,
            line.inbox_seq or 0,
            line.said_at or 0,
        )
        person = self._live.office.person_at.get((self.channel.name, event.sender))
        text = event.text if event.kind != "secret" else ""
        return ChatLine(
            line.pos,
            line.room,
            event.id,
            person.id if person else event.sender,
            person.name if person else event.name or "未登记",
            text,
            event.at,
            tuple(photo.sha for photo in event.photos if photo.sha),
            event.quote,
            kind=event.kind,
            recalled=line.recalled_at is not None,
        )

    async def listen(self, person: str, rooms: Iterable[str], after: int) -> AsyncIterator[tuple[str, ChatLine]]:
        """("line" or "recall", line) as they come, beginning with what was missed behind `after`; 0: only what is new."""
        listener = Listener(person, frozenset(rooms))
        self._listeners.add(listener)
        try:
            missed = (
                await self._live.store.read(lambda c: chat.after(c, sorted(listener.rooms), after)) if after else []
            )
            for line in missed:
                yield "line", self.shown(line)
            while True:
                yield await listener.queue.get()
        finally:
            self._listeners.discard(listener)

    def _push(self, what: str, line: ChatLine) -> None:
        for listener in self._listeners:
            if line.room in listener.rooms and not listener.queue.full():
                listener.queue.put_nowait((what, line))

    def forget_chatter(self) -> None:
        """Demo reset."""
        self._chatter.clear()


def _place(room: str, event_id: str, tx: Tx, rows: Sequence[InboxRow | None]) -> None:
    """In the accepting transaction: the kept message's line, and the photos it holds on to."""
    for row in rows:
        if row is None or row.kind not in ("message", "secret"):
            continue
        if row.kind == "message":
            chat.add_said(tx, room, row.seq)


def _one(line: chat.Line | None) -> list[chat.Line]:
    return [line] if line is not None else []


def _told(pos: int, room: str, row: OutboxRow, message: Message) -> ChatLine:
    return _told_line(pos, room, f"o{row.seq}", row.kind, row.task, row.at, message)


def _told_line(pos: int, room: str, line_id: str, kind: str, task: str | None, at: int, message: Message) -> ChatLine:
    return ChatLine(
        pos,
        room,
        line_id,
        "",
        "群办",
        message.text,
        at,
        message.photos,
        message.quote,
        kind,
        task,
        message.mention,
        message.buttons,
    )
