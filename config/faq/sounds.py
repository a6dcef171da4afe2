"""How characters sound, and which of them commonly stand together: what it takes to notice a slip of the keyboard."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
CONFUSED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


@cache
def shipped_sounds() -> dict[str, str]:
    """Character → how it sounds without tone; what people and keyboards confuse is drawn together."""
    sounds: dict[str, str] = {}
    for sound, characters in _rows("sounds.txt"):
        for one, other in CONFUSED:
            sound = sound.replace(one, other)
        sounds.update(dict.fromkeys(characters, sound))
    return sounds


@cache
def shipped_pairs() -> tuple[frozenset[str], frozenset[str]]:
    """Common words of two characters: the daily ones, and those that rather name a topic."""
    daily: set[str] = set()
    other: set[str] = set()
    for head, rest in _rows("pairs.txt"):
        first, _, second = rest.partition(" ")
        daily.update(head + tail for tail in first if tail != "-")
        other.update(head + tail for tail in second if tail != "-")
    return frozenset(daily), frozenset(other)


def _rows(name: str) -> list[tuple[str, str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [(head, rest) for head, _, rest in (line.partition(" ") for line in lines) if head != "#"]
