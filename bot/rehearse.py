"""演练: play a script of messages against a configuration, in memory, under a virtual clock (design 8).

The whole pipeline runs (accept, prepare, decide, deliver); only the platform is a list that notes what was sent.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.clock import BusinessClock
from bot.engine import Engine, Frame
from bot.inbox import Receipt
from bot.platforms import Pace
from config.county import County
from config.errors import ConfigError, Fault
from handlers import Decision
from handlers.events import Event, Facts, Message, Photo
from handlers.office import Channel, Office, Rules
from store import Outcome, Store, tasks
from store.outbox import OutboxRow
from store.tasks import Task

START = "2026-11-23T09:00:00+08:00"  # a Monday in duty hours


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a script; a line with only `t` lets the clock run."""

    t: int
    group: str = ""
    sender: str = ""
    text: str = ""
    photos: tuple[str, ...] = ()
    quote: int | None = None
    recall: int | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the bot said: `to` a group id or person id."""

    to: str
    kind: str
    task: str | None
    text: str


@dataclass(slots=True)
class Step:
    """What one line came to, and the tasks as they stand just before the next one."""

    i: int
    kept: bool = False
    refused: str | None = None
    notices: list[Notice] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)


class Stage:
    """A platform that notes what is sent; addresses are group ids and person ids."""

    pace = Pace()

    def __init__(self, name: str = "stage") -> None:
        self.channel = Channel(name, can_private=True, delivery="idempotent", label="演练")
        self.sent: list[tuple[OutboxRow, Message]] = []

    def add_routes(self, app: object) -> None:
        """A stage has none."""

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to disconnect."""

    async def send(self, row: OutboxRow, message: Message) -> str:
        """Note it."""
        self.sent.append((row, message))
        return f"o{row.seq}"

    async def fetch(self, photo: Photo) -> bytes:
        """A stage hands its photos over ready-made."""
        return b""


def read_script(path: Path) -> tuple[int, list[Line], list[Fault]]:
    """(start, lines, faults): a malformed line is reported with its number and the rest goes on."""
    start, lines, faults = _instant(START), [], []
    for number, raw in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
            if "start" in row and "t" not in row:
                start = _instant(row["start"])
                continue
            lines.append(_line(row))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append(Fault(path.name, number, None, f"看不懂这一行({type(error).__name__})"))
    return start, lines, faults


def _instant(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp())


def _line(row: dict[str, Any]) -> Line:
    return Line(
        int(row["t"]),
        str(row.get("group") or ""),
        str(row.get("sender") or ""),
        str(row.get("text") or ""),
        tuple(map(str, row.get("photos") or ())),
        None if row.get("quote") is None else int(row["quote"]),
        None if row.get("recall") is None else int(row["recall"]),
        str(row.get("id") or ""),
    )


