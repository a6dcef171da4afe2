"""RSS and Atom. feedparser reads text we decoded ourselves; a zone-less date means Shanghai (digest.md G, feed traps)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from digests.dates import SHANGHAI, parse_moment
from digests.encoding import decode

LIMIT = 2_000_000  # digest.md A3
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
DOCTYPE = re.compile(r"<!(?:DOCTYPE[^\[>]*\[.*?\]\s*>|ENTITY[^>]*>)", re.DOTALL | re.IGNORECASE)
FEED = re.compile(r"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", re.IGNORECASE)
PAGE = re.compile(r"<(?:!doctype\s+html|html|script)\b", re.IGNORECASE)
DATES = ("published", "updated", "created")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a source's list. Missing is None; `summary` may hold markup and is for reading, not for showing."""

    title: str
    url: str | None
    published_at: datetime | None
    summary: str = ""
    id: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source's list gave: entries, or `error` (Chinese, for the source's health) when it gave none."""

    entries: tuple[Entry, ...]
    error: str | None = None


def read_feed(data: bytes, today: date | None = None) -> Listing:
    """Every entry of a feed, or the reason there is none. Never raises, resolves nothing, fetches nothing."""
    if len(data) > LIMIT:
        return Listing((), "订阅内容超过2MB，没有读")
    text = decode(data).text.replace("\0", "")
    if not FEED.search(text):
        return Listing((), "返回的是网页，不是订阅" if PAGE.search(text) else "不是订阅内容")
    entries = tuple(_entry(found, today) for found in _parse(text))
    return Listing(entries, None if entries else "订阅里没有条目")


def _parse(text: str) -> list[Mapping[str, Any]]:
    import feedparser

    plain = DOCTYPE.sub("", DECLARATION.sub("", text, count=1))
    try:
        return list(
            feedparser.parse(
                plain.encode(), response_headers={"content-type": "application/xml; charset=utf-8"}
            ).entries
        )
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, AssertionError):  # seen on torn feeds
        return []


def _entry(found: Mapping[str, Any], today: date | None) -> Entry:
    content = found.get("content") or [{}]
    return Entry(
        title=" ".join(str(found.get("title") or "").split()),
        url=found.get("link") or None,
        published_at=_published(found, today),
        summary=str(content[0].get("value") or found.get("summary") or ""),
        id=found.get("id") or None,
    )


def _published(found: Mapping[str, Any], today: date | None) -> datetime | None:
    for name in DATES:
        written = found.get(name)
        moment = parse_moment(str(written), today) if written else None
        if moment is not None:
            return moment.astimezone(SHANGHAI)
        if found.get(f"{name}_parsed"):  # an odd form that names its zone; feedparser turned it to UTC
            return _from_utc(found[f"{name}_parsed"])
    return None


def _from_utc(parsed: Any) -> datetime | None:
    from calendar import timegm

    try:
        return datetime.fromtimestamp(timegm(parsed), SHANGHAI)
    except (ValueError, OverflowError, OSError):
        return None
