"""The words of words.toml: what is said for what, what a question can be about, and what marks a tax question."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "words.toml"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`rewrites` maps a way to say it to what it means; `tags` maps kind → way to say it → tag."""

    polite: tuple[str, ...]
    particles: str
    rewrites: Mapping[str, str]
    tags: Mapping[str, Mapping[str, str]]
    kin: tuple[frozenset[str], ...]
    wide: frozenset[str]
    tax_terms: tuple[str, ...]
    words: tuple[str, ...]


@cache
def shipped_vocabulary() -> Vocabulary:
    """The table of this release, read once."""
    return read_vocabulary(SHIPPED)


def read_vocabulary(path: Path) -> Vocabulary:
    """The table of a file in the form of words.toml."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return Vocabulary(
        polite=tuple(table["polite"]),
        particles=str(table["particles"]),
        rewrites=_by_word(table["synonyms"]) | _by_word(table["dialect"]),
        tags={
            kind: _by_word(table[kind]) | {tag: tag for tag in table[kind]} for kind in ("taxpayer", "tax", "period")
        },
        kin=tuple(frozenset(group.split("|")) for group in table["kin"]["taxpayer"]),
        wide=frozenset(table["kin"]["wide"]),
        tax_terms=tuple(table["terms"]["tax"]),
        words=tuple(table["terms"]["words"]),
    )


def _by_word(groups: Mapping[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, words in groups.items() for word in words.split("|")}
