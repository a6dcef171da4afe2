"""The storm over the digest: editions are passed by three people and sent at their minute, and the server dies all the while.

    python -m tests.crash.edition_storm --kills 200

Days go by until the kills are done. Some days the server is dead at the very minute, some days the last signature
comes after it; three groups are sent three forms. What must hold: each group's edition once, on the idempotent channel.
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
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import BusinessClock
from bot.arrivals import Arrivals, Origin
from bot.failpoints import POINTS
from config.files import shipped_county
from handlers.calendar import local
from handlers.editions import timing
from handlers.office import Office, Rules, open_office
from store import Store, Tx, edition_notes, editions
from store.editions import EditionItem
from tests.crash.persona import Persona
from tests.crash.server import Server
from tests.test_digest_candidates import arrived

STEPS = (("qinyue", "送审", "edited"), ("fanwen", "通过", "reviewed"), ("gaoyuan", "签发", "approved"))
COLUMN = "政策速递"
GROUPS = {"tongzhi": "text", "suishoupai": "picture", "shuiwu": "news"}
PLACES = tuple(place for place in POINTS if not place.startswith(("photo", "anchor", "prepare")))
PATIENCE = 120.0  # seconds a step may take, deaths included
LULL = 5.0
MINUTES = ("at its minute", "dead at its minute", "signed late")


@dataclass(slots=True)
class Reckoning:
    """`faults` is empty when every finished day's edition is in each group once; `deaths` where it was when it died."""

    days: int
    editions: int = 0
    lines: int = 0
    kills: int = 0
    repeats: int = 0
    seconds: float = 0.0
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line, then the faults."""
        places = len({place for _, place in self.deaths})
        head = (
            f"edition storm: {self.days} days -> {self.editions} deliveries, {self.lines} lines, {self.kills} kills"
            f" ({sum(self.deaths.values())} at {places} failpoints, states {sorted({s for s, _ in self.deaths})}),"
            f" {self.repeats} repeats; {self.seconds:.0f} s; faults {len(self.faults)}"
        )
        return "\n".join((head, *self.faults[:40]))


class EditionStorm:
    """`await EditionStorm(kills, folder).run()`."""

    def __init__(self, kills: int, folder: Path, seed: int = 1) -> None:
        self.server = Server(folder / "data")
        self._kills = kills
        self._random = random.Random(seed)
        self._office: Office = open_office(shipped_county(), {}, Rules(), b"storm")
        self._people: dict[str, Persona] = {}
        self._done: list[str] = []
        self._deaths: Counter[tuple[str, str]] = Counter()
        self._day = ""
        self._weather = asyncio.Lock()
        self._over = False

    async def run(self) -> Reckoning:
        """Make editions and die; then read the books."""
        began = time.monotonic()
        await self.server.start()
        self._people = {name: Persona(self.server, name) for name, _, _ in STEPS}
        for person in self._people.values():
            await person.enter()
        await self.server.kill()
        days = [*itertools.islice(self._workdays(), max(8, self._kills))]
        await self._seed(days)
        await self.server.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._strike())
            group.create_task(self._live(days))
        for person in self._people.values():
            await person.close()
        await self.server.stop()
        return self._reckon(time.monotonic() - began)

    def _workdays(self) -> Iterator[str]:
        day = local(self._now()).date()
        while True:
            day = timing.next_workday(self._office, day)
            yield day.isoformat()

    def _now(self) -> int:
        return BusinessClock(self.server.data / "clock")()

    async def _seed(self, days: list[str]) -> None:
        """A day's text each, composed by hand; two more groups take the column, in forms of their own."""
        store = Store.open(self.server.data, BusinessClock(self.server.data / "clock"))
        try:
            arrivals = Arrivals(store, b"k" * 32)
            for n, day in enumerate(days):
                title = f"关于{day}起开展第{n + 1}轮安全检查的通知"
                text = f"{title}。各乡镇要在月底前完成第{n + 1}轮自查，逾期不予受理，每轮不少于{n + 3}处。"
                await arrivals.take(
                    arrived(title, text), Origin(f"s{n}", "县报", f"k{n}", f"https://www.example.gov.cn/{n}")
                )
            await store.write(lambda tx: self._compose(tx, days))
        finally:
            store.close()

    def _compose(self, tx: Tx, days: list[str]) -> None:
        items = tx.all("select n, url from item order by n")
        for (item, url), day in zip(items, days, strict=True):
            editions.open_(tx, day, "three", timing.send_at(self._office, day))
            line = EditionItem(1, item, None, COLUMN, f"关于{day}安全检查的通知", "请各乡镇按时完成。", url, "县报")
            editions.write(tx, day, [line])
        for group, form in GROUPS.items():
            editions.subscribe(tx, group, COLUMN, "gaoyuan", wanted=True)
            edition_notes.set_form(tx, group, form, "qinyue")

    async def _live(self, days: list[str]) -> None:
        for n, day in enumerate(days):
            self._day = day
            await self._edition(day, MINUTES[n % len(MINUTES)])
            self._done.append(day)
            if self.server.kills >= self._kills and len(self._done) >= len(MINUTES):
                break
        self._over = True

    async def _edition(self, day: str, how: str) -> None:
        """Signed the afternoon before, or after the minute; then time passes it, with the server alive or dead."""
        before = timing.previous_workday(self._office, date.fromisoformat(day)).isoformat()
        minute = timing.send_at(self._office, day)
        await self._reach(timing.moment(before, timing.OPEN + 60))
        last = len(STEPS) - (1 if how == "signed late" else 0)
        for name, word, state in STEPS[:last]:
            await self._step(day, name, word, state)
        if how == "dead at its minute":
            await self._reach(minute - 3)
            await self._die_over(minute + 1)
        await self._reach(minute + (1500 if how == "signed late" else 30))
        for name, word, state in STEPS[last:]:
            await self._step(day, name, word, state)
        await self._until(_SHOWN, (f"edition/{day}/%",), len(GROUPS) + 1)  # the picture's words are a line of their own

    async def _step(self, day: str, name: str, word: str, state: str) -> None:
        """Said once or twice, side by side; passed when the books say so."""
        content = (self._look("select hash from edition where day = ?", (day,)) or [("",)])[0][0]
        text, message = f"摘要 {word} {content[:8]}", f"{day}-{word == '送审'}-{state}"
        again = self._random.choice((1, 1, 2))
        who = self._people[name]
        await asyncio.gather(*(who.say(f"@{name}", message, text) for _ in range(again)))
        await self._until(
            "select count(*) from approval where day = ? and person = ? and verdict = 'pass'", (day, name), 1
        )

    async def _reach(self, moment: int) -> None:
        while (ahead := moment - self._now()) > 0:
            await self.server.up.wait()
            try:
                await self._people["qinyue"].forward(ahead)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.05)

    async def _die_over(self, moment: int) -> None:
        async with self._weather:
            await self.server.kill()
            await asyncio.sleep(max(0, moment - self._now()))
            await self.server.start()

    async def _until(self, sql: str, values: tuple[Any, ...], wanted: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    found = self._look(sql, values)
                    if found and found[0][0] >= wanted:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            waiting = self._look("select key, state, attempts, reason from outbox where state <> 'sent'")
            raise AssertionError(f"{sql} {values}: {self._look(sql, values)}, not {wanted}; {waiting}") from None

    def _look(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            with closing(
                sqlite3.connect(f"file:{self.server.data / 'qunban.db'}?mode=ro", uri=True, timeout=1)
            ) as books:
                return books.execute(sql, values).fetchall()
        except sqlite3.Error:
            return []

    async def _strike(self) -> None:
        """Deaths at armed places while something happens; a place nobody comes by is a death at any moment.

        Now and then there is time to draw a picture: a child that is started anew at each death draws none.
        """
        for place in itertools.cycle(PLACES):
            await asyncio.sleep(self._random.choice((0.1, 0.3, 0.6, LULL)))
            if self._over or self.server.kills >= self._kills:
                return
            async with self._weather:
                await self.server.kill()
                armed = await self.server.start(f"{place}:{self._random.choice((1, 1, 2, 3))}")
                if armed and not await self.server.ended(1.5):
                    await self.server.kill()
                else:
                    state = self._look("select state from edition where day = ?", (self._day,)) or [("draft",)]
                    self._deaths[(state[0][0], place)] += 1
                await self.server.start()

    def _reckon(self, seconds: float) -> Reckoning:
        found = Reckoning(
            len(self._done), kills=self.server.kills, repeats=sum(p.repeats for p in self._people.values()),
            seconds=seconds, deaths=self._deaths,
        )  # fmt: skip
        with closing(sqlite3.connect(f"file:{self.server.data / 'qunban.db'}?mode=ro", uri=True)) as books:
            found.editions = int(books.execute("select count(*) from delivery where kind = 'edition'").fetchone()[0])
            found.lines = int(books.execute(_SHOWN, ("edition/%",)).fetchone()[0])
            found.faults = [*_faults(books, self._done, self._now())]
        return found


_SHOWN = "select count(*) from chat_line l join outbox o on o.seq = l.outbox_seq where o.key like ?"


def _faults(books: sqlite3.Connection, days: list[str], now: int) -> Iterator[str]:
    """Each day sent, passed by three; each group claimed once, its parts sent once and shown once, nothing of other days."""
    for day in days:
        state = books.execute("select state from edition where day = ?", (day,)).fetchone()[0]
        if state != "sent":
            yield f"{day} is {state}"
        passed = books.execute(
            "select step, person, count(*) from approval where day = ? group by step, person", (day,)
        )
        if sorted(passed.fetchall()) != [("edit", "qinyue", 1), ("publish", "gaoyuan", 1), ("review", "fanwen", 1)]:
            yield f"{day} was not passed by three, once each"
    wanted = Counter({(day, group): 1 for day in days for group in GROUPS})
    claimed = books.execute(
        "select day, group_id, count(*) from delivery where kind = 'edition' group by day, group_id"
    )
    yield from _differs("delivery", wanted, {(day, group): n for day, group, n in claimed})
    parts = {(day, group): 2 if form == "picture" else 1 for day in days for group, form in GROUPS.items()}
    rows = books.execute(
        "select o.key, o.state, count(l.pos) from outbox o left join chat_line l on l.outbox_seq = o.seq"
        " where o.key like 'edition/%' group by o.seq"
    ).fetchall()
    yield from (
        f"{key} is {state} and shown {times} times" for key, state, times in rows if (state, times) != ("sent", 1)
    )
    sent = Counter((key.split("/")[1], key.split("/")[2]) for key, _, _ in rows)
    yield from _differs("outbox", parts, sent)
    seen = Counter(
        room
        for (room,) in books.execute(
            "select l.room from chat_line l join outbox o on o.seq = l.outbox_seq where o.kind = 'edition'"
        )
    )
    yield from _differs(
        "room", {group: sum(n for (_, one), n in parts.items() if one == group) for group in GROUPS}, seen
    )
    stuck = books.execute("select seq, state from outbox where state in ('sending', 'unknown', 'dead')").fetchall()
    yield from (f"outbox row {seq} is {state}" for seq, state in stuck)
    undone = books.execute("select seq, reason from inbox where state <> 'done'").fetchall()
    yield from (f"inbox row {seq} is not settled: {reason}" for seq, reason in undone)
    late = books.execute(
        "select subject, kind from timer where kind like 'edition_%' and due_at < ?", (now - 120,)
    ).fetchall()
    yield from (f"timer {subject} {kind} never rang" for subject, kind in late)


def _differs(what: str, wanted: dict[Any, int], found: dict[Any, int]) -> Iterator[str]:
    for key in sorted({*wanted, *found}):
        if wanted.get(key, 0) != found.get(key, 0):
            yield f"{what} {key}: {found.get(key, 0)} instead of {wanted.get(key, 0)}"


def main() -> None:
    """The command line of the full storm."""
    parser = argparse.ArgumentParser()
    for name, usual in (("kills", 200), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(EditionStorm(asked.kills, Path(folder), asked.seed).run())
    print(found.summary())
    for (state, place), times in sorted(found.deaths.items()):
        print(f"  {state:9} {place:22} {times}")
    sys.exit(1 if found.faults else 0)


if __name__ == "__main__":
    main()
