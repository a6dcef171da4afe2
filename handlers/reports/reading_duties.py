"""Whose it is: the duty table where it speaks, otherwise the prose of the units, item by item.

For each field of duty a unit's claim is the most telling word its prose has for it, on the ground the prose speaks of
(城区, 村, 楼院, 公路), with a little for the kind of unit that usually has it. The message can turn a class to another
field (a fallen wire is 通信 or 电力) and repeats words of the unit it means. Proposals carry the words they came from and
stay 拟定 until a person confirms them.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.county import County, Duty, Place, Unit
from config.lexicon import Field, Lexicon, Turn
from handlers.reports.reading_prose import COUNTRY, HIGHWAY, HOMES, PARK, TOWN_GROUND, YARDS, Item, items_of
from handlers.reports.reading_scene import Grounds, Scene

TIERS = (1.0, 0.72, 0.42, 0.22, 0.12)  # a term of the first tier says more than one of the last
OWN_NAME = 1.15  # the class itself is named
MORE, LENGTH, MOST = 0.05, 0.05, 0.18  # each further term, each letter beyond two, and the most they add together
IN_NAME = 0.15  # the unit is called after it
VERB = 0.1  # the item speaks of the same kind of work, or of another
BUREAU, RANKS = 0.18, (1.0, 0.6, 0.35)  # the kind of unit that usually has it, by rank
CONTRARY = 0.3  # what is left of a claim when the prose also says 不负责
EDGE = 0.11  # softmax width over prose scores
ENOUGH = 0.3  # a score below this claims nothing by itself
CONFIRMED, PROPOSED = 0.96, 0.9
ECHO, FULL_ECHO = 0.2, 5.0  # most a message's own words add, and how much rarity is full agreement
NEAREST, RESIDUE = 0.2, 0.35  # a rural town claims a little of everything on its ground, more of what towns tend
TENDED = frozenset(["乡镇", "环卫", "城管", "市政", "园林", "路灯", "排水"])
BRAND = 0.4  # each telephone company looks after its own; the message names it
VENUE = 0.3  # the prose names this very place
KEEPER = 0.25  # a park's own keeper, for what stands in a park
TURNED = 0.8  # share of belief that goes to the field a message turns to
RURAL_GAIN, LOCAL = (
    0.5,
    {"yard": -0.05, "estate": -0.15, "": -0.3, "street": -0.45, "park": -0.45, "market": -0.3, "river": -0.3},
)
FIT = {  # how well the ground of an item fits the ground of a report, 1 unless listed
    (TOWN_GROUND, "village"): 0.55, (TOWN_GROUND, "town"): 0.7,
    (COUNTRY, "street"): 0.6, (COUNTRY, "estate"): 0.6, (COUNTRY, "park"): 0.6, (COUNTRY, "river"): 0.9, (COUNTRY, ""): 0.7,
    (COUNTRY, "yard"): 0.6, (PARK, "yard"): 0.75, (HIGHWAY, "yard"): 0.6, (YARDS, "estate"): 0.6,
    (YARDS, "street"): 0.5, (YARDS, "park"): 0.4, (YARDS, "river"): 0.4, (YARDS, "market"): 0.5, (YARDS, "village"): 0.7,
    (HOMES, "street"): 0.65, (HOMES, "park"): 0.5, (HOMES, "river"): 0.5, (HOMES, "market"): 0.6, (HOMES, "village"): 0.8,
    (PARK, "park"): 1.25, (PARK, "street"): 0.75, (PARK, "estate"): 0.75, (PARK, "village"): 0.6,
    (HIGHWAY, "street"): 0.7, (HIGHWAY, "estate"): 0.6, (HIGHWAY, "park"): 0.5,
}  # fmt: skip


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
    """How strongly one unit's prose claims a field: the best score on each ground it speaks of, and the words."""

    by_ground: tuple[tuple[str, float], ...]
    usual: float
    words: str = ""

    def at(self, kind: str) -> float:
        """The score at a scene."""
        return max((score * FIT.get((ground, kind), 1.0) for ground, score in self.by_ground), default=0.0)


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
        self._turns: dict[str, list[tuple[Turn, re.Pattern[str]]]] = defaultdict(list)
        for turn in lexicon.turns:
            for name in turn.of:
                self._turns[name].append((turn, re.compile(turn.said)))
        self._table: dict[str, list[Duty]] = defaultdict(list)
        for duty in county.duties:
            if duty.unit in self.units:
                self._table[duty.code].append(duty)
        self._items = {u.id: items_of(u) for u in county.units}
        self._kinds = {u.id: _kinds(u, lexicon) for u in county.units}
        self._aliases = sorted(
            ((name, u.id) for u in county.units for name in (u.name, *u.aliases)), key=lambda pair: -len(pair[0])
        )
        self._town_units = {u.town: u.id for u in county.units if u.town}
        self._grounds = Grounds(county)
        self._claims: dict[str, dict[str, Claim]] = {}
        self._venues: dict[str, dict[str, float]] = {}
        self._pairs = _prose_pairs(self._items)

    def scene(self, text: str, place: Place | None, said: str = "") -> Scene:
        """Where a message lies, for `choose`."""
        return self._grounds.scene(text, place, said)

    def field_of(self, label: str) -> str:
        """The field a class or matter belongs to (its own label when none)."""
        field = self._fields.get(label)
        return field.name if field else label

    def choose(self, label: str, scene: Scene, echo: Mapping[str, float] | None = None) -> tuple[Choice, ...]:
        """Units for a class code or matter name at a scene, best first, shares adding up to at most one.

        `echo` (see `echoes`) is how far the message repeats each unit's own prose.
        """
        return self._from_table(label, scene.place) or self._from_prose(label, scene, echo or {})

    def echoes(self, text: str) -> dict[str, float]:
        """How far a message repeats each unit's prose, rare pairs of letters counting more; at most one."""
        total: dict[str, float] = defaultdict(float)
        for pair in {text[i : i + 2] for i in range(len(text) - 1)}:
            for unit, rarity in self._pairs.get(pair, ()):
                total[unit] += rarity
        best = max(total.values(), default=0.0)
        return {unit: value / max(best, FULL_ECHO) for unit, value in total.items()}

    def rural(self, place: Place | None) -> bool:
        """Whether a place lies outside the county town."""
        return self._grounds.scene("", place).rural

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
            everywhere = self._from_prose(code, Scene(kind="street"), {})
            if everywhere and everywhere[0].p >= ENOUGH:
                yield ProposedDuty(code, "", everywhere[0].unit, everywhere[0].why, everywhere[0].p)
            for town in self._town_units:
                local = self._from_prose(code, Scene(town=town, kind="village", rural=True), {})
                if town in self._grounds.seats or not local:
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

    def _from_prose(self, label: str, scene: Scene, echo: Mapping[str, float]) -> tuple[Choice, ...]:
        other = self._turned(label, scene)
        plain = self._shares(self._scored(label, scene, echo))
        if not other:
            return plain
        total: dict[str, float] = defaultdict(float)
        why: dict[str, str] = {}
        for choices, share in ((self._shares(self._scored(other, scene, echo)), TURNED), (plain, 1 - TURNED)):
            for choice in choices:
                total[choice.unit] += share * choice.p
                why.setdefault(choice.unit, choice.why)
        return tuple(Choice(u, p, why[u]) for u, p in sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))

    def _turned(self, label: str, scene: Scene) -> str:
        for turn, said in self._turns.get(self.field_of(label), ()):
            if scene.lies(turn.at) and (not turn.said or said.search(scene.text)):
                return turn.to
        return ""

    def _scored(self, label: str, scene: Scene, echo: Mapping[str, float]) -> list[tuple[float, str, str]]:
        venue = self._venue(scene.place) if scene.place else {}
        named = self.named(scene.text)
        field = self._fields.get(label)
        floor = RESIDUE if field and field.bureau[:1] and field.bureau[0] in TENDED else NEAREST
        scored: list[tuple[float, str, str]] = []
        for unit, claim in self._claims_of(label).items():
            town = self.units[unit].town
            if town and town != scene.town:
                continue
            prose = claim.at(scene.kind)
            if town and scene.rural:
                prose = max(prose, floor)
            score = prose + BUREAU * claim.usual + ECHO * echo.get(unit, 0.0)
            if "通信" in self._kinds[unit] and unit in named:
                score += BRAND
            if town:
                score += RURAL_GAIN * (prose >= ENOUGH) if scene.rural else LOCAL.get(scene.kind, -0.3)
            if prose >= ENOUGH:
                score += venue.get(unit, 0.0)
                score += KEEPER * _keeps("公园" in self._kinds[unit], scene.kind)
            scored.append((score, unit, claim.words))
        return scored

    def _venue(self, place: Place) -> dict[str, float]:
        """Units whose prose names this place."""
        if place.name not in self._venues:
            names = [name for name in (place.name, *place.aliases) if len(name) > 2] or [place.name]
            found: dict[str, float] = {}
            for unit, items in self._items.items():
                said = [i.factor for i in items if any(name in i.text for name in names)]
                if said:
                    found[unit] = VENUE if max(said) > 0 else -VENUE
            self._venues[place.name] = found
        return self._venues[place.name]

    def _shares(self, scored: Sequence[tuple[float, str, str]]) -> tuple[Choice, ...]:
        ranked = sorted(scored, key=lambda row: (-row[0], row[1]))[:6]
        if not ranked:
            return ()
        top = ranked[0][0]
        powers = [math.exp((s - top) / EDGE) for s, _, _ in ranked]
        belief = max(0.0, min(1.0, 0.35 + top)) / (sum(powers) + 0.02)
        return tuple(Choice(u, belief * p, w) for p, (_, u, w) in zip(powers, ranked, strict=True) if p > 0.02)

    def _claims_of(self, label: str) -> Mapping[str, Claim]:
        if label not in self._claims:
            claims = {u.id: self._claim(label, u) for u in self.units.values()}
            self._claims[label] = {
                unit: c for unit, c in claims.items() if c.by_ground or c.usual or self.units[unit].town
            }
        return self._claims[label]

    def _claim(self, label: str, unit: Unit) -> Claim:
        field = self._fields.get(label)
        tiers = [(OWN_NAME, _pieces(self._names.get(label, "")))]
        tiers += zip(TIERS, field.terms if field else (), strict=False)
        verbs = field.verbs if field else ""
        never = re.compile("|".join(field.never)) if field and field.never else None
        best: dict[str, float] = {}
        hits: list[str] = []
        against = False
        for item in self._items[unit.id]:
            if never and never.search(item.site + item.text):
                continue
            score, found, tier = _item_score(item, tiers, verbs)
            if not found:
                continue
            if item.factor < 0:
                against = against or tier <= 2
                continue
            hits += found if score >= ENOUGH else []
            best[item.ground] = max(best.get(item.ground, 0.0), score)
        called = max((w for w, terms in tiers if _called(unit, terms)), default=0.0)
        if called:
            best = {ground: score + IN_NAME * called for ground, score in best.items()} or {"": 0.6 * called}
        if against:
            best = {ground: score * CONTRARY for ground, score in best.items()}
        usual = 0.0 if against or not field else self._usual(field, unit.id)
        return Claim(tuple(best.items()), usual, "、".join(dict.fromkeys(hits)) or (unit.name if best else "惯例"))

    def _usual(self, field: Field, unit: str) -> float:
        kinds = self._kinds[unit]
        return next((rank for kind, rank in zip(field.bureau, RANKS, strict=False) if kind in kinds), 0.0)


