"""Bytes to text. Declarations lie, so they are asked last: strict UTF-8 first, then GB18030 (digest.md B3: 60 of 60 pages).

Byte order marks and the zero pattern of UTF-16 and UTF-32 are believed. Big5 pages would be read wrongly: out of scope.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

MARKS = (  # longest first: UTF-32LE begins like UTF-16LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ZEROS = ((b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,30})""")
TORN = 0.002  # so many damaged characters a thousand still leave the text readable
HEAD = 2048


@dataclass(frozen=True, slots=True)
class Decoded:
    """`damaged`: characters that could not be read; more than a few mean the encoding is not what we think."""

    text: str
    encoding: str
    damaged: int = 0


def decode(data: bytes) -> Decoded:
    """Never raises: text in some encoding, with the number of characters that could not be read."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _loosely(data[len(mark) :], encoding)
    for start, encoding in ZEROS:
        if data.startswith(start):
            return _loosely(data, encoding)
    for encoding in ("utf-8", "gb18030"):
        try:
            return Decoded(data.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    return _damaged(data)


def _damaged(data: bytes) -> Decoded:
    """Neither reads cleanly: a torn or spliced file in one of the two, or what the page itself says."""
    guesses = [_loosely(data, "utf-8"), _loosely(data, "gb18030")]
    best = min(guesses, key=lambda guess: guess.damaged)
    declared = DECLARED.search(data[:HEAD])
    if best.damaged <= max(2, TORN * len(best.text)) or declared is None:
        return best
    try:
        return Decoded(data.decode(declared[1].decode("ascii")), declared[1].decode("ascii").lower())
    except (LookupError, UnicodeDecodeError):
        return best


def _loosely(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding, text.count("\ufffd"))
