"""The published filing deadlines of filing.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "filing.toml"


@dataclass(frozen=True, slots=True)
class Published:
    """The last filing day of one month, and the document that says so."""

    day: date
    document: str
    source: str = ""


@cache
def shipped_filing() -> dict[tuple[int, int], Published]:
    """(year, month) → deadline, as published."""
    return read_filing(SHIPPED)


def read_filing(path: Path) -> dict[tuple[int, int], Published]:
    """The same from a file in the form of filing.toml; local rows win."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    found: dict[tuple[int, int], Published] = {}
    for year in table.get("year", ()):
        for month, day in enumerate(year["deadlines"], 1):
            deadline = date.fromisoformat(f"{year['year']}-{day}")
            found[year["year"], month] = Published(deadline, year["document"], year.get("source", ""))
    for row in table.get("local", ()):
        year_, month_ = map(int, row["month"].split("-"))
        found[year_, month_] = Published(date.fromisoformat(row["deadline"]), row["document"], row.get("source", ""))
    return found
