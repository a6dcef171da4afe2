"""What dispatchers put right, kept as neighbours: effective at once, exact repeats decide, older ones fade.

Two kinds of memory. Texts: a message like a corrected one leans to its class and unit. Duties: a unit named for a class
(or its field, at lesser weight) outweighs the table or the prose.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

NEAR = 0.45  # cosine below which two messages have nothing to say to each other
PULL = 3.0  # weight of an exact repeat beside the model's one vote
SAME_CLASS, OTHER_GROUND, SAME_FIELD = 2.2, 1.0, 0.35  # votes of a lesson for its class, elsewhere, for its field
ALONE = 0.7  # most that one other class of the field can say
FADE = 0.995  # each newer lesson of the same class makes an older one count this much less


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a dispatcher put right: this text meant this category, unit and place (empty = not said)."""

    text: str
    category: str = ""
    unit: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Taught:
    """A lesson made ready: its features, the label and field it stands for, and whether it lay outside town."""

    lesson: Lesson
    features: Mapping[str, float]
    label: str
    field: str
    rural: bool


class Lessons:
    """Lessons in order, the newest last."""

    def __init__(self, taught: Sequence[Taught]) -> None:
        self.taught = tuple(taught)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._by_label: dict[str, list[Taught]] = defaultdict(list)
        self._by_field: dict[str, list[Taught]] = defaultdict(list)
        for i, item in enumerate(self.taught):
            length = math.sqrt(sum(v * v for v in item.features.values())) or 1.0
            for gram, value in item.features.items():
                self._postings[gram].append((i, value / length))
            if item.lesson.unit:
                self._by_label[item.label].append(item)
                self._by_field[item.field].append(item)

    def __bool__(self) -> bool:
        return bool(self.taught)

    def near(self, features: Mapping[str, float]) -> list[tuple[Taught, float]]:
        """Lessons whose text is like this one, with a pull between 0 and PULL."""
        likeness: dict[int, float] = defaultdict(float)
        for gram, value in features.items():
            for i, other in self._postings.get(gram, ()):
                likeness[i] += value * other
        length = math.sqrt(sum(v * v for v in features.values())) or 1.0
        close = ((i, s / length) for i, s in likeness.items() if s > NEAR * length)
        return [(self.taught[i], PULL * ((s - NEAR) / (1 - NEAR)) ** 2) for i, s in close]

    def votes(self, label: str, field: str, rural: bool) -> dict[str, float]:
        """Votes for units from lessons about this class, and fewer from its field."""
        votes: dict[str, float] = defaultdict(float)
        told = self._by_label.get(label, ())
        here = [item for item in told if item.rural == rural]
        share = (
            SAME_CLASS if here else OTHER_GROUND / max(1, len(told))
        )  # other ground is heard only where this is silent
        for item, age in _aged(here or told):
            votes[item.lesson.unit] += FADE**age * share
        for unit, vote in self._from_field(label, field, rural).items():
            votes[unit] += vote
        return votes

    def _from_field(self, label: str, field: str, rural: bool) -> dict[str, float]:
        """Other classes of the field speak softly alone, and loudly when two of them name the same unit."""
        votes: dict[str, float] = defaultdict(float)
        labels: dict[str, set[str]] = defaultdict(set)
        for item, age in _aged(self._by_field.get(field, ())):
            if item.label != label and item.rural == rural:
                votes[item.lesson.unit] += FADE**age * SAME_FIELD
                labels[item.lesson.unit].add(item.label)
        return {unit: vote if len(labels[unit]) > 1 else min(vote, ALONE) for unit, vote in votes.items()}


def _aged(items: Sequence[Taught]) -> Iterator[tuple[Taught, int]]:
    return ((item, len(items) - 1 - i) for i, item in enumerate(items))
