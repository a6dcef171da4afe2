"""Words for the archive's search, cut by jieba and small enough that 所得税 is found in 企业所得税.

jieba costs a second and some memory to load, so this is imported in the child that reads pages, and in a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache

MARK = "\x1f"  # store.archive.WORD: no text that is read contains it
SHORTEST, LONGEST = 2, 3  # letters of a piece a long word is taken apart into
QUERY = 60


def apart(text: str) -> str:
    """The same text with MARK between its words; taking MARK out gives the text again."""
    return MARK.join(_words(text.replace(MARK, " ")))


def terms(query: str) -> list[list[str]]:
    """What a person looks for: the words of each piece between blanks."""
    return [list(_words(piece)) for piece in query[:QUERY].replace(MARK, " ").split()]


def _words(text: str) -> Iterator[str]:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    for word in jieba.cut(text):
        if len(word) > LONGEST and word.isalpha() and not word.isascii():
            yield from _pieces(word)
        else:
            yield word


@lru_cache(20_000)
def _pieces(word: str) -> tuple[str, ...]:
    """A long word as a row of dictionary words of three or two letters, or whole when there is no such row."""
    return _row(word) or (word,)


def _row(word: str) -> tuple[str, ...]:
    import jieba

    if len(word) == 1:
        return (word,)
    for size in (LONGEST, SHORTEST):
        head, tail = word[:size], word[size:]
        if len(head) == size and jieba.dt.FREQ.get(head) and (not tail or (rest := _row(tail))):
            return (head, *rest) if tail else (head,)
    return ()
