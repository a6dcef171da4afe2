"""Understanding a report: what it is, where it is, whose it is.

A `Reader` is a pure function of the county (with its example phrases) and the lessons given by dispatchers.
`listen` is the ear in the group: a few microseconds, is this worth keeping? `read` decides everything else.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from config.county import County, Place
from config.lexicon import Lexicon, shipped_lexicon
from handlers.reports.reading_conditions import Standards, danger
from handlers.reports.reading_duties import ProposedDuty, Routing, propose_duties
from handlers.reports.reading_lessons import Lesson, Lessons, Taught
from handlers.reports.reading_model import SHARPNESS as FITTED
from handlers.reports.reading_places import NOWHERE, Gazetteer, Spot, blank
from handlers.reports.reading_scene import Scene
from handlers.reports.reading_school import OTHER, OUTSIDE, REPORT, key_of, models, relabel
from handlers.reports.reading_similar import Trace, similar
from handlers.reports.reading_words import CALL, Words, gate_features, letters, matter_features, plain

__all__ = ["Guess", "Lesson", "ProposedDuty", "Reader", "Reading", "Trace", "propose_duties", "similar"]

TOP = 5  # classes reported
NEVER, FAINT = -9.0, 0.001
HEARD, EARSHOT = -0.6, 300  # log-odds from which the ear keeps a line, and how many letters it hears
IS_REPORT = 0.5
# Logistic over log-odds of (the frame, the ear, any class against chatter), a photo, a known place, a nameless place.
GATE, BIAS = (0.36, 0.46, 0.45, 0.9, 2.4, 0.7), -2.85
CROWD = 0.6  # the class-against-chatter difference is cut off here
SHARPNESS = 14.0  # softmax over class scores; calibrated on the open half
SURE_UNIT, SURE_REPORT = 0.85, 0.75  # from here no wrong unit was left on the lines of four counties of prose
STRANGE = 0.5  # below this chance of the best class the units' own prose is heard against the message
ELSEWHERE, UNLIKE = 0.3, 0.4  # what a near lesson still weighs on other ground, or when its class is not believed
HINT = 0.5  # a unit named in the message counts as half a vote
SENDER = 0.05
KINDS = (
    ("涉密", "secret"), ("演练", "drill"), ("感谢", "praise"), ("统计", "stats"), ("文章", "article"), ("完成", "feedback"),
    ("行动中", "feedback"), ("通知", "notice"), ("假想", "hypothetical"), ("疑问", "question"),
)  # fmt: skip
SETTING = re.compile(
    r"(?:菜市场|菜场|农贸市场|集贸市场|夜市|早市|公厕|水库|河|大桥|桥|隔离带)(?:里面?|内|边|上|附近)?$"
)
MARKET = re.compile(r"市场|菜场|夜市|早市")
VAGUE = 0.4  # below this chance the setting (a market, a river) is heard as well
BREAK = re.compile(
    r"[。；;\n！!]+|(?<=[^\d])\d[、.)）]\s*|[①②③④⑤]|[，,]?\s*(?:另外|还有|此外|再有|再就是|同时还?|顺便|以及|另)[，,:：]?"
)
COMMA = re.compile(r"[，,、]|(?<=了)\s+")


@dataclass(frozen=True, slots=True)
class Guess:
    """One possible answer with its calibrated probability and the words it rests on."""

    value: str
    p: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything understood of one message.

    `matter` names what it is about when no small class fits (暖气不热, 红绿灯…); then `category` is None and the units
    come from prose. `place_text` is the span as written; `place` and `place_id` are None when the gazetteer lacks it.
    """

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
    matter: str = ""

    @property
    def category(self) -> str | None:
        """The best small class, or None when no class fits."""
        return self.categories[0].value if self.categories and not self.matter else None


