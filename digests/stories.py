"""Same story: sampled shingles find candidates, covered characters and length decide, facts veto, citations make threads.

The index is a sketch by hash sampling (every SAMPLE-th shingle by value): unlike min-hash bands it finds a short piece
inside a long one. Everything here is deterministic: the same items in the same order give the same clusters.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from digests.facts import Told, conflict, form_of, told
from digests.items import Item
from digests.numbers import numbers_in
from digests.wording import plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Prints = NDArray[np.uint64]

WIDTH = 5  # characters a shingle
SAMPLE = 8
SHORT = 400  # shorter texts keep more of their shingles
POSTINGS = 200  # newest holders of a shingle that are looked at
CANDIDATES = 8
READ = 1000  # items kept cut for comparison
COVERED = 0.5  # "at least about half of its characters come from the same base"
RATIO = 0.4  # digest.md C2
QUOTING = 0.8  # below this, a meeting's news only quotes
SHORTENED = 0.85  # of a much shorter text must be the longer one's, from its beginning
QUOTED = re.compile("《([^《》]{5,80})》")


@dataclass(frozen=True, slots=True)
class Match:
    """`cluster`: the first item's id; `same_as`: the item it equals; `why` says so in Chinese; `related`: threads."""

    cluster: str
    same_as: str | None = None
    why: str = ""
    related: tuple[str, ...] = ()
    similarity: float = 0.0


@dataclass(slots=True)
class Stories:
    """All items seen so far. `add` judges a new one against them; give it a window's items again after a restart."""

    _items: list[Item] = field(default_factory=list)
    _read: dict[int, tuple[Told, Prints]] = field(default_factory=dict)  # the last used, cut again when needed
    _cluster: list[int] = field(default_factory=list)
    _members: dict[int, list[int]] = field(default_factory=dict)
    _holders: dict[int, list[int]] = field(default_factory=dict)
    _by_number: dict[str, list[int]] = field(default_factory=dict)
    _by_title: dict[str, int] = field(default_factory=dict)

    def add(self, item: Item) -> Match:
        """Judge and keep."""
        new = told(item.title, item.body, item.doc_number)
        prints = shingles(new.text)
        best, why, near = self._same(new, prints)
        at = len(self._items)
        related = self._thread(item, new)
        self._keep(item, new, prints, at if best is None else self._cluster[best])
        home = self._items[self._cluster[at]].id
        return Match(home, None if best is None else self._items[best].id, why, related, near)

    def _same(self, new: Told, prints: Prints) -> tuple[int | None, str, float]:
        found: list[tuple[float, int]] = []
        near, why = 0.0, ""
        for other in self._candidates(prints):
            old, old_prints = self._cut(other)
            share, ratio = overlap(prints, old_prints)
            near = max(near, share * min(1.0, ratio / RATIO))
            if enough(new, old, share, ratio):
                found.append((share, other))
        for share, other in sorted(found, key=lambda pair: (-pair[0], pair[1])):
            against = self._against(new, other)
            if against is None:
                return other, f"与已有条目正文重合{share:.0%}", near
            why = why or against
        return None, why, near

    def _against(self, new: Told, other: int) -> str | None:
        """The first reason against joining any member of `other`'s cluster."""
        members = [other, *(m for m in self._members[self._cluster[other]][:CANDIDATES] if m != other)]
        return next((why for m in members if (why := conflict(new, self._cut(m)[0]))), None)

    def _candidates(self, prints: Prints) -> list[int]:
        seen: Counter[int] = Counter()
        for mark in sampled(prints):
            seen.update(self._holders.get(mark, ())[-POSTINGS:])
        return [other for other, _ in sorted(seen.items(), key=lambda pair: (-pair[1], -pair[0]))[:CANDIDATES]]

    def _cut(self, at: int) -> tuple[Told, Prints]:
        if at not in self._read:
            item = self._items[at]
            old = told(item.title, item.body, item.doc_number)
            self._remember(at, old, shingles(old.text))
        return self._read[at]

    def _remember(self, at: int, cut: Told, prints: Prints) -> None:
        self._read[at] = cut, prints
        if len(self._read) > READ:
            self._read.pop(next(iter(self._read)))

    def _thread(self, item: Item, new: Told) -> tuple[str, ...]:
        """Items this one cites by document number or by 《title》, or that a retraction or correction is about."""
        cited = [n for n in numbers_in(item.title + "\n" + item.body) if n != new.number]
        found = [at for number in cited for at in self._by_number.get(number, ())]
        for title in QUOTED.findall(item.title + "\n" + item.body[:3000]):
            found += [self._by_title[key]] if (key := bare(title)) in self._by_title else []
        if new.form in ("retraction", "correction"):
            found += [at for key, at in self._by_title.items() if len(key) >= 8 and key in bare(item.title + item.body)]
        return tuple(dict.fromkeys(self._items[at].id for at in found))

    def _keep(self, item: Item, new: Told, prints: Prints, cluster: int) -> None:
        at = len(self._items)
        self._items.append(item)
        self._remember(at, new, prints)
        self._cluster.append(cluster)
        self._members.setdefault(cluster, []).append(at)
        for mark in sampled(prints):
            self._holders.setdefault(mark, []).append(at)
        if new.number:
            self._by_number.setdefault(new.number, []).append(at)
        if len(bare(item.title)) >= 5:
            self._by_title.setdefault(bare(item.title), at)


def same_story(one: Item, other: Item) -> tuple[bool, str]:
    """Whether two items are one story, and why, without an index."""
    left, right = (told(item.title, item.body, item.doc_number) for item in (one, other))
    share, ratio = overlap(shingles(left.text), shingles(right.text))
    if not enough(left, right, share, ratio):
        return False, f"正文只有{share:.0%}重合" if share < COVERED else "只引用了一小部分"
    against = conflict(left, right)
    return against is None, against or f"正文重合{share:.0%}"


def shingles(text: str) -> Prints:
    """A 64-bit print for every run of WIDTH characters, in order."""
    import numpy as np

    signs = np.frombuffer("".join(c for c in text if c.isalnum()).encode("utf-32-le"), dtype=np.uint32).astype(
        np.uint64
    )
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
        kept = np.concatenate((kept, np.sort(prints)[: 2 * SAMPLE]))
    return [int(mark) for mark in np.unique(kept)[:400]]


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


def enough(one: Told, other: Told, share: float, ratio: float) -> bool:
    """Whether the words alone make one story. News of a meeting that quotes a text is not that text."""
    if share < COVERED:
        return False
    if "meeting" in (one.form, other.form) and one.form != other.form and ratio < QUOTING:
        return False
    return ratio >= RATIO or shortened(one, other, share)


def shortened(one: Told, other: Told, share: float) -> bool:
    """A much shorter text is a version of the longer only if it is its beginning, not a quotation in other news."""
    short, long = sorted((one, other), key=lambda side: len(side.body))
    if share < SHORTENED or "meeting" in (short.form, long.form) or short.form != long.form:
        return False
    return len(short.body) >= 40 and short.body[2:14] == long.body[2:14]


def bare(title: str) -> str:
    """A title's letters and signs only, for looking it up."""
    return re.sub(r"[\W_]", "", plain(title))


__all__ = ["Match", "Stories", "bare", "form_of", "overlap", "same_story", "shingles"]
