"""Where a report lies, as far as it decides whose it is: its town, and what kind of ground it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from config.county import County, Place

URBAN = ("road", "landmark", "community", "area")
STREET_TOWN = re.compile(r"街道|城关|城厢|城区")
STREETS = 2  # a town with so many roads in the gazetteer is part of the county seat
RIVER = re.compile(r"(?:河|江|渠|湖|水库|沟|溪)$")
YARD = re.compile(r"宿舍|家属|大院|老院|院落|老旧")  # old blocks without a keeper
KINDS = (
    ("park", re.compile(r"公园|广场|游园|绿地|植物园|湿地")),
    ("market", re.compile(r"市场|菜场|菜市|圩场?$|集贸|早市|夜市")),
    ("yard", YARD),
    ("estate", re.compile(r"小区|花园|家园|华庭|名都|[^学]苑|安置[区房]|公寓|院子|新村")),
    ("river", RIVER),
)
VILLAGE = re.compile(r"村(?!委会对面)|屯|寨|[一二三四五六七八九十0-9]组|大队")
HOME = re.compile(r"楼道|楼顶|单元|家属院|宿舍|小区|[0-9一二三四五六七八九十]+(?:栋|号楼|幢)|阳台|院里|院子|楼下")
NOT_TOWN = r"(?!路|街|大道|公园|桥|小区|中学|小学|医院|广场|河|湖|水库|花园|家园)"


@dataclass(frozen=True, slots=True)
class Scene:
    """`kind`: village, town (a rural one), estate, yard, park, market, river, street, or empty when nothing is known."""

    text: str = ""
    place: Place | None = None
    town: str = ""
    kind: str = ""
    rural: bool = False  # outside the county town

    def lies(self, at: str) -> bool:
        """Whether a turn that asks for a kind of scene means this one."""
        return not at or at == self.kind or (at == "rural" and self.rural)


class Grounds:
    """What the county's places say about towns."""

    def __init__(self, county: County) -> None:
        roads = Counter(p.town for p in county.places if p.kind == "road" and p.town)
        most = max(roads.values(), default=0)
        towns = {u.town for u in county.units if u.town} | {p.town for p in county.places if p.town}
        self.seats = {t for t in towns if STREET_TOWN.search(t) or (roads[t] >= STREETS and roads[t] >= most / 6)}
        self._named = tuple(_stems(towns))

    def scene(self, text: str, place: Place | None, said: str = "") -> Scene:
        """The scene of a message: `said` is the span its place was said in."""
        town = place.town if place else ""
        if not town:
            town = next((t for pattern, t in self._named if pattern.search(text)), "")
        kind = self._kind(text, place, said, town)
        return Scene(text, place, town, kind, kind == "village" or bool(town and town not in self.seats))

    def _kind(self, text: str, place: Place | None, said: str, town: str) -> str:
        if place and place.kind == "village":
            return "village"
        if town and town not in self.seats:
            water = RIVER.search(place.name if place else said)
            return "river" if water else "village" if VILLAGE.search(said) else "town"
        name = place.name if place else said
        if not place and VILLAGE.search(said):
            return "village"
        if place and place.kind == "community":
            return "yard" if YARD.search(name + text) else "estate"
        found = next((kind for kind, pattern in KINDS if pattern.search(name)), "")
        if found in ("", "market") and HOME.search(text):
            return "estate"
        return found or ("street" if name else "")


def _stems(towns: Iterable[str]) -> Iterator[tuple[re.Pattern[str], str]]:
    for town in sorted(towns):
        stem = re.sub(r"(?:镇|乡|街道|街道办事处|人民政府)+$", "", town)
        if len(stem) > 1:
            yield re.compile(re.escape(stem) + NOT_TOWN), town
