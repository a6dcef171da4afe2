"""What would be different: settled tasks are read again with and without a lesson, off the event loop, and told.

Nothing settled is ever changed. A step in a lesson's life waits in the database until it was looked at, so a restart
forgets none; the person who took it gets one private line if anything would go elsewhere now.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.engine import Engine
from config.county import County, Duty, Place
from config.errors import Busy
from handlers import learning
from handlers.events import Message
from handlers.reports.reading import Lesson, Reader
from store import Tx, county, lessons, outbox, people, settled
from store.lessons import GIVEN_BACK, MADE, REVOKED, Effect, LessonStep
from store.settled import Settled

log = structlog.get_logger()

DAYS, NEWEST = 90, 2000  # how far back, and how many at most
MONTH = 30  # days a duty's preview looks back
PLACED = 500  # reports a place's preview reads twice at most
CHUNK = 20  # texts between two breaths, some 10 ms of CPU
BREATH = 0.02  # seconds left to everybody else after each
AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`looked` settled tasks were read twice; `effects` are those that would go to another unit."""

    looked: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Regrounded:
    """Of `looked` settled reports: (place id before, after, how many) that would be elsewhere, and how many go to another unit."""

    looked: int
    moved: tuple[tuple[str, str, int], ...]
    rerouted: int

    @property
    def count(self) -> int:
        """How many reports would be placed differently."""
        return sum(n for _, _, n in self.moved)


