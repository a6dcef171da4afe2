"""The whole of it: hold a knowledge base, hear a message, say what is to be done with it.

    assistant = Assistant()                      words only; `attach(Meaning(load_encoder()))` adds the sentence model
    assistant.load(entries)
    outcomes = assistant.hear(text, day, previous)

One thread at a time; nothing here waits, reads a clock or touches a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from config.faq.entries import Entry
from config.faq.vocabulary import Vocabulary, shipped_vocabulary
from config.faq.weights import Weights, shipped_weights
from handlers.faq import followups
from handlers.faq.bands import Outcome, Thresholds, decide
from handlers.faq.filing import FilingCalendar
from handlers.faq.knowledge import standing
from handlers.faq.meaning import Meaning
from handlers.faq.measures import AT
from handlers.faq.ranking import Ranked, Ranker
from handlers.faq.speech import Ear, Heard, masked
from handlers.faq.tags import KINDS


class Assistant:
    """A knowledge base that answers. `add` and `remove` take effect at once."""

    def __init__(
        self,
        vocabulary: Vocabulary | None = None,
        weights: Mapping[str, Weights] | None = None,
        filing: FilingCalendar | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        words = vocabulary or shipped_vocabulary()
        self.ranker = Ranker(words, weights or shipped_weights())
        self.ear = Ear(words)
        self.filing = filing or FilingCalendar()
        self.thresholds = thresholds or Thresholds()
        self._gone: tuple[date, frozenset[str]] = NEVER

    def load(self, entries: Iterable[Entry]) -> None:
        """Take entries; only approved ones are ever found."""
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take an entry in the place of its earlier version; a draft or retired one is taken out."""
        self._gone = NEVER
        if entry.status == "live":
            self.ranker.add(entry)
        else:
            self.remove(entry.id)

    def remove(self, id: str) -> None:
        """Forget an entry."""
        self._gone = NEVER
        self.ranker.remove(id)

    def attach(self, meaning: Meaning | None) -> None:
        """Join a sentence model; until its vectors are there, words alone decide."""
        self.ranker.attach(meaning)

    def hear(self, text: str, day: date, previous: Sequence[str] = ()) -> tuple[Outcome, ...]:
        """One outcome for each question of a message (mostly one). Personal numbers settle the whole message."""
        if hidden := masked(text):
            return (Outcome("mask", reason="personal", masked=hidden),)
        text = self.ranker.spell(text)
        pieces = followups.parts(text, self.ear)
        if len(pieces) == 1:
            return (self._one(text, day, previous),)
        found = [self._one(piece, day, ()) for piece in pieces]
        return self._settle(text, day, previous, found)

    def ask(self, text: str, day: date, previous: Sequence[str] = ()) -> Outcome:
        """The message as one question: the best of its parts, the others' entries in its `top`."""
        outcomes = self.hear(text, day, previous)
        best = min(outcomes, key=lambda outcome: ORDER.index(outcome.band))
        tops = [outcome.top for outcome in (best, *(o for o in outcomes if o is not best))]
        mixed = [top[place] for place in range(10) for top in tops if place < len(top)]
        return replace(best, top=tuple(dict.fromkeys(mixed))[:10])

    def _settle(self, text: str, day: date, previous: Sequence[str], found: list[Outcome]) -> tuple[Outcome, ...]:
        """Parts that lead to the same entry, or to nothing, were one question after all."""
        kept = [outcome for outcome in found if outcome.band != "silent"]
        answered = [outcome.entry.id for outcome in kept if outcome.band == "answer" and outcome.entry]
        if len(kept) < 2 or len(set(answered)) < len(answered) or not answered:
            return (self._one(text, day, previous),)
        return tuple(kept)

    def _one(self, text: str, day: date, previous: Sequence[str]) -> Outcome:
        heard, terms = self.ear(text), self.ear.terms(text)
        if heard.person:
            return Outcome("handoff", reason="person", asked=text)
        if self.filing.answer(text, day) is not None:
            return self._decide(text, day, heard)  # a deadline is asked whole, whatever was said before
        before = followups.topic(previous, self.ear) if previous else ""
        alone = None
        if not before or not followups.leans(text, terms):
            alone = self._decide(text, day, heard)
            if not before or not followups.brief(text) or not heard.asks or alone.band in ("answer", "silent"):
                return alone
        whole = followups.joined(text, before, self.ranker.tagger)
        told = replace(heard, asks=heard.asks or self.ear(before).asks, about=True, told=heard.told and not heard.asks)
        leaning = self._told(self._decide(whole, day, told, followups.added(text)), text)
        return leaning if alone is None or leaning.band == "answer" else alone

    def _told(self, found: Outcome, text: str) -> Outcome:
        """那按季度的呢: where the first choice alone is for what the follow-up names, the choice is made."""
        tags = self.ranker.tagger(text)
        kinds = [kind for kind in KINDS if tags.of(kind)]
        if found.band != "choose" or not kinds or found.sure < TOLD:
            return found
        fit = [c for c in found.choices if all(tags.of(k) & self.ranker.tags(c.id).of(k) for k in kinds)]
        if len(fit) != 1 or fit[0] != found.choices[0]:
            return found
        return replace(found, band="answer", reason="", entry=fit[0], choices=())

    def _decide(self, text: str, day: date, heard: Heard, fresh: str = "") -> Outcome:
        tags = self.ranker.tagger(text, day)
        ranked = self.ranker.concern(self.ranker.rank(text, tags, fresh=fresh), text, heard)
        if fresh and heard.asks:
            ranked = replace(ranked, ours=1.0)
        deadline = self.filing.answer(text, day)
        if deadline is not None and not self._same(ranked):
            return Outcome("answer", deadline=deadline, sure=1.0, asked=text, top=_ids(ranked))
        out = self._out(day)
        gone = any(candidate.id in out for candidate in ranked.candidates)
        again = self.ranker.without(ranked, out) if gone else ranked
        outcome = decide(self.ranker, ranked, heard, day, self.thresholds, again)
        if heard.matter and outcome.band in ("choose", "handoff"):
            outcome = replace(outcome, band="handoff", reason="matter", choices=(), entry=None)
        return replace(outcome, asked=text, near=ranked.near)

    def _out(self, day: date) -> frozenset[str]:
        """Entries that must not be said on this day; found once a day and after a change."""
        if self._gone[0] != day:
            ids = self.ranker.ids()
            self._gone = day, frozenset(id for id in ids if standing(self.ranker.entry(id), day) != "live")
        return self._gone[1]

    def _same(self, ranked: Ranked) -> bool:
        """Whether an entry asks nearly literally this; it then goes before the filing calendar."""
        return bool(ranked.candidates) and ranked.candidates[0].measures[AT["alike"]] > 0.9


TOLD = 0.6  # how sure a follow-up must be when its own words tell the choices apart
NEVER = (date.min, frozenset[str]())
ORDER = ("mask", "answer", "choose", "handoff", "silent")


def _ids(ranked: Ranked) -> tuple[str, ...]:
    return tuple(candidate.id for candidate in ranked.candidates[:10])
