"""The shipped weights of ranking, certainty and concern: weights.json, made by bench/fit_faq.py from our own questions.

{"words" | "near": {"rank" | "follow": {measure: weight}, "sure" | "concern": {measure: weight, "": constant}, "office": [...]}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "weights.json"


@dataclass(frozen=True, slots=True)
class Logistic:
    """A chance, from measures."""

    weights: tuple[float, ...] = ()
    constant: float = 0.0

    def __call__(self, measures: Sequence[float]) -> float:
        total = self.constant + sum(w * m for w, m in zip(self.weights, measures, strict=True))
        return 1 / (1 + exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Weights:
    """A linear score for the order of candidates; the chance that the first is right; that a message is for us at all.

    `office` is the direction, among the sentence model's, in which questions to an office lie; its constant comes last.
    """

    rank: tuple[float, ...] = ()
    sure: Logistic = Logistic()
    concern: Logistic = Logistic()
    office: tuple[float, ...] = ()
    follow: tuple[float, ...] = ()

    def score(self, measures: Sequence[float], follows: bool = False) -> float:
        """Higher is better. A follow-up has weights of its own: what it adds counts for more."""
        return sum(w * m for w, m in zip(self.follow if follows else self.rank, measures, strict=True))


@cache
def shipped_weights() -> dict[str, Weights]:
    """The weights of this release, read once."""
    return read_weights(SHIPPED)


def read_weights(path: Path) -> dict[str, Weights]:
    """Weights by name, in the order of the file (which is that of the measures)."""
    table: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Weights(
            tuple(parts["rank"].values()),
            _logistic(parts["sure"]),
            _logistic(parts["concern"]),
            tuple(parts.get("office", ())),
            tuple(parts["follow"].values()),
        )
        for name, parts in table.items()
    }


def _logistic(table: Mapping[str, float]) -> Logistic:
    return Logistic(tuple(weight for name, weight in table.items() if name), table[""])
