"""When and where reports come in, and how the months go: pure functions of the history, as handlers/tasks/statistics.py.

The sums of a heat are the received of the table of the same period; a point of a trend is the total of its own table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from handlers.calendar import local
from handlers.tasks.statistics import NOBODY, STAGES, Cell, Names, Period, stands, tell
from store.statistics import Life

HOURS = 24
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
FOLLOWED = {"received": "受理", "closed": "结案", "due": "应结案"}  # the counts of a trend; of these its rate is made


@dataclass(slots=True)
class Heat:
    """How many were received in each hour of the day: by weekday (Monday 0), and by town (NOBODY: place not known)."""

    weekdays: list[list[int]] = field(default_factory=lambda: [[0] * HOURS for _ in WEEKDAYS])
    towns: dict[str, list[int]] = field(default_factory=dict)


def heat(lives: Iterable[Life], period: Period, names: Names) -> Heat:
    """Count openings in the period; the place is the one known at its end."""
    found = Heat()
    for life in lives:
        opened = next((step.at for step in life if step.event == "open"), None)
        if opened is None or not period.holds(opened):
            continue
        moment, town = local(opened), names.towns.get(tell(life, period).place, NOBODY)
        found.weekdays[moment.weekday()][moment.hour] += 1
        found.towns.setdefault(town, [0] * HOURS)[moment.hour] += 1
    return found


def trend(lives: Iterable[Life], periods: Sequence[Period]) -> tuple[Cell, ...]:
    """For each period what its own table would count in all."""
    cells = tuple(Cell() for _ in periods)
    for life in lives:
        for cell, period in zip(cells, periods, strict=True):
            if life[0].at < period.end and (life[-1].at >= period.start or life[-1].target in STAGES):
                story = tell(life, period)
                for name in (*(name for name, _ in story.happened), *stands(story, period)):
                    cell.counts[name] += 1
    return cells


def in_order(towns: Mapping[str, list[int]], known: Iterable[str]) -> tuple[tuple[str, list[int]], ...]:
    """Rows by town in the county's order, what it does not know by name, the unknown place last; never by size."""
    listed = [town for town in dict.fromkeys(known) if town]
    order = (*listed, *sorted(towns.keys() - set(listed) - {NOBODY}), NOBODY)
    return tuple((town or "地点不明", towns[town]) for town in order if town in towns)


def as_text(found: Heat, cells: Sequence[Cell]) -> str:
    """One JSON text, the same bytes for the same history."""
    made = {
        "weekdays": found.weekdays,
        "towns": {town: found.towns[town] for town in sorted(found.towns)},
        "trend": [cell.counts for cell in cells],
    }
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))
