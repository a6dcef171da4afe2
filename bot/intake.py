"""The digest's intake: each source asked when it is due, its new articles read, screened, judged and stored.

    list ─► new addresses ─► page ─► child: read, screen, star numbers ─► same story? thread? ─► one transaction

Nothing of an item is written before it is screened; items are judged one at a time, each against all before.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from bot.arrivals import BLOCKED, Arrivals, Origin, day_of, key_of
from bot.polite import LIST_BYTES, Challenged, Got, Polite
from bot.reading import ReadingRoom, Unreadable
from bot.submissions import Submissions
from config.digest.sources import Source
from config.errors import Busy, Refused, Retry
from store import Store, Tx, digest, sources
from store.sources import Fetch, SourceState

LONGEST_REST = 86400  # seconds; back-off doubles up to here (digest.md A3)
TRIES = 3  # times a page may fail before the item stands with what its list said
FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".zip", ".rar")
MANUAL = "网站要求验证，不再自动抓取，请人工转发(#投稿)"
FRAMELESS = "列表所在的框架找不到了，可能改版了"
LINKLESS = "列表里的条目都没有链接，可能损坏或改版了"
BODILESS = "新文章的正文都读不出来，可能改版了"
SILENT = "已{days}天没有新内容，可能改版了"
DRIFT = 3  # articles without a text that cannot be chance
SCRIPTS = "对方给的是要运行脚本的验证页"


@dataclass(frozen=True, slots=True)
class Taken:
    """What asking one source came to: new addresses, items stored, blocked ones, and what was wrong (Chinese)."""

    source: str
    entries: int = 0
    new: int = 0
    blocked: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    source: Source
    state: SourceState
    began: float


class Intake:
    """`table` are all sources. Cadence and politeness follow real time (`now`), days the store's."""

    def __init__(
        self,
        store: Store,
        table: Sequence[Source],
        polite: Polite,
        key: bytes,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.table = {source.id: source for source in table}
        self.room = ReadingRoom()
        self._polite = polite
        self._now = now
        self._arrivals = Arrivals(store, key)
        self._submissions = Submissions(store, self.table, polite, self.room, self._arrivals)
        self._failed: Counter[str] = Counter()
        self._turn = asyncio.Lock()

    async def run_due(self) -> list[Taken]:
        """Take up what people handed in, then ask every source that is on and due, hosts side by side."""
        async with self._turn:
            await self._submissions.take()
            states = await self.store.read(lambda connection: sources.states(connection))
            due = [s for s in self.table.values() if is_due(s, states.get(s.id, SourceState(s.id)), self._now())]
            hosts: dict[str, list[Source]] = {}
            for source in due:
                hosts.setdefault(urlsplit(source.list).netloc, []).append(source)
            found = await asyncio.gather(*(self._ask_in_turn(some) for some in hosts.values()))
            return [taken for some in found for taken in some]

    async def ask(self, name: str) -> Taken:
        """Ask one source now."""
        async with self._turn:
            return await self._ask(self.table[name])

    async def take_submissions(self) -> int:
        """Read what people handed in; how many pieces."""
        async with self._turn:
            return await self._submissions.take()

    async def terms(self, words: str) -> list[list[str]]:
        """An archive search cut as the archive's own words are. Raises Unreadable or Busy."""
        found: list[list[str]] = (await self.room.ask({"op": "terms"}, words.encode()))["terms"]
        return found

    async def close(self) -> None:
        """Send the reading child away."""
        await self.room.close()

    async def _ask_in_turn(self, some: Sequence[Source]) -> list[Taken]:
        return [await self._ask(source) for source in some]

    async def _ask(self, source: Source) -> Taken:
        state = await self.store.read(lambda connection: sources.state(connection, source.id))
        asked = _Asked(source, state, time.monotonic())
        try:
            got = await self._list(asked)
            entries, fresh = await self._entries(asked, got)
            taken = await self._articles(source, entries)
        except (Refused, Retry, Unreadable, Busy) as error:
            return await self._book(asked, Taken(source.id, error=str(error)), None, state, _rest(error))
        return await self._book(asked, taken, got, state if taken.error else fresh)

    async def _list(self, asked: _Asked) -> Got:
        source, state = asked.source, asked.state
        known = {"If-None-Match": state.etag, "If-Modified-Since": state.modified}
        headers = {name: value for name, value in known.items() if value}
        if not source.frame:
            return await self._polite.get(source.list, headers, source.gap_seconds, LIST_BYTES)
        outer = await self._polite.get(source.list, None, source.gap_seconds)
        question = {"op": "frame", "base": outer.url, "selector": source.frame}
        inner = (await self.room.ask(question, outer.answer.body)).get("url")
        if not inner:
            raise Refused(FRAMELESS)
        return await self._polite.get(str(inner), headers, source.gap_seconds, LIST_BYTES)

    async def _entries(self, asked: _Asked, got: Got) -> tuple[list[dict[str, Any]], SourceState]:
        """New entries of a list; none when it is the list of last time."""
        seen = hashlib.sha256(got.answer.body).hexdigest()
        if got.answer.status == 304 or seen == asked.state.body_hash:
            return [], asked.state
        source, today = asked.source, date.fromisoformat(day_of(self.store.now()))
        question = {"op": "list", "kind": source.kind, "base": got.url, "rules": dict(source.rules)}
        listing = await self.room.ask({**question, "today": today.isoformat()}, got.answer.body)
        if listing["error"]:
            raise (Challenged if listing.get("challenge") else Refused)(str(listing["error"]))
        newest = sorted(listing["entries"], key=lambda one: one["published_at"] or "", reverse=True)[: source.newest]
        keys = {key_of(one["url"]): one for one in reversed(newest) if one["url"]}
        if not keys:
            raise Refused(LINKLESS)
        known = await self.store.read(lambda connection: digest.known_keys(connection, tuple(keys)))
        headers = got.answer.headers
        fresh = replace(
            asked.state, etag=headers.get("ETag", ""), modified=headers.get("Last-Modified", ""), body_hash=seen
        )
        return [one for key, one in keys.items() if key not in known], fresh

    async def _articles(self, source: Source, entries: Sequence[dict[str, Any]]) -> Taken:
        stored: Counter[bool] = Counter()
        troubles: list[str] = []
        empty = 0
        for entry in entries:
            url = str(entry["url"])
            key = key_of(url)
            if await self._arrivals.blocked_before(key):
                continue
            try:
                arrived = await self._article(source, entry, url)
            except Challenged:
                raise
            except (Refused, Retry, Unreadable) as error:
                self._failed[key] += 1
                troubles.append(str(error))
                continue
            n = await self._arrivals.take(arrived, Origin(source.id, source.name, key, url))
            stored[n == BLOCKED] += n != 0
            empty += n > 0 and not arrived["item"]["body"]
        said = _sum(troubles, len(entries)) or (BODILESS if empty >= DRIFT and empty == stored[False] else "")
        return Taken(source.id, len(entries), stored[False], stored[True], said)

    async def _article(self, source: Source, entry: Mapping[str, Any], url: str) -> dict[str, Any]:
        leaders = await self.store.read(lambda connection: digest.leaders(connection))
        question: dict[str, Any] = {
            "op": "page",
            "url": url,
            "body": source.body,
            "entry": entry,
            "source": source.name,
        }
        question["leaders"] = leaders
        place = urlsplit(url)
        elsewhere = not source.allows(place.hostname or "") or place.path.lower().endswith(FILES)
        if elsewhere or self._failed[key_of(url)] >= TRIES:
            return await self.room.ask({**question, "op": "summary"})
        got = await self._polite.get(url, None, source.gap_seconds)
        arrived = await self.room.ask({**question, "url": got.url}, got.answer.body)
        if arrived.get("challenge"):
            raise Challenged(SCRIPTS)
        return arrived

    async def _book(self, asked: _Asked, taken: Taken, got: Got | None, state: SourceState, rest: float = 0.0) -> Taken:
        """Health, the log, and when to ask again."""
        manual = rest == CHALLENGED
        failures = 0 if got else state.failures + 1
        wait = asked.source.every_minutes * 60 * (1 << min(failures, 6))
        error = MANUAL if manual else taken.error

        def book(tx: Tx) -> None:
            heard = tx.at if taken.new or (got and state.item_at is None) else state.item_at
            quiet = (tx.at - (heard or tx.at)) // 86400
            new = replace(
                state,
                next_at=int(self._now() + min(LONGEST_REST, max(wait, rest))),
                failures=failures,
                error=error or (SILENT.format(days=quiet) if quiet >= asked.source.quiet_days else ""),
                manual=int(manual),
                ok_at=tx.at if got else state.ok_at,
                item_at=heard,
                wanted=sources.state(tx, state.source).wanted,
            )
            sources.put_state(tx, replace(new, told_on=new.told_on if new.error else ""))
            sources.log_fetch(tx, _line(asked, taken, got))

        await self.store.write(book)
        return taken


CHALLENGED = float("inf")


def _rest(error: Exception) -> float:
    """Seconds this error asks us to wait at least; for ever when the site wants a person."""
    if isinstance(error, Challenged):
        return CHALLENGED
    return error.after if isinstance(error, Retry) else 0.0


def _line(asked: _Asked, taken: Taken, got: Got | None) -> Fetch:
    status, size = (got.answer.status, len(got.answer.body)) if got else (0, 0)
    ms = int(1000 * (time.monotonic() - asked.began))
    return Fetch(0, 0, asked.source.id, "list", status, size, ms, taken.entries, taken.new, taken.error)


def _sum(troubles: Sequence[str], entries: int) -> str:
    """One line about articles that could not be read."""
    return f"{len(troubles)}篇没读到（共{entries}篇）：{troubles[0]}" if troubles else ""


def is_on(source: Source, state: SourceState) -> bool:
    """Whether a source is asked at all: a person's word counts more than the file's."""
    return source.asks and not state.manual and (source.on if state.wanted is None else bool(state.wanted))


def is_due(source: Source, state: SourceState, now: float) -> bool:
    """Whether it is a source's turn."""
    return is_on(source, state) and state.next_at <= now
