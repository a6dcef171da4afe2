"""Which entry fits best, and how sure that is: candidates of all searches, measured alike, weighed by shipped weights.

Every measure is a share or a cosine, so that weights learned on one knowledge base hold on another. There are two sets
of weights, by words alone and with the sentence model. Fitting is in `fitting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from rapidfuzz.distance import Indel, LCSseq

from config.faq.entries import Entry
from config.faq.vocabulary import Vocabulary
from config.faq.weights import Weights
from handlers.faq.index import SparseIndex
from handlers.faq.meaning import Meaning
from handlers.faq.normalise import PIECES, Normaliser, Rewriter
from handlers.faq.tags import Tagger, Tags

CANDIDATES = 16  # of each search
RRF = 20  # faq.md F4

RANK = (  # measures of one candidate
    "words",
    "answer",
    "asked_in_row",
    "row_in_asked",
    "asked_in_all",
    "alike",
    "sequence",
    "fused",
    "near",
    "near_lead",
    "words_lead",
    "answer_lead",
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
SURE = (*RANK, "margin", "first", "length", "strange", "exact")  # measures of the winner

KINDS_OF_QUESTION = (  # what is wanted: a day, a number, a way, a yes
    ("when", ("什么时候", "截止时间", "多久", "期限", "到期", "几月", "哪年", "时间", "什么时间")),
    ("how_much", ("多少", "税率", "比例", "标准", "怎么算", "怎么计算", "几个点", "计算", "万分之", "额度", "征收率")),
    ("how", ("怎么", "流程", "操作", "办理", "手续", "步骤", "哪里", "申请", "材料", "资料")),
    ("what", ("是什么", "哪些", "条件", "范围", "什么条件", "什么意思", "区别")),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry with its share of the belief (all candidates add up to 1) and its measures."""

    id: str
    share: float
    measures: tuple[float, ...]
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates, best first; `sure` is the calibrated chance that the first one answers the question."""

    candidates: tuple[Candidate, ...]
    sure: float
    near: float
    known: float


@dataclass(frozen=True, slots=True)
class Card:
    """An entry prepared for measuring."""

    rows: tuple[str, ...]
    row_grams: tuple[frozenset[str], ...]
    all_grams: frozenset[str]
    tags: Tags
    kinds: frozenset[str]


class Ranker:
    """Holds the indexes of a knowledge base. One thread at a time."""

    def __init__(self, vocabulary: Vocabulary, weights: Mapping[str, Weights], meaning: Meaning | None = None) -> None:
        self.normalise = Normaliser(vocabulary)
        self.tagger = Tagger(vocabulary)
        self.meaning = meaning
        self.weights = weights
        dictionary = {*vocabulary.words, *vocabulary.tax_terms, *vocabulary.rewrites.values()}
        self._words = Rewriter({word: f"\x01{word}\x01" for word in dictionary if len(word) > 1})
        self._questions = SparseIndex(self._cut)
        self._answers = SparseIndex(self._cut)
        self._entries: dict[str, Entry] = {}
        self._cards: dict[str, Card] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, id: str) -> bool:
        return id in self._entries

    def entry(self, id: str) -> Entry:
        """The entry itself, as it was approved."""
        return self._entries[id]

    def ids(self) -> tuple[str, ...]:
        """Every entry held."""
        return tuple(self._entries)

    def search(self, text: str, limit: int = 10) -> list[tuple[str, float]]:
        """The nearest questions by words alone, without reranking (for a search box)."""
        return self._questions.search(self.normalise(text), limit)

    def tags(self, id: str) -> Tags:
        """What an entry is for."""
        return self._card(id).tags

    def add(self, entry: Entry) -> None:
        """Take an entry, replacing the version that was there."""
        rows = [self.normalise(text) for text in (entry.question, *entry.similar)]
        self._questions.add(entry.id, rows)
        self._answers.add(entry.id, [rows[0] + self.normalise(entry.answer)])
        if self.meaning is not None:
            self.meaning.add(entry.id, rows)
        self._entries[entry.id] = entry
        self._cards.pop(entry.id, None)

    def remove(self, id: str) -> None:
        """Forget an entry."""
        self._questions.remove(id)
        self._answers.remove(id)
        if self.meaning is not None:
            self.meaning.remove(id)
        self._entries.pop(id, None)
        self._cards.pop(id, None)

    def attach(self, meaning: Meaning | None) -> None:
        """Join a sentence model (its vectors may come later), or go on without one."""
        self.meaning = meaning
        if meaning is not None:
            for id, entry in self._entries.items():
                meaning.add(id, [self.normalise(text) for text in (entry.question, *entry.similar)])

    def rank(self, text: str, tags: Tags, leave_out: frozenset[str] = frozenset()) -> Ranked:
        """Candidates for a question, without those left out."""
        asked = self.normalise(text)
        table = self.measure(asked, tags, leave_out)
        if not table:
            return Ranked((), 0.0, 0.0, 0.0)
        weights = self.weights["near" if self._by_meaning() else "words"]
        scores = {id: weights.score(measures) for id, measures in table.items()}
        best = max(scores.values())
        shares = {id: exp(score - best) for id, score in scores.items()}
        total = sum(shares.values())
        order = sorted(shares, key=lambda id: -shares[id])
        found = tuple(
            Candidate(id, shares[id] / total, table[id], self.tagger.conflict(tags, self._card(id).tags))
            for id in order
        )
        winner = self.winner(asked, found)
        near = max(measures[RANK.index("near")] for measures in table.values())
        return Ranked(found, weights.sure(winner), near, self._known(asked))

    def measure(self, asked: str, tags: Tags, leave_out: frozenset[str] = frozenset()) -> dict[str, tuple[float, ...]]:
        """RANK measures of every candidate."""
        if not asked:
            return {}
        lists = [self._questions.search(asked, CANDIDATES), self._answers.search(asked, CANDIDATES)]
        if self._by_meaning() and self.meaning is not None:
            lists.append(self.meaning.search(asked, CANDIDATES))
        if leave_out:
            lists = [[pair for pair in found if pair[0] not in leave_out] for found in lists]
        fused: dict[str, float] = {}
        for found in lists:
            for place, (id, _) in enumerate(found):
                fused[id] = fused.get(id, 0.0) + (RRF + 1) / (RRF + 1 + place) / len(lists)
        ids = list(fused)
        near = self.meaning.near(asked, ids) if self._by_meaning() and self.meaning is not None else {}
        return self._measured(asked, tags, ids, [dict(found) for found in lists[:2]], fused, near)

    def winner(self, asked: str, found: Sequence[Candidate]) -> tuple[float, ...]:
        """SURE measures of the first candidate."""
        first, second = found[0], found[1].share if len(found) > 1 else 0.0
        card = self._card(first.id)
        exact = float(asked in card.rows)
        length = min(1.0, len(asked) / 20)
        return (*first.measures, first.share - second, first.share, length, 1 - self._known(asked), exact)

    def _measured(
        self,
        asked: str,
        tags: Tags,
        ids: Sequence[str],
        scores: Sequence[Mapping[str, float]],
        fused: Mapping[str, float],
        near: Mapping[str, float],
    ) -> dict[str, tuple[float, ...]]:
        signs = frozenset(self._cut(asked))
        weight = {sign: self._questions.idf(sign) for sign in signs}
        ceilings = [max(index.ceiling(asked), 1e-6) for index in (self._questions, self._answers)]
        kinds = kinds_of(asked)
        lead = [_leads(table, ids) for table in (near, *scores)]
        table = {}
        for id in ids:
            card = self._card(id)
            in_row, row_in, alike, sequence = self._closest(asked, signs, weight, card)
            table[id] = (
                scores[0].get(id, 0.0) / ceilings[0],
                scores[1].get(id, 0.0) / ceilings[1],
                in_row,
                row_in,
                _covered(signs, card.all_grams, weight),
                alike,
                sequence,
                fused[id],
                near.get(id, 0.0),
                lead[0][id],
                lead[1][id] / ceilings[0],
                lead[2][id] / ceilings[1],
                *self._compared(tags, card),
                float(bool(kinds & card.kinds)),
                float(bool(kinds and card.kinds and not kinds & card.kinds)),
            )
        return table

    def _closest(
        self, asked: str, signs: frozenset[str], weight: Mapping[str, float], card: Card
    ) -> tuple[float, float, float, float]:
        """How much of the question is in its nearest row, of the row in the question, and how alike they are."""
        best = (0.0, 0.0, 0.0, 0.0)
        for row, row_signs in zip(card.rows, card.row_grams, strict=True):
            in_row = _covered(signs, row_signs, weight)
            here = {sign: weight.get(sign) or self._questions.idf(sign) for sign in row_signs}
            row_in = _covered(row_signs, signs, here)
            found = (in_row, row_in, Indel.normalized_similarity(asked, row), LCSseq.normalized_similarity(asked, row))
            if sum(found[:3]) > sum(best[:3]):
                best = found
        return best

    def _compared(self, asked: Tags, card: Card) -> tuple[float, ...]:
        tags = card.tags
        other = self.tagger.conflict(asked, tags)
        return (
            float(bool(asked.tax & tags.tax)),
            float(other == "tax"),
            float(bool(asked.taxpayer & tags.taxpayer)),
            float(other == "taxpayer"),
            float(other == "period"),
            float(bool(asked.amounts & tags.amounts)),
            float(bool(asked.amounts and tags.amounts and not asked.amounts & tags.amounts)),
        )

    def _known(self, asked: str) -> float:
        """Which share of the question's signs the knowledge base has ever seen, weighed by how telling they are."""
        signs = set(self._cut(asked))
        total = sum(self._questions.idf(sign) for sign in signs)
        seen = sum(self._questions.idf(sign) for sign in signs if sign in self._questions or sign in self._answers)
        return seen / total if total else 0.0

    def _by_meaning(self) -> bool:
        return self.meaning is not None and self.meaning.ready

    def _card(self, id: str) -> Card:
        card = self._cards.get(id)
        if card is None:
            if len(self._cards) >= 4096:
                self._cards.clear()
            card = self._cards[id] = self._prepare(self._entries[id])
        return card

    def _prepare(self, entry: Entry) -> Card:
        rows = tuple(self.normalise(text) for text in (entry.question, *entry.similar))
        signs = tuple(frozenset(self._cut(row)) for row in rows)
        answer = frozenset(self._cut(self.normalise(entry.answer)))
        kinds = frozenset().union(*(kinds_of(row) for row in rows[:1]))
        return Card(rows, signs, answer.union(*signs), self.tagger.entry(entry), kinds)

    def _cut(self, text: str) -> list[str]:
        """Characters and the words of the dictionary. Pairs and jieba's words bought nothing more (decision 0009)."""
        return PIECES.findall(text) + [f"{word}|" for word in self._words(text).split("\x01")[1::2]]


def kinds_of(asked: str) -> frozenset[str]:
    """What kind of answer is wanted."""
    return frozenset(kind for kind, words in KINDS_OF_QUESTION if any(word in asked for word in words))


def _covered(signs: Iterable[str], by: frozenset[str], weight: Mapping[str, float]) -> float:
    total = got = 0.0
    for sign in signs:
        total += weight[sign]
        if sign in by:
            got += weight[sign]
    return got / total if total else 0.0


def _leads(scores: Mapping[str, float], ids: Sequence[str]) -> dict[str, float]:
    """How far each is ahead of the best of the others."""
    values = sorted((scores.get(id, 0.0) for id in ids), reverse=True)
    first, second = values[0] if values else 0.0, values[1] if len(values) > 1 else 0.0
    return {id: (own := scores.get(id, 0.0)) - (second if own == first else first) for id in ids}
