"""Same story: sampled shingles find candidates, covered characters and length decide, facts veto, citations make threads.

The index is a sketch by hash sampling (every SAMPLE-th shingle by value): unlike min-hash bands it finds a short piece
inside a long one. Everything here is deterministic: the same items in the same order give the same clusters.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from digests.facts import Told, compared, conflict, form_of, told
from digests.items import Item
from digests.numbers import numbers_in
from digests.prints import SAMPLE, bare, overlap, sampled, shingles, title_mark
from digests.shelf import Keys, Memory, Shelf

if TYPE_CHECKING:
    from digests.prints import Prints

T = TypeVar("T")
CANDIDATES = 8
READ = 1000  # items kept cut for comparison
COVERED = 0.5  # "at least about half of its characters come from the same base"
RATIO = 0.4  # digest.md C2
FEW, FEWEST = 0.15, 2  # of the shorter text's sampled shingles: less cannot cover half of it
QUOTING = 0.8  # below this, a meeting's news only quotes
SHORTENED = 0.85  # of a much shorter text must be the longer one's, from its beginning
TITLE_SHORT = 5  # letters a title must have to be looked up
QUOTED = re.compile("《([^《》]{5,80})》")


@dataclass(frozen=True, slots=True)
class Match:
    """`cluster`: the first item's id; `same_as`: the item it equals; `why` says so in Chinese; `related`: threads."""

    cluster: str
    same_as: str | None = None
    why: str = ""
    related: tuple[str, ...] = ()
    similarity: float = 0.0


class Cut:
    """The last used items, cut for comparison; cut again when needed. Facts are read only where the words alone agree."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._prints: OrderedDict[int, Prints] = OrderedDict()
        self._told: OrderedDict[int, Told] = OrderedDict()
        self._last: tuple[int, Item] | None = None

    def prints(self, at: int) -> Prints:
        """One's shingles."""
        found = self._prints.get(at)
        if found is None:
            item = self._item(at)
            found = _kept(self._prints, at, shingles(compared(item.title, item.body)))
        return found

    def told(self, at: int) -> Told:
        """One's facts."""
        found = self._told.get(at)
        if found is None:
            item = self._item(at)
            found = _kept(self._told, at, told(item.title, item.body, item.doc_number))
        return found

    def _item(self, at: int) -> Item:
        if self._last is None or self._last[0] != at:
            self._last = at, self.shelf.item(at)
        return self._last[1]


def _kept(newest: OrderedDict[int, T], at: int, found: T) -> T:
    newest[at] = found
    if len(newest) > READ:
        newest.popitem(last=False)
    return found


@dataclass(slots=True)
class Stories:
    """All items seen so far. `add` judges a new one against them and keeps it."""

    shelf: Memory = field(default_factory=Memory)
    cut: Cut = field(init=False)

    def __post_init__(self) -> None:
        self.cut = Cut(self.shelf)

    def add(self, item: Item) -> Match:
        """Judge and keep."""
        keys = keys_of(item)
        found = judge(item, keys, self.cut)
        self.shelf.keep(item, keys, found.first)
        name = self.shelf.item
        return Match(
            item.id if found.first is None else name(found.first).id,
            None if found.same is None else name(found.same).id,
            found.why,
            tuple(name(at).id for at in found.about),
            found.similarity,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`first`: the item its story begins with, None when it is new; `same`: the one it repeats; `about`: its thread."""

    first: int | None
    same: int | None
    why: str
    about: tuple[int, ...]
    similarity: float


def keys_of(item: Item) -> Keys:
    """Cut an item once, for judging it and for finding it again."""
    cut = told(item.title, item.body, item.doc_number)
    prints, title = shingles(cut.text), bare(item.title)
    return Keys(tuple(sampled(prints)), (title_mark(title),) if len(title) >= TITLE_SHORT else (), cut, prints)


def judge(item: Item, keys: Keys, earlier: Cut) -> Verdict:
    """A new item against all earlier ones: the same story, a story of its own, and what it is about."""
    shelf, found = earlier.shelf, []
    near, why = 0.0, ""
    for other in _promising(keys, shelf):
        share, ratio = overlap(keys.all_prints, earlier.prints(other))
        near = max(near, share * min(1.0, ratio / RATIO))
        if share >= COVERED and enough(keys.told, earlier.told(other), share, ratio):
            found.append((share, other))
    about = _thread(item, keys.told, shelf)
    for share, other in sorted(found, key=lambda pair: (-pair[0], pair[1])):
        against = _against(keys.told, other, earlier)
        if against is None:
            return Verdict(shelf.members(other)[0], other, f"与已有条目正文重合{share:.0%}", about, near)
        why = why or against
    return Verdict(None, None, why, about, near)


def _promising(keys: Keys, shelf: Shelf) -> list[int]:
    """The few that share most shingles, without those whose share is too small to be worth cutting them."""
    seen = shelf.holders(keys.prints)
    best = sorted(seen, key=lambda at: (-seen[at], -at))[:CANDIDATES]
    own = len(keys.prints)
    return [at for at in best if seen[at] >= max(FEWEST, FEW * min(own, shelf.length(at) / SAMPLE))]


def _against(new: Told, other: int, earlier: Cut) -> str | None:
    """The first reason against joining any member of `other`'s story."""
    members = [other, *(m for m in earlier.shelf.members(other)[:CANDIDATES] if m != other)]
    return next((why for m in members if (why := conflict(new, earlier.told(m)))), None)


def _thread(item: Item, new: Told, shelf: Shelf) -> tuple[int, ...]:
    """Items this one cites by document number or by 《title》, or that a retraction or correction is about."""
    cited = [n for n in numbers_in(item.title + "\n" + item.body) if n != new.number]
    found = [at for number in cited for at in shelf.by_number(number)]
    for title in dict.fromkeys(QUOTED.findall(item.title + "\n" + item.body[:3000])):
        at = shelf.by_title(title_mark(bare(title)))
        found += [at] if at is not None else []
    if new.form in ("retraction", "correction"):
        whole = bare(item.title + item.body)
        found += [at for at, key in shelf.titles() if key in whole]
    return tuple(dict.fromkeys(found))


def same_story(one: Item, other: Item) -> tuple[bool, str]:
    """Whether two items are one story, and why, without an index."""
    left, right = (told(item.title, item.body, item.doc_number) for item in (one, other))
    share, ratio = overlap(shingles(left.text), shingles(right.text))
    if not enough(left, right, share, ratio):
        return False, f"正文只有{share:.0%}重合" if share < COVERED else "只引用了一小部分"
    against = conflict(left, right)
    return against is None, against or f"正文重合{share:.0%}"


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


__all__ = ["Match", "Stories", "Verdict", "bare", "form_of", "judge", "keys_of", "overlap", "same_story", "shingles"]
