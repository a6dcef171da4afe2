"""The archive as a shelf for judging new items: on disk, so that a hundred thousand items cost no memory."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from digests.items import Item
from digests.prints import bare
from digests.shelf import POSTINGS, TITLE_ALONE
from digests.stories import Cut
from store import Tx, digest

Reader = Tx | sqlite3.Connection
BACK = 5000  # newest items whose titles a retraction is looked up among


class StoredShelf:
    """Reads through whatever connection the present question runs on; `cut` keeps the last used items cut."""

    def __init__(self) -> None:
        self._source: Reader | None = None
        self.cut = Cut(self)

    def on(self, source: Reader) -> Cut:
        """The cut items of this shelf, read through `source` from now on."""
        self._source = source
        return self.cut

    @property
    def source(self) -> Reader:
        """The connection of the present question."""
        if self._source is None:
            raise RuntimeError("the shelf has no connection")
        return self._source

    def holders(self, prints: Sequence[int]) -> Counter[int]:
        return digest.holders(self.source, prints, POSTINGS)

    def item(self, at: int) -> Item:
        row = digest.get(self.source, at)
        title, body = digest.read(self.source, at)
        return Item(str(at), title, body, doc_number=(row.doc_number or None) if row else None)

    def length(self, at: int) -> int:
        return digest.length(self.source, at)

    def members(self, at: int) -> Sequence[int]:
        row = digest.get(self.source, at)
        return digest.members(self.source, row.story) if row else (at,)

    def by_number(self, number: str) -> Sequence[int]:
        return digest.by_number(self.source, number)

    def by_title(self, mark: int) -> int | None:
        return digest.by_title(self.source, mark)

    def titles(self) -> Iterable[tuple[int, str]]:
        found = ((n, bare(title)) for n, title in digest.newest_titles(self.source, BACK))
        return ((n, key) for n, key in found if len(key) >= TITLE_ALONE)
