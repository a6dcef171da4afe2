"""Which entry fits best, and how sure that is: candidates of all searches, measured alike, weighed by shipped weights.

There are two sets of weights, by words alone and with the sentence model. What is measured is in `measures`, fitting in
`fitting`. A long message is measured part by part, so that a story does not drown its question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp

from config.faq.entries import Entry
from config.faq.sounds import shipped_pairs, shipped_sounds
from config.faq.vocabulary import Vocabulary
from config.faq.weights import Weights
from handlers.faq.concern import measured
from handlers.faq.index import SparseIndex
from handlers.faq.meaning import Meaning
from handlers.faq.measures import AT, Card, Rarity, View, closeness, kinds_of, leads, pairs_of, rarity, squashed
from handlers.faq.normalise import PIECES, Normaliser, Rewriter, widen
from handlers.faq.speech import Heard
from handlers.faq.tags import Tagger, Tags
from handlers.faq.typos import Speller

CANDIDATES = 16  # of each search
PREPARED = 10_000  # entries kept ready for measuring
MEASURED = 24  # of all of them together
RRF = 20  # faq.md F4
CLOSE = 0.3  # cosine from which on a complaint is about what the base is about
LONG, PARTS = 28, 8  # characters from which on a message is also read in parts; how many of them
LEADS = (("near", "near_lead"), ("words", "words_lead"), ("answer", "answer_lead"))
CLAUSES = re.compile(r"[,，。;；:：!！?？\s]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry with its share of the belief (all candidates add up to 1) and its measures."""

    id: str
    share: float
    measures: tuple[float, ...]
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A message as it is measured: the whole first, then parts of a long one; `fresh` is what a follow-up adds."""

    views: tuple[View, ...]
    tags: Tags
    fresh: View | None = None

    @property
    def whole(self) -> View:
        """All of it."""
        return self.views[0]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates, best first; `sure` is the calibrated chance that the first one answers the question.

    `ours`: the chance that the message is for the office at all. `near` and `known`: how close the base comes to it,
    which share of its words the base has; `office`: how much the sentence model takes it for a question to an office;
    `long`: it was read in parts.
    """

    candidates: tuple[Candidate, ...]
    sure: float = 0.0
    near: float = 0.0
    known: float = 0.0
    office: float = 0.0
    ours: float = 0.0
    long: bool = False
    question: Question | None = None


