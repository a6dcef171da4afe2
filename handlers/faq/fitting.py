"""Learning the weights of `ranking` from questions whose entry is known. Below ENOUGH of them it refuses (faq.md F4).

The order is a conditional logit over the candidates of each question; certainty is a logistic over the winner, taught
also with questions the base does not answer. Both lean on the weights they start from, so few questions change little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import Rejected
from config.faq.weights import Weights
from handlers.faq.ranking import RANK, SURE, Candidate, Ranker
from handlers.faq.tags import Tags

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ENOUGH = 200
PULL_RANK, PULL_SURE = 4.0, 1.0  # how strongly weights are held
STEPS = 150


@dataclass(frozen=True, slots=True)
class Example:
    """The measured candidates of one question; `right` is the place of the right one, None when there is none."""

    asked: str
    ids: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    right: int | None


def example(
    ranker: Ranker, text: str, tags: Tags, right: str | None, leave_out: frozenset[str] = frozenset()
) -> Example | None:
    """Measure a question; None when nothing at all was found."""
    asked = ranker.normalise(text)
    table = ranker.measure(asked, tags, leave_out)
    ids = tuple(table)
    place = ids.index(right) if right is not None and right in table else None
    return Example(asked, ids, tuple(table.values()), place) if ids else None


def fit_rank(examples: Sequence[Example], start: Sequence[float] | None = None) -> tuple[float, ...]:
    """Weights under which the right candidates come first."""
    import numpy as np

    sets = [(np.array(e.rows), e.right) for e in examples if e.right is not None]
    if len(sets) < ENOUGH:
        raise Rejected(f"确认过的问答只有 {len(sets)} 条，满 {ENOUGH} 条再学。")
    origin = np.array(start if start is not None else [0.0] * len(RANK))
    weights = origin.copy()
    fast = np.zeros_like(weights)
    for step in range(STEPS):
        slope = PULL_RANK * (weights - origin)
        for rows, right in sets:
            scores = rows @ weights
            belief = np.exp(scores - scores.max())
            slope += rows.T @ (belief / belief.sum()) - rows[right]
        fast = 0.9 * fast + slope / len(sets)
        weights = _signed(weights - (2.0 if step < STEPS // 2 else 0.5) * fast, RANK)
    return tuple(float(round(w, 4)) for w in weights)


def fit_sure(winners: Sequence[tuple[float, ...]], right: Sequence[bool]) -> tuple[tuple[float, ...], float]:
    """Weights and constant under which certainty is the share of winners that were right (Newton's method)."""
    import numpy as np

    rows = np.hstack([np.array(winners), np.ones((len(winners), 1))])
    truth = np.array(right, float)
    weights = np.zeros(rows.shape[1])
    hold = np.full(rows.shape[1], PULL_SURE)
    hold[-1] = 1e-3
    free = np.ones(len(weights), bool)
    for _ in range(60):
        belief = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (belief - truth) + hold * weights
        curve = (rows * (belief * (1 - belief))[:, None]).T @ rows + np.diag(hold)
        move = np.zeros_like(weights)
        move[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        weights = weights - move
        bent = np.append(_signed(weights[:-1], SURE), weights[-1])
        free &= bent == weights  # a weight that would turn its sign is held at nothing
        weights = bent
    values = [float(round(w, 4)) for w in weights]
    return tuple(values[:-1]), values[-1]


def _signed(weights: Floats, names: Sequence[str]) -> Floats:
    """More likeness never counts against a candidate, more difference never for it; this carries to other bases."""
    import numpy as np

    sign = np.array([-1.0 if name.endswith("_other") or name == "strange" else 1.0 for name in names])
    held: Floats = np.maximum(weights * sign, 0.0) * sign
    return held


def winner_of(ranker: Ranker, example: Example, weights: Weights) -> tuple[str, tuple[float, ...]]:
    """Which candidate these weights put first, and its SURE measures."""
    import numpy as np

    scores = np.array([weights.score(row) for row in example.rows])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = np.argsort(-shares)
    found = [Candidate(example.ids[i], float(shares[i]), example.rows[i]) for i in order[:2]]
    return found[0].id, ranker.winner(example.asked, found)
