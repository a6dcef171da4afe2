"""Characters as people see them: grapheme clusters, words made harmless without tearing an emoji, links fit to print.

The cluster rules join wherever UAX #29 joins and now and then more, so a cut between two of ours is never inside one
of theirs. A heap of marks beyond CLUSTER code points is no character anybody writes and is taken down to that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from digests.screening import inert

CLUSTER = 16  # code points; the longest emoji in use has ten, a flag of tags seven
LINK = re.compile(r"https?://[!-~]+")
LINK_SAFE = "%:/?#&=+,;~!$-._"  # @ and brackets leave as %40, %5B: the same address, and no platform's markup
ZWJ = "\u200d"
_PICTURE = "\u2190-\u2bff\U0001f000-\U0001faff"
_JOINS = re.compile(
    rf"((?<=[{_PICTURE}\ufe0f\u20e3]){ZWJ}(?=[{_PICTURE}])|(?<=\U0001f3f4)[\U000e0030-\U000e007a]{{2,8}}\U000e007f)"
)
_CALLS = re.compile(r"(?<![0-9A-Za-z._-])@|@(?![0-9A-Za-z])")
_PREPENDED = frozenset(map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0xD4E, 0x110BD, 0x110CD)))


def words(text: str) -> str:
    """One line: no controls, nobody called, no platform's markup opened; emoji stay whole."""
    visible = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs") or sign.isspace())
    line = " ".join(visible.split())
    quiet = "".join(part if at % 2 else inert(part) for at, part in enumerate(_JOINS.split(line)))
    return "".join(cluster[:CLUSTER] for cluster in clusters(_CALLS.sub("＠", quiet)))


def link(address: str) -> str:
    """The address in ASCII, fit for any text; "" for what is no plain web address (or hides another behind a user name)."""
    try:
        parts = urlsplit("".join(address.split()))
        host, port = (parts.hostname or "").encode("idna").decode(), f":{parts.port}" if parts.port else ""
    except ValueError:  # no such port, no such host
        return ""
    if (
        parts.scheme not in ("http", "https")
        or parts.username is not None
        or not re.fullmatch(r"[0-9A-Za-z._-]+", host)
    ):
        return ""
    rest = parts.path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    return f"{parts.scheme}://{host}{port}{quote(rest.encode(errors='ignore'), LINK_SAFE)}"


def clusters(text: str) -> Iterator[str]:
    """The text in grapheme clusters."""
    start = 0
    for at in range(1, len(text)):
        if not _joined(text, at, start):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def clipped(text: str, most: int) -> str:
    """At most so many bytes of it, with "…" where something is missing; never within a character."""
    if len(text.encode()) <= most:
        return text
    return (split(text, most - len("…".encode())) or ("",))[0].rstrip() + "…"


def split(text: str, most: int) -> tuple[str, ...]:
    """The text in as few pieces of at most so many bytes as its characters and links allow."""
    pieces, size = [""], 0
    for atom in _atoms(text, most):
        more = len(atom.encode())
        if size + more > most:
            pieces.append("")
            size = 0
        pieces[-1] += atom
        size += more
    return tuple(piece for piece in pieces if piece)


def _atoms(text: str, most: int) -> Iterator[str]:
    last = 0
    for found in LINK.finditer(text):
        yield from clusters(text[last : found.start()])
        if len(found[0]) <= most:
            yield found[0]
        else:
            yield from clusters(found[0])
        last = found.end()
    yield from clusters(text[last:])


def _joined(text: str, at: int, start: int) -> bool:
    """Whether no cut may be made before `at` (UAX #29 GB3 to GB13)."""
    before, sign = text[at - 1], text[at]
    if sign < "\u0300":
        return (before, sign) == ("\r", "\n") or before in _PREPENDED
    if (
        unicodedata.category(sign)[0] == "M"
        or sign in "\u200c\u200d\uff9e\uff9f"
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
    ):
        return True
    if "\U000e0020" <= sign <= "\U000e007f" or before == ZWJ or before in _PREPENDED:
        return True
    if unicodedata.combining(before) == 9:  # a virama: Indic conjuncts (GB9c)
        return True
    if _regional(sign):
        return _regional(before) and (at - start) % 2 == 1
    return _hangul(before, sign)


def _regional(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _hangul(before: str, sign: str) -> bool:
    jamo = ("\u1100" <= sign <= "\u11ff") or ("\ua960" <= sign <= "\ua97c") or ("\ud7b0" <= sign <= "\ud7fb")
    lead = ("\u1100" <= before <= "\u115f") or ("\ua960" <= before <= "\ua97c")
    led = jamo or "\uac00" <= sign <= "\ud7a3"
    grown = ("\u1160" <= sign <= "\u11ff") or ("\ud7b0" <= sign <= "\ud7fb")
    vowel = ("\u1160" <= before <= "\u11ff") or ("\ud7b0" <= before <= "\ud7fb") or "\uac00" <= before <= "\ud7a3"
    return (lead and led) or (vowel and grown)
