"""A small linear learner in plain Python: class centroids, then a few passes of softmax regression over them.

A fitted `Linear` is packed arrays, so a quarter of a million weights take two megabytes and reading imports no numpy;
only fitting many labels does.
"""

from __future__ import annotations

import json
import math
import random
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

SHARPNESS = 8.0  # scores are cosines; this is their softmax temperature while fitting
PASSES, RATE, START, DECAY = 4, 0.5, 0.5, 0.3
SURE, SMALL = 0.97, 0.01  # a sample so sure teaches nothing; a label so unlikely is left alone
FEW = 16  # labels up to which dictionaries are as quick as arrays
FAINT = 0.012  # weights below this are dropped when packing

Table = dict[str, dict[str, float]]
Sample = tuple[str, Mapping[str, float], float]  # label, features, weight


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights by feature, packed. `scores` answers one number a label."""

    labels: tuple[str, ...]
    index: Mapping[str, int]
    rarity: array[float]
    start: array[int]
    ids: array[int]
    weights: array[float]

    def scores(self, features: Mapping[str, float]) -> list[float]:
        """One score a label: the cosine-like agreement of the features with the label's weights."""
        known = [(i, value * self.rarity[i]) for g, value in features.items() if (i := self.index.get(g, -1)) >= 0]
        out = [0.0] * len(self.labels)
        length = math.sqrt(sum(v * v for _, v in known))
        if not length:
            return out
        start, ids, weights = self.start, self.ids, self.weights
        for i, value in known:
            share = value / length
            a, b = start[i], start[i + 1]
            for label, weight in zip(ids[a:b], weights[a:b], strict=True):
                out[label] += share * weight
        return out

    def chances(self, features: Mapping[str, float], sharpness: float = SHARPNESS) -> list[float]:
        """Softmax of the scores."""
        scores = self.scores(features)
        top = max(scores)
        powers = [math.exp(sharpness * (s - top)) for s in scores]
        total = sum(powers)
        return [p / total for p in powers]


def fit(samples: Sequence[Sample], passes: int = PASSES) -> Linear:
    """Fit from labelled samples; deterministic. The weights are those of all steps after the first pass, averaged."""
    rarity = _rarity(samples)
    rows = [(label, _scaled(features, rarity), weight) for label, features, weight in samples]
    counts = Counter(label for label, _, _ in rows)
    if len(counts) > FEW:
        return _pack(_fit_wide(rows, counts, list(rarity), passes), rarity, sorted(counts))
    table: Table = {gram: {} for gram in rarity}
    lag: Table = {gram: {} for gram in rarity}
    for label, row, weight in rows:
        for gram, value in row.items():
            cell = table[gram]
            cell[label] = cell.get(label, 0.0) + value * weight * START / math.sqrt(counts[label])
    for i, rate, passed in _steps(len(rows), passes):
        _learn((table, lag), *rows[i], rate, passed)
    mean = {gram: {c: w - lag[gram].get(c, 0.0) for c, w in cell.items()} for gram, cell in table.items()}
    return _pack(mean, rarity, sorted(counts))


def _steps(rows: int, passes: int) -> Iterator[tuple[int, float, float]]:
    """(sample, rate, share of the averaged steps that are over) in the order of learning."""
    order = list(range(rows))
    shuffle = random.Random(20261124).shuffle  # noqa: S311 - an order, not a secret
    for turn in range(passes):
        shuffle(order)
        for at, i in enumerate(order):
            yield i, RATE / (1 + turn * DECAY), (rows * (turn - 1) + at) / (rows * (passes - 1)) if turn else 0.0


def _fit_wide(rows: Sequence[Sample], counts: Mapping[str, int], grams: Sequence[str], passes: int) -> Table:
    """The same learning over arrays, for many labels: a fifth of the time. Only labels a feature has met can score."""
    import numpy as np

    labels, place = sorted(counts), {gram: n for n, gram in enumerate(grams)}
    where = {label: n for n, label in enumerate(labels)}
    weights, lag = np.zeros((len(grams), len(labels))), np.zeros((len(grams), len(labels)))
    met = np.zeros((len(grams), len(labels)), dtype=bool)
    packed = [
        (where[label], np.array([place[g] for g in row], dtype=np.int64), np.array(list(row.values())), weight)
        for label, row, weight in rows
    ]
    for label, ids, values, weight in packed:
        weights[ids, label] += values * (weight * START / math.sqrt(counts[labels[label]]))
        met[ids, label] = True
    for i, rate, passed in _steps(len(rows), passes):
        label, ids, values, weight = packed[i]
        if not len(ids):
            continue
        known = np.flatnonzero(met[ids].any(axis=0))
        scores = (values @ weights[ids])[known]
        powers = np.exp(SHARPNESS * (scores - scores.max())) * (scores > scores.max() - 5 / SHARPNESS)
        powers /= powers.sum()
        own = powers[known == label]
        if own.size and own[0] > SURE:
            continue
        moved = known[powers > SMALL]
        step = rate * weight
        moves = np.append(-step * powers[powers > SMALL], step)
        cells = np.ix_(ids, moved)
        for target, factor in ((weights, 1.0), (lag, passed)):
            target[cells] += np.outer(values, moves[:-1] * factor)
            target[ids, label] += values * (step * factor)
        met[cells] = True
        met[ids, label] = True
    mean = weights - lag
    return {
        gram: {labels[n]: float(mean[at, n]) for n in np.flatnonzero(np.abs(mean[at]) > FAINT).tolist()}
        for gram, at in place.items()
    }


