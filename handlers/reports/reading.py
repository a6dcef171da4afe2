"""Understanding a report: what it is, where it is, whose it is.

A `Reader` is a pure function of the county (with its example phrases) and the lessons given by dispatchers.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.county import County, Place

URGENT = re.compile(r"漏气|漏电|触电|着火|起火|冒烟|爆炸|塌陷|坍塌|倒塌|爆管|被困|有人落水|溺水|电线.{0,4}(?:断|掉)")
TAIL = re.compile(
    r"(?:[与和][一-龥]{2,8}?(?:路|街|巷|大道))?(?:交叉口|十字路口|丁字路口|路口|十字)?"
    r"(?:[东西南北]{0,2}(?:侧|段|边|头|口|面)|\d+号(?:楼|院|门)?|对面|旁边|附近|门口|门前|大门口?|拐角|里面|后面|[东西南北]\d+米)*"
)


@dataclass(frozen=True, slots=True)
class Guess:
    """One possible answer with its calibrated probability and the words it rests on."""

    value: str
    p: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a dispatcher put right: this text meant this category, unit and place (empty = not said)."""

    text: str
    category: str = ""
    unit: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything understood of one message."""

    kind: str
    p_report: float
    categories: tuple[Guess, ...] = ()
    units: tuple[Guess, ...] = ()
    place: str | None = None
    place_id: str | None = None
    place_text: str = ""
    urgent: bool = False
    urgent_word: str = ""
    standard: tuple[str, int, str] | None = None
    parts: tuple[Reading, ...] = ()
    text: str = ""
    sure: bool = False

    @property
    def category(self) -> str | None:
        """The best small class, or None when no class fits."""
        return self.categories[0].value if self.categories else None


def grams(text: str) -> Iterable[str]:
    clean = re.sub(r"[^0-9a-z一-龥]+", " ", text.lower())
    for word in clean.split():
        for size in (1, 2, 3):
            for i in range(len(word) - size + 1):
                yield word[i : i + size]


class Reader:
    """Reads messages for one county."""

    def __init__(self, county: County, lessons: Sequence[Lesson] = ()) -> None:
        self.county = county
        self.version = f"{len(county.phrases)}-{len(lessons)}"
        self._names: dict[str, Place] = {}
        for place in county.places:
            for name in (place.name, *place.aliases):
                self._names.setdefault(name, place)
        self._duties: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for duty in county.duties:
            self._duties[duty.code].append((duty.place_or_town, duty.unit))
        self._fit(county, lessons)

    def _fit(self, county: County, lessons: Sequence[Lesson]) -> None:
        samples = [(p.code, p.text) for p in county.phrases if p.code]
        samples += [(c.code, c.name) for c in county.categories]
        samples += [(s.code, s.condition) for s in county.standards]
        samples += [(x.category, x.text) for x in lessons if x.category for _ in range(3)]
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for code, text in samples:
            counts[code].update(grams(text))
        spread = Counter(g for c in counts.values() for g in c)
        self._weights: dict[str, dict[str, float]] = defaultdict(dict)
        for code, seen in counts.items():
            norm = math.sqrt(sum(v * v for v in seen.values()))
            for gram, n in seen.items():
                self._weights[gram][code] = math.sqrt(n) * math.log(1 + len(counts) / spread[gram]) / norm**0.5

    def listen(self, text: str, photos: int) -> bool:
        return len(text) >= 4 and any(text[i : i + 2] in self._weights for i in range(len(text) - 1))

    def read(self, text: str, photos: int, sender_unit: str = "") -> Reading:
        start, end, place = self._locate(text)
        rest = text[:start] + " " + text[end:]
        categories = self._classify(rest)
        word = URGENT.search(text)
        units = self._units(categories, place)
        p = 0.9 if categories and categories[0].p > 0.1 and (place or photos) else 0.2
        return Reading(
            kind="report" if p > 0.5 else "none", p_report=p, categories=categories, units=units,
            place=place.name if place else None, place_id=place.id if place else None, place_text=text[start:end],
            urgent=bool(word), urgent_word=word.group() if word else "", text=text,
            standard=self._standard(categories), sure=bool(units and units[0].p > 0.6 and place),
        )  # fmt: skip

    def _locate(self, text: str) -> tuple[int, int, Place | None]:
        found = max((n for n in self._names if n in text), key=len, default="")
        if not found:
            return 0, 0, None
        start = text.index(found)
        tail = TAIL.match(text, start + len(found))
        return start, tail.end() if tail else start + len(found), self._names[found]

    def _classify(self, text: str) -> tuple[Guess, ...]:
        score: dict[str, float] = defaultdict(float)
        for gram in grams(text):
            for code, weight in self._weights.get(gram, {}).items():
                score[code] += weight
        best = sorted(score.items(), key=lambda x: -x[1])[:5]
        total = sum(math.exp(v) for _, v in best)
        return tuple(Guess(code, math.exp(v) / total) for code, v in best)

    def _units(self, categories: tuple[Guess, ...], place: Place | None) -> tuple[Guess, ...]:
        here = {place.name, place.id, place.town} - {""} if place else set()
        score: dict[str, float] = defaultdict(float)
        for guess in categories:
            duties = self._duties.get(guess.value, [])
            near = [u for where, u in duties if where and where in here] or [u for where, u in duties if not where]
            for unit in near[:1]:
                score[unit] += guess.p
        return tuple(Guess(u, p) for u, p in sorted(score.items(), key=lambda x: -x[1]))

    def _standard(self, categories: tuple[Guess, ...]) -> tuple[str, int, str] | None:
        order = {"urgent_hour": 0, "work_hour": 1, "day": 2, "work_day": 3}
        rows = [s for s in self.county.standards if categories and s.code == categories[0].value]
        best = min(rows, key=lambda s: (order[s.limit_unit], s.limit_n), default=None)
        return (best.condition, best.limit_n, best.limit_unit) if best else None
