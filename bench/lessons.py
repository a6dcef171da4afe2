"""What 200 corrections are worth: in well-described counties, and in ones whose duties are permuted against their prose.

uv run python bench/lessons.py
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence

from config.files import shipped_county
from handlers.reports.reading import Lesson, Reader
from tests import reports_set
from tests.reports_set import Line

CORRECTIONS, SEED = 200, 7


def main() -> None:
    product = shipped_county()
    for name in reports_set.NAMES:
        county = reports_set.county(name, product)
        lines = [line for line in reports_set.lines(name, product) if line.report and line.units]
        random.Random(SEED).shuffle(lines)
        ids = [unit.id for unit in county.units]
        swapped = dict(zip(ids, random.Random(SEED).sample(ids, len(ids)), strict=True))
        plain = Reader(county)
        for kind, names in (("well described", {i: i for i in ids}), ("permuted", swapped)):
            lessons = [_lesson(line, names) for line in lines[:CORRECTIONS]]
            began = time.perf_counter()
            taught = Reader(county, lessons)
            spent = time.perf_counter() - began
            rest = lines[CORRECTIONS:]
            before, after = (_errors(reader, rest, names) for reader in (plain, taught))
            print(
                f"{name:6} {kind:15} errors {before / len(rest):.3f} -> {after / len(rest):.3f}, taught in {spent:.2f} s"
            )


def _lesson(line: Line, names: Mapping[str, str]) -> Lesson:
    return Lesson(line.text, line.codes[0] if line.codes else "", names[min(line.units)], line.place)


def _errors(reader: Reader, lines: Sequence[Line], names: Mapping[str, str]) -> int:
    readings = [reader.read(line.text, 1).units[:1] for line in lines]
    return sum(
        not units or units[0].value not in {names[u] for u in line.units}
        for units, line in zip(readings, lines, strict=True)
    )


if __name__ == "__main__":
    main()
