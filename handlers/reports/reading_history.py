"""Routing learnt from an office's own history: long orders with labels instead of short messages with phrases.

The same features as the reader (letters in ones and twos, words in pairs inside a clause), weighted by how far each
tells labels apart, in a ridge regression solved by conjugate gradients. numpy and jieba are imported only here, when
a history is fitted; nothing of it runs while messages are accepted.
"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

CLAUSE = re.compile(r"[，。！？；,.!?;:：\n]+")
TITLE = re.compile(r"《([^》]+)》")
PAIR_SHARE = 0.2  # how much word pairs say beside letters
TELLING, DOUBT = 3.0, 2.0  # gain of a feature that only one label uses, and the count at which it is half believed
RIDGE, EVEN = 0.1, 0.25  # shrinkage, and how far rare labels are lifted
ROUNDS = 40  # conjugate gradient steps; more change nothing that is measured
WORDS_A_CLAUSE = 12
SHARPNESS = 8.0


@dataclass(frozen=True, slots=True)
class Router:
    """Fitted weights: `answer` gives labels best first with shares adding up to one."""

    labels: tuple[str, ...]
    index: Mapping[str, int]
    scale: Floats
    weights: Floats

    def answer(self, text: str) -> list[tuple[str, float]]:
        """Labels for a text, best first."""
        ids, values = _row(features(text), self.index, self.scale)
        scores = values @ self.weights[ids]
        powers = [math.exp(SHARPNESS * float(s - scores.max())) for s in scores]
        total = sum(powers)
        return sorted(((lb, p / total) for lb, p in zip(self.labels, powers, strict=True)), key=lambda pair: -pair[1])


def fit_history(texts: Sequence[str], labels: Sequence[str]) -> Router:
    """Learn from labelled texts; deterministic."""
    import numpy as np

    names = tuple(sorted(set(labels)))
    place = {name: i for i, name in enumerate(names)}
    y = np.array([place[label] for label in labels])
    counted = [features(text) for text in texts]
    index, scale = _weigh(counted, y, len(names))
    rows = [_row(found, index, scale) for found in counted]
    matrix = _Sparse.of(rows, len(index))
    sizes = np.bincount(y, minlength=len(names)).astype(np.float32)
    lift = sizes[y] ** -EVEN
    weights = _ridge(matrix, np.eye(len(names), dtype=np.float32)[y], lift / lift.mean())
    return Router(names, index, scale, weights)


def features(text: str) -> Counter[str]:
    """Letters in ones and twos, the opening, the end and titles counted again, and word pairs of each clause ("a|b")."""
    clauses = [c for c in CLAUSE.split(text.lower()) if c]
    told = [c for c in clauses if len(c) > 3]
    again = [*TITLE.findall(text), *told[:1], *told[-1:]]
    found: Counter[str] = Counter()
    for piece in (text.lower(), *again):
        found.update(piece)
        found.update(a + b for a, b in pairwise(piece))
    found.update(dict.fromkeys(_pairs(clauses), 1))
    return found


def _pairs(clauses: Iterable[str]) -> Iterator[str]:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    for clause in clauses:
        words = list(dict.fromkeys(w for w in jieba.cut(clause) if len(w) > 1))[:WORDS_A_CLAUSE]
        yield from ("|".join(sorted(pair)) for pair in combinations(words, 2))


def _weigh(counted: Sequence[Mapping[str, int]], y: Floats, labels: int) -> tuple[dict[str, int], Floats]:
    """Features worth keeping and their weight: rarity times how far they tell labels apart."""
    import numpy as np

    spread: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for found, label in zip(counted, y.tolist(), strict=True):
        for gram in found:
            spread[gram][label] += 1
    sizes = np.bincount(y, minlength=labels).tolist()
    index: dict[str, int] = {}
    scale = []
    for gram, by_label in spread.items():
        seen = sum(by_label.values())
        if "|" in gram and seen < 2:
            continue
        rates = [n / sizes[label] for label, n in by_label.items()]
        total = sum(rates)
        trust = seen / (seen + DOUBT)
        told = trust * sum((r / total) ** 2 for r in rates) + (1 - trust) / labels
        index[gram] = len(index)
        scale.append((math.log((1 + len(counted)) / (1 + seen)) + 1) * (1 + TELLING * told * trust))
    return index, np.array(scale, dtype=np.float32)


def _row(found: Mapping[str, int], index: Mapping[str, int], scale: Floats) -> tuple[Floats, Floats]:
    """Ids and values of one text: letters of length one, pairs of length √PAIR_SHARE."""
    import numpy as np

    known = [(index[g], 1 + math.log(n), "|" in g) for g, n in found.items() if g in index]
    ids = np.array([i for i, _, _ in known], dtype=np.int64)
    values = np.array([v for _, v, _ in known], dtype=np.float32) * scale[ids]
    paired = np.array([p for _, _, p in known], dtype=bool)
    for part, share in ((paired, PAIR_SHARE), (~paired, 1.0)):
        length = math.sqrt(float((values[part] ** 2).sum()))
        if length:
            values[part] *= math.sqrt(share) / length
    return ids, values


@dataclass(frozen=True, slots=True)
class _Sparse:
    """Rows of (ids, values), kept in row order and in column order."""

    rows: Floats
    cols: Floats
    values: Floats
    row_starts: Floats
    by_col: Floats
    col_ids: Floats
    col_starts: Floats
    shape: tuple[int, int]

    @staticmethod
    def of(rows: Sequence[tuple[Floats, Floats]], width: int) -> _Sparse:
        import numpy as np

        cols = np.concatenate([ids for ids, _ in rows])
        values = np.concatenate([v for _, v in rows])
        row = np.repeat(np.arange(len(rows)), [len(ids) for ids, _ in rows])
        order = np.argsort(cols, kind="stable")
        col_ids, col_starts = np.unique(cols[order], return_index=True)
        row_ids, row_starts = np.unique(row, return_index=True)
        return _Sparse(row_ids, cols, values, row_starts, order, col_ids, col_starts, (len(rows), width))

    def times(self, weights: Floats) -> Floats:
        import numpy as np

        out = np.zeros((self.shape[0], weights.shape[1]), dtype=np.float32)
        out[self.rows] = np.add.reduceat(self.values[:, None] * weights[self.cols], self.row_starts, axis=0)
        return out

    def transposed_times(self, right: Floats) -> Floats:
        import numpy as np

        counts = np.diff(np.append(self.row_starts, len(self.cols)))
        source = np.repeat(self.rows, counts)[self.by_col]
        out = np.zeros((self.shape[1], right.shape[1]), dtype=np.float32)
        products = self.values[self.by_col][:, None] * right[source]
        out[self.col_ids] = np.add.reduceat(products, self.col_starts, axis=0)
        return out


def _ridge(matrix: _Sparse, target: Floats, lift: Floats) -> Floats:
    """Weighted ridge regression, one column a label, by conjugate gradients."""
    import numpy as np

    residual = matrix.transposed_times(lift[:, None] * target)
    weights = np.zeros_like(residual)
    direction = residual.copy()
    power = (residual**2).sum(0)
    for _ in range(ROUNDS):
        ahead = matrix.transposed_times(lift[:, None] * matrix.times(direction)) + RIDGE * direction
        step = power / np.maximum((direction * ahead).sum(0), 1e-12)
        weights += step * direction
        residual -= step * ahead
        fresh = (residual**2).sum(0)
        direction = residual + (fresh / np.maximum(power, 1e-12)) * direction
        power = fresh
    return weights
