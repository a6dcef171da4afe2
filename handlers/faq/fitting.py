"""Learning the weights from questions whose entry is known. Below ENOUGH of them it refuses (faq.md F4).

The order is a conditional logit over the candidates of each question; certainty and concern are logistics. All lean on
the weights they start from, so few questions change little.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import Rejected
from config.faq.weights import Logistic, Weights
from handlers.faq.measures import AGAINST, FREE, RANK, SURE
from handlers.faq.ranking import Candidate, Question, Ranker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ENOUGH = 200
PULL_RANK = 4.0  # how strongly the order's weights are held where they start
STEPS = 150


@dataclass(frozen=True, slots=True)
class Example:
    """The measured candidates of one question; `right` is the place of the right one, None when there is none."""

    question: Question
    ids: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    right: int | None
    weight: float = 1.0


def example(
    ranker: Ranker, question: Question, right: str | None, leave_out: frozenset[str] = frozenset(), weight: float = 1.0
) -> Example | None:
    """Measure a question; None when nothing at all was found."""
    table = ranker.measure(question, leave_out)
    ids = tuple(table)
    place = ids.index(right) if right is not None and right in table else None
    return Example(question, ids, tuple(table.values()), place, weight) if ids else None


def fit_rank(
    examples: Sequence[Example],
    start: Sequence[float] | None = None,
    enough: int = ENOUGH,
    pull: float = PULL_RANK,
) -> tuple[float, ...]:
    """Weights under which the right candidates come first."""
    import numpy as np

    sets = [(np.array(e.rows), e.right, e.weight) for e in examples if e.right is not None]
    if len(sets) < enough:
        raise Rejected(f"确认过的问答只有 {len(sets)} 条，满 {enough} 条再学。")
    total = sum(weight for _, _, weight in sets)
    origin = np.array(start if start is not None else [0.0] * len(RANK))
    weights = origin.copy()
    fast = np.zeros_like(weights)
    for step in range(STEPS):
        slope = pull * (weights - origin)
        for rows, right, weight in sets:
            scores = rows @ weights
            belief = np.exp(scores - scores.max())
            slope += weight * (rows.T @ (belief / belief.sum()) - rows[right])
        fast = 0.9 * fast + slope / total
        weights = _signed(weights - (2.0 if step < STEPS // 2 else 0.5) * fast, _signs(RANK))
    return tuple(float(round(w, 4)) for w in weights)


def fit_logistic(
    rows: Sequence[Sequence[float]],
    truth: Sequence[bool],
    weights: Sequence[float],
    signs: Sequence[float],
    hold: float = 1.0,
) -> Logistic:
    """The logistic under which the weighted likelihood is largest (Newton's method); `signs`: 1, -1, 0 for free."""
    import numpy as np

    table = np.hstack([np.array(rows), np.ones((len(rows), 1))])
    goal, worth = np.array(truth, float), np.array(weights)
    found = np.zeros(table.shape[1])
    held = np.full(table.shape[1], hold)
    held[-1] = 1e-3
    sign = np.array([*signs, 0.0])
    for _ in range(60):
        belief = 1 / (1 + np.exp(-np.clip(table @ found, -30, 30)))
        slope = table.T @ (worth * (belief - goal)) + held * found
        curve = (table * (worth * belief * (1 - belief))[:, None]).T @ table + np.diag(held)
        free = (found != 0) | (sign == 0) | (sign * slope < 0)  # else it would turn its sign: held at nothing
        move = np.zeros_like(found)
        move[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        found = _signed(found - 0.5 * move, [*signs, 0.0])
    values = [float(round(w, 4)) for w in found]
    return Logistic(tuple(values[:-1]), values[-1])


def fit_sure(winners: Sequence[tuple[float, ...]], right: Sequence[bool], weights: Sequence[float]) -> Logistic:
    """Certainty: the share of winners like this one that were right."""
    return fit_logistic(winners, right, weights, _signs(SURE))


def _signs(names: Collection[str]) -> list[float]:
    """More likeness never counts against a candidate, more difference never for it; this carries to other bases."""
    against = {name: -1.0 for name in names if name.endswith("_other") or name in AGAINST}
    return [0.0 if name in FREE else against.get(name, 1.0) for name in names]


def _signed(weights: Floats, signs: Sequence[float]) -> Floats:
    import numpy as np

    sign = np.array(signs)
    held: Floats = np.where(sign == 0, weights, np.maximum(weights * sign, 0.0) * sign)
    return held


def winner_of(ranker: Ranker, example: Example, weights: Weights) -> tuple[str, tuple[float, ...]]:
    """Which candidate these weights put first, and its SURE measures."""
    import numpy as np

    follows = example.question.fresh is not None
    scores = np.array([weights.score(row, follows) for row in example.rows])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = np.argsort(-shares)
    found = [Candidate(example.ids[i], float(shares[i]), example.rows[i]) for i in order[:4]]
    gap = float(scores[order[0]] - scores[order[1]]) if len(order) > 1 else 9.0
    return found[0].id, ranker.winner(example.question, found, gap)
