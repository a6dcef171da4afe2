"""Whose it is: the duty table where it speaks, otherwise the prose of the units, clause by clause.

A clause counts less when it says 配合 or 指导, against the unit when it says 不负责, and for another unit when it says
归某某. Each proposal carries the words it came from and stays 拟定 until a person confirms it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.county import County, Duty, Place, Unit
from config.lexicon import Field, Lexicon

TIERS = (1.0, 0.62, 0.4, 0.22, 0.12)  # a term of the first tier says more than one of the last
OWN_NAME = 1.35  # the class itself is named
MORE, LENGTH, MOST = 0.05, 0.05, 0.18  # each further term, each letter beyond two, and the most they add together
IN_NAME = 0.15  # the unit is called after it
EDGE = 0.11  # softmax width over prose scores
ENOUGH = 0.3  # a score below this claims nothing by itself
CONFIRMED, PROPOSED = 0.96, 0.9
ECHO, FULL_ECHO = 0.15, 4.0  # most a message's own words add, and how much rarity is full agreement
RURAL_GAIN, AFIELD_GAIN, TOWN_LOSS = 0.58, 0.2, 0.45  # [R] tuned on the open half

CLAUSE = re.compile(r"[，。；;：:,\n]")
AGAINST = re.compile(r"不负责|不含|不包括|除外|除[^，。；]{1,20}外|不直接|不处置|不承担|不属于")
AWAY = re.compile(r"(?:归|由|交)([^，。；、]{2,14}?)(?:负责|清理|处置|处理|承担|维修|管理|管养|实施|查处)?$")
WEAK = (
    (re.compile(r"配合|协助|参与|协同"), 0.35),
    (re.compile(r"指导|督导|督促|统筹|协调|行业"), 0.55),
    (re.compile(r"监管|监督"), 0.85),
)
BESIDES = re.compile(r"(?:除了?)?[^、，。；]{1,10}以外的?")
HEAD = 6  # a weak verb this near the start of a clause governs all of it
RURAL_WORDS = re.compile(r"村|乡|镇|农村|屯|公路|全县|县域")
SEAT = re.compile(r"城关|城厢|街道|城区")


@dataclass(frozen=True, slots=True)
class ProposedDuty:
    """A duty read out of prose: for this class (and town, or everywhere) this unit, because of these words."""

    code: str
    place_or_town: str
    unit: str
    words: str
    p: float

    @property
    def duty(self) -> Duty:
        """The row for duties.csv, 拟定 until confirmed."""
        return Duty(self.code, self.place_or_town, self.unit, "proposed")


@dataclass(frozen=True, slots=True)
class Claim:
    """How strongly one unit's prose claims a field, in which words, and whether it speaks of the countryside."""

    score: float
    words: str = ""
    afield: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One unit with its share of belief and why."""

    unit: str
    p: float
    why: str


class Routing:
    """Units by class and place for one county."""

    def __init__(self, county: County, lexicon: Lexicon) -> None:
        self.units = {u.id: u for u in county.units}
        self._names = {c.code: c.name for c in county.categories}
        self._fields: dict[str, Field] = {}
        for field in lexicon.fields:
            for key in (field.name, *field.codes):
                self._fields.setdefault(key, field)
        self._table: dict[str, list[Duty]] = defaultdict(list)
        for duty in county.duties:
            if duty.unit in self.units:
                self._table[duty.code].append(duty)
        self._clauses = {u.id: _clauses(u) for u in county.units}
        self._aliases = sorted(
            ((name, u.id) for u in county.units for name in (u.name, *u.aliases)), key=lambda pair: -len(pair[0])
        )
        self._town_units = {u.town: u.id for u in county.units if u.town}
        self._seat = _seat(county)
        self._claims: dict[str, dict[str, Claim]] = {}
        self._pairs = _prose_pairs(county.units)

    def field_of(self, label: str) -> str:
        """The field a class or matter belongs to (its own label when none)."""
        field = self._fields.get(label)
        return field.name if field else label

    def choose(self, label: str, place: Place | None, echo: Mapping[str, float] | None = None) -> tuple[Choice, ...]:
        """Units for a class code or matter name at a place, best first, shares adding up to at most one.

        `echo` (see `echoes`) is how far the message repeats each unit's own prose.
        """
        return self._from_table(label, place) or self._from_prose(label, place, echo or {})

    def echoes(self, text: str) -> dict[str, float]:
        """How far a message repeats each unit's prose, rare pairs of letters counting more; at most one."""
        total: dict[str, float] = defaultdict(float)
        pairs = {text[i : i + 2] for i in range(len(text) - 1)}
        for pair in pairs:
            for unit, rarity in self._pairs.get(pair, ()):
                total[unit] += rarity
        best = max(total.values(), default=0.0)
        return {unit: value / max(best, FULL_ECHO) for unit, value in total.items()}

    def rural(self, place: Place | None) -> bool:
        """Whether a place lies outside the county town."""
        return is_rural(place, self._seat)

    def at(self, unit: str, place: Place | None) -> str:
        """The unit a lesson means at a place: a town office stands for the office of whichever town it is."""
        taught = self.units.get(unit)
        if taught is None or not taught.town:
            return unit if taught else ""
        return self._town_units.get(place.town, "") if place and place.town else unit

    def named(self, text: str) -> list[str]:
        """Ids of units a text names."""
        found: list[str] = []
        for name, unit in self._aliases:
            if len(name) > 1 and name in text and unit not in found:
                found.append(unit)
        return found

    def propose(self) -> Iterator[ProposedDuty]:
        """Every class the table is silent on: the unit for everywhere, and towns where they differ."""
        for code in self._names:
            if code in self._table:
                continue
            everywhere = self._from_prose(code, None, {})
            if everywhere and everywhere[0].p >= ENOUGH:
                yield ProposedDuty(code, "", everywhere[0].unit, everywhere[0].why, everywhere[0].p)
            for town in self._town_units:
                village = Place("", "", (), "village", town)
                if town == self._seat or not (local := self._from_prose(code, village, {})):
                    continue
                if local[0].p >= 0.5 and (not everywhere or local[0].unit != everywhere[0].unit):
                    yield ProposedDuty(code, town, local[0].unit, local[0].why, local[0].p)

    def _from_table(self, label: str, place: Place | None) -> tuple[Choice, ...]:
        rows = self._table.get(label, [])
        here = [place.name, place.id, place.town] if place else []
        near = [d for key in here if key for d in rows if d.place_or_town == key]
        chosen = near or [d for d in rows if not d.place_or_town]
        if not chosen:
            return ()
        share = [0.8**i for i in range(len(chosen))]
        return tuple(
            Choice(d.unit, (CONFIRMED if d.status == "confirmed" else PROPOSED) * s / sum(share), "职责表")
            for d, s in zip(chosen, share, strict=True)
        )

    def _from_prose(self, label: str, place: Place | None, echo: Mapping[str, float]) -> tuple[Choice, ...]:
        town, rural = (place.town if place else ""), is_rural(place, self._seat)
        scored: list[tuple[float, str, str]] = []
        for unit, claim in self._claims_of(label).items():
            score = claim.score + ECHO * echo.get(unit, 0.0)
            if self.units[unit].town:
                if self.units[unit].town != town:
                    continue
                score += RURAL_GAIN * (rural and score >= ENOUGH) - TOWN_LOSS * (not rural)
            elif rural and claim.afield:
                score += AFIELD_GAIN
            scored.append((score, unit, claim.words))
        return self._shares(scored, town)

    def _shares(self, scored: Sequence[tuple[float, str, str]], town: str) -> tuple[Choice, ...]:
        local = self._town_units.get(town)
        if local and not any(u == local for _, u, _ in scored):
            scored = [*scored, (TIERS[-1], local, "属地")]
        ranked = sorted(scored, key=lambda row: (-row[0], row[1]))[:6]
        if not ranked:
            return ()
        top = ranked[0][0]
        powers = [math.exp((s - top) / EDGE) for s, _, _ in ranked]
        belief = min(1.0, 0.35 + top) / (sum(powers) + 0.02)
        return tuple(Choice(u, belief * p, w) for p, (_, u, w) in zip(powers, ranked, strict=True) if p > 0.02)

    def _claims_of(self, label: str) -> Mapping[str, Claim]:
        if label not in self._claims:
            claims = {u.id: self._claim(label, u) for u in self.units.values()}
            self._claims[label] = {unit: claim for unit, claim in claims.items() if claim.score > 0}
        return self._claims[label]

    def _claim(self, label: str, unit: Unit) -> Claim:
        field = self._fields.get(label)
        tiers = [(OWN_NAME, _pieces(self._names.get(label, "")))]
        tiers += zip(TIERS, field.terms if field else (), strict=False)
        best = Claim(0.0)
        for weight, terms in tiers:
            if weight + MOST + IN_NAME <= best.score:
                break
            best = max(best, self._tier(weight, terms, unit), key=lambda claim: claim.score)
        return best

    def _tier(self, weight: float, terms: Sequence[str], unit: Unit) -> Claim:
        best, hits, afield, against = 0.0, [], False, False
        called = any(t in name for t in terms for name in (unit.name, *unit.aliases))
        for clause, factor, country in self._clauses[unit.id]:
            found = [t for t in terms if t in clause]
            if not found:
                continue
            if factor < 0:
                against = True
                continue
            hits += found
            if factor > best:
                best, afield = factor, country
        if against and not hits:
            return Claim(0.0)
        if not hits and not called:
            return Claim(0.0)
        extra = min(MOST, MORE * (len(set(hits)) - 1) + LENGTH * (max(map(len, hits)) - 2)) if hits else 0.0
        score = weight * (max(best, 0.6 * called) + extra + IN_NAME * called)
        return Claim(score, "、".join(dict.fromkeys(hits)) or unit.name, afield)