class Reader:
    """Reads messages for one county."""

    def __init__(self, county: County, lessons: Sequence[Lesson] = (), kept: bytes = b"") -> None:
        self.county = county
        lexicon = shipped_lexicon()
        self._words, self._cues = Words(lexicon.senses), Words(lexicon.cues)
        (self._matter, self._gate, self._ear), self.to_keep = models(county, lexicon, kept)
        self._labels = relabel(county, lexicon, self._matter.labels)
        self._yes, self._ear_yes = self._gate.labels.index(REPORT), self._ear.labels.index(REPORT)
        self._chatter = self._matter.labels.index(OTHER) if OTHER in self._matter.labels else -1
        self._places = Gazetteer(county.places)
        self._routing = Routing(county, lexicon)
        self._standards = Standards(county.standards, self._words)
        self._lessons = Lessons([self._prepare(lesson) for lesson in lessons])
        self.version = _version(county, lexicon, lessons)

    def taught(self, lesson: Lesson) -> Reader:
        """A reader that also knows this lesson; milliseconds, shares everything else."""
        pupil = object.__new__(Reader)
        pupil.__dict__.update(self.__dict__)
        pupil._lessons = Lessons([*self._lessons.taught, self._prepare(lesson)])
        pupil.version = hashlib.sha256(f"{self.version}|{lesson!r}".encode()).hexdigest()[:12]
        return pupil

    def listen(self, text: str, photos: int) -> bool:
        """Whether an unaddressed message is worth keeping as a report."""
        return len(text) > 2 and self._hear(text) + (0.7 if photos else 0.0) > HEARD

    def _hear(self, text: str) -> float:
        """Log-odds from letters alone."""
        scores = self._ear.scores(letters(text[:EARSHOT].lower()))
        return FITTED * (scores[self._ear_yes] - scores[1 - self._ear_yes])

    def read(self, text: str, photos: int, sender_unit: str = "") -> Reading:
        """Understand one message."""
        whole = self._read(text, photos, sender_unit)
        if whole.kind != "report":
            return whole
        parts = self._parts(text, photos, sender_unit, whole)
        return replace(whole, parts=parts, sure=whole.sure and not parts) if parts else whole

    def _read(self, text: str, photos: int, sender_unit: str, inherited: Spot = NOWHERE) -> Reading:
        masked = CALL.sub(lambda m: " " * len(m.group()), text)
        spots = self._places.spots(masked)
        spot = _best(spots) if spots else inherited
        rest = plain(blank(masked, spots))
        chances, against_chatter = self._classify(matter_features(rest, self._words))
        setting = next((m.group() for s in spots if (m := SETTING.search(s.text))), "")
        if setting and (MARKET.search(setting) or chances[0][1] < VAGUE):
            there, _ = self._classify(matter_features(rest + "，" + setting, self._words))
            chances = _blend(chances, there) if MARKET.search(setting) else there
        p = self._is_report(masked, rest, photos, spot, against_chatter)
        kind = "report" if p >= IS_REPORT else self._kind(rest)
        place, said = spot.place, self._places.said(masked, spot) if spots else spot.text
        units = self._units(chances, spot, text, rest)
        known = [(label, c) for label, c in chances if not label.startswith(OUTSIDE)]
        categories = tuple(Guess(label, round(c, 4)) for label, c in known[:TOP])
        best, best_p = chances[0]
        word = danger(text, best, best_p) if kind == "report" else ""
        matter = best.removeprefix(OUTSIDE) if best.startswith(OUTSIDE) else ""
        return Reading(
            kind, round(p, 4), categories, units, place.name if place else None, place.id if place else None, said,
            bool(word), word, None if matter else self._standards.choose(best, rest), (), text,
            bool(units) and units[0].p >= SURE_UNIT and p >= SURE_REPORT, matter,
        )  # fmt: skip

    def _classify(self, features: dict[str, float]) -> tuple[list[tuple[str, float]], float]:
        """Labels with their chances, best first, and by how much the best one beats chatter."""
        scores = self._matter.scores(features)
        chatter, scores[self._chatter] = scores[self._chatter], NEVER
        top = max(scores)
        powers = [math.exp(SHARPNESS * (s - top)) for s in scores]
        total = sum(powers)
        belief: dict[str, float] = defaultdict(float)
        for label, power in zip(self._labels, powers, strict=True):
            if power > FAINT * total:
                belief[label] += power / total
        pulls = (
            [(t.label, pull) for t, pull in self._lessons.near(features) if t.lesson.category] if self._lessons else []
        )
        for label, pull in pulls:
            belief[label] += pull
        whole = 1.0 + sum(pull for _, pull in pulls)
        ranked = sorted(((label, v / whole) for label, v in belief.items()), key=lambda pair: (-pair[1], pair[0]))
        return ranked, top - chatter

    def _is_report(self, text: str, rest: str, photos: int, spot: Spot, against_chatter: float) -> float:
        scores = self._gate.scores(gate_features(rest, self._words, self._cues))
        frame = FITTED * (scores[self._yes] - scores[1 - self._yes])
        topic = FITTED * max(-CROWD, min(CROWD, against_chatter))
        facts = (frame, self._hear(text), topic, photos > 0, spot.place is not None, spot.found and spot.place is None)
        odds = BIAS + sum(weight * fact for weight, fact in zip(GATE, facts, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def _kind(self, rest: str) -> str:
        cues = set(self._cues.find(rest))
        return next((kind for cue, kind in KINDS if cue in cues), "none")

    def _units(self, chances: Sequence[tuple[str, float]], spot: Spot, text: str, rest: str) -> tuple[Guess, ...]:
        echo = self._routing.echoes(rest)
        scene = self._routing.scene(text, spot.place, spot.text)
        total: dict[str, float] = defaultdict(float)
        why: dict[str, str] = {}
        for label, chance in chances[:8]:
            name = label.removeprefix(OUTSIDE)
            for unit, p, words in self._for_label(label, name, scene, echo):
                total[unit] += chance * p
                why.setdefault(unit, words)
        unheard = STRANGE - chances[0][1]
        if unheard > 0:  # no class is clear: whose own words does it repeat?
            for unit, share in echo.items():
                total[unit] += unheard * share**2
                why.setdefault(unit, "职责原文")
        self._lean(total, why, text, rest, spot.place, chances)
        ranked = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
        return tuple(Guess(unit, round(min(p, 0.99), 4), why[unit]) for unit, p in ranked if p > 0.01)

    def _for_label(
        self, label: str, name: str, scene: Scene, echo: dict[str, float]
    ) -> Iterable[tuple[str, float, str]]:
        choices = [(c.unit, c.p, c.why) for c in self._routing.choose(name, scene, echo)]
        votes = self._lessons.votes(label, self._routing.field_of(name), scene.rural) if self._lessons else {}
        if not votes:
            return choices
        local = [(unit, vote) for told, vote in votes.items() if (unit := self._routing.at(told, scene.place))]
        whole = 1.0 + sum(vote for _, vote in local)
        told = [(unit, p / whole, words) for unit, p, words in choices]
        return told + [(unit, vote / whole, "更正过") for unit, vote in local]

    def _lean(
        self,
        total: dict[str, float],
        why: dict[str, str],
        text: str,
        rest: str,
        place: Place | None,
        chances: Sequence[tuple[str, float]],
    ) -> None:
        """Let near lessons and units named in the message move the shares."""
        pulls: dict[str, float] = defaultdict(float)
        if self._lessons:
            rural, belief = self._routing.rural(place), dict(chances)
            for item, pull in self._lessons.near(matter_features(rest, self._words)):
                if unit := self._routing.at(item.lesson.unit, place):
                    ground = 1.0 if item.rural == rural else ELSEWHERE
                    pulls[unit] += pull * ground * max(UNLIKE, belief.get(item.label, 0.0))
                    why[unit] = "更正过相近的一条"
        for unit in self._routing.named(text)[:2]:
            if total.get(unit, 0.0) > 0.02:
                pulls[unit] += HINT * min(1.0, 4 * total[unit])
        whole = 1.0 + sum(pulls.values())
        for unit in {*total, *pulls}:
            total[unit] = (total.get(unit, 0.0) + pulls.get(unit, 0.0)) / whole

    def _parts(self, text: str, photos: int, sender_unit: str, whole: Reading) -> tuple[Reading, ...]:
        """Several problems in one message: hard breaks, or commas between different places."""
        for pieces, strict in ((BREAK.split(text), False), (COMMA.split(text), True)):
            kept = self._problems([p.strip(" ，,、") for p in pieces if p], photos, sender_unit, strict)
            if len(kept) > 1:
                return tuple(kept)
        return ()

    def _problems(self, pieces: Sequence[str], photos: int, sender_unit: str, strict: bool) -> list[Reading]:
        if len(pieces) < 2:
            return []
        kept: list[Reading] = []
        last = NOWHERE
        for piece in pieces:
            spots = self._places.spots(piece)
            reading = self._read(piece, photos, sender_unit, last)
            last = _best(spots) if spots else last
            if reading.p_report < 0.6 or len(piece) < 4 or (strict and not spots) or not self._plain_problem(reading):
                continue
            if not any(_same(reading, other) for other in kept):
                kept.append(reading)
        return kept

    @staticmethod
    def _plain_problem(reading: Reading) -> bool:
        return bool(reading.matter) or (bool(reading.categories) and reading.categories[0].p >= 0.45)

    def _prepare(self, lesson: Lesson) -> Taught:
        spots = self._places.spots(lesson.text)
        rest = plain(blank(lesson.text, spots))
        features = matter_features(rest, self._words)
        label = lesson.category
        if not label:
            scores = self._matter.scores(features)
            scores[self._chatter] = NEVER
            label = self._labels[scores.index(max(scores))]
        field = self._routing.field_of(label.removeprefix(OUTSIDE))
        place = self._places.names.get(lesson.place) or (_best(spots).place if spots else None)
        return Taught(lesson, features, label, field, self._routing.rural(place))


def _blend(one: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Half of each belief, best first."""
    total: dict[str, float] = defaultdict(float)
    for label, p in (*one, *other):
        total[label] += p / 2
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))


def _best(spots: Sequence[Spot]) -> Spot:
    return Gazetteer.best(spots)


def _same(a: Reading, b: Reading) -> bool:
    label_a, label_b = a.matter or a.category, b.matter or b.category
    return label_a == label_b and (a.place_text == b.place_text or not a.place_text)


def _version(county: County, lexicon: Lexicon, lessons: Sequence[Lesson]) -> str:
    parts = (
        key_of(county, lexicon),
        repr(county.units),
        repr(county.places),
        repr(county.duties),
        repr(tuple(lessons)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
