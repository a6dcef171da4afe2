"""Text within a platform's byte limit: cut between characters, never inside a link, and said to be cut."""

from __future__ import annotations

import re

MORE = "…（全文见群办网页）"
_LINK = re.compile(r"https?://[^\s，。；：、）】》」”]+")


def within(text: str, limit: int, more: str = MORE) -> str:
    """The text, or as much of its beginning as fits with `more` behind it; 0 = any length."""
    if not limit or len(text.encode("utf-8", "replace")) <= limit:
        return text
    end = len(text.encode("utf-8", "replace")[: max(0, limit - len(more.encode()))].decode("utf-8", "ignore"))
    for link in _LINK.finditer(text):
        if link.start() < end < link.end():
            end = link.start()
    line = text.rfind("\n", 0, end)
    return text[: line if line > end * 2 // 3 else end].rstrip() + more
