"""Shingles: a text as a set of 64-bit prints, a sample of them by value, and how much of one text lies in another."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from digests.wording import plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Prints = NDArray[np.uint64]

WIDTH = 5  # characters a shingle
SAMPLE = 12
NO_SIGN = re.compile(r"[\W_]+")
SHORT = 400  # shorter texts keep more of their shingles


def shingles(text: str) -> Prints:
    """A 64-bit print for every run of WIDTH characters, in order."""
    import numpy as np

    signs = np.frombuffer(NO_SIGN.sub("", text).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(signs) < WIDTH:
        return np.zeros(0, dtype=np.uint64)
    prints = np.zeros(len(signs) - WIDTH + 1, dtype=np.uint64)
    for step in range(WIDTH):
        prints = prints * np.uint64(0x100000001B3) + signs[step : len(signs) - WIDTH + 1 + step]
    prints ^= prints >> np.uint64(29)
    return prints * np.uint64(0x9E3779B97F4A7C15)


def sampled(prints: Prints) -> list[int]:
    """The shingles kept in the index, chosen by their value alone; short texts add their next SAMPLE by value."""
    import numpy as np

    top = prints >> np.uint64(32)
    kept = prints[top % SAMPLE == 0]
    if len(prints) < SHORT:
        kept = np.concatenate((kept, np.sort(prints)[:16]))
    return [int(mark) >> 16 for mark in np.unique(kept)[:400]]  # 48 bits: enough for millions, and two bytes less each


def overlap(left: Prints, right: Prints) -> tuple[float, float]:
    """Share of the shorter text's characters that lie in shingles both have, and shorter / longer length."""
    import numpy as np

    short, long = (left, right) if len(left) <= len(right) else (right, left)
    if not len(short):
        return 0.0, 0.0
    places = np.searchsorted(sorted_long := np.sort(long), short)
    shared = sorted_long[np.minimum(places, len(long) - 1)] == short
    covered = np.convolve(shared, np.ones(WIDTH), "full") > 0
    return float(covered.mean()), len(short) / len(long)


def title_mark(title: str) -> int:
    """A bare title as a number."""
    return int.from_bytes(blake2b(title.encode(), digest_size=7).digest(), "big")


def bare(title: str) -> str:
    """A title's letters and signs only, for looking it up."""
    return NO_SIGN.sub("", plain(title))
