"""What is measured of a question beside an entry. Every measure is a share or a cosine, so that weights learned on one
knowledge base hold on another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log, tanh

from handlers.faq.tags import Tags

RANK = (  # measures of one candidate
    "words",
    "answer",
    "asked_in_row",
    "row_in_asked",
    "asked_in_all",
    "alike",
    "sequence",
    "pairs_in_row",
    "pairs_in_all",
    "fused",
    "near",
    "near_lead",
    "words_lead",
    "answer_lead",
    "fresh_in_all",
    "fresh_in_row",
    "fresh_near",
    "tax_same",
    "tax_other",
    "payer_same",
    "payer_other",
    "period_other",
    "amount_same",
    "amount_other",
    "kind_same",
    "kind_other",
)
SURE = (  # measures of the winner
    *RANK,
    "margin",
    "first",
    "gap",
    "agree",
    "row_lead",
    "pairs_lead",
    "length",
    "long",
    "follows",
    "strange",
    "strange_pairs",
    "strange_topics",
    "elsewhere",
    "fresh_strange",
    "exact",
)
AGAINST = frozenset({"strange", "strange_pairs", "strange_topics", "elsewhere", "fresh_strange"})
FREE = frozenset({"length", "long", "follows"})
AT = {name: place for place, name in enumerate(SURE)}

KINDS_OF_QUESTION = (  # what is wanted: a day, a number, a way, a yes
    ("when", ("什么时候", "截止时间", "多久", "期限", "到期", "几月", "哪年", "时间", "什么时间")),
    ("how_much", ("多少", "税率", "比例", "标准", "怎么算", "怎么计算", "几个点", "计算", "万分之", "额度", "征收率")),
    ("how", ("怎么", "流程", "操作", "办理", "手续", "步骤", "哪里", "申请", "材料", "资料")),
    ("what", ("是什么", "哪些", "条件", "范围", "什么条件", "什么意思", "区别")),
)
HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
FUNCTION = frozenset("的了是在我你他她它们这那有不也都还就和与要会能去来到上下个很太又再怎么什多少几可以吗呢吧")
"""Characters that say nothing of the topic; a pair with one of them is not counted."""


@dataclass(frozen=True, slots=True)
class View:
    """A question, or a part of a long one, as it is measured."""

    text: str
    signs: frozenset[str]
    pairs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Card:
    """An entry prepared for measuring: each row with its signs, all of them with the answer's."""

    rows: tuple[View, ...]
    signs: frozenset[str]
    pairs: frozenset[str]
    tags: Tags
    kinds: frozenset[str]


class Rarity(dict[str, float]):
    """How telling a sign or a pair is in this knowledge base, looked up once; `clear` after a change."""

    def __init__(self, weigh: Callable[[str], float]) -> None:
        super().__init__()
        self._weigh = weigh
        self._totals: dict[frozenset[str], float] = {}

    def __missing__(self, part: str) -> float:
        weight = self[part] = self._weigh(part)
        return weight

    def total(self, parts: frozenset[str]) -> float:
        """The weight of all of them."""
        total = self._totals.get(parts)
        if total is None:
            total = self._totals[parts] = sum(map(self.__getitem__, parts))
        return total

    def share(self, parts: frozenset[str], by: frozenset[str]) -> float:
        """The share of the parts found in `by`."""
        total = self.total(parts)
        return sum(map(self.__getitem__, parts & by)) / total if total else 0.0

    def clear(self) -> None:
        super().clear()
        self._totals.clear()


def pairs_of(text: str) -> frozenset[str]:
    """Neighbouring characters that may carry the topic."""
    return frozenset(
        run[place : place + 2]
        for run in HAN.findall(text)
        for place in range(len(run) - 1)
        if run[place] not in FUNCTION and run[place + 1] not in FUNCTION
    )


def kinds_of(asked: str) -> frozenset[str]:
    """What kind of answer is wanted."""
    return frozenset(kind for kind, words in KINDS_OF_QUESTION if any(word in asked for word in words))


def rarity(count: int, total: int) -> float:
    """The weight of something that `count` of `total` have."""
    return log(1 + (total - count + 0.5) / (count + 0.5))


def closeness(view: View, card: Card, signs: Rarity, pairs: Rarity) -> tuple[float, ...]:
    """asked_in_row, row_in_asked, asked_in_all, alike, sequence, pairs_in_row, pairs_in_all: of the nearest row."""
    from rapidfuzz.distance import Indel, LCSseq

    best, nearest, most = (-1.0, 0.0, 0.0), card.rows[0], 0.0
    asked = signs.total(view.signs) or 1.0
    for row in card.rows:
        shared = sum(map(signs.__getitem__, view.signs & row.signs))
        found = (shared / asked, shared / (signs.total(row.signs) or 1.0))
        alike = Indel.normalized_similarity(view.text, row.text)
        if sum(found) + alike > sum(best):
            best, nearest = (*found, alike), row
        if view.pairs & row.pairs:
            most = max(most, pairs.share(view.pairs, row.pairs))
    sequence = LCSseq.normalized_similarity(view.text, nearest.text)
    in_all = signs.share(view.signs, card.signs)
    return (best[0], best[1], in_all, best[2], sequence, most, pairs.share(view.pairs, card.pairs))


def leads(scores: Mapping[str, float], ids: Sequence[str]) -> dict[str, float]:
    """How far each is ahead of the best of the others."""
    values = sorted((scores.get(id, 0.0) for id in ids), reverse=True)
    first, second = values[0] if values else 0.0, values[1] if len(values) > 1 else 0.0
    return {id: (own := scores.get(id, 0.0)) - (second if own == first else first) for id in ids}


def squashed(gap: float) -> float:
    """A difference of scores, where more than a few says no more."""
    return tanh(gap / 4)
