"""Make config/faq/weights.json from the starter base's own similar questions and tests/faq_set; print honest figures.

    python -m bench.fit_faq [--write]

A question is asked of a base that has not seen it: without similar questions (cold), and with the other half of them
(warm). Questions without an answer: the same with their entry left out, chatter, and tax questions the base lacks.
Figures are from five folds over entries; the written weights are fitted on all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from config.faq.entries import Entry, shipped_entries
from config.faq.vocabulary import Vocabulary, shipped_vocabulary
from config.faq.weights import SHIPPED, Weights
from handlers.faq.fitting import Example, example, fit_rank, fit_sure, winner_of
from handlers.faq.meaning import Meaning, load_encoder
from handlers.faq.ranking import RANK, SURE, Ranker

UNTAUGHT = replace(shipped_vocabulary(), rewrites={w: w for w in shipped_vocabulary().words})
"""The same words without synonyms: on a base we have not seen, they will not fit as well as on our own."""
KNOWN = ("cold", "bare", "warm")
PRIOR = {
    "words": 4.0,
    "alike": 3.0,
    "sequence": 2.0,
    "fused": 5.0,
    "near": 4.0,
    "row_in_asked": 2.0,
    "asked_in_row": 2.0,
}
"""What counts on any base; two hundred questions on taxes move it, they do not replace it."""
SET = Path(__file__).resolve().parents[1] / "tests" / "faq_set"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question under one base. `gold` is its entry (also when left out), "" for chatter and outside questions."""

    ranker: Ranker
    example: Example
    gold: str
    source: str


def main() -> None:
    best: dict[str, dict[str, dict[str, float]]] = {}
    for name in ("words", "near"):
        asked = list(questions(name))
        report(name, asked)
        rank, sure, constant = fitted(asked)
        best[name] = {
            "rank": dict(zip(RANK, rank, strict=True)),
            "sure": dict(zip(SURE, sure, strict=True)) | {"": constant},
        }
    if "--write" in sys.argv:
        SHIPPED.write_text(json.dumps(best, indent=1) + "\n", encoding="utf-8")


def questions(name: str) -> Iterator[Asked]:
    entries = shipped_entries()
    cold = [replace(entry, similar=()) for entry in entries]
    warm = [[replace(e, similar=e.similar[half::2]) for e in entries] for half in (0, 1)]
    bare = [replace(entry, answer="") for entry in cold]
    yield from _asked(name, cold, [(text, e.id) for e in entries for text in e.similar], "cold")
    yield from _asked(name, bare, [(text, e.id) for e in entries for text in e.similar], "bare")
    yield from _asked(name, bare, [(text, e.id) for e in entries for text in e.similar], "bare", UNTAUGHT)
    yield from _asked(name, cold, [(text, e.id) for e in entries for text in e.similar], "cold", UNTAUGHT)
    for half in (0, 1):
        yield from _asked(name, warm[half], [(t, e.id) for e in entries for t in e.similar[1 - half :: 2]], "warm")


def _asked(
    name: str,
    base: Sequence[Entry],
    pairs: Sequence[tuple[str, str]],
    source: str,
    vocabulary: Vocabulary | None = None,
) -> Iterator[Asked]:
    encoder = load_encoder() if name == "near" else None
    ranker = Ranker(vocabulary or shipped_vocabulary(), {}, Meaning(encoder) if encoder else None)
    for entry in base:
        ranker.add(entry)
    while ranker.meaning is not None and ranker.meaning.work(64):
        pass
    others = [(line, "", kind) for kind in ("outside", "chatter") for line in lines(f"{kind}.txt")]
    for text, gold, kind in [*((t, g, source) for t, g in pairs), *((t, g, "held") for t, g in pairs), *others]:
        left = frozenset({gold}) if kind == "held" else frozenset()
        made = example(ranker, text, ranker.tagger(text), gold or None, left)
        if made is not None:
            yield Asked(ranker, made, gold, kind)


def lines(name: str) -> list[str]:
    return [line for line in (SET / name).read_text("utf-8").splitlines() if line]


def fitted(asked: Sequence[Asked]) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    rank = fit_rank([a.example for a in asked if a.source in KNOWN], [PRIOR.get(name, 0.0) for name in RANK])
    weights = Weights(rank, (), 0.0)
    winners, right = [], []
    for one in asked:
        id, measures = winner_of(one.ranker, one.example, weights)
        winners.append(measures)
        right.append(one.source in KNOWN and id == one.gold)
    sure, constant = fit_sure(winners, right)
    return rank, sure, constant


def report(name: str, asked: Sequence[Asked]) -> None:
    """Five folds over entries; outside and chatter lines are dealt out in turn."""
    places = {entry.id: i % 5 for i, entry in enumerate(shipped_entries())}
    fold = [places[a.gold] if a.gold else i % 5 for i, a in enumerate(asked)]
    seen: list[tuple[Asked, bool, float, int]] = []
    for part in range(5):
        rank, sure, constant = fitted([a for a, f in zip(asked, fold, strict=True) if f != part])
        weights = Weights(rank, sure, constant)
        for one, f in zip(asked, fold, strict=True):
            if f == part:
                id, measures = winner_of(one.ranker, one.example, weights)
                scores = [weights.score(row) for row in one.example.rows]
                right = one.example.right
                place = 99 if right is None else sum(s > scores[right] for s in scores)
                good = one.source in KNOWN and id == one.gold
                seen.append((one, good, weights.sure(measures), place))
    for source in KNOWN:
        mine = [s for s in seen if s[0].source == source]
        print(
            name,
            source,
            len(mine),
            "top1",
            share(s[3] == 0 for s in mine),
            "top3",
            share(s[3] < 3 for s in mine),
            file=sys.stderr,
        )
    for source in ("held", "outside", "chatter"):
        mine = [s for s in seen if s[0].source == source]
        spread = np.quantile([s[2] for s in mine], [0.5, 0.9, 0.95, 0.99]).round(3).tolist()
        print(name, source, len(mine), "certainty", spread, file=sys.stderr)
    for kinds in (
        ("cold", "outside", "chatter"),
        ("warm", "outside", "chatter"),
        ("cold", "warm", "held", "outside", "chatter"),
    ):
        mine = sorted((s for s in seen if s[0].source in kinds), key=lambda s: -s[2])
        print(
            name,
            kinds,
            "coverage at .95",
            *coverage([(s[1], s[2]) for s in mine], sum(s[0].source in KNOWN for s in mine)),
            file=sys.stderr,
        )


def coverage(ordered: Sequence[tuple[bool, float]], answerable: int) -> tuple[float, float]:
    best, right, at = 0, 0, 1.0
    for n, (good, sure) in enumerate(ordered, 1):
        right += good
        if right >= 0.95 * n and right > best:
            best, at = right, sure
    return round(best / answerable, 3), round(at, 3)


def share(values: Iterator[bool]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 4)


if __name__ == "__main__":
    main()
