"""Counting lives of tasks: a pure function of history rows and the county's static data, so that a rebuild is the same.

Of a period only what its history says up to its end counts; what happened later never changes it. Each count stands in
a cell (total, kind, class, town, unit); units keep the county's order and are never ranked (security.md A.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from config.county import County
from handlers.tasks import lifecycle
from handlers.worktime import Worktime
from store.statistics import Life, Step

COUNTS: dict[str, str] = {
    "received": "受理",
    "filed": "立案",
    "due": "应结案",
    "closed": "结案",
    "punctual": "按期结案",
    "redone": "返工结案",
    "late": "逾期未结",
    "running": "期末在办",
    "rejected": "不予受理",
    "withdrawn": "撤回",
    "merged": "并案",
    "returned": "退单",
    "extended": "延期",
    "suspended": "挂账",
    "reworks": "返工",
    "reopened": "重开",
    "forced": "强制办结",
    "exempted": "豁免超时",
}
SPANS: dict[str, str] = {"accept": "接单", "arrive": "到场", "close": "办结"}
STAGES = lifecycle.OPEN
HAPPENED = {  # a step that is counted as often as it is taken
    "return_": "returned",
    "extend_ok": "extended",
    "verify_fail": "reworks",
    "reopen": "reopened",
    "force_close": "forced",
}
HANDED_ON = ("reassign", "joint")  # also from one unit's hands into another's, with no change of state
TAKEN_UP = ("accepted", "in_progress", "feedback_given")
NOBODY = ""  # the unit before a dispatch, the town of an unknown place, the class nobody named


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, not including, `end`."""

    start: int
    end: int

    def holds(self, at: int | None) -> bool:
        """Whether a moment lies in it."""
        return at is not None and self.start <= at < self.end


@dataclass(slots=True)
class Span:
    """How often something took time, and how much: raw seconds, and seconds in working hours."""

    count: int = 0
    seconds: int = 0
    working: int = 0

    def add(self, seconds: int, working: int) -> None:
        """One more."""
        self.count += 1
        self.seconds += seconds
        self.working += working


