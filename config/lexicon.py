"""Word lists the product ships: senses, cues of what a message is for, and how duties are worded in prose."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Field:
    """A field of duty: small classes that go together, or a matter outside all of them with its own phrases.

    `terms` are the words of prose that claim it, from the most telling tier to the vaguest; `never` are words that make
    an item of prose speak of something else; `bureau` the kinds of unit that usually have it; `verbs` is 清, 修 or 罚.
    """

    name: str
    codes: tuple[str, ...]
    phrases: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]
    bureau: tuple[str, ...] = ()
    verbs: str = ""
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a message itself says can turn fields to another one: when it `said` so (a pattern) and lies `at` a scene."""

    of: frozenset[str]
    to: str
    said: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything in lexicon.toml and lexicon_duties.toml."""

    senses: dict[str, str]
    cues: dict[str, str]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    sample_places: tuple[str, ...]
    fields: tuple[Field, ...]
    turns: tuple[Turn, ...] = ()
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = ()  # kind of unit → words in its name


@cache
def shipped_lexicon() -> Lexicon:
    """The lexicon of this release, read once."""
    words = tomllib.loads(_text("lexicon.toml"))
    duties = tomllib.loads(_text("lexicon_duties.toml"))
    gate = words["gate"]
    return Lexicon(
        senses=_by_word(words["senses"]),
        cues=_by_word(words["cues"]),
        yes=tuple(gate["yes"]),
        no=tuple(gate["no"]),
        sample_places=tuple(gate["places"]),
        fields=tuple(_field(row) for row in duties["field"]),
        turns=tuple(
            Turn(frozenset(t["of"].split()), t["to"], t.get("said", ""), t.get("at", "")) for t in duties["turn"]
        ),
        kinds=tuple((kind, tuple(words.split("|"))) for kind, words in duties["kinds"].items()),
    )


def fitted_file() -> bytes:
    """The fitted models shipped beside the lexicon (empty when there are none); see handlers.reports.reading_model."""
    path = resources.files("config").joinpath("fitted.bin")
    return path.read_bytes() if path.is_file() else b""


def _by_word(groups: dict[str, str]) -> dict[str, str]:
    return {word: sense for sense, words in reversed(groups.items()) for word in words.split("|")}


def _field(row: dict[str, object]) -> Field:
    return Field(
        name=str(row.get("name") or row.get("matter")),
        codes=tuple(str(row.get("codes", "")).split()),
        phrases=tuple(filter(None, str(row.get("phrases", "")).split("/"))),
        terms=tuple(tuple(str(tier).split("|")) for tier in _list(row["terms"])),
        bureau=tuple(str(row.get("bureau", "")).split()),
        verbs=str(row.get("verbs", "")),
        never=tuple(filter(None, str(row.get("never", "")).split("|"))),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(name: str) -> str:
    return resources.files("config").joinpath(name).read_text(encoding="utf-8")
