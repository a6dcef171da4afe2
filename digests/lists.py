"""Lists that are no feeds: JSON by paths, HTML by selectors, as a source's row in the table says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urljoin, urlsplit

from digests.dates import date_in_url, parse_moment
from digests.encoding import decode
from digests.feeds import LIMIT, Entry, Listing

TAGS = re.compile(r"<[^>]+>")
QUOTED_JSON = re.compile(r"=\s*(\[.*\])\s*;?", re.DOTALL)


def read_json_list(data: bytes, base: str, paths: Mapping[str, str], today: date | None = None) -> Listing:
    """`paths`: items ("data.results", "" = the whole), title, url, date; a path steps through keys and positions.

    With `script = "yes"` the list stands in a page's script as `name = [ … ];` (12371.cn), single quotes allowed.
    """
    if len(data) > LIMIT * 4:  # gov.cn's list of interpretations has 8,000 rows
        return Listing((), "列表超过8MB，没有读")
    text = decode(data).text
    rows = _load(text, bool(paths.get("script")))
    rows = None if rows is None else _step(rows, paths.get("items", ""))
    if not isinstance(rows, list):
        return Listing((), "不是约定的 JSON 列表")
    entries = tuple(entry for row in rows if (entry := _json_entry(row, base, paths, today)))
    return Listing(entries, None if entries else "列表里没有认得的条目")


def read_family(data: bytes, base: str, today: date | None = None) -> Listing:
    """gkmlpt, the disclosure platform of a whole province: `articles`, with its date under one of several names."""
    for name in ("date", "display_publish_time", "first_publish_time", "publish_time"):
        listing = read_json_list(data, base, {"items": "articles", "title": "title", "url": "url", "date": name}, today)
        if not listing.entries or listing.entries[0].published_at is not None:
            break
    return listing


def frame_of(data: bytes, base: str, selector: str) -> str | None:
    """The address of the frame in which a page shows its list."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    try:
        found = LexborHTMLParser(decode(data[:LIMIT]).text).css_first(selector)
    except SelectolaxError:
        return None
    return _address(base, found.attributes.get("src") or "") if found is not None else None


def read_html_list(data: bytes, base: str, selectors: Mapping[str, str], today: date | None = None) -> Listing:
    """`selectors`: item, and inside it link (default a), title (default the link) and date (default the item's text)."""
    if len(data) > LIMIT:
        return Listing((), "列表页超过2MB，没有读")
    entries = tuple(_html_entries(decode(data).text, base, selectors, today))
    return Listing(entries, None if entries else "列表页里没有认得的条目，可能改版了")


def _load(text: str, script: bool) -> Any:
    if script:
        found = QUOTED_JSON.search(text)
        text = re.sub(r"([{,]\s*)'?(\w+)'?\s*:", r'\1"\2":', found[1]).replace("'", '"') if found else ""
        text = re.sub(r",\s*([\]}])", r"\1", text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _step(value: Any, path: str) -> Any:
    for key in filter(None, path.split(".")):
        if isinstance(value, list):
            value = value[int(key)] if key.isdigit() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _json_entry(row: Any, base: str, paths: Mapping[str, str], today: date | None) -> Entry | None:
    title = " ".join(TAGS.sub("", str(_step(row, paths["title"]) or "")).split())
    url = _address(base, str(_step(row, paths["url"]) or ""))
    if not title or url is None:
        return None
    written = _step(row, paths.get("date", "-"))
    return Entry(title, url, parse_moment(str(written), today) if written else None)


def _html_entries(text: str, base: str, selectors: Mapping[str, str], today: date | None) -> Iterator[Entry]:
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    try:
        found = LexborHTMLParser(text).css(selectors["item"])
        for item in found:
            link = item if item.tag == "a" else item.css_first(selectors.get("link", "a"))
            url = _address(base, (link.attributes.get("href") or "") if link else "")
            if link is None or url is None:
                continue
            shown = item.css_first(selectors["title"]) if "title" in selectors else link
            title = link.attributes.get("title") or (shown.text() if shown else "")
            dated = item.css_first(selectors["date"]) if "date" in selectors else item
            written = (dated.text(separator=" ") if dated else "") or date_in_url(url) or ""
            moment = parse_moment(written, today) or parse_moment(date_in_url(url) or "", today)
            number = item.css_first(selectors["number"]) if "number" in selectors else None
            yield Entry(
                " ".join((title or "").split()), url, moment, number=" ".join(number.text().split()) if number else None
            )
    except SelectolaxError:
        return


def _address(base: str, href: str) -> str | None:
    """Only http and https; scripts, mail and in-page links are no articles."""
    try:
        url = urljoin(base, href.strip())
        return url if href.strip() and not href.startswith("#") and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None
