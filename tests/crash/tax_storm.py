"""The same storm over a tax group: people ask, an officer answers, another approves, and the server dies all the while.

python -m tests.crash.tax_storm --questions 200 --kills 30
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.persona import Persona
from tests.crash.server import Server
from tests.crash.storm import mark_of

ROOM = "shuiwu"
ASKERS = ("fangxin", "shimei", "yaojuan", "liaokun")
OFFICER, APPROVER = "tianfang", "renjing"
PLACES = ("accept.after_commit", "decide.end", "decide.after_commit", "send.after")
PATIENCE = 300.0  # seconds until everything is answered, learned and approved


@dataclass(slots=True)
class Reckoning:
    """`faults` is empty when nothing was lost or doubled."""

    questions: int
    tickets: int = 0
    drafts: int = 0
    entries: int = 0
    lines: int = 0
    kills: int = 0
    repeats: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line, then the faults."""
        head = (
            f"tax storm: {self.questions} questions acknowledged -> {self.tickets} tickets, {self.drafts} drafts,"
            f" {self.entries} entries learned, {self.lines} lines sent, {self.kills} kills, {self.repeats} repeats;"
            f" {self.seconds:.0f} s; faults {len(self.faults)}"
        )
        return "\n".join((head, *self.faults[:40]))


