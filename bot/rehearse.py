"""演练: play a script of messages against a configuration, in memory, under a virtual clock (design 8).

The whole pipeline runs (accept, prepare, decide, deliver); only the platform is a list that notes what was sent.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from bot.clock import BusinessClock
from bot.engine import Engine, Frame
from bot.inbox import Receipt
from bot.media import PhotoShop
from bot.platforms import Pace
from bot.prepare import enter, hear_words, read_words
from bot.script import START, Line, instant, read_script
from config.county import County
from config.errors import Busy, Fault, Rejected
from handlers import Decision
from handlers.events import Event, Facts, Message, Photo
from handlers.office import Channel, Office, Rules
from store import Outcome, Store, photos, questions, tasks
from store.outbox import OutboxRow
from store.tasks import Task

CALLED = ("@群办", "@机器人", "@小群", "@bot")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the bot said: `to` a group id or person id, `task` a number."""

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
    tickets: list[dict[str, Any]] = field(default_factory=list)


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


class Album:
    """The photos of a script: a file is cleaned like any photo, any other name is a made picture, the same name the same."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._shop: PhotoShop | None = None

    async def __call__(self, event: Event, office: Office) -> Facts:
        """What `prepare` finds out; nothing is ever late."""
        good, bad = [], []
        for photo in event.photos:
            try:
                good.append(await self._take(photo.ref))
            except (Rejected, Busy) as error:
                bad.append(str(error))
        reading, hearing = read_words(event, office), hear_words(event, office)
        return Facts(photos=tuple(good), bad_photos=tuple(bad), reading=reading, hearing=hearing)

    async def close(self) -> None:
        """Throw the cleaned files away."""
        if self._shop is not None and self._folder is not None:
            await self._shop.close()
            self._folder.cleanup()

    async def _take(self, name: str) -> str:
        path = _file(name)
        if path is None:
            sha = hashlib.sha256(name.encode()).hexdigest()
            await self._store.write(lambda tx: photos.add(tx, sha, 1600, 1200, 0, sha))
            return sha
        made = await (await self._open_shop()).clean(path)
        await self._store.write(partial(enter, made))
        return made.sha

    async def _open_shop(self) -> PhotoShop:
        if self._shop is None:
            self._folder = tempfile.TemporaryDirectory(prefix="qunban-")
            self._shop = PhotoShop(Path(self._folder.name))
            await self._shop.start()
        return self._shop


class Rehearsal:
    """`await Rehearsal.open(county)`, then `play` lines; usable step by step by tests."""

    def __init__(self, engine: Engine, stage: Stage, album: Album, start: int) -> None:
        self.engine = engine
        self.stage = stage
        self.start = start
        self.steps: list[Step] = []
        self._album = album
        self._said: dict[int, str] = {}
        self._answers: dict[int, str] = {}
        self._heard = 0
        self._decision: Decision | None = None
        engine.listeners.append(self._note)

    @classmethod
    async def open(cls, county: County, start: int | None = None, rules: Rules | None = None) -> Rehearsal:
        """Everything in memory; groups and people are addressed by their ids."""
        begin = instant(START) if start is None else start
        business, stage = BusinessClock(start=begin), Stage()
        store = Store.open(None, business)
        album = Album(store)
        engine = Engine(store, business, {"stage": stage}, album, Frame(rules or Rules(), b"rehearsal"))
        await engine.start(_staged(county))
        return cls(engine, stage, album, begin)

    async def play(self, lines: Iterable[Line]) -> list[Step]:
        """Play a whole script."""
        for line in lines:
            await self.step(line)
        return await self.finish()

    async def step(self, line: Line) -> Step:
        """Let one line happen; its effects settle before this returns.

        What falls due before a message belongs to the step before it; a line with only `t` owns the time it lets run.
        """
        if line.sender:
            await self._run_to(self.start + line.t)
        await self._close_books()
        step = Step(len(self.steps) if line.i is None else line.i)
        self.steps.append(step)
        if line.sender:
            await self._happen(step, line)
        else:
            await self._run_to(self.start + line.t)
        self._collect()
        return step

    async def finish(self) -> list[Step]:
        """Close the books of the last step."""
        await self._close_books()
        return self.steps

    async def close(self) -> None:
        """Let go."""
        await self.engine.close()
        await self._album.close()

    async def _close_books(self) -> None:
        self._collect()
        if self.steps:
            self.steps[-1].tasks = await self.engine.store.read(lambda c: _shown_all(c, self.engine.office))
            if self.engine.office.hall is not None:
                self.steps[-1].tickets = await self.engine.store.read(_tickets)

    async def _run_to(self, moment: int) -> None:
        ahead = moment - self.engine.business()
        if ahead > 0:
            await self.engine.clock.forward(ahead)
            self._collect()

    async def _happen(self, step: Step, line: Line) -> None:
        self._decision = None
        event = self._event(step.i, line)
        receipt: Receipt = (await self.engine.inbox.accept((event,)))[0]
        await self.engine.settle()
        decision = self._decision
        step.kept = receipt.state == "kept" and not (decision and decision.forgotten)
        step.refused = "duplicate" if receipt.state == "known" else decision.refused or None if decision else None

    def _event(self, i: int, line: Line) -> Event:
        message = line.id or f"m{i}"
        self._said[i] = message
        address = line.group or line.sender
        if line.recall is not None:
            gone = self._said.get(line.recall, "")
            return Event("stage", f"recall/{gone}", "recall", address, line.group, line.sender, subject=gone)
        quote = "" if line.quote is None else self._answers.get(line.quote, self._said.get(line.quote, ""))
        return Event(
            "stage",
            message,
            "message",
            address,
            line.group,
            line.sender,
            text=line.text,
            photos=tuple(Photo(name) for name in line.photos),
            quote=quote,
            addressed=any(name in line.text for name in CALLED),
        )

    async def _note(self, event: Event, outcome: Outcome[Decision]) -> None:
        if event.kind != "timer" and outcome.value is not None:
            self._decision = outcome.value

    def _collect(self) -> None:
        for row, message in self.stage.sent[self._heard :]:
            if self.steps:
                step = self.steps[-1]
                step.notices.append(Notice(row.address, row.kind, row.task, message.text))
                if message.quote and message.quote == self._said.get(step.i):
                    self._answers.setdefault(step.i, f"o{row.seq}")
        self._heard = len(self.stage.sent)


def _file(name: str) -> Path | None:
    path = Path(name)
    return path if path.is_file() else None


def _staged(county: County) -> County:
    return replace(
        county,
        people=tuple(replace(p, accounts=(f"stage:{p.id}",)) for p in county.people),
        groups=tuple(replace(g, accounts=(f"stage:{g.id}",)) for g in county.groups),
    )


def _shown_all(connection: sqlite3.Connection, office: Office) -> list[dict[str, Any]]:
    return [_shown(connection, office, task) for task in tasks.everything(connection)]


def _tickets(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Tax questions handed over, oldest first."""
    return [
        {"number": t.number, "kind": t.kind, "state": t.state, "text": t.text, "officer": t.answered_by or t.officer}
        for t in reversed(questions.tickets(connection))
    ]


