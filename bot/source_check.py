"""What an office asks about its sources from the command line: how they fare, and what one address would give."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.fetcher import Fetcher
from bot.intake import is_on
from bot.polite import LIST_BYTES, Polite
from bot.reading import ReadingRoom, Unreadable
from config.digest.sources import Source, load_sources
from config.errors import ConfigError, Refused, Retry
from store import Store, sources
from store.peeking import reading
from store.sources import SourceState
from store.switching import DATABASE

KIND_BY_START = ((b"{", "json"), (b"[", "json"), (b"<?xml", "feed"), (b"<rss", "feed"), (b"<feed", "feed"))


def standing(data: Path) -> list[dict[str, Any]]:
    """Every source with how it fares."""
    table, states = load_sources(data), _states(data)
    return [_row(source, states.get(source.id, SourceState(source.id))) for source in table]


def turn(data: Path, name: str, wanted: bool) -> None:
    """Turn a source on or off. Raises ConfigError when there is none, it cannot be fetched, or the program runs."""
    found = next((source for source in load_sources(data) if source.id == name), None)
    if found is None:
        raise ConfigError(f"没有来源 {name}，请看 bot source list")
    if wanted and not found.asks:
        raise ConfigError(f"{found.name} 不能自动抓取：{found.why or '没有地址'}")
    store = Store.open(data)
    try:
        asyncio.run(_write_turn(store, name, wanted))
    finally:
        store.close()


async def try_address(url: str, data: Path, name: str, kind: str | None, inside: bool) -> dict[str, Any]:
    """Fetch an address once, by robots.txt and behind the guard, and read it as a list or a page."""
    source = _rules(data, name, url)
    place = urlsplit(url)
    host = place.hostname or ""
    fetcher = Fetcher([f"{host}:{place.port or (443 if place.scheme == 'https' else 80)}"] if inside else [])
    polite, room = Polite(fetcher, lambda other: other == host), ReadingRoom()
    try:
        got = await polite.get(url, limit=LIST_BYTES)
        return {"url": got.url, "error": "", **await _read(room, got.answer.body, got.url, source, kind)}
    except (Refused, Retry, Unreadable) as error:
        return {"url": url, "error": str(error)}
    finally:
        await room.close()
        await fetcher.close()


async def _read(room: ReadingRoom, body: bytes, url: str, source: Source, kind: str | None) -> dict[str, Any]:
    how = kind or _guess(body, url, source)
    if how != "page":
        asked = {"op": "list", "kind": how, "base": url, "rules": dict(source.rules), "today": date.today().isoformat()}
        return await room.ask(asked, body)
    entry = {"title": "", "url": url, "published_at": None}
    asked = {"op": "page", "url": url, "body": source.body, "entry": entry, "source": source.name, "leaders": []}
    found = await room.ask(asked, body)
    if found.get("challenge") or found.get("blocked"):
        said = "对方给的是要运行脚本的验证页" if found.get("challenge") else f"有涉密标志（{found['blocked']}），不保存"
        return {"error": said}
    return {"page": found["item"], "findings": found["findings"]}


def _rules(data: Path, name: str, url: str) -> Source:
    table = load_sources(data)
    if name:
        found = next((source for source in table if source.id == name), None)
        if found is None:
            raise ConfigError(f"没有来源 {name}，请看 bot source list")
        return found
    host = urlsplit(url).hostname or ""
    same = [source for source in table if host and source.allows(host)]
    listed = next((source for source in same if source.list == url), None)
    return listed or (replace(same[0], kind="") if same else Source("", "试读", ""))


def _guess(body: bytes, url: str, source: Source) -> str:
    """The source's own way for its own list; by the first bytes for data; a page otherwise."""
    if source.kind and source.list == url:
        return source.kind
    start = body.lstrip()[:5].lower()
    found = next((kind for sign, kind in KIND_BY_START if start.startswith(sign)), "page")
    return found if found != "json" or "title" in source.rules else "page"


def _row(source: Source, state: SourceState) -> dict[str, Any]:
    on = is_on(source, state)
    if not source.asks:
        sign, said = "·", source.why or "没有地址"
    elif state.error:
        sign, said = "✗", state.error
    else:
        sign, said = ("✓", "启用") if on else ("·", "未启用")
    return {
        "id": source.id, "name": source.name, "kind": source.kind, "on": on, "sign": sign, "said": said,
        "error": state.error, "failures": state.failures, "ok_at": state.ok_at, "item_at": state.item_at,
    }  # fmt: skip


def _states(data: Path) -> dict[str, SourceState]:
    if not (data / DATABASE).is_file():
        return {}
    with reading(data) as connection:
        if connection.execute("select 1 from sqlite_master where name = 'source_state'").fetchone() is None:
            return {}
        return sources.states(connection)


async def _write_turn(store: Store, name: str, wanted: bool) -> None:
    await store.write(lambda tx: sources.turn(tx, name, wanted))