@dataclass(slots=True)
class Cell:
    """What was counted in one place of the table."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    spans: dict[str, Span] = field(default_factory=lambda: {name: Span() for name in SPANS})

    @property
    def empty(self) -> bool:
        """Whether nothing was counted at all."""
        return not any(self.counts.values()) and not any(span.count for span in self.spans.values())


@dataclass(slots=True)
class Stage:
    """A state tasks pass through: how long those stayed that left it in the period, how many are in it at the end."""

    left: Span = field(default_factory=Span)
    standing: int = 0


@dataclass(slots=True)
class Table:
    """Everything counted. Keys: kind, class code, town, unit id; NOBODY where there is none."""

    period: Period
    total: Cell = field(default_factory=Cell)
    kinds: defaultdict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))
    categories: defaultdict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))
    towns: defaultdict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))
    units: defaultdict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))
    stages: dict[str, Stage] = field(default_factory=lambda: {state: Stage() for state in STAGES})


@dataclass(frozen=True, slots=True)
class Names:
    """What of the county a count depends on: the kind of each class, the town of each place."""

    kinds: dict[str, str]
    towns: dict[str, str]


def names_of(county: County) -> Names:
    """A place that is a town is its own."""
    towns = {place.id: place.town or (place.name if place.kind == "town" else "") for place in county.places}
    return Names({category.code: category.kind for category in county.categories}, towns)


@dataclass(slots=True)
class Story:
    """One life as far as it went: what stands at its last step, and what of it falls into the period."""

    state: str = ""
    unit: str = NOBODY
    category: str = ""
    place: str = ""
    due: int | None = None
    opened: int = 0
    entered: int = 0
    handed: int | None = None
    filed: int | None = None
    arrived: int | None = None
    closed: int | None = None
    answered: bool = False
    overran: bool = False
    exempt: bool = False
    reworked: int = 0
    happened: list[tuple[str, str]] = field(default_factory=list)  # (count, unit)
    took: list[tuple[str, str, int, int]] = field(default_factory=list)  # (span, unit, from, to)
    stayed: list[tuple[str, int, int]] = field(default_factory=list)  # (state, from, to)


def tell(life: Life, period: Period) -> Story:
    """Follow a life to the end of the period."""
    story = Story()
    for step in life:
        if step.at >= period.end:
            break
        _follow(story, step, period.holds(step.at))
    return story


def _follow(story: Story, step: Step, counts: bool) -> None:
    """The limit a step is measured by is the one before it."""
    if "|" in step.code:
        story.category, _, story.place = step.code.partition("|")
    if step.event == "open":
        story.opened = story.entered = step.at
        if counts:
            story.happened.append(("received", step.unit))
    if counts and step.event in HAPPENED:
        story.happened.append((HAPPENED[step.event], step.unit))
    story.exempt = story.exempt or step.event == "exempt_ok"
    if step.event == "arrive" and story.arrived is None:
        story.arrived = step.at
        if counts:
            story.took.append(("arrive", step.unit, story.opened, step.at))
    if step.target == "feedback_given" and step.source != "feedback_given":
        story.answered, story.overran = True, story.overran or _late(story, step.at)
    if step.source != step.target or (step.event in HANDED_ON and step.target == "dispatched"):
        _enter(story, step, counts)
    story.state, story.unit, story.due = step.target, step.unit, step.due_at


def _late(story: Story, at: int) -> bool:
    return story.due is not None and at > story.due


def _enter(story: Story, step: Step, counts: bool) -> None:
    if counts and step.source in STAGES:
        story.stayed.append((step.source, story.entered, step.at))
    story.entered = step.at
    if step.source == "dispatched" and step.target in TAKEN_UP and story.handed is not None and counts:
        story.took.append(("accept", step.unit, story.handed, step.at))
    if step.target == "dispatched":
        story.handed = step.at
        if story.filed is None:
            story.filed = step.at
            if counts:
                story.happened.append(("filed", step.unit))
    if step.target in ("suspended", "rejected", "withdrawn", "merged") and counts:
        story.happened.append((step.target, step.unit))
    if step.target == "rework":
        story.answered, story.exempt, story.closed = False, False, None
        story.reworked += 1
    if step.target == "closed":
        story.closed = step.at
        story.overran = story.overran or (not story.answered and _late(story, step.at))


def count(lives: Iterable[Life], period: Period, names: Names, clock: Worktime) -> Table:
    """Fold lives into a table; their order does not matter."""
    table = Table(period)
    for life in lives:
        if life[0].at < period.end:
            _enter_table(table, tell(life, period), names, clock)
    return table


def _enter_table(table: Table, story: Story, names: Names, clock: Worktime) -> None:
    about = (
        table.total,
        table.kinds[names.kinds.get(story.category, NOBODY)],
        table.categories[story.category if story.category in names.kinds else NOBODY],
        table.towns[names.towns.get(story.place, NOBODY)],
    )
    standing = ((name, story.unit) for name in stands(story, table.period))
    for name, unit in (*story.happened, *standing):
        for cell in (*about, table.units[story.unit if name == "received" else unit]):
            cell.counts[name] += 1
    if story.closed is not None and table.period.holds(story.closed):
        story.took.append(("close", story.unit, story.opened, story.closed))
    for name, unit, start, end in story.took:
        working = clock.spent(start, end, "work_hour")
        for cell in (*about, table.units[unit]):
            cell.spans[name].add(end - start, working)
    for state, start, end in story.stayed:
        table.stages[state].left.add(end - start, clock.spent(start, end, "work_hour"))
    if story.state in STAGES:
        table.stages[story.state].standing += 1


def stands(story: Story, period: Period) -> Iterable[str]:
    """What the end of the period finds: closed in it (in time or not), or open, perhaps past its limit."""
    if story.state == "closed" and period.holds(story.closed):
        yield from ("due", "closed")
        if not story.overran:
            yield "punctual"
        elif story.exempt:
            yield "exempted"
        if story.reworked:
            yield "redone"
    if story.state in STAGES:
        yield "running"
        if story.due is not None and story.due < period.end:
            yield from ("due", "late")
