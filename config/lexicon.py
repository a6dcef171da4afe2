"""Word lists the product ships: senses, cues of what a message is for, and how duties are worded in prose."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Field:
    """A field of duty: small classes that go together, or a matter outside all of them with its own phrases.

    `terms` are the words of prose that claim it, from the most telling tier to the vaguest.
    """

    name: str
    codes: tuple[str, ...]
    phrases: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything in lexicon.toml and lexicon_duties.toml."""

    senses: dict[str, str]
    cues: dict[str, str]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    sample_places: tuple[str, ...]
    fields: tuple[Field, ...]


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
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(name: str) -> str:
    return resources.files("config").joinpath(name).read_text(encoding="utf-8")
