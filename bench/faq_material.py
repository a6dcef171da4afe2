"""The questions `bench.fit_faq` learns from: the starter base's own, a second base about a town, and tests/faq_set.

Every question is asked of a base that has not seen it: without similar questions (cold, bare), or with others than
this one (warm). Slips, shortened and story-laden copies are made of warm ones. Questions without an answer: the same
with their entry left out (held), ambiguous ones, and what the base lacks,
far from it (outside) or about the same things (beside).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

from rapidfuzz.distance import Indel

from config.faq.entries import Entry, shipped_entries
from config.faq.sounds import shipped_sounds
from config.faq.vocabulary import Vocabulary, shipped_vocabulary
from handlers.faq import followups
from handlers.faq.fitting import Example, example
from handlers.faq.meaning import Meaning, load_encoder
from handlers.faq.measures import FUNCTION
from handlers.faq.ranking import Ranker

ALIKE, SOME = 0.42, 5  # of two questions; characters they share
SET = Path(__file__).resolve().parents[1] / "tests" / "faq_set"
DAY = date(2026, 11, 24)
UNTAUGHT = replace(shipped_vocabulary(), rewrites={w: w for w in shipped_vocabulary().words})
"""The same words without synonyms: on a base we have not seen, they will not fit as well as on our own."""
WEIGHT = {
    "warm": 1.0,
    "cold": 0.4,
    "bare": 0.2,
    "untaught": 0.4,
    "slip": 0.5,
    "short": 0.5,
    "story": 0.2,
    "long": 1.5,
    "follow": 1.5,
    "held": 0.3,
    "unclear": 0.8,
    "outside": 0.5,
    "beside": 0.7,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question under one base. `gold` is its entry, "" where the base has none for it."""

    base: str
    ranker: Ranker
    example: Example
    gold: str
    kind: str


@dataclass(frozen=True, slots=True)
class Town:
    """The second base, what is asked of it, what is unclear, what it lacks."""

    entries: tuple[Entry, ...]
    asked: tuple[tuple[str, str], ...]
    unclear: tuple[str, ...]
    outside: tuple[str, ...]


def lines(name: str) -> list[str]:
    """The lines of a file of tests/faq_set but its comments."""
    return [line for line in (SET / name).read_text("utf-8").splitlines() if line and not line.startswith("# ")]


def town() -> Town:
    """tests/faq_set/town.txt."""
    entries, asked = [], []
    rows = lines("town.txt")
    for row in rows:
        if row[0] not in "?!":
            id, question, similar, answer, said = (part.strip() for part in row.split("|"))
            entries.append(Entry(id, question, answer, "文号", similar=_list(similar)))
            asked += [(text, id) for text in _list(said)]
    unclear = [row[2:].split("|")[0].strip() for row in rows if row[0] == "?"]
    return Town(tuple(entries), tuple(asked), tuple(unclear), tuple(row[2:] for row in rows if row[0] == "!"))


def material(mode: str) -> Iterator[Asked]:
    """Everything, measured in one mode (words, near)."""
    yield from _starter(mode)
    yield from _town(mode)


def _starter(mode: str) -> Iterator[Asked]:
    entries = shipped_entries()
    cold = [replace(entry, similar=()) for entry in entries]
    bare = [replace(entry, answer="") for entry in cold]
    said = [(text, e.id) for e in entries for text in e.similar]
    outside = [*lines("outside.txt"), *lines("outside2.txt"), *town().outside]
    yield from _ask("tax", ranker_of(mode, cold), said, "cold")
    yield from _ask("tax", ranker_of(mode, bare), said, "bare")
    yield from _ask("tax", ranker_of(mode, cold, UNTAUGHT), said, "untaught")
    for half in (0, 1):
        ranker = ranker_of(mode, [replace(e, similar=e.similar[half::2]) for e in entries])
        fresh = [(text, e.id) for e in entries for text in e.similar[1 - half :: 2]]
        yield from _all("tax", ranker, fresh, half)
        yield from _ask("tax", ranker, [(text, "") for text in outside], "outside")
        yield from _ask("tax", ranker, [(text, "") for text in lines("beside.txt")], "beside")
        yield from _extras("tax", ranker)