class TaxStorm:
    """`await TaxStorm(questions, kills, folder).run()`."""

    def __init__(self, questions: int, kills: int, folder: Path, seed: int = 1) -> None:
        self.server = Server(folder / "data")
        self._wanted, self._kills = questions, kills
        self._random = random.Random(seed)
        self._people: dict[str, Persona] = {}
        self._said: set[str] = set()
        self._over = asyncio.Event()

    async def run(self) -> Reckoning:
        """Ask, answer, approve and die; then read the books."""
        began = time.monotonic()
        self._people = {name: Persona(self.server, name) for name in (*ASKERS, OFFICER, APPROVER)}
        await self.server.start()
        async with asyncio.TaskGroup() as group:
            for n, name in enumerate(ASKERS):
                group.create_task(self._ask(name, range(n, self._wanted, len(ASKERS))))
            group.create_task(self._work(OFFICER, "t", _ANSWERS))
            group.create_task(self._work(APPROVER, "d", _APPROVES))
            group.create_task(self._strike())
            group.create_task(self._watch())
        for person in self._people.values():
            await person.close()
        await self.server.stop()
        return self._reckon(time.monotonic() - began)

    async def _ask(self, name: str, numbers: range) -> None:
        for n in numbers:
            await self._say(name, ROOM, f"q{n}", f"人工 {mark_of(n)} 这一笔出口退税怎么办理")
            await asyncio.sleep(self._random.uniform(0, 0.2))

    async def _say(self, name: str, room: str, message: str, text: str) -> None:
        """Sometimes twice, side by side or one after the other, as browsers and platforms do."""
        again = self._random.choice((1, 1, 1, 2))
        who = self._people[name]
        answers = await asyncio.gather(*(who.say(room, message, text) for _ in range(again)))
        if all(answer["state"] in ("kept", "known") for answer in answers):
            self._said.add(f"{name}/{message}")

    async def _work(self, name: str, letter: str, sql: str) -> None:
        """What waits for this person is settled by number, each under an id of its own."""
        done: set[int] = set()
        while not self._over.is_set():
            for serial, text in await asyncio.to_thread(self._look, sql):
                if serial not in done:
                    await self._say(name, f"@{name}", f"{letter}{serial}", text)
                    done.add(serial)
            await asyncio.sleep(0.05)

    def _look(self, sql: str) -> list[tuple[int, str]]:
        try:
            with sqlite3.connect(f"file:{self.server.data / 'qunban.db'}?mode=ro", uri=True, timeout=1) as books:
                rows = books.execute(sql).fetchall()
            books.close()
        except sqlite3.Error:
            return []
        return rows

    async def _watch(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not self._over.is_set():
                counted = await asyncio.to_thread(self._look, _APPROVED)
                if counted and counted[0][0] >= self._wanted and self.server.kills >= self._kills:
                    self._over.set()
                await asyncio.sleep(0.1)

    async def _strike(self) -> None:
        for place in itertools.islice(itertools.cycle(PLACES), self._kills):
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            await self.server.kill()
            armed = await self.server.start(f"{place}:{self._random.choice((1, 2, 5))}")
            if armed and not await self.server.ended(2.0):
                await self.server.kill()
            await self.server.start()

    def _reckon(self, seconds: float) -> Reckoning:
        books = sqlite3.connect(f"file:{self.server.data / 'qunban.db'}?mode=ro", uri=True)
        count = lambda sql: int(books.execute(sql).fetchone()[0])  # noqa: E731
        found = Reckoning(
            sum(f"{name}/q{n}" in self._said for n in range(self._wanted) for name in ASKERS),
            count("select count(*) from faq_ticket"),
            count("select count(*) from faq_draft"),
            count("select count(*) from faq_version where entry like 'learned-%' and state = 'live'"),
            count("select count(*) from chat_line where outbox_seq is not null"),
            self.server.kills,
            sum(person.repeats for person in self._people.values()),
            seconds,
        )
        found.faults = [*_faults(books, self._wanted)]
        books.close()
        return found


_ANSWERS = (
    "select serial, '#问' || printf('%04d', serial) || ' 带' || substr(text, 1, 4) || '号单到二楼办理，依据：税务总局公告2018年第16号'"
    " from faq_ticket where state = 'open' order by serial limit 10"
)
_APPROVES = (
    "select serial, '同意 #草' || printf('%04d', serial) from faq_draft where state = 'review' order by serial limit 10"
)
_APPROVED = "select count(*) from faq_draft where state = 'approved'"


def _faults(books: sqlite3.Connection, wanted: int) -> Iterator[str]:
    """Each question one ticket, each ticket one answer and one draft, each draft one entry, each line sent once."""
    marks = Counter(text[:4] for (text,) in books.execute("select text from faq_ticket"))
    for n in range(wanted):
        if marks[mark_of(n)] != 1:
            yield f"question {mark_of(n)} has {marks[mark_of(n)]} tickets"
    asked = Counter(text[:4] for (text,) in books.execute("select text from faq_asked"))
    yield from (f"question {mark} was asked {times} times" for mark, times in asked.items() if times != 1)
    for serial, state, drafts in books.execute(
        "select t.serial, t.state, count(d.id) from faq_ticket t left join faq_draft d on d.ticket = t.id group by t.id"
    ):
        if state != "answered" or drafts != 1:
            yield f"ticket {serial} is {state} and taught {drafts} drafts"
    for serial, state, versions in books.execute(
        "select d.serial, d.state, count(v.version) from faq_draft d left join faq_version v on v.entry = d.entry group by d.id"
    ):
        if state != "approved" or versions != 1:
            yield f"draft {serial} is {state} with {versions} versions"
    for table in ("faq_ticket", "faq_draft"):
        count, last = books.execute(f"select count(*), max(serial) from {table}").fetchone()
        if count != last:
            yield f"{table}: {count} rows but the last is {last}"
    for about, kind, times in books.execute(
        "select l.about, o.kind, count(*) from faq_line l join outbox o on o.seq = l.outbox"
        " where o.kind in ('handoff', 'review', 'draft', 'relayed', 'ticket') group by l.about, o.kind, o.address having count(*) > 1"
    ):
        yield f"{about}: {kind} was said {times} times"
    rows = books.execute("select seq, state from outbox where state in ('sending', 'unknown', 'dead')").fetchall()
    yield from (f"outbox row {seq} is {state}" for seq, state in rows)
    rows = books.execute("select seq, reason from inbox where state <> 'done'").fetchall()
    yield from (f"inbox row {seq} is not settled: {reason}" for seq, reason in rows)
    left = books.execute("select count(*) from timer where kind like 'ticket_%'").fetchone()[0]
    if left:
        yield f"{left} timers of answered tickets are still set"


def main() -> None:
    """The command line of the full storm."""
    parser = argparse.ArgumentParser()
    for name, usual in (("questions", 200), ("kills", 30), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(TaxStorm(asked.questions, asked.kills, Path(folder), asked.seed).run())
    print(found.summary())
    sys.exit(1 if found.faults else 0)


if __name__ == "__main__":
    main()