def _learn(
    tables: tuple[Table, Table], label: str, row: Mapping[str, float], weight: float, rate: float, passed: float
) -> None:
    table, lag = tables
    scores: dict[str, float] = {}
    for gram, value in row.items():
        for other, w in table[gram].items():
            scores[other] = scores.get(other, 0.0) + value * w
    top = max(scores.values(), default=0.0)
    powers = {c: math.exp(SHARPNESS * (s - top)) for c, s in scores.items() if s > top - 5 / SHARPNESS}
    total = sum(powers.values()) or 1.0
    if powers.get(label, 0.0) / total > SURE:
        return
    step = rate * weight
    moves = [(c, -step * p / total) for c, p in powers.items() if p > SMALL * total]
    moves.append((label, step))
    for gram, value in row.items():
        cell, late = table[gram], lag[gram]
        for other, move in moves:
            cell[other] = cell.get(other, 0.0) + move * value
            late[other] = late.get(other, 0.0) + move * value * passed


def _rarity(samples: Sequence[Sample]) -> dict[str, float]:
    spread = Counter(gram for _, features, _ in samples for gram in features)
    return {gram: math.log(len(samples) / n) for gram, n in spread.items() if n < len(samples)}


def _scaled(features: Mapping[str, float], rarity: Mapping[str, float]) -> dict[str, float]:
    row = {gram: value * rarity[gram] for gram, value in features.items() if gram in rarity}
    length = math.sqrt(sum(v * v for v in row.values())) or 1.0
    return {gram: value / length for gram, value in row.items()}


def _pack(table: Mapping[str, Mapping[str, float]], rarity: Mapping[str, float], labels: Sequence[str]) -> Linear:
    place = {label: i for i, label in enumerate(labels)}
    kept = {g: [(place[c], w) for c, w in cell.items() if abs(w) > FAINT] for g, cell in table.items()}
    kept = {gram: cell for gram, cell in kept.items() if cell}
    return Linear(
        tuple(labels),
        {gram: i for i, gram in enumerate(kept)},
        array("f", (rarity[gram] for gram in kept)),
        array("I", accumulate((len(cell) for cell in kept.values()), initial=0)),
        array("H", (c for cell in kept.values() for c, _ in cell)),
        array("f", (w for cell in kept.values() for _, w in cell)),
    )


def pack(key: str, models: Iterable[Linear]) -> bytes:
    """Fitted models as one file, under the key of what they were fitted from."""
    head, body = [], b""
    for m in models:
        head.append({"labels": m.labels, "grams": list(m.index), "size": len(m.ids)})
        body += m.rarity.tobytes() + m.start.tobytes() + m.ids.tobytes() + m.weights.tobytes()
    text = json.dumps({"key": key, "models": head}, ensure_ascii=False).encode()
    return zlib.compress(len(text).to_bytes(4, "little") + text + body, 9)


def unpack(key: str, data: bytes) -> tuple[Linear, ...]:
    """The models of `pack`, or nothing when the file was made from other inputs."""
    if not data:
        return ()
    raw = zlib.decompress(data)
    size = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + size])
    if head["key"] != key:
        return ()
    at, out = 4 + size, []
    for entry in head["models"]:
        index = {gram: i for i, gram in enumerate(entry["grams"])}
        rarity, at = _floats(raw, at, len(index))
        start, at = _counts("I", raw, at, len(index) + 1)
        ids, at = _counts("H", raw, at, entry["size"])
        weights, at = _floats(raw, at, entry["size"])
        out.append(Linear(tuple(entry["labels"]), index, rarity, start, ids, weights))
    return tuple(out)


def _floats(raw: bytes, at: int, length: int) -> tuple[array[float], int]:
    part = array("f")
    end = at + length * part.itemsize
    part.frombytes(raw[at:end])
    return part, end


def _counts(code: Literal["I", "H"], raw: bytes, at: int, length: int) -> tuple[array[int], int]:
    part: array[int] = array(code)
    end = at + length * part.itemsize
    part.frombytes(raw[at:end])
    return part, end
