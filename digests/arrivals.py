"""From a page, a feed's entry or pasted words to an item fit to be stored: cleaned, screened, personal numbers starred.

What carries a secrecy mark comes out with `blocked` and nothing else: its words must not leave the process that read them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digests.checks import Finding, Leader, check
from digests.dates import find_date
from digests.feeds import Entry
from digests.items import Item
from digests.numbers import numbers_in, own_number
from digests.pages import Page
from digests.personal import LIMIT, find_personal, mask
from digests.screening import inert

TITLE = 200  # characters
BODY = 20_000
ALIKE = 0.5  # of a list's title must be in the page's own, else the list is believed
PERSONAL = frozenset({"id", "phone", "bank", "passport"})  # digest.md D3: masked before review
CUT_SHORT = ("…", "...")
TAGS = re.compile(r"<[^<>]{0,200}>")
TOKENS = re.compile(r"\w")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item as it may be stored. `blocked` names the secrecy rule; then everything else is empty."""

    item: Item
    findings: tuple[Finding, ...] = ()
    written_on: str = ""
    validity: str = ""
    attachments: tuple[str, ...] = ()
    blocked: str = ""


def from_page(page: Page, entry: Entry, source: str, url: str, leaders: Sequence[Leader] = ()) -> Arrival:
    """An article read from its page, helped by what the list said of it."""
    text = page.text if len(page.text) >= len(entry.summary) / 4 else entry.summary
    published = page.published_on or ""
    if entry.published_at and (not published or entry.published_at.date().isoformat() == published):
        published = _moment(entry.published_at)
    number = page.doc_number or next(iter(numbers_in(entry.number or "")), None)
    item = Item("", _better(page.title or "", entry.title), text, "", source, url, published, number, page.issuer)
    return _fit(item, leaders, page.written_on or "", page.validity or "", page.attachments)


def from_words(title: str, text: str, source: str, url: str = "", leaders: Sequence[Leader] = ()) -> Arrival:
    """Pasted or forwarded words: the first line is the title when none is given."""
    lines = [line.strip() for line in text.strip().split("\n") if line.strip()]
    if not title and len(lines) > 1 and len(lines[0]) <= TITLE:
        title, lines = lines[0], lines[1:]
    body = "\n".join(lines)
    title = title or body[:40]
    published = find_date("\n".join(lines[:3])[:200]) or ""
    return _fit(Item("", title, body, "", source, url, published, own_number(title, body)), leaders)


def clean_title(title: str) -> str:
    """One line without tags, controls, direction tricks, calls to everybody or a platform's markup."""
    plain = TAGS.sub("", title[: 4 * TITLE])
    kept = "".join(" " if unicodedata.category(sign) in HIDDEN else sign for sign in plain)
    return inert(" ".join(kept.split()))[:TITLE]


def clean_body(text: str) -> str:
    """Paragraphs without controls and direction tricks, at most BODY long."""
    kept = "".join(sign for sign in text[: 2 * BODY] if sign == "\n" or unicodedata.category(sign) not in HIDDEN)
    return "\n".join(line.strip() for line in kept.split("\n") if line.strip())[:BODY]


def starred(text: str) -> str:
    """Personal numbers made unusable, line by line in pieces the finder reads."""
    return "".join(_starred(text[at : at + LIMIT]) for at in range(0, len(text), LIMIT))


def _starred(piece: str) -> str:
    return mask(piece, find_personal(piece), PERSONAL)


def _fit(
    raw: Item,
    leaders: Sequence[Leader],
    written_on: str = "",
    validity: str = "",
    attachments: Sequence[str] = (),
) -> Arrival:
    item = Item(
        "", clean_title(raw.title), clean_body(raw.body), "", raw.source, raw.url, raw.published_at,
        raw.doc_number, clean_title(raw.issuer)[:60] if raw.issuer else None,
    )  # fmt: skip
    found = check(item, leaders)
    secret = next((finding for finding in found if finding.level == "block"), None)
    if secret is not None:
        return Arrival(Item("", ""), blocked=secret.why)
    fit = Item(
        "", starred(item.title), starred(item.body), "", item.source, item.url, item.published_at, item.doc_number, item.issuer
    )  # fmt: skip
    return Arrival(fit, found, written_on, clean_title(validity)[:20], tuple(attachments)[:20])


def _better(page: str, listed: str) -> str:
    """The page's own title, unless it is another one than the list promised."""
    if not page or not listed or listed.endswith(CUT_SHORT):
        return page or listed
    signs = set(TOKENS.findall(listed))
    return page if len(signs & set(TOKENS.findall(page))) >= ALIKE * len(signs) else listed


def _moment(moment: datetime) -> str:
    whole = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return moment.date().isoformat() if whole else moment.isoformat(timespec="minutes")