class Hindsight:
    """`start()` beside a running engine; `wake()` when lessons changed; `close()`."""

    def __init__(self, engine: Engine, days: int = DAYS, newest: int = NEWEST) -> None:
        self._engine = engine
        self._days, self._newest = days, newest
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._known: dict[str, dict[str, str]] = {}  # reader version → task → unit; the last two readers
        engine.relearned.append(self.wake)

    def start(self) -> None:
        """Look at what the last process left, then at whatever comes."""
        self._wanted.set()
        self._looking = asyncio.get_running_loop().create_task(self._look())

    def wake(self) -> None:
        """Lessons changed."""
        self._wanted.set()

    async def close(self) -> None:
        """Stop; what waits is on disk."""
        self._engine.relearned.remove(self.wake)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def catch_up(self) -> int:
        """Look at every waiting step now; how many there were."""
        count = 0
        while (step := await self._engine.store.read(lessons.waiting)) is not None:
            await self._weigh(step)
            count += 1
        return count

    async def compare_duties(self, duties: Sequence[Duty], days: int = MONTH) -> Comparison:
        """What these duties in place of today's would change; nothing is kept."""
        office = self._engine.office
        rows = await self._engine.store.read(lessons.standing)
        after = await asyncio.to_thread(self._reader, replace(office.county, duties=tuple(duties)), rows)
        return await self._compare(office.reader, after, days)

    async def compare_places(self, places: Sequence[Place], days: int = MONTH) -> Regrounded:
        """How last month's settled reports would be understood with these places in place of today's; nothing is kept."""
        store, office = self._engine.store, self._engine.office
        since, rows = store.now() - days * 86400, await store.read(lessons.standing)
        after = await asyncio.to_thread(self._reader, replace(office.county, places=tuple(places)), rows)
        tasks = await store.read(lambda c: settled.newest(c, since, PLACED))
        moved: Counter[tuple[str, str]] = Counter()
        rerouted = 0
        for at in range(0, len(tasks), CHUNK):
            for old, new in await asyncio.to_thread(_placed, (office.reader, after), tasks[at : at + CHUNK]):
                moved[old[0], new[0]] += old[0] != new[0]
                rerouted += old[1] != new[1]
            await asyncio.sleep(BREATH)
        return Regrounded(len(tasks), tuple((*pair, n) for pair, n in moved.most_common() if n), rerouted)

    async def _look(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.catch_up()
            except Busy:
                self._wanted.set()
                await asyncio.sleep(AGAIN_SECONDS)

    async def _weigh(self, step: LessonStep) -> None:
        """One step: with it and without it, everything else as it stands now."""
        with_, without, found = await self._engine.store.read(partial(_both_ways, step))
        before, after = (with_, without) if step.event == REVOKED else (without, with_)
        readers = [await asyncio.to_thread(self._reader, found, rows) for rows in (before, after)]
        seen = await self._compare(readers[0], readers[1], self._days, but=step.lesson)
        await self._engine.apply(partial(self._keep, step, seen))

    def _keep(self, step: LessonStep, seen: Comparison, tx: Tx) -> None:
        if lessons.seen(tx, step.seq, seen.looked, seen.effects) and seen.effects and step.event in TOLD:
            self._tell(tx, step, seen)

    def _tell(self, tx: Tx, step: LessonStep, seen: Comparison) -> None:
        office = self._engine.office
        where = office.private_address(step.actor)
        if where is None or people.muted(tx, step.actor, tx.at):
            return
        said = learning.effect_text(office, step, seen.looked, seen.effects, settled.numbers(tx.connection, _ids(seen)))
        due = office.worktime.next_open(tx.at) if office.worktime.is_quiet(tx.at) else tx.at
        body = Message(said).to_json()
        outbox.add(tx, f"lesson/{step.seq}", *where, "help", body, person=step.actor, not_before=due)

    def _reader(self, found: County, rows: Sequence[tuple[str, str, str, str]]) -> Reader:
        """The reader of those lessons: the one at work where it is the same, else made anew from the same fit."""
        return Reader(found, tuple(Lesson(*row) for row in rows), self._engine.kept_fit())

    async def _compare(self, before: Reader, after: Reader, days: int, but: int | None = None) -> Comparison:
        store = self._engine.store
        since = store.now() - days * 86400
        tasks = await store.read(lambda c: _judges(c, since, self._newest, but))
        old, new = await self._answers(before, tasks), await self._answers(after, tasks)
        moved = (Effect(task.id, old[task.id], new[task.id]) for task in tasks if old[task.id] != new[task.id])
        return Comparison(len(tasks), tuple(moved))

    async def _answers(self, reader: Reader, tasks: Sequence[Settled]) -> Mapping[str, str]:
        """The unit this reader would send each task to; a reader met before answers from memory."""
        known = self._known.pop(reader.version, {})
        missing = [task for task in tasks if task.id not in known]
        for at in range(0, len(missing), CHUNK):
            known |= await asyncio.to_thread(_read, reader, missing[at : at + CHUNK])
            await asyncio.sleep(BREATH)
        self._known[reader.version] = known
        for old in tuple(self._known)[:-2]:
            del self._known[old]
        return known


TOLD = (MADE, REVOKED, GIVEN_BACK)
Rows = list[tuple[str, str, str, str]]


def _both_ways(step: LessonStep, connection: sqlite3.Connection) -> tuple[Rows, Rows, County]:
    ways = (lessons.standing_but(connection, step.lesson, step.batch, counted) for counted in (True, False))
    return next(ways), next(ways), county.load(connection)


def _judges(connection: sqlite3.Connection, since: int, limit: int, but: int | None) -> list[Settled]:
    """Settled tasks, except the one the lesson is about: that one was put right by a person."""
    lesson = lessons.get(connection, but) if but is not None else None
    own = lesson.task if lesson else None
    return [task for task in settled.newest(connection, since, limit) if task.id != own]


def _read(reader: Reader, tasks: Sequence[Settled]) -> dict[str, str]:
    return {task.id: units[0].value if (units := reader.read(task.text, 1).units) else "" for task in tasks}


Understood = tuple[str, str]  # place id and unit; "" for neither


def _placed(readers: tuple[Reader, Reader], tasks: Sequence[Settled]) -> list[tuple[Understood, Understood]]:
    return [(_understood(readers[0], task.text), _understood(readers[1], task.text)) for task in tasks]


def _understood(reader: Reader, text: str) -> Understood:
    reading = reader.read(text, 1)
    return reading.place_id or "", reading.units[0].value if reading.units else ""


def _ids(seen: Comparison) -> list[str]:
    return [effect.task for effect in seen.effects]
