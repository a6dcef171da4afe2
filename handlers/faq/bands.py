"""From ranked candidates to what is done: answer, three to choose from, a person, or silence.

not for the office, as far as can be told     → silent
no candidate sure enough, or for another year → handoff
the best fits but is for another taxpayer,
tax or period; or two such fit alike         → choose, asking for that kind
the best is expired or not yet effective     → handoff with the reason, successor named when there is one
sure enough                                  → answer; between the thresholds → choose
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from config.faq.entries import Entry
from handlers.faq.filing import Deadline
from handlers.faq.knowledge import other_year, standing
from handlers.faq.measures import AT
from handlers.faq.ranking import Candidate, Ranked, Ranker
from handlers.faq.speech import Heard

CHOICES = 3
EXACT = 0.999
WHOLE, ALL = 0.95, 0.9  # shares of an entry's wording in the question, of what the question names in an entry


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Certainty from which on it answers or offers a choice; what is not worded as a question must be surer."""

    answer: float = 0.6
    choose: float = 0.3
    story: float = 0.9  # of a long message, whose parts may each fit something else
    stated: float = 0.82  # of a statement
    follow: float = 0.86  # of a follow-up, which may mean what it does not say
    unasked: float = 0.7
    blind: float = 0.1  # so much more without the sentence model
    ours: float = 0.5  # chance from which on a message is taken to be for the office at all
    near: float = 0.3  # cosine below which a message without a tax term is on nothing the base is about
    rival: float = 0.22  # share of the second from which on two entries for different people or taxes are ambiguous
    plain: float = 0.8  # chance from which on there is no doubt: that it is for the office, that the second is no rival
    level: float = 0.03  # share from which on another entry that has all the question names makes it ambiguous
    clear: float = 0.9  # certainty from which on it does not
    instead: float = 0.35  # of the first's share: an effective entry that takes the place of an expired one


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to do with one question.

    band: answer, choose, handoff, silent or mask. `entry` is what is answered (its `answer` is said byte for byte) or,
    handed over, what no longer or not yet holds. `reason` of a handoff: unknown, expired, not_yet, no_basis, matter,
    person; of a choice: unsure, taxpayer, tax, period. `top` are entry ids, best first. `asked` is the question as it
    was understood, `masked` the text with personal numbers starred out.
    """

    band: str
    entry: Entry | None = None
    choices: tuple[Entry, ...] = ()
    reason: str = ""
    successor: Entry | None = None
    deadline: Deadline | None = None
    top: tuple[str, ...] = ()
    sure: float = 0.0
    asked: str = ""
    masked: str = ""
    near: float = field(default=0.0, compare=False)


def decide(ranker: Ranker, ranked: Ranked, heard: Heard, day: date, limits: Thresholds, again: Ranked) -> Outcome:
    """Settle one question. `ranked` is over everything, `again` over what is effective on `day` alone."""
    top = tuple(candidate.id for candidate in ranked.candidates[:10])
    exact = bool(ranked.candidates) and ranked.candidates[0].measures[AT["alike"]] > EXACT
    if (ranked.ours < limits.ours or (heard.told and not heard.asks and not heard.matter)) and not exact:
        return Outcome("silent", reason="unknown", top=top, sure=ranked.sure)
    far = not heard.about and ranked.near < limits.near and ranked.sure < limits.answer
    if far and ranked.ours < limits.plain and not exact:
        return Outcome("silent", reason="unknown", top=top, sure=ranked.sure)
    if not ranked.candidates or far or ranked.sure < limits.choose:
        return Outcome("handoff", reason="unknown", top=top, sure=ranked.sure)
    first = ranker.entry(ranked.candidates[0].id)
    why = standing(first, day)
    if why != "live":
        if _instead(ranked, again, limits) is None:
            return _gone(ranker, first, why, day, top, ranked.sure)
        ranked = again
        first = ranker.entry(ranked.candidates[0].id)
        top = (*(candidate.id for candidate in again.candidates[:10]),)
    live = [candidate for candidate in again.candidates if standing(ranker.entry(candidate.id), day) == "live"]
    if ranked.question and other_year(ranked.question.tags.years, first):
        return Outcome("handoff", reason="unknown", top=top, sure=ranked.sure)
    kind = _in_doubt(ranker, ranked.candidates, live, ranked.sure, limits)
    if heard.matter and not heard.asks:
        return Outcome("handoff", reason="matter", top=top, sure=ranked.sure)
    enough = limits.answer if exact else _enough(ranked, heard, limits)
    enough += 0.0 if ranker.mode == "near" else limits.blind
    if kind or ranked.sure < enough:
        choices = tuple(ranker.entry(candidate.id) for candidate in live[:CHOICES])
        return Outcome("choose", choices=choices, reason=kind or "unsure", top=top, sure=ranked.sure)
    return Outcome("answer", entry=first, top=top, sure=ranked.sure)


def _enough(ranked: Ranked, heard: Heard, limits: Thresholds) -> float:
    """How sure the answer must be, by how the message speaks."""
    if ranked.long:
        return limits.story
    if ranked.question and ranked.question.fresh:
        return limits.follow
    if heard.asks:
        return limits.unasked if heard.matter else limits.answer
    return limits.unasked if heard.bare and ranked.ours >= limits.plain else limits.stated


def _gone(ranker: Ranker, entry: Entry, why: str, day: date, top: tuple[str, ...], sure: float) -> Outcome:
    next_ = ranker.entry(entry.successor) if entry.successor and entry.successor in ranker else None
    successor = next_ if next_ is not None and standing(next_, day) == "live" else None
    return Outcome("handoff", entry=entry, reason=why, successor=successor, top=top, sure=sure)


def _instead(ranked: Ranked, again: Ranked, limits: Thresholds) -> Candidate | None:
    """The effective entry that answers the same question as the one that does not hold."""
    if not again.candidates or again.sure < limits.answer:
        return None
    other = again.candidates[0]
    share = next((c.share for c in ranked.candidates if c.id == other.id), 0.0)
    return other if share >= limits.instead * ranked.candidates[0].share else None


def _in_doubt(
    ranker: Ranker, all_: Sequence[Candidate], live: Sequence[Candidate], sure: float, limits: Thresholds
) -> str:
    """The kind the question must settle first: its winner is for something else, or two that differ in it fit alike."""
    first = all_[0]
    if first.conflict:
        return first.conflict
    if sure < limits.clear and _level(first, live[1:CHOICES], limits):
        return "unsure"
    if sure >= limits.plain:
        return ""
    for other in live[:CHOICES]:
        if other.id != first.id and other.share >= limits.rival * first.share and not other.conflict:
            kind = ranker.tagger.apart(ranker.tags(first.id), ranker.tags(other.id))
            if kind and not _settled(ranker, first, other, kind):
                return kind
    return ""


def _settled(ranker: Ranker, first: Candidate, other: Candidate, kind: str) -> bool:
    """Whether the question itself names the kind, so that the winner is its own."""
    place = {"tax": AT["tax_same"], "taxpayer": AT["payer_same"]}.get(kind)
    return place is not None and first.measures[place] > 0 and other.measures[place] == 0


def _level(first: Candidate, others: Sequence[Candidate], limits: Thresholds) -> bool:
    """Whether another entry has all that the question names, so that it may mean either."""
    row, named = first.measures[AT["row_in_asked"]], first.measures[AT["pairs_in_all"]]
    if row > WHOLE or first.measures[AT["alike"]] > EXACT:
        return False
    has = [(other.share, other.measures[AT["pairs_in_all"]]) for other in others]
    return any(share >= limits.level and all_ >= max(named, ALL) for share, all_ in has)
