"""The child that reads what other people's servers sent: lists, pages, words, in frames over its pipes.

Started by `bot.reading` as `python -m bot.reading_worker`; it holds no files, no secrets and no network, and may be
killed at any moment. What carries a secrecy mark is named by its rule and never leaves it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from bot.frames import limit, pipes, read, write
from digests.arrivals import Arrival, from_page, from_words
from digests.bodies import lines_of
from digests.checks import Leader
from digests.feeds import Entry, Listing, read_feed
from digests.lists import frame_of, read_family, read_html_list, read_json_list
from digests.pages import Page, read_page
from digests.words import apart, terms

MEMORY = 1 << 30
CPU_SECONDS = 20  # a backstop should the parent be gone
Asked = Mapping[str, Any]


def main() -> None:
    """Serve pairs of frames (what is asked, the bytes) until standard input closes."""
    source, sink = pipes()
    apart("预热")
    limit(MEMORY, CPU_SECONDS, first=True)
    write(sink, b"ready")
    while (head := read(source)) is not None and (data := read(source)) is not None:
        limit(MEMORY, CPU_SECONDS)
        asked = json.loads(head)
        answer = OPERATIONS[asked["op"]](asked, data)
        write(sink, json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))


def _list(asked: Asked, data: bytes) -> dict[str, Any]:
    today = date.fromisoformat(asked["today"])
    found = _listing(asked["kind"], data, asked["base"], asked["rules"], today)
    wall = bool(found.error) and read_page(data, asked["base"]).challenge
    return {"entries": [_entry(one) for one in found.entries], "error": found.error, "challenge": wall}


def _listing(kind: str, data: bytes, base: str, rules: Mapping[str, str], today: date) -> Listing:
    if kind == "feed":
        return read_feed(data, today)
    if kind == "gkmlpt":
        return read_family(data, base, today)
    reads = read_json_list if kind == "json" else read_html_list
    return reads(data, base, rules, today)


def _entry(one: Entry) -> dict[str, Any]:
    moment = one.published_at.isoformat() if one.published_at else None
    return {**asdict(one), "title": one.title[:2000], "published_at": moment}


def _frame(asked: Asked, data: bytes) -> dict[str, Any]:
    return {"url": frame_of(data, asked["base"], asked["selector"])}


def _page(asked: Asked, data: bytes) -> dict[str, Any]:
    page = read_page(data, asked["url"], asked["body"] or None)
    if page.challenge:
        return {"challenge": True}
    return _arrived(from_page(page, _told(asked["entry"]), asked["source"], asked["url"], _leaders(asked)))


def _summary(asked: Asked, data: bytes) -> dict[str, Any]:
    """An entry whose page could not be had: what the feed itself carries."""
    page = Page(text="")
    return _arrived(from_page(page, _told(asked["entry"]), asked["source"], asked["url"], _leaders(asked)))


def _words(asked: Asked, data: bytes) -> dict[str, Any]:
    text = data.decode("utf-8", "replace")
    return _arrived(from_words(asked["title"], text, asked["source"], asked["url"], _leaders(asked)))


def _told(entry: Asked) -> Entry:
    moment = datetime.fromisoformat(entry["published_at"]) if entry.get("published_at") else None
    summary = _visible(entry.get("summary") or "")
    return Entry(entry["title"], entry.get("url"), moment, summary, entry.get("id"), entry.get("number"))


def _visible(markup: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    if "<" not in markup:
        return markup
    tree = LexborHTMLParser(markup)
    for node in tree.css("script,style,iframe,noscript"):
        node.decompose()
    return lines_of(tree.body) if tree.body is not None else ""


def _leaders(asked: Asked) -> list[Leader]:
    return [Leader(*row) for row in asked["leaders"]]


def _arrived(one: Arrival) -> dict[str, Any]:
    if one.blocked:
        return {"blocked": one.blocked}
    item = asdict(one.item)
    return {
        "item": item,
        "title_words": apart(one.item.title),
        "body_words": apart(one.item.body),
        "findings": [[found.rule, found.level, found.why] for found in one.findings],
        "written_on": one.written_on,
        "validity": one.validity,
        "attachments": list(one.attachments),
    }


def _terms(asked: Asked, data: bytes) -> dict[str, Any]:
    return {"terms": terms(data.decode("utf-8", "replace"))}


OPERATIONS: dict[str, Callable[[Asked, bytes], dict[str, Any]]] = {
    "list": _list,
    "frame": _frame,
    "page": _page,
    "summary": _summary,
    "words": _words,
    "terms": _terms,
}


if __name__ == "__main__":
    main()
