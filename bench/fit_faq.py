"""Make config/faq/weights.json from our own questions (see `faq_material`); print honest figures.

    OPENBLAS_NUM_THREADS=1 python -m bench.fit_faq [--write]

Figures are across bases: weights learnt on taxes judged on the town's questions, and the other way round. The written
weights are fitted on all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.faq_material import DAY, Asked, lines, material, ranker_of, town
from config.faq.entries import shipped_entries
from config.faq.vocabulary import shipped_vocabulary
from config.faq.weights import SHIPPED, Weights
from handlers.faq.concern import CONCERN, measured
from handlers.faq.fitting import fit_logistic, fit_rank, fit_sure, winner_of
from handlers.faq.meaning import load_encoder
from handlers.faq.measures import AT, RANK, SURE
from handlers.faq.ranking import Ranker
from handlers.faq.speech import Ear

PRIOR = {
    "words": 4.0,
    "alike": 3.0,
    "sequence": 2.0,
    "fused": 5.0,
    "near": 4.0,
    "row_in_asked": 2.0,
    "asked_in_row": 2.0,
    "pairs_in_row": 2.0,
    "pairs_in_all": 1.0,
}
"""What counts on any base; a few hundred questions move it, they do not replace it."""
START_FOLLOW = {"fresh_in_all": 3.0, "fresh_in_row": 3.0, "fresh_near": 2.0}
CONCERN_SIGNS = {"told": -1.0, "called": -1.0, "tiny": -1.0, "exclaims": -1.0}
POOR = ("cold", "bare", "untaught")
"""Bases without similar questions teach the order; certainty is learnt on such as an office keeps."""
FOLDS = 5
HOLD_OFFICE = 8.0


def main() -> None:
    table: dict[str, Any] = {}
    for mode in ("words", "near"):
        asked = list(material(mode))
        for base in ("tax", "town"):
            there = [a for a in asked if a.base == base]
            report(mode, base, there, fitted([a for a in asked if a.base != base]))
        weights = concerned(mode, fitted(asked))
        table[mode] = {
            "rank": dict(zip(RANK, weights.rank, strict=True)),
            "follow": dict(zip(RANK, weights.follow, strict=True)),
            "sure": dict(zip(SURE, weights.sure.weights, strict=True)) | {"": weights.sure.constant},
            "concern": dict(zip(CONCERN, weights.concern.weights, strict=True)) | {"": weights.concern.constant},
        }
        if weights.office:
            table[mode]["office"] = list(weights.office)
    if "--write" in sys.argv:
        SHIPPED.write_text(written(table), encoding="utf-8")


def written(table: dict[str, Any]) -> str:
    """One measure a line, the long direction on one line."""
    office = table["near"].pop("office")
    text = json.dumps(table, indent=1)
    return text[: text.rindex("\n }\n}")] + ',\n  "office": ' + json.dumps(office) + "\n }\n}\n"


def fitted(asked: Sequence[Asked]) -> Weights:
    plain = [a.example for a in asked if a.gold and a.kind != "follow"]
    rank = fit_rank(plain, [PRIOR.get(name, 0.0) for name in RANK])
    follows = [a.example for a in asked if a.gold and a.kind == "follow"]
    follow = fit_rank(follows, [w + START_FOLLOW.get(name, 0.0) for name, w in zip(RANK, rank, strict=True)], 20, 1.0)
    order = Weights(rank, follow=follow)
    taught = [a for a in asked if a.kind not in POOR]
    found = [(a, *winner_of(a.ranker, a.example, order)) for a in taught]
    right = [bool(a.gold) and id == a.gold for a, id, _ in found]
    sure = fit_sure([row for _, _, row in found], right, [a.example.weight for a in taught])
    return Weights(rank, sure, follow=follow)


def spoken() -> Iterator[tuple[str, bool]]:
    """Messages, and whether they put something to an office."""
    said = [text for entry in shipped_entries() for text in entry.similar]
    asked = [text for text, _ in town().asked]
    long = [line.split("|")[0].strip() for line in lines("long.txt")]
    follow = [line.split("|")[0].strip() for line in lines("followups.txt")]
    ours = [*said, *asked, *long, *follow, *town().unclear, *town().outside, *lines("matters.txt")]
    yield from (
        (text, True)
        for text in dict.fromkeys([*ours, *lines("outside.txt"), *lines("outside2.txt"), *lines("beside.txt")])
    )
    yield from ((text, False) for text in [*lines("chatter.txt"), *lines("chatter2.txt")])


def concerned(mode: str, weights: Weights) -> Weights:
    """The weights with those of concern; the office's direction counts by what it says of messages it has not seen."""
    said = list(spoken())
    truth = [ours for _, ours in said]
    worth = [1.0 if ours else truth.count(True) / truth.count(False) for ours in truth]
    direction: tuple[float, ...] = ()
    unseen = [0.0] * len(said)
    encoder = load_encoder() if mode == "near" else None
    if encoder is not None:
        normal = ranker_of("words", ()).normalise
        vectors = np.asarray(encoder.encode([normal(text) or text for text, _ in said]), float)
        direction, unseen = office(vectors, truth, worth)
    rows, goals, weight = [], [], []
    for entries in (shipped_entries(), town().entries):
        ranker = ranker_of(mode, entries)
        ranker.weights = {ranker.mode: weights}
        ear = Ear(shipped_vocabulary())
        for (text, ours), lean, w in zip(said, unseen, worth, strict=True):
            rows.append(concern_row(ranker, ear, text, lean))
            goals.append(ours)
            weight.append(w / 2)
    signs = [CONCERN_SIGNS.get(name, 1.0) for name in CONCERN]
    concern = fit_logistic(rows, goals, weight, signs)
    guess = np.array([concern(row) for row in rows])
    truth_ = np.array(goals)
    print(mode, "concern: ours below .5", (guess[truth_] < 0.5).mean().round(3), end=" ", file=sys.stderr)
    print("chatter above .5", (guess[~truth_] > 0.5).mean().round(3), file=sys.stderr)
    return replace(weights, concern=concern, office=direction)