class Ranker:
    """Holds the indexes of a knowledge base. One thread at a time."""

    def __init__(self, vocabulary: Vocabulary, weights: Mapping[str, Weights], meaning: Meaning | None = None) -> None:
        self.normalise = Normaliser(vocabulary)
        self.tagger = Tagger(vocabulary)
        self.meaning = meaning
        self.weights = weights
        daily, self._topics = shipped_pairs()
        self.spelling = Speller(shipped_sounds(), daily | self._topics)
        self.spelling.learn((*vocabulary.words, *vocabulary.tax_terms, *vocabulary.rewrites, *vocabulary.polite))
        dictionary = {*vocabulary.words, *vocabulary.tax_terms, *vocabulary.rewrites.values()}
        self._words = Rewriter({word: f"\x01{word}\x01" for word in dictionary if len(word) > 1})
        self._questions = SparseIndex(self._cut)
        self._answers = SparseIndex(self._cut)
        self._pairs: Counter[str] = Counter()
        self._entries: dict[str, Entry] = {}
        self._cards: dict[str, Card] = {}
        self._signs = Rarity(self._questions.idf)
        self._twos = Rarity(lambda pair: rarity(self._pairs.get(pair, 0), len(self._entries)))

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

    def spell(self, text: str) -> str:
        """The text with slips of the keyboard put right, as it was where there are none."""
        plain = widen(text)
        right = self.spelling(plain)
        return text if right == plain else right

    def add(self, entry: Entry) -> None:
        """Take an entry, replacing the version that was there."""
        if entry.id in self._entries:
            self.remove(entry.id)
        rows = [self.normalise(text) for text in (entry.question, *entry.similar)]
        answer = self.normalise(entry.answer)
        self._questions.add(entry.id, rows)
        self._answers.add(entry.id, [rows[0] + answer])
        self._pairs.update(self._pairs_in(rows, answer))
        self.spelling.learn(widen(text) for text in (entry.question, *entry.similar, entry.answer))
        if self.meaning is not None:
            self.meaning.add(entry.id, rows)
        self._entries[entry.id] = entry
        self._changed()

    def remove(self, id: str) -> None:
        """Forget an entry."""
        entry = self._entries.pop(id, None)
        if entry is None:
            return
        rows = [self.normalise(text) for text in (entry.question, *entry.similar)]
        self._pairs.subtract(self._pairs_in(rows, self.normalise(entry.answer)))
        self._questions.remove(id)
        self._answers.remove(id)
        if self.meaning is not None:
            self.meaning.remove(id)
        self._cards.pop(id, None)
        self._changed()

    def _changed(self) -> None:
        self._signs.clear()
        self._twos.clear()

    def attach(self, meaning: Meaning | None) -> None:
        """Join a sentence model (its vectors may come later), or go on without one."""
        self.meaning = meaning
        if meaning is not None:
            for id, entry in self._entries.items():
                meaning.add(id, [self.normalise(text) for text in (entry.question, *entry.similar)])

    def question(self, text: str, tags: Tags, fresh: str = "") -> Question:
        """A text made ready for measuring. `fresh`: what a follow-up says beyond the question it leans on."""
        views = [self._view(self.normalise(text))]
        if len(text) > LONG:  # what a story mentions by the way excludes nothing
            tags = replace(tags, taxpayer=tags.taxpayer - self.tagger.wide, period=frozenset())
        clauses = [clause for clause in CLAUSES.split(text) if clause] if len(text) > LONG else []
        if len(clauses) > 2:
            parts = [one + other for one, other in pairwise(clauses)]
            views += [self._view(self.normalise(part)) for part in parts[-PARTS:]]
        added = self._view(self.normalise(fresh)) if fresh else None
        return Question(tuple(view for view in views if view.text), tags, added if added and added.text else None)

    def rank(self, text: str, tags: Tags, fresh: str = "") -> Ranked:
        """Candidates for a question."""
        question = self.question(text, tags, fresh)
        table = self.measure(question)
        if not table:
            return Ranked((), office=self._office(question))
        return self._ordered(question, table)

    def without(self, ranked: Ranked, out: frozenset[str]) -> Ranked:
        """The same as if these entries were not there."""
        table = {c.id: list(c.measures) for c in ranked.candidates if c.id not in out}
        if not table or ranked.question is None:
            return replace(ranked, candidates=(), sure=0.0)
        for name, lead in LEADS:
            own = {id: measures[AT[name]] for id, measures in table.items()}
            for id, value in leads(own, tuple(table)).items():
                table[id][AT[lead]] = value
        left = self._ordered(ranked.question, {id: tuple(measures) for id, measures in table.items()})
        return replace(left, ours=ranked.ours)

    def _ordered(self, question: Question, table: Mapping[str, tuple[float, ...]]) -> Ranked:
        weights = self.weights[self.mode]
        scores = {id: weights.score(measures, question.fresh is not None) for id, measures in table.items()}
        order = sorted(scores, key=lambda id: -scores[id])
        shares = {id: exp(scores[id] - scores[order[0]]) for id in order}
        total = sum(shares.values())
        found = tuple(
            Candidate(id, shares[id] / total, table[id], self.tagger.conflict(question.tags, self._card(id).tags))
            for id in order
        )
        gap = scores[order[0]] - scores[order[1]] if len(order) > 1 else 9.0
        winner = self.winner(question, found, gap)
        near = max(measures[AT["near"]] for measures in table.values())
        known, long = 1 - winner[AT["strange"]], len(question.views) > 1
        return Ranked(found, weights.sure(winner), near, known, self._office(question), long=long, question=question)

    def concern(self, ranked: Ranked, text: str, heard: Heard) -> Ranked:
        """The same with `ours` weighed."""
        contained = ranked.candidates[0].measures[AT["asked_in_row"]] if ranked.candidates else 0.0
        row = measured(text, heard, ranked.office, ranked.near, ranked.known, ranked.sure, contained)
        ours = self.weights[self.mode].concern(row)
        return replace(ranked, ours=max(ours, 0.5) if heard.matter and (heard.about or ranked.near > CLOSE) else ours)

    @property
    def mode(self) -> str:
        """Which weights apply: `near` as soon as the sentence model has read every entry."""
        return "near" if self.meaning is not None and self.meaning.ready else "words"

    def measure(self, question: Question, leave_out: frozenset[str] = frozenset()) -> dict[str, tuple[float, ...]]:
        """RANK measures of every candidate."""
        if not question.views:
            return {}
        asked, texts = question.whole.text, [view.text for view in question.views]
        meaning = self.meaning if self.mode == "near" else None
        lists = [self._questions.search(asked, CANDIDATES), self._answers.search(asked, CANDIDATES)]
        if meaning is not None:
            lists.append(meaning.search(texts, CANDIDATES))
        if question.fresh is not None:
            lists.append(self._questions.search(question.fresh.text, CANDIDATES))
        fused: dict[str, float] = {}
        for found in lists:
            for place, (id, _) in enumerate(pair for pair in found if pair[0] not in leave_out):
                fused[id] = fused.get(id, 0.0) + (RRF + 1) / (RRF + 1 + place) / len(lists)
        ids = sorted(fused, key=lambda id: -fused[id])[:MEASURED]
        near = meaning.near(texts, ids) if meaning is not None else {}
        fresh = meaning.near([question.fresh.text], ids) if meaning is not None and question.fresh else {}
        return self._measured(question, ids, [dict(found) for found in lists[:2]], fused, near, fresh)

    def winner(self, question: Question, found: Sequence[Candidate], gap: float) -> tuple[float, ...]:
        """SURE measures of the first candidate, which is `gap` ahead of the second."""
        first, others = found[0], found[1:4]
        asked, fresh, long = question.whole, question.fresh, len(question.views) > 1
        strange = self._strange(asked)
        return (
            *first.measures,
            first.share - max((other.share for other in others), default=0.0),
            first.share,
            squashed(gap),
            sum(first.measures[AT[name]] > 0 for name in ("near_lead", "words_lead", "answer_lead")) / 3,
            *(
                max(0.0, first.measures[AT[name]] - max((o.measures[AT[name]] for o in others), default=0.0))
                for name in ("asked_in_row", "pairs_in_row")
            ),
            min(1.0, len(asked.text) / 20),
            float(long),
            float(fresh is not None),
            strange,
            self._strange_pairs(asked),
            0.0 if long else min(1.0, sum(self._pairs.get(p, 0) < 1 and p in self._topics for p in asked.pairs) / 2),
            max(0.0, 1 - strange - first.measures[AT["asked_in_all"]]),
            self._strange(fresh) if fresh else 0.0,
            float(any(asked.text == row.text for row in self._card(first.id).rows)),
        )

    def _office(self, question: Question) -> float:
        direction = self.weights[self.mode].office
        if not direction or self.meaning is None or not question.views:
            return 0.0
        vector: list[float] = self.meaning.asked([question.whole.text])[0].tolist()
        return direction[-1] + sum(one * other for one, other in zip(direction, vector, strict=False))

    def _measured(
        self,
        question: Question,
        ids: Sequence[str],
        scores: Sequence[Mapping[str, float]],
        fused: Mapping[str, float],
        near: Mapping[str, float],
        fresh: Mapping[str, float],
    ) -> dict[str, tuple[float, ...]]:
        asked = question.whole
        ceilings = [max(index.ceiling(asked.text), 1e-6) for index in (self._questions, self._answers)]
        kinds = kinds_of(asked.text)
        lead = [leads(table, ids) for table in (near, *scores)]
        table = {}
        for id in ids:
            card = self._card(id)
            close = [closeness(view, card, self._signs, self._twos) for view in question.views]
            table[id] = (
                scores[0].get(id, 0.0) / ceilings[0],
                scores[1].get(id, 0.0) / ceilings[1],
                *map(max, zip(*close, strict=True)),
                fused[id],
                near.get(id, 0.0),
                lead[0][id],
                lead[1][id] / ceilings[0],
                lead[2][id] / ceilings[1],
                *self._added(question.fresh, card),
                fresh.get(id, 0.0),
                *self._compared(question.tags, card),
                float(bool(kinds & card.kinds)),
                float(bool(kinds and card.kinds and not kinds & card.kinds)),
            )
        return table

    def _added(self, fresh: View | None, card: Card) -> tuple[float, float]:
        """How much of what a follow-up adds is in the entry, and in one row of it."""
        if fresh is None:
            return 0.0, 0.0
        rows = (self._signs.share(fresh.signs, row.signs) for row in card.rows)
        return self._signs.share(fresh.signs, card.signs), max(rows, default=0.0)

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

    def _strange(self, asked: View) -> float:
        """Which share of the question's signs the knowledge base has never seen, weighed by how telling they are."""
        seen = frozenset(sign for sign in asked.signs if sign in self._questions or sign in self._answers)
        return 1 - self._signs.share(asked.signs, seen) if asked.signs else 0.0

    def _strange_pairs(self, asked: View) -> float:
        unseen = frozenset(pair for pair in asked.pairs if not self._pairs.get(pair))
        return self._twos.share(asked.pairs, unseen)

    def _pairs_in(self, rows: Sequence[str], answer: str) -> frozenset[str]:
        return frozenset().union(pairs_of(answer), *map(pairs_of, rows))

    def _card(self, id: str) -> Card:
        card = self._cards.get(id)
        if card is None:
            while len(self._cards) >= PREPARED:
                del self._cards[next(iter(self._cards))]
            card = self._cards[id] = self._prepare(self._entries[id])
        return card

    def _prepare(self, entry: Entry) -> Card:
        rows = tuple(self._view(text) for text in self._questions.texts(entry.id))
        answer = self._view(self._answers.texts(entry.id)[0])
        signs = answer.signs.union(*(row.signs for row in rows))
        pairs = answer.pairs.union(*(row.pairs for row in rows))
        return Card(rows, signs, pairs, self.tagger.entry(entry), kinds_of(rows[0].text))

    def _view(self, text: str) -> View:
        return View(text, frozenset(self._cut(text)), pairs_of(text))

    def _cut(self, text: str) -> list[str]:
        """Characters and the words of the dictionary. Pairs and jieba's words bought nothing more (decision 0009)."""
        return PIECES.findall(text) + [f"{word}|" for word in self._words(text).split("\x01")[1::2]]
