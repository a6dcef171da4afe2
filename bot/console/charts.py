"""Where things stand in a chart: geometry for the SVG in _charts.html. Every mark carries its number, so colour adds but never tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STEPS = 4  # shades above none
WIDE, LEFT, CELL, TALL = 28, 96, 24, 26  # of an hour, of the row names, of a row, of the head
STEP, HIGH, TOP, SIDE = 64, 180, 28, 40  # between points, of the drawing, above it, beside it


@dataclass(frozen=True, slots=True)
class Mark:
    """A square of a heat: where, what number, how deep a shade (0 none)."""

    x: int
    y: int
    n: int
    shade: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows by hours."""

    width: int
    height: int
    rows: tuple[tuple[str, int, tuple[Mark, ...]], ...]
    hours: tuple[tuple[int, int], ...]


def grid(rows: Sequence[tuple[str, list[int]]]) -> Grid:
    """Rows (name, 24 counts), shaded against the fullest square."""
    most = max((n for _, counts in rows for n in counts), default=0)
    drawn = tuple(
        (name, TALL + at * CELL, tuple(Mark(LEFT + hour * WIDE, TALL + at * CELL, n, shade(n, most)) for hour, n in enumerate(counts)))
        for at, (name, counts) in enumerate(rows)
    )  # fmt: skip
    hours = tuple((hour, LEFT + hour * WIDE + WIDE // 2) for hour in range(24))
    return Grid(LEFT + 24 * WIDE, TALL + len(rows) * CELL, drawn, hours)


def shade(n: int, most: int) -> int:
    """0 for none, else 1 to 4 by quarters of the most; where the most is small each number has its own."""
    return -(-n * STEPS // max(most, STEPS))


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a line: where, what number, and where that is written."""

    x: int
    y: int
    n: int
    label: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over the same points; `path` is what <polyline> wants."""

    width: int
    height: int
    floor: int
    names: tuple[tuple[int, str], ...]
    dots: tuple[tuple[Dot, ...], ...]

    def path(self, n: int) -> str:
        """The nth line."""
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots[n])


def lines(names: Sequence[str], upper: Sequence[int], lower: Sequence[int]) -> Lines:
    """Two lines; the numbers of the first stand above their points, of the second below, except where it runs higher."""
    most = max((*upper, *lower, 1))
    floor = TOP + HIGH

    def dots(values: Sequence[int], others: Sequence[int], first: bool) -> tuple[Dot, ...]:
        found = []
        for at, (n, other) in enumerate(zip(values, others, strict=True)):
            y = floor - n * HIGH // most
            above = n > other or (n == other and first)
            found.append(Dot(SIDE + at * STEP, y, n, y - 9 if above else y + 19))
        return tuple(found)

    places = tuple((SIDE + at * STEP, name) for at, name in enumerate(names))
    width = 2 * SIDE + (len(names) - 1) * STEP
    return Lines(width, floor + 44, floor, places, (dots(upper, lower, True), dots(lower, upper, False)))
