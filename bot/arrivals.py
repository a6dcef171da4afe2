"""What has been read becomes an item: judged against everything before it, then stored with its consequences in one transaction.

A retraction pulls the story it is about and, where that went out, proposes a correction. What was blocked leaves a keyed
mark and nothing else.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag

from bot.shelf import StoredShelf
from digests.dates import SHANGHAI
from store import Store, Tx, digest, editions, timers
from store.digest import FindingRow, ItemRow, Marks
from store.history import keyed_mark

if TYPE_CHECKING:
    from digests.stories import Verdict

BLOCKED = -1
TEXTS = {
    "pulled": "原发布者已撤回或更正，见第{n}条",
    "correction": "原发布者已撤回或更正，请以新内容为准。",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item comes from. `key` makes it one, `person` is who handed it in."""

    source: str
    name: str
    key: str
    url: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judgement of an item leaves to be stored."""

    prints: tuple[int, ...]
    titles: tuple[int, ...]
    form: str
    verdict: Verdict


class Arrivals:
    """Takes what `bot.reading_worker` made of a page, a feed's entry or pasted words."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key
        self._shelf = StoredShelf()
        self._turn = asyncio.Lock()

    async def take(self, arrived: Mapping[str, Any], origin: Origin) -> int:
        """The new item's number, 0 when its key is known, BLOCKED when it may not be kept."""
        if arrived.get("blocked"):
            mark, rule = self.mark(origin.key), str(arrived["blocked"])
            await self._store.write(lambda tx: digest.block(tx, mark, origin.source, rule))
            return BLOCKED
        async with self._turn:
            judged = await self._store.read(lambda connection: self.judge(connection, arrived))
            return await self._store.write(lambda tx: _enter(tx, arrived, origin, judged))

    async def blocked_before(self, key: str) -> bool:
        """Whether this address was blocked once: it is not fetched again."""
        mark = self.mark(key)
        return await self._store.read(lambda connection: digest.is_blocked(connection, mark))

    def mark(self, key: str) -> str:
        """A key as only this office can make it."""
        return keyed_mark(self._key, key)

    def judge(self, connection: sqlite3.Connection, arrived: Mapping[str, Any]) -> Judged:
        """Against everything in the archive."""
        from digests.items import Item
        from digests.stories import judge, keys_of

        item = Item(**arrived["item"])
        keys = keys_of(item)
        verdict = judge(item, keys, self._shelf.on(connection))
        return Judged(keys.prints, keys.titles, keys.told.form, verdict)


def _enter(tx: Tx, arrived: Mapping[str, Any], origin: Origin, judged: Judged) -> int:
    found = [FindingRow(*row) for row in arrived["findings"]]
    words = arrived["title_words"], arrived["body_words"]
    marks = Marks(judged.prints, judged.titles)
    n = digest.add(tx, _row(tx.at, arrived, origin, judged.verdict, found), *words, marks, found, judged.verdict.about)
    if n is not None and judged.form in ("retraction", "correction"):
        for other in judged.verdict.about:
            _take_back(tx, other, n)
    return n or 0


def _row(at: int, arrived: Mapping[str, Any], origin: Origin, verdict: Verdict, found: list[FindingRow]) -> ItemRow:
    item = arrived["item"]
    held = next((one.why for one in found if one.level == "hold"), "")
    return ItemRow(
        n=0,
        at=at,
        day=day_of(at),
        source=origin.source,
        source_name=origin.name,
        url=origin.url,
        key=origin.key,
        published_at=item["published_at"],
        doc_number=item["doc_number"] or "",
        issuer=item["issuer"] or "",
        written_on=arrived["written_on"],
        validity=arrived["validity"],
        attachments="\n".join(arrived["attachments"]),
        submitted_by=origin.person,
        story=verdict.first or 0,
        same_as=verdict.same,
        same_why=verdict.why if verdict.same is not None else "",
        similarity=round(verdict.similarity, 4),
        state="held" if held else "kept",
        why=held,
        length=len(item["body"]),
    )


def _take_back(tx: Tx, other: int, by: int) -> None:
    row = digest.get(tx, other)
    if row is None:
        return
    for member in digest.of_story(tx, row.story):
        digest.pull(tx, member.n, by, TEXTS["pulled"].replace("{n}", str(by)))
        for day in editions.sent_days_of(tx, member.n):
            n = editions.propose_correction(tx, day, member.n, "correction", TEXTS["correction"])
            timers.put(tx, f"correction/{n}", "correction_told", tx.at, "edition")


def key_of(url: str) -> str:
    """An address as an item's key: without fragment and last slash, http and https alike."""
    plain = urldefrag(url.strip())[0].rstrip("/")
    return plain.partition("://")[2] or plain


def day_of(at: int) -> str:
    """The Shanghai day of a moment."""
    return datetime.fromtimestamp(at, SHANGHAI).date().isoformat()
