"""The reranker's shipped weights: weights.json, made by bench/fit_faq.py from our own questions.

{"words" | "near": {"rank": {measure: weight}, "sure": {measure: weight, "": constant}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path

SHIPPED = Path(__file__).parent / "weights.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """One linear score for the order of candidates, one logistic for whether the first is right."""

    rank: tuple[float, ...]
    certainty: tuple[float, ...]
    constant: float

    def score(self, measures: Sequence[float]) -> float:
        """Higher is better."""
        return sum(w * m for w, m in zip(self.rank, measures, strict=True))

    def sure(self, measures: Sequence[float]) -> float:
        """The chance, 0 to 1."""
        total = self.constant + sum(w * m for w, m in zip(self.certainty, measures, strict=True))
        return 1 / (1 + exp(-max(-30.0, min(30.0, total))))


@cache
def shipped_weights() -> dict[str, Weights]:
    """The weights of this release, read once."""
    return read_weights(SHIPPED)


def read_weights(path: Path) -> dict[str, Weights]:
    """Weights by name, in the order of the file (which is that of the measures)."""
    table: Mapping[str, Mapping[str, Mapping[str, float]]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Weights(
            tuple(parts["rank"].values()),
            tuple(value for key, value in parts["sure"].items() if key),
            parts["sure"][""],
        )
        for name, parts in table.items()
    }
