"""One day's edition out of its candidates: one of each story, columns within their quotas, no source too often, MMR."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.digest import table
from digests.items import Item
from digests.scoring import Score

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

GRAMS = 2048  # hashed bigrams an item is compared by
REPOST = re.compile("^[【\\[（(〔]?(?:转载|转发|转自|转)[】\\])）〕:：]|转载自")
CONSIDERED = 200  # best candidates MMR looks at: the rest cannot reach ten places


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item with its score and story; `barred` says in Chinese why it may not be picked ("" = may)."""

    item: Item
    score: Score
    cluster: str
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Picked in order of print, and for every other item the reason it was left out."""

    picked: tuple[Candidate, ...]
    left: Mapping[str, str]


def choose(candidates: Sequence[Candidate]) -> Choice:
    """Same input, same digest: ties go by publication time, then id."""
    rules = table("columns")
    quotas = {row["name"]: row["quota"] for row in rules["column"]}
    left = {c.item.id: c.barred for c in candidates if c.barred}
    ranked = sorted((c for c in candidates if not c.barred), key=_order)
    heads = _one_a_story(ranked, left)
    pool = [c for c in heads if c.score.total >= rules["floor"]]
    left.update(
        {c.item.id: f"{c.score.total:.0f}分，不到{rules['floor']}分" for c in heads if c.score.total < rules["floor"]}
    )
    room = _Room(quotas, _fair_share(pool, rules["per_source"], rules["total"]), rules["total"])
    picked = _diverse(pool[:CONSIDERED], rules["diversity"], room)
    chosen = {c.item.id for c in picked}
    left.update(
        {c.item.id: room.why_not(c) or "与入选内容相近，让位给别的内容" for c in pool if c.item.id not in chosen}
    )
    return Choice(tuple(picked), left)


def _fair_share(pool: Sequence[Candidate], least: int, total: int) -> int:
    """Items a source may have: where few sources have anything, an edition must not stay empty for their sake."""
    sources = len({candidate.item.source for candidate in pool})
    return max(least, -(-total // sources)) if sources else least


@dataclass(slots=True)
class _Room:
    """What is still free in an edition."""

    quotas: Mapping[str, int]
    per_source: int
    total: int
    columns: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)

    def take(self, candidate: Candidate) -> None:
        self.columns[candidate.score.column] += 1
        self.sources[candidate.item.source] += 1

    def why_not(self, candidate: Candidate) -> str:
        column, source = candidate.score.column, candidate.item.source
        if self.columns[column] >= self.quotas[column]:
            return f"{column}已满{self.quotas[column]}条"
        if source and self.sources[source] >= self.per_source:
            return f"{source}已选{self.per_source}条"
        return f"已满{self.total}条" if self.columns.total() >= self.total else ""


def _diverse(pool: Sequence[Candidate], trade: float, room: _Room) -> list[Candidate]:
    """Maximal marginal relevance: λ·score − (1 − λ)·likeness to what is picked already."""
    import numpy as np

    grams = _grams([c.item.title + c.item.body[:400] for c in pool])
    likeness = np.zeros(len(pool), dtype=np.float32)
    picked: list[Candidate] = []
    free = list(range(len(pool)))
    while free:
        best = max(free, key=lambda at: trade * pool[at].score.total / 100 - (1 - trade) * float(likeness[at]))
        free.remove(best)
        if not room.why_not(pool[best]):
            room.take(pool[best])
            picked.append(pool[best])
            likeness = np.maximum(likeness, grams @ grams[best])
    return sorted(picked, key=_order)


def _grams(texts: Sequence[str]) -> NDArray[float32]:
    """Unit vectors of hashed character bigrams."""
    import numpy as np

    table_ = np.zeros((len(texts), GRAMS), dtype=np.float32)
    for row, text in enumerate(texts):
        signs = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
        np.add.at(table_[row], (signs[:-1] * 31 + signs[1:]) % GRAMS, 1.0)
    lengths = np.linalg.norm(table_, axis=1, keepdims=True)
    return np.asarray(table_ / np.maximum(lengths, 1.0), dtype=np.float32)


def _order(candidate: Candidate) -> tuple[float, str, str]:
    return (-candidate.score.total, candidate.item.published_at, candidate.item.id)


def _one_a_story(ranked: Sequence[Candidate], left: dict[str, str]) -> list[Candidate]:
    stories: dict[str, list[Candidate]] = {}
    for candidate in ranked:
        stories.setdefault(candidate.cluster, []).append(candidate)
    heads = []
    for story in stories.values():
        head = min(story, key=_canonical)
        heads.append(head)
        left.update({c.item.id: f"与《{head.item.title[:20]}》是同一内容" for c in story if c is not head})
    return sorted(heads, key=_order)


def _canonical(candidate: Candidate) -> tuple[bool, float, str, int, str]:
    """Who speaks for a story: no avowed re-post, the highest authority, the earliest, the fullest (digest.md C3)."""
    item = candidate.item
    authority = next((term.points for term in candidate.score.terms if term.name == "authority"), 0.0)
    return REPOST.search(item.title) is not None, -authority, item.published_at, -len(item.body), item.id
