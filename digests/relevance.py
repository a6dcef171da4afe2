"""How much an item is this county's business: the duty words of its units, its places, and what every cadre needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from config.county import County
from config.digest import table

CHUNK = re.compile("[，、。；：（）()“”,;:！\\s]|以及|或者|负责|和|及|与|的")
GENERIC = re.compile(
    "^(?:管理|工作|组织|指导|协调|监督|开展|承担|实施|处理|处置|维修|养护|清理|不|全县|城区|县城)+|(?:管理|工作|监管|执法|维修|养护|清理|处置|等)+$"
)
COMMON = 0.25  # a duty word shared by more units than this says nothing
TITLE, CORE, HIGH, LOW = 3.0, 2.5, 1.0, 2.5
PLACE = 4.0
READ = 800  # characters of the text: what it is about stands at its head
FULL = 6.0  # weight at which relevance is about two thirds


@dataclass(frozen=True, slots=True)
class Audience:
    """Words of one county with their weights; `units` says whose duty a word is."""

    words: dict[str, float]
    units: dict[str, tuple[str, ...]]
    places: frozenset[str]
    known: re.Pattern[str]
    core: re.Pattern[str]
    high: re.Pattern[str]
    low: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Relevance:
    """0–1, what was found, and the units it concerns (names)."""

    value: float
    hits: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


def audience(county: County) -> Audience:
    """Read the county's units and places once."""
    owners: dict[str, list[str]] = {}
    for unit in county.units:
        for word in dict.fromkeys((*_duty_words(unit.duty), *_names(unit.name, unit.aliases))):
            owners.setdefault(word, []).append(unit.name)
    most = max(2.0, COMMON * len(county.units))
    words = {w: 1.0 + math.log(most / len(o)) / 2 for w, o in owners.items() if len(o) <= most}
    places = frozenset(n for place in county.places for n in (place.name, *place.aliases) if len(n) >= 3)
    groups = table("columns")["audience"]
    every = sorted({*words, *places}, key=lambda word: (-len(word), word))
    known = re.compile("|".join(map(re.escape, every)) or r"(?!)")
    owned = {word: tuple(owner) for word, owner in owners.items()}
    core, high, low = (re.compile(groups[name]) for name in ("core", "high", "low"))
    return Audience(words, owned, places, known, core, high, low)


def relevance(title: str, body: str, whom: Audience) -> Relevance:
    """Weighted hits, a title's thrice, each word once, capped smoothly."""
    text = body[:READ]
    found = set(whom.known.findall(f"{title}\n{text}"))
    weights: dict[str, float] = {}
    concerned: dict[str, float] = {}
    for word in found - whom.places:
        weight = whom.words.get(word)
        if weight:
            weights[word] = weight * (TITLE if word in title else 1.0)
            for unit in whom.units[word]:
                concerned[unit] = concerned.get(unit, 0.0) + weights[word]
    _add(weights, found & whom.places, PLACE)
    _add(weights, whom.core.findall(title), CORE * TITLE)
    _add(weights, whom.core.findall(text), CORE)
    _add(weights, whom.high.findall(title), HIGH * TITLE)
    _add(weights, whom.high.findall(text), HIGH)
    unwanted = tuple(dict.fromkeys(whom.low.findall(title + text[:400])))
    total = max(0.0, sum(weights.values()) - LOW * len(unwanted))
    hits = tuple(sorted(weights, key=lambda word: (-weights[word], word))[:6])
    return Relevance(
        1 - math.exp(-total / FULL),
        hits,
        tuple(sorted(concerned, key=lambda unit: (-concerned[unit], unit))[:3]),
        unwanted,
    )


def _add(weights: dict[str, float], words: Iterable[str], weight: float) -> None:
    for word in words:
        weights[word] = max(weights.get(word, 0.0), weight)


def _duty_words(duty: str) -> tuple[str, ...]:
    chunks = (GENERIC.sub("", GENERIC.sub("", chunk)) for chunk in CHUNK.split(duty))
    return tuple(chunk for chunk in chunks if 2 <= len(chunk) <= 8)


def _names(name: str, aliases: Iterable[str]) -> tuple[str, ...]:
    return tuple(n for n in (name, *aliases) if len(n) >= 3)
