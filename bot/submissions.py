"""What people hand in (#投稿, or pasted in the console): the words themselves, or one link to a site we know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.arrivals import BLOCKED, Arrivals, Origin, key_of
from bot.polite import Polite
from bot.reading import ReadingRoom, Unreadable
from config.digest.sources import Source
from config.errors import Refused, Retry
from store import Store, digest, sources
from store.sources import Submission

ENOUGH = 60  # characters a text must have to be read as the item itself
SOURCE, NAME = "submitted", "投稿"
TEXTS = {
    "unknown_host": "这个网站不能自动读，请把原文贴出来",
    "unreadable": "没读出正文，请把原文贴出来",
    "secret": "疑似涉密，未保存",
    "known": "已经收过",
}


class Submissions:
    """Reads what waits, one piece after another."""

    def __init__(
        self, store: Store, table: Mapping[str, Source], polite: Polite, room: ReadingRoom, arrivals: Arrivals
    ) -> None:
        self._store = store
        self._table = table
        self._polite = polite
        self._room = room
        self._arrivals = arrivals

    async def take(self) -> int:
        """Settle every open piece; how many."""
        waiting = await self._store.read(sources.open_submissions)
        for one in waiting:
            await self._settle(one)
        return len(waiting)

    async def _settle(self, one: Submission) -> None:
        state, why, item = await self._outcome(one)
        await self._store.write(lambda tx: sources.settle_submission(tx, one.n, state, why, item))

    async def _outcome(self, one: Submission) -> tuple[str, str, int | None]:
        key = key_of(one.url) if one.url else f"text:{self._arrivals.mark(one.title + one.text)}"
        known = await self._store.read(lambda connection: digest.by_key(connection, key))
        if known is not None:
            return "taken", TEXTS["known"], known.n
        try:
            arrived = await self._read(one)
        except (Refused, Retry, Unreadable) as error:
            return "unreadable", str(error), None
        n = await self._arrivals.take(arrived, Origin(SOURCE, NAME, key, one.url, one.person))
        return ("refused", TEXTS["secret"], None) if n == BLOCKED else ("taken", "", n or None)

    async def _read(self, one: Submission) -> dict[str, Any]:
        leaders = await self._store.read(lambda connection: digest.leaders(connection))
        asked: dict[str, Any] = {"source": NAME, "leaders": leaders, "title": one.title}
        if len(one.text.strip()) >= ENOUGH or not one.url:
            return await self._room.ask({**asked, "op": "words", "url": one.url}, one.text.encode())
        source = known_site(self._table, one.url)
        if source is None:
            raise Refused(TEXTS["unknown_host"])
        got = await self._polite.get(one.url)
        entry = {"title": one.title, "url": one.url, "published_at": None}
        page = {**asked, "op": "page", "url": got.url, "body": source.body, "entry": entry}
        arrived = await self._room.ask(page, got.answer.body)
        if arrived.get("challenge") or (not arrived.get("blocked") and len(arrived["item"]["body"]) < ENOUGH):
            raise Refused(TEXTS["unreadable"])
        return arrived


def known_site(table: Mapping[str, Source], url: str) -> Source | None:
    """The source on whose hosts an address lies."""
    host = urlsplit(url).hostname or ""
    return next((source for source in table.values() if host and source.readable and source.allows(host)), None)