def _town(mode: str) -> Iterator[Asked]:
    base = town()
    yield from _ask("town", ranker_of(mode, [replace(e, similar=()) for e in base.entries]), base.asked, "cold")
    ranker = ranker_of(mode, base.entries)
    yield from _all("town", ranker, base.asked, 0)
    yield from _ask("town", ranker, [(text, "") for text in base.unclear], "unclear")
    outside = [*base.outside, *lines("outside.txt"), *lines("outside2.txt")]
    yield from _ask("town", ranker, [(text, "") for text in outside], "outside")
    yield from _ask("town", ranker, [(text, "") for text in lines("beside.txt")], "beside")
    yield from _extras("town", ranker)


def _all(base: str, ranker: Ranker, said: Sequence[tuple[str, str]], seed: int) -> Iterator[Asked]:
    """Questions as they are, and spoilt in the ways of a chat."""
    dice = random.Random(seed)
    stories = [text for text in lines("chatter2.txt") if 7 <= len(text) <= 24]
    yield from _ask(base, ranker, said, "warm")
    yield from _ask(base, ranker, [(_slip(text, dice), id) for text, id in said[::2]], "slip")
    yield from _ask(base, ranker, [(_short(text), id) for text, id in said[1::2]], "short")
    told = [(f"{dice.choice(stories)}，{dice.choice(stories)}，{text}", id) for text, id in said[::2]]
    yield from _ask(base, ranker, told, "story")
    yield from _ask(base, ranker, [(text, "") for text in _unclear(ranker)], "unclear")
    for text, id in said:
        if made := _measured(ranker, text, id, "held", frozenset({id})):
            yield Asked(base, ranker, made, "", "held")


def _extras(base: str, ranker: Ranker) -> Iterator[Asked]:
    """Long stories and follow-ups whose entry this base has, or that no base has."""
    long = [tuple(part.strip() for part in line.split("|")) for line in lines("long.txt")]
    yield from _ask(base, ranker, [(text, id) for text, id in long if id in ranker], "long")
    for line in lines("followups.txt"):
        before, text, id = (part.strip() for part in line.split("|"))
        if (id in ranker) if id else True:
            whole = followups.joined(text, before, ranker.tagger)
            if made := _measured(ranker, whole, id, "follow", fresh=followups.added(text)):
                yield Asked(base, ranker, made, id, "follow")


def _ask(base: str, ranker: Ranker, said: Sequence[tuple[str, str]], kind: str) -> Iterator[Asked]:
    for text, id in said:
        if made := _measured(ranker, text, id, kind):
            yield Asked(base, ranker, made, id, kind)


def _measured(
    ranker: Ranker, text: str, id: str, kind: str, without: frozenset[str] = frozenset(), fresh: str = ""
) -> Example | None:
    spelt = ranker.spell(text)
    question = ranker.question(spelt, ranker.tagger(spelt, DAY), fresh)
    return example(ranker, question, id or None, without, WEIGHT[kind])


def ranker_of(mode: str, base: Sequence[Entry], vocabulary: Vocabulary | None = None) -> Ranker:
    """A base ready to be asked."""
    encoder = load_encoder() if mode == "near" else None
    ranker = Ranker(vocabulary or shipped_vocabulary(), {}, Meaning(encoder) if encoder else None)
    for entry in base:
        ranker.add(entry)
    while ranker.meaning is not None and ranker.meaning.work(64):
        pass
    return ranker


def _slip(text: str, dice: random.Random) -> str:
    """One character changed for another that sounds alike."""
    sounds = shipped_sounds()
    places = [n for n, sign in enumerate(text) if sign in sounds and sign not in FUNCTION]
    if not places:
        return text
    place = dice.choice(places)
    alike = [sign for sign, sound in sounds.items() if sound == sounds[text[place]] and sign != text[place]]
    return text[:place] + dice.choice(alike[:12] or [text[place]]) + text[place + 1 :]


def _short(text: str) -> str:
    """The bare words of a question."""
    return "".join(sign for sign in text if sign not in FUNCTION and sign not in "?？，,。")


def _unclear(ranker: Ranker) -> list[str]:
    """What the standard questions of two like entries have in common asks for neither of them."""
    questions = [ranker.entry(id).question for id in ranker.ids()]
    both = {
        "".join(
            one[block.a : block.a + block.size] for block in SequenceMatcher(None, one, other).get_matching_blocks()
        )
        for one, other in combinations(questions, 2)
        if Indel.normalized_similarity(one, other) >= ALIKE
    }
    return sorted(text for text in both if len(text) >= SOME and text not in questions)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