def propose_duties(county: County, lexicon: Lexicon | None = None) -> tuple[ProposedDuty, ...]:
    """Duties read from the units' prose for every class the duty table is silent on."""
    from config.lexicon import shipped_lexicon

    return tuple(Routing(county, lexicon or shipped_lexicon()).propose())


def is_rural(place: Place | None, seat: str) -> bool:
    """A village, or anything in a town other than the county seat."""
    if place is None:
        return False
    return place.kind == "village" or (bool(place.town) and place.town != seat and not SEAT.search(place.town))


def _clauses(unit: Unit) -> list[tuple[str, float, bool]]:
    """(clause, how much it counts, whether it speaks of the countryside) for each clause of a unit's prose."""
    out: list[tuple[str, float, bool]] = []
    for sentence in re.split(r"[。；;\n]", BESIDES.sub("", unit.duty)):
        for clause in CLAUSE.split(sentence):
            country = bool(RURAL_WORDS.search(clause))
            out += ((text, factor, country) for text, factor in _weighed(clause, unit))
    return out


def _weighed(clause: str, unit: Unit) -> Iterator[tuple[str, float]]:
    """A clause, or the items of its list apart when only some of them are said weakly."""
    if AGAINST.search(clause) or _goes_away(clause, unit):
        yield clause, -1.0
        return
    weak = next((f for pattern, f in WEAK if pattern.search(clause[:HEAD])), 0.0)
    if weak:
        yield clause, weak
        return
    factors = [(item, next((f for p, f in WEAK if p.search(item)), 1.0)) for item in clause.split("、")]
    yield "、".join(item for item, factor in factors if factor == 1.0), 1.0
    yield from ((item, factor) for item, factor in factors if factor < 1.0)


