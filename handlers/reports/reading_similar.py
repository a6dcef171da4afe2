"""Whether two reports may be one: a suggestion with its reasons, never a decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

WINDOW = 48 * 3600  # reports further apart than two days are seldom the same incident
CLOSE = 2 * 3600
ALIKE = 0.5  # share of letter pairs in common


@dataclass(frozen=True, slots=True)
class Trace:
    """What is compared of a report. `at` is epoch seconds; `photos` are content or perceptual hashes."""

    text: str
    category: str = ""
    place_id: str = ""
    place_text: str = ""
    at: int = 0
    photos: tuple[str, ...] = ()


def similar(a: Trace, b: Trace) -> tuple[str, ...]:
    """Reasons to think both are one problem, in Chinese for the console; empty when they are not alike enough."""
    reasons = tuple(_reasons(a, b))
    enough = "照片相同" in reasons or ({"地点相同", "类别相同"} <= set(reasons) and abs(a.at - b.at) <= WINDOW)
    wordy = "文字相近" in reasons and "地点相同" in reasons and abs(a.at - b.at) <= WINDOW
    return reasons if enough or wordy else ()


def _reasons(a: Trace, b: Trace) -> Iterator[str]:
    if set(a.photos) & set(b.photos):
        yield "照片相同"
    if (a.place_id and a.place_id == b.place_id and _spans_agree(a, b)) or (
        a.place_text and a.place_text == b.place_text
    ):
        yield "地点相同"
    if a.category and a.category == b.category:
        yield "类别相同"
    if likeness(a.text, b.text) >= ALIKE:
        yield "文字相近"
    if abs(a.at - b.at) <= CLOSE:
        yield "两小时内"


def _spans_agree(a: Trace, b: Trace) -> bool:
    """The same long road is no proof: 5号 and 80号, 东段 and 西段 are two spots."""
    return not (
        set(_exact(a.place_text))
        and set(_exact(b.place_text))
        and not set(_exact(a.place_text)) & set(_exact(b.place_text))
    )


def _exact(span: str) -> Iterator[str]:
    digits = "".join(c if c.isdigit() else " " for c in span).split()
    yield from digits
    yield from (side + "段" for side in "东西南北中" if side + "段" in span or side + "头" in span)


def likeness(a: str, b: str) -> float:
    """Share of letter pairs two texts have in common (Dice)."""
    left, right = _pairs(a), _pairs(b)
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def _pairs(text: str) -> set[str]:
    letters = "".join(c for c in text if c.isalnum())
    return {letters[i : i + 2] for i in range(len(letters) - 1)}
