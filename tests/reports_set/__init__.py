"""Our own labelled lines, written apart from the example phrases, and three invented counties described by prose.

`reports.txt`: accepted codes (or 外 / 外:matter) | text with {r} road, {l} landmark, {v} village, {p} any; a final ! = urgent.
`noise.txt`: kind | text. Lines are split by hash into a half one may look at ("open") and a half one may not ("shut").
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from config.county import County, Group, Person, Place, Unit

HERE = Path(__file__).parent
NAMES = ("north", "lake", "hill")
KINDS = (("roads", "road", "r"), ("landmarks", "landmark", "l"), ("villages", "village", "v"))


PROSE = ("plain", "talk", "formal", "merged")


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled message. `codes` empty and report True: no class fits; `units` empty: not judged."""

    text: str
    report: bool
    codes: tuple[str, ...] = ()
    units: frozenset[str] = frozenset()
    place: str = ""
    urgent: bool = False
    kind: str = ""
    half: str = "open"


def county(name: str, product: County) -> County:
    """A county described by units and places only; everything else from the product."""
    data = _load()[name]
    units = tuple(
        Unit(u["id"], u["name"], tuple(u["aliases"].split("|")), u.get("town", ""), u["duty"]) for u in data["units"]
    )
    towns = data["towns"].split()
    places = [Place(town, town, (), "town", town) for town in towns]
    for key, kind, _ in KINDS:
        for i, place in enumerate(data[key].split()):
            places.append(Place(f"{kind}{i}", place, (), kind, towns[i % len(towns)] if kind == "village" else ""))
    return replace(
        product, units=units, people=(Person("p1", "赵一", units[0].id),), places=tuple(places),
        groups=(Group("g1", "随手拍", "reports"),), duties=(),
    )  # fmt: skip


def lines(name: str, product: County) -> list[Line]:
    """Every labelled line with its slots filled from county `name`."""
    data, fields, out = _load()[name], _fields(), []
    for number, (label, text) in enumerate(_rows("reports.txt")):
        filled, place, kind = _fill(text.rstrip("!"), data, number)
        codes = tuple(label.split(",")) if not label.startswith("外") else ()
        names = [fields[c] for c in codes if c in fields] or [label.partition(":")[2]]
        units = frozenset(u for n in names for u in _units(n, data, place, kind))
        out.append(Line(filled, True, codes, units, place, text.endswith("!"), "report", _half(text)))
    for number, (label, text) in enumerate(_rows("noise.txt")):
        filled, _, _ = _fill(text, data, number)
        out.append(Line(filled, False, kind=label, half=_half(text)))
    return out


def prose_county(name: str, product: County) -> County:
    """A county of prose.toml: units, places and nothing else of its own."""
    data = _prose()[name]
    places = [row.split() for row in data["places"].split("\n") if row]
    rows = [[cell.strip() for cell in row.split("|")] for row in data["units"].split("\n") if row]
    units = tuple(Unit(i, n, tuple(filter(None, also.split(","))), town, duty) for i, n, also, town, duty in rows)
    return replace(
        product, units=units, people=(Person("p1", "赵一", units[0].id),), duties=(),
        places=tuple(Place(f"p{i}", place, (), kind, town) for i, (kind, place, town) in enumerate(places)),
        groups=(Group("g1", "随手拍", "reports"),),
    )  # fmt: skip


def prose_lines(name: str) -> list[tuple[frozenset[str], str]]:
    """(acceptable units, text) for each labelled line of a county of prose.toml."""
    rows = (row.partition(" | ") for row in _prose()[name]["lines"].split("\n") if row)
    return [(frozenset(units.split(",")), text) for units, _, text in rows]


def _prose() -> dict[str, Any]:
    return tomllib.loads((HERE / "prose.toml").read_text(encoding="utf-8"))


def _units(field: str, data: dict[str, Any], place: str, kind: str) -> list[str]:
    bureaus = [u["id"] for u in data["units"] if field in u["gold"].split()]
    if kind != "village":
        return bureaus
    town = data["towns"].split()[data["villages"].split().index(place) % 2]
    local = [u["id"] for u in data["units"] if u.get("town") == town]
    if field in data["rural"].split():
        return local + (bureaus if field in data["either"].split() else [])
    return bureaus + (local if field in data["either"].split() else [])


def _fill(text: str, data: dict[str, Any], number: int) -> tuple[str, str, str]:
    """Fill the slots; the first slot filled is the place, a landmark or village before a road."""
    found: dict[str, str] = {}
    slots = {mark: (data[key].split(), kind) for key, kind, mark in KINDS}
    slots["p"] = slots["rlv"[number % 3]]
    for mark in ("p", "l", "v", "r"):
        names, kind = slots[mark]
        for suffix in ("", "2"):
            slot = f"{{{mark}{suffix}}}"
            if slot in text:
                chosen = names[(number * 7 + (3 if suffix else 0)) % len(names)]
                text = text.replace(slot, chosen)
                found.setdefault(kind, chosen)
    names_of_units = [u["aliases"].split("|")[0] for u in data["units"]]
    text = text.replace("{u}", names_of_units[number % len(names_of_units)])
    for kind in ("landmark", "village", "road"):
        if kind in found:
            return text, found[kind], kind
    return text, "", ""


def _half(text: str) -> str:
    return "shut" if hashlib.sha256(text.encode()).digest()[0] & 1 else "open"


def _rows(file: str) -> list[tuple[str, str]]:
    rows = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [(label, text) for label, _, text in (row.partition("|") for row in rows if row.strip())]


def _load() -> dict[str, Any]:
    return tomllib.loads((HERE / "counties.toml").read_text(encoding="utf-8"))


def _fields() -> dict[str, str]:
    fields = tomllib.loads((HERE / "fields.toml").read_text(encoding="utf-8"))
    return {code: name for name, codes in reversed(fields.items()) for code in codes.split()}