def propose_duties(county: County, lexicon: Lexicon | None = None) -> tuple[ProposedDuty, ...]:
    """Duties read from the units' prose for every class the duty table is silent on."""
    from config.lexicon import shipped_lexicon

    return tuple(Routing(county, lexicon or shipped_lexicon()).propose())


def _item_score(item: Item, tiers: Sequence[tuple[float, Sequence[str]]], verbs: str) -> tuple[float, list[str], int]:
    """(score, words, tier) of the most telling tier that an item has words of."""
    for tier, (weight, terms) in enumerate(tiers):
        found = [term for term in terms if item.says(term)]
        if found:
            extra = min(MOST, MORE * (len(found) - 1) + LENGTH * (max(map(len, found)) - 2))
            work = VERB * ((verbs in item.verbs) - 0.5) * 2 if verbs and item.verbs else 0.0
            return weight * (item.factor + extra + work), found, tier
    return 0.0, [], 0


def _keeps(park: bool, kind: str) -> int:
    """A park's own keeper gains in parks and loses outside them."""
    return park * ((kind == "park") - (kind in ("street", "estate", "village", "market")))


def _called(unit: Unit, terms: Sequence[str]) -> bool:
    return any(term in name for term in terms for name in (unit.name, *unit.aliases))


def _kinds(unit: Unit, lexicon: Lexicon) -> frozenset[str]:
    names = (unit.name, *unit.aliases)
    found = [kind for kind, words in lexicon.kinds if any(word in name for word in words for name in names)]
    if unit.town:
        return frozenset(["乡镇"])
    return frozenset(kind for kind in found if not (kind == "公安" and "交警" in found))


def _pieces(name: str) -> tuple[str, ...]:
    """The parts of a class name that prose might repeat."""
    name = re.sub(r"(?:管理问题|管理|问题)$", "", name)
    return tuple(
        piece
        for piece in re.split(r"[、（）/()或和]", name)
        if len(piece) > 2 or piece in ("雕塑", "喷泉", "路灯", "台阶")
    )


def _prose_pairs(prose: Mapping[str, Sequence[Item]]) -> dict[str, list[tuple[str, float]]]:
    """Pairs of letters in prose → (unit, rarity) for pairs that fewer than a third of the units use."""
    users: dict[str, set[str]] = defaultdict(set)
    for unit, items in prose.items():
        for item in items:
            if item.factor > 0:
                for i in range(len(item.text) - 1):
                    users[item.text[i : i + 2]].add(unit)
    most = max(2, len(prose) // 3)
    return {p: [(u, math.log(len(prose) / len(us))) for u in sorted(us)] for p, us in users.items() if len(us) <= most}