class Rehearsal:
    """`await Rehearsal.open(county)`, then `play` lines; usable step by step by tests."""

    def __init__(self, engine: Engine, stage: Stage, start: int) -> None:
        self.engine = engine
        self.stage = stage
        self.start = start
        self.steps: list[Step] = []
        self._said: dict[int, str] = {}
        self._answers: dict[int, str] = {}
        self._heard = 0
        self._refused = ""
        engine.listeners.append(self._note)

    @classmethod
    async def open(cls, county: County, start: int | None = None, rules: Rules | None = None) -> Rehearsal:
        """Everything in memory; groups and people are addressed by their ids."""
        begin = _instant(START) if start is None else start
        business, stage = BusinessClock(start=begin), Stage()
        engine = Engine(
            Store.open(None, business), business, {"stage": stage}, _made_photos, Frame(rules or Rules(), b"rehearsal")
        )
        await engine.start(_staged(county))
        return cls(engine, stage, begin)

    async def play(self, lines: Iterable[Line]) -> list[Step]:
        """Play a whole script."""
        for line in lines:
            await self.step(line)
        return await self.finish()

    async def step(self, line: Line) -> Step:
        """Run the clock up to the line's moment, then let it happen; its effects settle before this returns."""
        await self._run_to(self.start + line.t)
        if self.steps:
            self.steps[-1].tasks = await self._tasks()
        step = Step(len(self.steps))
        self.steps.append(step)
        if line.sender:
            await self._happen(step, line)
        await self.engine.settle()
        self._collect()
        step.refused = self._refused or None
        return step

    async def finish(self) -> list[Step]:
        """Close the books of the last step."""
        self._collect()
        if self.steps:
            self.steps[-1].tasks = await self._tasks()
        return self.steps

    async def close(self) -> None:
        """Let go."""
        await self.engine.close()

    async def _run_to(self, moment: int) -> None:
        ahead = moment - self.engine.business()
        if ahead > 0:
            await self.engine.clock.forward(ahead)
            self._collect()

    async def _happen(self, step: Step, line: Line) -> None:
        self._refused = ""
        event = self._event(step.i, line)
        receipt: Receipt = (await self.engine.inbox.accept((event,)))[0]
        step.kept = receipt.state == "kept"
        if receipt.state == "known":
            step.refused = self._refused = "duplicate"
        await self.engine.settle()

    def _event(self, i: int, line: Line) -> Event:
        message = line.id or f"m{i}"
        self._said[i] = message
        address = line.group or line.sender
        if line.recall is not None:
            gone = self._said.get(line.recall, "")
            return Event("stage", f"recall/{gone}", "recall", address, line.group, line.sender, subject=gone)
        quote = "" if line.quote is None else self._answers.get(line.quote, self._said.get(line.quote, ""))
        photos = tuple(Photo(name, hashlib.sha256(name.encode()).hexdigest()) for name in line.photos)
        addressed = "@群办" in line.text
        return Event(
            "stage",
            message,
            "message",
            address,
            line.group,
            line.sender,
            text=line.text,
            photos=photos,
            quote=quote,
            addressed=addressed,
        )

    async def _note(self, event: Event, outcome: Outcome[Decision]) -> None:
        if event.kind != "timer" and outcome.value is not None:
            self._refused = outcome.value.refused

    def _collect(self) -> None:
        for row, message in self.stage.sent[self._heard :]:
            step = self.steps[-1] if self.steps else None
            if step is not None:
                step.notices.append(Notice(row.address, row.kind, self._number(row), message.text))
                if message.quote == self._said.get(step.i):
                    self._answers.setdefault(step.i, f"o{row.seq}")
        self._heard = len(self.stage.sent)

    def _number(self, row: OutboxRow) -> str | None:
        return row.task

    async def _tasks(self) -> list[dict[str, Any]]:
        return await self.engine.store.read(
            lambda c: [_shown(c, self.engine.office, task) for task in tasks.everything(c)]
        )


async def _made_photos(event: Event, office: Office) -> Facts:
    return Facts(photos=tuple(photo.sha for photo in event.photos))


def _staged(county: County) -> County:
    from dataclasses import replace

    return replace(
        county,
        people=tuple(replace(p, accounts=(f"stage:{p.id}",)) for p in county.people),
        groups=tuple(replace(g, accounts=(f"stage:{g.id}",)) for g in county.groups),
    )


def _shown(connection: Any, office: Office, task: Task) -> dict[str, Any]:
    merged = tasks.get(connection, task.merged_into).number if task.merged_into else None
    shown = tasks.photos(connection, task.id)
    return {
        "number": task.number,
        "state": task.state,
        "category": office.category_name(task.category),
        "unit": task.unit or None,
        "units": list(tasks.units(connection, task.id)),
        "place": office.place_name(task.place) or task.place_text or None,
        "urgent": bool(task.urgent),
        "due_at": task.due_at,
        "reporters": list(tasks.reporters(connection, task.id)),
        "photos": sum(photo.role == "report" and not photo.hidden for photo in shown),
        "evidence": sum(photo.role == "evidence" and not photo.hidden for photo in shown),
        "merged_into": merged,
        "extension_pending": False,
    }


async def rehearse(script: Path, county: County) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Play a script file; the steps as design 8 prints them, and the lines that could not be read."""
    start, lines, faults = read_script(script)
    rehearsal = await Rehearsal.open(county, start)
    try:
        steps = await rehearsal.play(lines)
        numbers = {t.id: t.number for t in await rehearsal.engine.store.read(tasks.everything)}
    finally:
        await rehearsal.close()
    return list(_printed(steps, numbers)), faults


def _printed(steps: Iterable[Step], numbers: dict[str, str]) -> Iterator[dict[str, Any]]:
    for step in steps:
        row = asdict(step)
        for notice in row["notices"]:
            notice["task"] = numbers.get(notice["task"])
        yield row


__all__ = ["ConfigError", "Rehearsal", "rehearse"]
