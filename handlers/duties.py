"""职责 as people look at them: rows of the table and what the units' prose proposes, and what a change makes of the table.

A proposal is used from the first day and marked 拟定. Once a class has a row of its own the table alone speaks for it
(`reports.reading_duties`), so its other proposals are kept beside the confirmed one as 拟定 rows, town offices above all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.county import County, Duty
from handlers.reports.reading import propose_duties
from store.duties import CHANGED, CONFIRMED, KEPT, WITHDRAWN, DutyStep, Key

CLAUSE = re.compile(r"[^。；;\n]+")
NOBODY = "nobody"  # status of a class that neither table nor prose gives to anyone
STATUSES = {"proposed": "拟定", "confirmed": "已确认", NOBODY: "没有单位"}


@dataclass(frozen=True, slots=True)
class Line:
    """One duty as the page lists it. `words` are the words it came from, `clause` the sentence they stand in."""

    code: str
    scope: str
    unit: str
    status: str
    words: str = ""
    clause: str = ""
    prose: bool = False
    step: DutyStep | None = None

    @property
    def key(self) -> Key:
        """Which duty."""
        return self.code, self.scope, self.unit

    @property
    def duty(self) -> Duty:
        """As a row of the table."""
        return Duty(self.code, self.scope, self.unit, self.status)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change makes of the table, and the record of it."""

    duties: tuple[Duty, ...]
    steps: tuple[tuple[str, Key, str], ...]


def lines(county: County, known: Mapping[Key, DutyStep]) -> list[Line]:
    """Every duty, class by class in the county's order: the table's rows, else what prose proposes, else nobody."""
    units = {unit.id: unit.duty for unit in county.units}
    by_code: dict[str, list[Line]] = defaultdict(list)
    for duty in county.duties:
        step = known.get((duty.code, duty.place_or_town, duty.unit))
        words = step.words if step else ""
        clause = clause_of(units.get(duty.unit, ""), words)
        status = duty.status or "confirmed"
        by_code[duty.code].append(Line(duty.code, duty.place_or_town, duty.unit, status, words, clause, step=step))
    for found in propose_duties(county):
        clause = clause_of(units.get(found.unit, ""), found.words)
        line = Line(found.code, found.place_or_town, found.unit, "proposed", found.words, clause, True)
        by_code[found.code].append(line)
    none = ((c.code, [Line(c.code, "", "", NOBODY)]) for c in county.categories if c.code not in by_code)
    by_code |= dict(none)
    order = [*(c.code for c in county.categories), *by_code]
    return [line for code in dict.fromkeys(order) for line in by_code.get(code, ())]


def clause_of(prose: str, words: str) -> str:
    """The sentence of a unit's prose the words stand in; empty when they are not there (any more)."""
    wanted = [word for word in words.split("、") if word]
    found = [clause.strip(" ，,") for clause in CLAUSE.findall(prose)]
    best = max(found, key=lambda clause: sum(word in clause for word in wanted), default="")
    return best if any(word in best for word in wanted) else ""


def plan(shown: Sequence[Line], event: str, keys: Collection[Key], unit: str = "") -> Plan:
    """Confirm, change to `unit`, or withdraw these lines; every other class stays as it is."""
    chosen = [line for line in shown if line.key in keys and (line.unit or event == CHANGED)]
    touched = {line.code for line in chosen}
    steps: list[tuple[str, Key, str]] = []
    rows: list[Duty] = []
    for line in shown:
        if line.key in keys and line in chosen:
            rows += _changed(line, event, unit, steps)
        elif line.prose and line.code in touched and event != WITHDRAWN:
            rows.append(line.duty)
            steps.append((KEPT, line.key, line.words))
        elif not line.prose and line.unit:
            rows.append(line.duty)
    if event == WITHDRAWN:
        rows = _without_left_over(rows, touched, shown)
    single: dict[Key, Duty] = {}
    for row in sorted(rows, key=lambda row: row.status == "confirmed"):
        single[row.code, row.place_or_town, row.unit] = row
    order = dict.fromkeys((row.code, row.place_or_town, row.unit) for row in rows)
    return Plan(tuple(single[key] for key in order), tuple(steps))


def _changed(line: Line, event: str, unit: str, steps: list[tuple[str, Key, str]]) -> Iterable[Duty]:
    """The row a chosen line becomes, if any; the record goes to `steps`. Prose is not withdrawn, it is put right."""
    if event == WITHDRAWN:
        steps += [] if line.prose else [(WITHDRAWN, line.key, line.words)]
        return ()
    to = line.unit if event == CONFIRMED else unit
    steps.append((event, (line.code, line.scope, to), line.words if to == line.unit else ""))
    return (Duty(line.code, line.scope, to, "confirmed"),)


def _without_left_over(rows: Sequence[Duty], touched: set[str], shown: Sequence[Line]) -> list[Duty]:
    """When a class has no confirmed row left, what was only kept beside one goes too: prose speaks again."""
    still = {row.code for row in rows if row.status == "confirmed"}
    kept = {line.key for line in shown if line.step is not None and line.step.event == KEPT}
    gone = touched - still
    return [row for row in rows if row.code not in gone or (row.code, row.place_or_town, row.unit) not in kept]