def concern_row(ranker: Ranker, ear: Ear, text: str, lean: float) -> tuple[float, ...]:
    spelt = ranker.spell(text)
    ranked = ranker.rank(spelt, ranker.tagger(spelt, DAY))
    contained = ranked.candidates[0].measures[AT["asked_in_row"]] if ranked.candidates else 0.0
    return measured(text, ear(spelt), lean, ranked.near, ranked.known, ranked.sure, contained)


def office(vectors: Any, truth: Sequence[bool], worth: Sequence[float]) -> tuple[tuple[float, ...], list[float]]:
    """The direction in which questions to an office lie, and how far each message lies along it by the others' sight."""
    free = [0.0] * vectors.shape[1]
    folds = np.arange(len(vectors)) % FOLDS
    unseen = np.zeros(len(vectors))
    for fold in range(FOLDS):
        seen = folds != fold
        made = fit_logistic(
            vectors[seen], np.array(truth)[seen].tolist(), np.array(worth)[seen].tolist(), free, HOLD_OFFICE
        )
        unseen[~seen] = vectors[~seen] @ np.array(made.weights) + made.constant
    good = np.array(truth)
    order = unseen.argsort().argsort()
    auroc = (order[good].sum() - good.sum() * (good.sum() - 1) / 2) / (good.sum() * (~good).sum())
    print("office direction, unseen messages, AUROC", round(float(auroc), 4), file=sys.stderr)
    whole = fit_logistic(vectors, truth, worth, free, HOLD_OFFICE)
    return (*(round(w, 3) for w in whole.weights), round(whole.constant, 3)), unseen.tolist()


def report(mode: str, base: str, asked: Sequence[Asked], weights: Weights) -> None:
    """How weights learnt elsewhere do here."""
    found = [(a, *winner_of(a.ranker, a.example, weights)) for a in asked]
    good = [bool(a.gold) and id == a.gold for a, id, _ in found]
    sure = [weights.sure(row) for _, _, row in found]
    for kind in dict.fromkeys(a.kind for a in asked):
        mine = [n for n, a in enumerate(asked) if a.kind == kind]
        top = np.mean([good[n] for n in mine]).round(3)
        spread = np.quantile([sure[n] for n in mine], [0.1, 0.5, 0.9]).round(2).tolist()
        print(mode, "→", base, f"{kind:8}", len(mine), "top1", top, "certainty", spread, file=sys.stderr)
    kinds = ("warm", "slip", "short", "long", "follow", "beside", "unclear")
    mine = [n for n, a in enumerate(asked) if a.kind in kinds]
    ordered = sorted(((good[n], sure[n]) for n in mine), key=lambda pair: -pair[1])
    answerable = sum(bool(asked[n].gold) for n in mine)
    print(mode, "→", base, "coverage at .95:", *coverage(ordered, answerable), file=sys.stderr)


def coverage(ordered: Sequence[tuple[bool, float]], answerable: int) -> tuple[float, float]:
    best, right, at = 0, 0, 1.0
    for n, (good, sure) in enumerate(ordered, 1):
        right += good
        if right >= 0.95 * n and right > best:
            best, at = right, sure
    return round(best / answerable, 3), round(at, 3)


if __name__ == "__main__":
    main()
