"""A question as the index reads it: one width, no courtesies, one word for one thing.

Only the copy that is searched is rewritten; what people wrote and what was approved stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from config.faq.vocabulary import Vocabulary

LIMIT = 400  # characters of a message that are read
NOISE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f]|@\S{1,24}(?:\s|$)|https?://\S+|\[[^\[\]]{1,6}\]"
)  # mentions, links, platform emoticons
SIGNS = re.compile(r"[^0-9a-z%.\u4e00-\u9fff]+|(?<!\d)\.|\.(?!\d)")


class Rewriter:
    """Replaces the longest known word at each place, once, from left to right."""

    __slots__ = ("_by_head",)

    def __init__(self, table: Mapping[str, str]) -> None:
        by_head: dict[str, list[tuple[str, str]]] = {}
        for word in sorted(table, key=len, reverse=True):
            by_head.setdefault(word[0], []).append((word, table[word]))
        self._by_head = by_head

    def __call__(self, text: str) -> str:
        parts, at, heads = [], 0, self._by_head
        while at < len(text):
            for word, meaning in heads.get(text[at], ()):
                if text.startswith(word, at):
                    parts.append(meaning)
                    at += len(word)
                    break
            else:
                parts.append(text[at])
                at += 1
        return "".join(parts)


class Normaliser:
    """Text as written → text as searched."""

    __slots__ = ("_courtesies", "_particles", "_rewrite")

    def __init__(self, vocabulary: Vocabulary) -> None:
        whole = {meaning: meaning for meaning in vocabulary.rewrites.values()}  # 小规模纳税人 is not 小规模 + 纳税人
        self._rewrite = Rewriter({**whole, **vocabulary.rewrites})
        self._courtesies = Rewriter(dict.fromkeys(vocabulary.polite, " "))
        self._particles = re.compile(f"[{vocabulary.particles}]+(?=[^\\u4e00-\\u9fff]|$)")

    def __call__(self, text: str) -> str:
        plain = widen(text)
        asked = self._particles.sub(" ", self._courtesies(plain)).strip() or plain
        return SIGNS.sub("", self._rewrite(asked))


def widen(text: str) -> str:
    """One width, lower case, without mentions, links and emoticons."""
    return NOISE.sub(" ", unicodedata.normalize("NFKC", text[:LIMIT]).lower()).strip()


PIECES = re.compile(r"[0-9]+(?:\.[0-9]+)?%?|[a-z]+|[\u4e00-\u9fff]")