def _goes_away(clause: str, unit: Unit) -> bool:
    away = AWAY.search(clause)
    return away is not None and not any(away[1] in name for name in (unit.name, *unit.aliases))


def _pieces(name: str) -> tuple[str, ...]:
    """The parts of a class name that prose might repeat."""
    name = re.sub(r"(?:管理问题|管理|问题)$", "", name)
    return tuple(
        piece
        for piece in re.split(r"[、（）/()或和]", name)
        if len(piece) > 2 or piece in ("雕塑", "喷泉", "路灯", "台阶")
    )


def _prose_pairs(units: Sequence[Unit]) -> dict[str, list[tuple[str, float]]]:
    """Pairs of letters in prose → (unit, rarity) for pairs that fewer than a third of the units use."""
    users: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        for clause, factor, _ in _clauses(unit):
            if factor > 0:
                for i in range(len(clause) - 1):
                    users[clause[i : i + 2]].add(unit.id)
    most = max(2, len(units) // 3)
    return {p: [(u, math.log(len(units) / len(us))) for u in sorted(us)] for p, us in users.items() if len(us) <= most}


def _seat(county: County) -> str:
    """The town that holds most streets and landmarks is the county seat (empty when streets carry no town)."""
    towns = Counter(p.town for p in county.places if p.kind in ("road", "landmark", "community", "area"))
    most = towns.most_common(1)
    return most[0][0] if most else ""
