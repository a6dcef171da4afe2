"""A sparse index that lives in memory and changes without a rebuild: BM25 over characters, pairs and words.

Every text is a row that belongs to an owner; an owner's score is that of its best row. Rows of removed owners stay as
holes until they are a third of the index, then it is packed. One thread at a time.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

K1, B = 1.2, 0.5  # short texts: length says little
Cut = Callable[[str], Sequence[str]]


class SparseIndex:
    """Texts by owner. `search` gives the best owners with their scores, best first."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._clear()

    def _clear(self) -> None:
        self._terms: dict[str, tuple[array[int], array[float]]] = {}
        self._owners: list[str] = []
        self._texts: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, range] = {}
        self._lengths = array("f")
        self._holes: set[int] = set()
        self._norms: Floats | None = None

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, owner: str, texts: Sequence[str]) -> None:
        """Take an owner's texts, replacing those it had."""
        self.remove(owner)
        first = len(self._owners)
        for text in texts:
            self._append(owner, text)
        self._rows[owner] = range(first, len(self._owners))
        self._texts[owner] = tuple(texts)
        self._norms = None

    def remove(self, owner: str) -> None:
        """Forget an owner; nothing happens when it is not there."""
        if owner in self._texts:
            del self._texts[owner]
            self._holes.update(self._rows.pop(owner))
            self._norms = None
            if len(self._holes) * 3 > len(self._owners) + 100:
                self._pack()

    def texts(self, owner: str) -> tuple[str, ...]:
        """An owner's texts as they were given."""
        return self._texts[owner]

    def search(self, text: str, limit: int = 20) -> list[tuple[str, float]]:
        """The best `limit` owners with a score above nothing."""
        import numpy as np

        if not self._texts:
            return []
        scores = self._score(Counter(self._cut(text)))
        wanted = min(len(scores), limit * 4)
        best = np.argpartition(scores, len(scores) - wanted)[len(scores) - wanted :]
        found: dict[str, float] = {}
        for row in best[np.argsort(-scores[best], kind="stable")].tolist():
            if scores[row] <= 0 or len(found) == limit:
                break
            found.setdefault(self._owners[row], float(scores[row]))
        return list(found.items())

    def idf(self, term: str) -> float:
        """How telling a term is here; unknown terms are the most telling."""
        known = self._terms.get(term)
        count = len(known[0]) if known else 0
        return log(1 + (len(self._owners) - count + 0.5) / (count + 0.5))

    def ceiling(self, text: str) -> float:
        """What a row of middling length that holds every term of the text once would score."""
        return sum(self.idf(term) for term in set(self._cut(text)))

    def __contains__(self, term: str) -> bool:
        return term in self._terms

    def _append(self, owner: str, text: str) -> None:
        row = len(self._owners)
        counts = Counter(self._cut(text))
        for term, times in counts.items():
            known = self._terms.get(term)
            if known is None:
                known = self._terms[term] = (array("i"), array("f"))
            known[0].append(row)
            known[1].append(times)
        self._owners.append(owner)
        self._lengths.append(sum(counts.values()))

    def _score(self, counts: Counter[str]) -> Floats:
        import numpy as np

        norms = self._norms if self._norms is not None else self._normed()
        scores = np.zeros(len(self._owners), np.float32)
        for term, times in counts.items():
            known = self._terms.get(term)
            if known is not None:
                rows, tf = np.frombuffer(known[0], np.int32), np.frombuffer(known[1], np.float32)
                scores[rows] += (self.idf(term) * (1 + K1) * min(times, 2)) * tf / (tf + norms[rows])
        return scores

    def _normed(self) -> Floats:
        """K1 × length norm of every row; a hole gets infinity and so the score 0."""
        import numpy as np

        lengths = np.array(self._lengths, np.float32)
        norms = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1.0)).astype(np.float32)
        if self._holes:
            norms[list(self._holes)] = np.inf
        self._norms = norms
        return norms

    def _pack(self) -> None:
        kept = self._texts
        self._clear()
        for owner, texts in kept.items():
            self.add(owner, texts)