def _shown(connection: sqlite3.Connection, office: Office, task: Task) -> dict[str, Any]:
    found = [photo for photo in tasks.photos(connection, task.id) if not photo.hidden]
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
        "photos": sum(photo.role == "report" for photo in found),
        "evidence": sum(photo.role == "evidence" for photo in found),
        "merged_into": tasks.get(connection, task.merged_into).number if task.merged_into else None,
        "extension_pending": task.asked == "extend",
    }


async def rehearse(
    script: Path, county: County, rules: Rules | None = None
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Play a script file; the steps as design 8 prints them, and the lines that could not be read."""
    start, lines, faults = read_script(script)
    rehearsal = await Rehearsal.open(county, start, rules)
    try:
        return await printed(rehearsal, lines), faults
    finally:
        await rehearsal.close()


async def printed(rehearsal: Rehearsal, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Play lines; the steps as design 8 prints them."""
    steps = await rehearsal.play(lines)
    numbers = {task.id: task.number for task in await rehearsal.engine.store.read(tasks.everything)}
    return [_printed(step, numbers) for step in steps]


def _printed(step: Step, numbers: dict[str, str]) -> dict[str, Any]:
    row = asdict(step)
    if not row["tickets"]:
        del row["tickets"]  # only where tax questions were handed over
    for notice in row["notices"]:
        notice["task"] = numbers.get(notice["task"])
    return row


__all__ = ["Line", "Notice", "Rehearsal", "Step", "printed", "read_script", "rehearse"]
