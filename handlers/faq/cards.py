"""The answer card: approved text byte for byte, basis, validity; and how long texts are cut for a platform.

A cut falls between characters, at the end of a line or sentence where there is one. The basis and what follows it stay
whole and stand in the last piece, so no piece sequence can lose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from config.faq.entries import Entry
from handlers.faq.texts import say

ENDS = "\n。；;！？!?，,、 "


def card(entry: Entry, limit: int = 0) -> tuple[str, ...]:
    """An answer as messages of at most `limit` bytes (0: one message)."""
    return fitted(say("answer", question=entry.question), entry.answer, grounds(entry), limit)


def grounds(entry: Entry) -> str:
    """What stands below an answer."""
    return "\n".join((say("basis", basis=entry.basis), say("valid", valid=validity(entry)), say("unhappy")))


def fitted(head: str, body: str, foot: str, limit: int) -> tuple[str, ...]:
    """head, body and foot as messages: the body's pieces joined are the body, the foot is never cut."""
    whole = "\n".join((head, body, foot))
    if not limit or len(whole.encode()) <= limit:
        return (whole,)
    room = limit - len("（续）\n".encode()) - 1
    pieces, rest = [], body
    first = _cut(rest, room - len(head.encode()))
    pieces.append(f"{head}\n{first}")
    rest = rest[len(first) :]
    while rest:
        if len(rest.encode()) + len(foot.encode()) <= room:
            return (*pieces, f"（续）\n{rest}\n{foot}")
        piece = _cut(rest, room)
        pieces.append(f"（续）\n{piece}")
        rest = rest[len(piece) :]
    return (*pieces, f"（续）\n{foot}")


def pieces(text: str, limit: int) -> tuple[str, ...]:
    """Any text as messages of at most `limit` bytes."""
    found = []
    while limit and len(text.encode()) > limit:
        piece = _cut(text, limit)
        found.append(piece)
        text = text[len(piece) :]
    return (*found, text)


def packed(blocks: Sequence[str], limit: int) -> tuple[str, ...]:
    """Short blocks together in as few messages as they fit."""
    found: list[str] = []
    for block in blocks:
        if found and (not limit or len(f"{found[-1]}\n\n{block}".encode()) <= limit):
            found[-1] = f"{found[-1]}\n\n{block}"
        else:
            found.append(block)
    return tuple(found)


def _cut(text: str, limit: int) -> str:
    """The longest start of a text within so many bytes, at least one character, ending at a sentence if it can."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    start = raw[: max(limit, 0)].decode(errors="ignore") or text[0]
    while len(start) < len(text) and len(start) > 1 and _joins(text[len(start)]):
        start = start[:-1]
    best = max(start.rfind(sign) for sign in ENDS) + 1
    return start[:best] if best > len(start) // 2 else start


def _joins(sign: str) -> bool:
    """Whether a character belongs to the one before it (variation selectors, joiners, combining marks)."""
    return sign in "\u200d\ufe0e\ufe0f" or "\u0300" <= sign <= "\u036f" or "\U0001f3fb" <= sign <= "\U0001f3ff"


def validity(entry: Entry) -> str:
    """How long an answer holds, in words."""
    first, last = spoken(entry.valid_from), spoken(entry.valid_to)
    if first and last:
        return f"{first}至{last}"
    return f"{first}起" if first else f"至{last}" if last else "现行有效"


def spoken(day: str) -> str:
    """2026-01-01 → 2026年1月1日."""
    if not day:
        return ""
    found = date.fromisoformat(day)
    return f"{found.year}年{found.month}月{found.day}日"
