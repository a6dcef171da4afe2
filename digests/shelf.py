"""Where earlier items stand while a new one is judged: in memory for one run, in the database for good (bot/shelf.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from digests.facts import Told
from digests.items import Item
from digests.prints import bare

if TYPE_CHECKING:
    from digests.prints import Prints

POSTINGS = 200  # newest holders of a shingle that are looked at
TITLE_ALONE = 8  # letters a title must have to be looked for inside a text


@dataclass(frozen=True, slots=True)
class Keys:
    """What an item is found by again: sampled shingles, its number, its bare title; with its words already cut."""

    prints: tuple[int, ...]
    titles: tuple[int, ...]
    told: Told
    all_prints: Prints


class Shelf(Protocol):
    """Where earlier items stand, by number; in memory here, in the database in store.digest (bot.shelf)."""

    def holders(self, prints: Sequence[int]) -> Mapping[int, int]:
        """Items that hold these shingles, and how many of them."""

    def item(self, at: int) -> Item:
        """Title, body and number of one."""

    def length(self, at: int) -> int:
        """Characters of one's body."""

    def members(self, at: int) -> Sequence[int]:
        """The story an item belongs to, its first item first."""

    def by_number(self, number: str) -> Sequence[int]:
        """Items with this document number."""

    def by_title(self, mark: int) -> int | None:
        """The first item with this title."""

    def titles(self) -> Iterable[tuple[int, str]]:
        """Bare titles that something may be a retraction of."""


class Memory:
    """A shelf for one run: evaluation, tests, a day's rehearsal."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._story: list[int] = []
        self._members: dict[int, list[int]] = {}
        self._holders: dict[int, list[int]] = {}
        self._by_number: dict[str, list[int]] = {}
        self._by_title: dict[int, int] = {}

    def keep(self, item: Item, keys: Keys, first: int | None) -> None:
        """One more, of the story that begins with `first`, or of its own."""
        at = len(self._items)
        self._items.append(item)
        self._story.append(at if first is None else first)
        self._members.setdefault(self._story[at], []).append(at)
        for mark in keys.prints:
            self._holders.setdefault(mark, []).append(at)
        if keys.told.number:
            self._by_number.setdefault(keys.told.number, []).append(at)
        for mark in keys.titles:
            self._by_title.setdefault(mark, at)

    def __len__(self) -> int:
        return len(self._items)

    def holders(self, prints: Sequence[int]) -> Counter[int]:
        seen: Counter[int] = Counter()
        for mark in prints:
            seen.update(self._holders.get(mark, ())[-POSTINGS:])
        return seen

    def item(self, at: int) -> Item:
        return self._items[at]

    def length(self, at: int) -> int:
        return len(self._items[at].body)

    def members(self, at: int) -> Sequence[int]:
        return self._members[self._story[at]]

    def by_number(self, number: str) -> Sequence[int]:
        return self._by_number.get(number, ())

    def by_title(self, mark: int) -> int | None:
        return self._by_title.get(mark)

    def titles(self) -> Iterable[tuple[int, str]]:
        return ((at, key) for at, item in enumerate(self._items) if len(key := bare(item.title)) >= TITLE_ALONE)
