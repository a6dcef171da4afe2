"""The built-in work group: a real platform whose client is the browser.

Lines are the kept inbox rows and the sent outbox rows; what the bot does not keep lives in a bounded list in memory
and is gone after a restart. A message's id is the browser's own, so pressing send twice is one message.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from aiohttp import web

from bot.engine import Engine
from bot.inbox import Receipt
from bot.platforms import Pace
from bot.platforms.web_lines import ChatLine, chatter, opening, private_room, quoted, stored, told
from config.county import Group, Person
from config.errors import Refused, Rejected
from digests.screening import clean_name
from handlers import Decision
from handlers.events import Event, Message, Photo
from handlers.office import Channel
from store import Outcome, Tx, chat, inbox, photos
from store.inbox import InboxRow
from store.outbox import OutboxRow

NAME = "web"
CHATTER = 200  # lines of unkept chatter a room remembers
LISTENER_QUEUE = 500
TEXT_LIMIT = 4000
PHOTO_LIMIT = 9
FORMS = ("text", "news", "picture")
GATHER = 0.3  # seconds in which the steps of tasks are gathered into one sign
SLACK = 20  # positions sent again after a gap: pushes may leave in another order than commits
MISSED = 200  # more than this, and a browser had better load the page again
RECALL_REACH = 500  # positions behind the last seen one within which a missed recall is made good

News = tuple[str, ChatLine | Mapping[str, Any]]


@dataclass(slots=True, eq=False)
class Listener:
    """One open browser tab. `None` in the queue ends it; the browser comes again and says what it saw last."""

    person: str
    rooms: frozenset[str]
    follows: bool = False  # tasks: told when some went a step
    queue: asyncio.Queue[News | None] = field(default_factory=lambda: asyncio.Queue(LISTENER_QUEUE + 1))
    lost: bool = False

    def put(self, news: News) -> None:
        """Hand over; a tab that does not keep up is cut off rather than left with holes."""
        if self.lost:
            return
        if self.queue.qsize() >= LISTENER_QUEUE:
            self.end()
        else:
            self.queue.put_nowait(news)

    def end(self) -> None:
        """Cut it off."""
        if not self.lost:
            self.lost = True
            self.queue.put_nowait(None)


class WebPlatform:
    """Set `engine` before `start`."""

    pace = Pace()

    def __init__(self, name: str = NAME) -> None:
        self.channel = Channel(
            name, True, "idempotent", "网页工作群", text_bytes=0, articles=0, forms=FORMS, buttons=True, recalls=True
        )
        self.engine: Engine | None = None
        self._chatter: dict[str, deque[ChatLine]] = {}
        self._joined: set[str] = set()
        self._listeners: set[Listener] = set()
        self._moved: set[str] = set()

    def add_routes(self, app: web.Application) -> None:
        """The browser's routes are the console's (bot.console.chat): they need its sessions."""

    async def start(self) -> None:
        """From now on, what a decision forgets turns into chatter, and open boards hear of steps."""
        self._live.forgotten[self.channel.name] = self._decided
        self._live.moved.append(self._note)

    async def close(self) -> None:
        """Browsers reconnect by themselves."""
        self.hang_up()

    async def fetch(self, photo: Photo) -> bytes:
        """Photos were cleaned when they were uploaded."""
        raise Refused("照片没有上传成功，请重发一次")

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Put a line in its room; the same row is one line however often it is sent."""
        room = private_room(row.person) if row.person else self._room_of(row)
        pos = await self._live.store.write(lambda tx: chat.add_told(tx, room, row.seq))
        await self._show(told(pos, room, row, message))
        return f"o{row.seq}"

    def _room_of(self, row: OutboxRow) -> str:
        office = self._live.office
        group = office.group_at.get((self.channel.name, row.address))
        if group is not None:
            return group.id
        person = office.person_at.get((self.channel.name, row.address))
        return private_room(person.id if person else row.address)

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the web platform has no engine yet")
        return self.engine

    def user_of(self, person: Person) -> str:
        """A person's user id on this channel."""
        known = self._live.office.people.get(person.id, person)
        own = (user for name, _, user in (a.partition(":") for a in known.accounts) if name == self.channel.name)
        return next(own, person.id)

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
        self._check(person, room, text, shas)
        missing = await self._live.store.read(lambda c: [sha for sha in shas if not photos.known(c, sha)])
        if missing:
            raise Rejected("照片已过期，请重新选择。")
        event = self._event(person, room, message_id, text, shas, quote)
        if any(line.id == event.id for line in self._chatter.get(room, ())):
            return Receipt("forgotten")
        await self._join(room)
        rows: list[InboxRow | None] = []
        receipt = (await self._live.inbox.accept((event,), partial(_place, room, rows)))[0]
        if receipt.state == "forgotten":
            pos = await self._live.store.read(chat.last_pos)
            await self._remember(chatter(pos, room, event, person.id, person.name, self._live.store.now()))
        for row in rows:
            await self._show_kept(room, row)
        return receipt

    def _check(self, person: Person, room: str, text: str, shas: Sequence[str]) -> None:
        if room != private_room(person.id) and not self._live.office.member(room, person.id):
            raise Rejected("您不在这个群里。", "not_member")
        if len(text) > TEXT_LIMIT:
            raise Rejected(f"文字太长，请控制在 {TEXT_LIMIT} 字以内。")
        if len(shas) > PHOTO_LIMIT:
            raise Rejected(f"一次最多发 {PHOTO_LIMIT} 张照片。")
        if not text.strip() and not shas:
            raise Rejected("请写一句话或选一张照片。")

    def _event(self, person: Person, room: str, message_id: str, text: str, shas: Sequence[str], quote: str) -> Event:
        user, private = self.user_of(person), room == private_room(person.id)
        bound = self._live.office.address_of(room, self.channel.name)
        return Event(
            self.channel.name,
            f"{person.id}/{message_id}",
            address=user if private or bound is None else bound[1],
            group="" if private else room,
            sender=user,
            name=clean_name(person.name),
            text=text.strip(),
            photos=tuple(Photo(sha, sha) for sha in dict.fromkeys(shas)),
            quote=quote,
            addressed="@群办" in text,
        )

    async def _join(self, room: str) -> None:
        """The bot "joins" a browser group the first time somebody speaks there: one event, once for good by its id."""
        bound = self._live.office.address_of(room, self.channel.name)
        if room not in self._joined and bound is not None:
            await self._live.inbox.accept((Event(self.channel.name, f"joined/{room}", "joined", bound[1], room),))
            self._joined.add(room)

    async def _show_kept(self, room: str, row: InboxRow | None) -> None:
        """A kept message is shown from its row, as it was stored; a piece of chatter it pulled along changes places."""
        if row is None or row.kind != "message":
            return
        self._drop_chatter(room, row.event_id)
        line = await self._live.store.read(lambda c: chat.of_inbox(c, row.seq))
        if line is not None:
            await self._show(stored(line, self._live.office, self.channel.name))

    async def _remember(self, line: ChatLine) -> None:
        self._chatter.setdefault(line.room, deque(maxlen=CHATTER)).append(line)
        await self._show(line)

    def _drop_chatter(self, room: str, line_id: str) -> ChatLine | None:
        held = self._chatter.get(room, deque())
        found = next((line for line in held if line.id == line_id), None)
        if found is not None:
            held.remove(found)
        return found

    async def _decided(self, event: Event, outcome: Outcome[Decision]) -> None:
        """What was kept and then forgotten by the decision is chatter from now on."""
        if event.kind != "message":
            return
        line = await self._live.store.read(lambda c: chat.of_inbox(c, event.seq))
        if line is not None:
            shown = stored(line, self._live.office, self.channel.name)
            await self._live.store.write(lambda tx: chat.remove(tx, event.seq))
            await self._remember(chatter(line.pos, line.room, event, shown.sender, shown.name, event.at))

    async def recall(self, person: Person, room: str, message_id: str) -> None:
        """Take one's own message back. Raises Rejected when there is none."""
        event_id, user = f"{person.id}/{message_id}", self.user_of(person)
        gone = self._drop_chatter(room, event_id)
        if gone is not None:
            self._live.inbox.windows.forget(room, user, event_id)
            return self._push("recall", replace(gone, text="", photos=(), recalled=True))
        row = await self._live.store.read(lambda c: inbox.find(c, self.channel.name, event_id))
        if row is None or row.sender != user:
            raise Rejected("没有找到这条消息。", "unclear")
        group = "" if room == private_room(person.id) else room
        address = (self._live.office.address_of(room, self.channel.name) or ("", user))[1]
        event = Event(self.channel.name, f"recall/{event_id}", "recall", address, group, user, subject=event_id)
        await self._live.inbox.accept((event,), lambda tx, rows: chat.recall(tx, row.seq))
        line = await self._live.store.read(lambda c: chat.of_inbox(c, row.seq))
        if line is not None:
            self._push("recall", stored(line, self._live.office, self.channel.name))

    async def lines(self, room: str, before: int | None = None, limit: int = 60) -> list[ChatLine]:
        """A room as its members see it, oldest first, remembered chatter in its place."""
        found = await self._live.store.read(lambda c: chat.lines(c, room, before, limit))
        kept = [stored(line, self._live.office, self.channel.name) for line in found]
        first = kept[0].pos if len(kept) == limit else 0
        held = [
            line for line in self._chatter.get(room, ()) if first <= line.pos and (before is None or line.pos < before)
        ]
        both = [line for line in (*kept, *held) if not line.empty]
        return await self.with_quotes(sorted(both, key=lambda line: (line.pos, not line.kept, line.at)))

    async def line(self, room: str, pos: int) -> ChatLine | None:
        """One stored line of a room."""
        found = await self._live.store.read(lambda c: chat.at(c, pos))
        if found is None or found.room != room:
            return None
        return (await self.with_quotes([stored(found, self._live.office, self.channel.name)]))[0]

    async def with_quotes(self, lines: Sequence[ChatLine]) -> list[ChatLine]:
        """The lines with what they answer."""
        sought = {line.quote for line in lines if line.quote and not line.quoted[0]}
        if not sought:
            return list(lines)
        office, name = self._live.office, self.channel.name
        found = await self._live.store.read(lambda c: {quote: quoted(c, office, name, quote) for quote in sought})
        for held in self._chatter.values():
            found |= {line.id: opening(line) for line in held if line.id in sought}
        return [replace(line, quoted=found[line.quote]) if line.quote in found else line for line in lines]

    async def listen(
        self, person: str, rooms: Iterable[str], after: int, *, follows: bool = False
    ) -> AsyncIterator[News]:
        """(what, line or facts) as they come, first what was missed behind `after` (-1: only what is new).

        Lines may come twice; their ids tell. "again": too much was missed, the page must be loaded again.
        """
        listener = Listener(person, frozenset(rooms), follows)
        self._listeners.add(listener)
        try:
            for news in await self._missed(listener, after) if after >= 0 else ():
                yield news
            while (waited := await listener.queue.get()) is not None:
                yield waited
        finally:
            self._listeners.discard(listener)

    async def _missed(self, listener: Listener, after: int) -> list[News]:
        rooms, since = sorted(listener.rooms), max(0, after - SLACK)
        store, office, name = self._live.store, self._live.office, self.channel.name
        found = await store.read(lambda c: chat.after(c, rooms, since, MISSED + SLACK))
        if len(found) >= MISSED + SLACK:
            return [("again", {"pos": after})]
        gone = await store.read(lambda c: chat.recalled(c, rooms, max(0, after - RECALL_REACH)))
        held = [line for room in rooms for line in self._chatter.get(room, ()) if line.pos >= after]
        lines = [line for line in (*(stored(line, office, name) for line in found), *held) if not line.empty]
        news: list[News] = [("line", line) for line in await self.with_quotes(lines)]
        return news + [("recall", stored(line, office, name)) for line in gone]

    async def _show(self, line: ChatLine) -> None:
        self._push("line", (await self.with_quotes([line]))[0])

    def _push(self, what: str, line: ChatLine) -> None:
        for listener in self._listeners:
            if line.room in listener.rooms:
                listener.put((what, line))

    def broadcast(self, what: str, facts: Mapping[str, Any]) -> None:
        """Tell every open tab (demo: the clock was moved, a story goes on, everything began anew)."""
        for listener in self._listeners:
            listener.put((what, facts))

    def _note(self, moved: Sequence[str]) -> None:
        """Steps of one moment are told together, and only while somebody follows."""
        if not any(listener.follows for listener in self._listeners):
            return
        if not self._moved:
            asyncio.get_running_loop().call_later(GATHER, self._tell_moved)
        self._moved.update(moved)

    def _tell_moved(self) -> None:
        facts = {"tasks": sorted(self._moved)}
        self._moved.clear()
        for listener in self._listeners:
            if listener.follows:
                listener.put(("tasks", facts))

    def hang_up(self) -> None:
        """End every stream; browsers come again."""
        for listener in self._listeners:
            listener.end()

    def shows_loose(self, rooms: Collection[str], sha: str) -> bool:
        """Whether chatter remembered in one of these rooms shows a photo."""
        return any(sha in line.photos for room in rooms for line in self._chatter.get(room, ()))

    def forget_chatter(self) -> None:
        """Demo reset."""
        self._chatter.clear()
        self._joined.clear()


def _place(room: str, taken: list[InboxRow | None], tx: Tx, rows: Sequence[InboxRow | None]) -> None:
    """In the accepting transaction: a line for each kept message."""
    taken[:] = rows
    for row in rows:
        if row is not None and row.kind == "message":
            chat.add_said(tx, room, row.seq)
            for _, sha in json.loads(row.body).get("photos", ()):
                photos.show_in(tx, sha, room)


__all__ = ["NAME", "ChatLine", "WebPlatform", "private_room"]
