"""Words for WeCom's markdown: what people wrote stays words, and nothing is longer than the platform takes.

A message too long for one piece is cut between lines, else between sentences, else between characters; never inside a
character, an address or a call.
"""

from __future__ import annotations

import re

_SWAPS = (  # what WeCom's markdown would act on, as its full-width twin (security.md T19)
    (re.compile(r"<(?=[@/!A-Za-z])"), "＜"),
    (re.compile(r"\](?=\()"), "］"),
    (re.compile(r"`"), "｀"),
    (re.compile(r"\*(?=\*)|(?<=\*)\*"), "＊"),
    (re.compile(r"^(\s*)#(?=#* )", re.MULTILINE), r"\1＃"),
    (re.compile(r"^(\s*)>", re.MULTILINE), r"\1＞"),
)
_WHOLE = re.compile(r"https?://[^\s，。；、）]+|<@[^>\s]{1,64}>|\[[^\]\n]*\]\([^)\s]*\)|.", re.DOTALL)
_ENDS = frozenset("\n。；！？")


def inert(text: str) -> str:
    """Plain text as markdown that shows the same words."""
    for pattern, twin in _SWAPS:
        text = pattern.sub(twin, text)
    return text


def call(user: str) -> str:
    """An @ of one member."""
    return f"<@{user}>" if re.fullmatch(r"[\w.@-]{1,64}", user, re.ASCII) and user.lower() != "all" else ""


def pieces(text: str, limit: int) -> list[str]:
    """The text in as few parts as the limit (UTF-8 bytes) allows."""
    found: list[str] = []
    while len(text.encode()) > limit:
        head = _head(text, limit)
        found.append(head.rstrip("\n"))
        text = text[len(head) :]
    return [piece for piece in (*found, text) if piece]


def _head(text: str, limit: int) -> str:
    end = size = stop = 0
    for match in _WHOLE.finditer(text):
        size += len(match[0].encode())
        if size > limit:
            break
        end = match.end()
        if match[0] in _ENDS:
            stop = end
    if stop > end // 2:
        return text[:stop]
    return text[:end] or text[: max(1, limit // 4)]  # an address longer than a whole message
