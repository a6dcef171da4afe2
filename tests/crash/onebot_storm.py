"""The storm through a OneBot socket: nobody delivers again, so what was said while the server was dead is pulled, once.

python -m tests.crash.onebot_storm --reports 500 --kills 40
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.commands.simulate import snippet
from bot.county_import import put_in
from bot.simulators.onebot import OneBotSimulator
from store.peeking import reading
from tests.crash.storm import Plan, Storm, _picture
from tests.crash.wecom_storm import AFTER, NUMBER, PLACES, _calm
from tests.platforms.stage import REPORTS, county_on

ROOM = "7788"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What was left. `unclear`: notices parked as 结果不明, which at-most-once may do at a death."""

    reports: int
    kills: int
    lost: int
    tasks: int
    doubled: int
    told_twice: int
    unclear: int
    slowest_start: float

    def summary(self) -> str:
        """One line."""
        return (
            f"{self.reports} reports said once each, {self.kills} kills: lost {self.lost}, tasks {self.tasks}, "
            f"doubled {self.doubled}, notices twice {self.told_twice}, unclear {self.unclear}; "
            f"slowest start {self.slowest_start:.1f} s"
        )


async def storm(plan: Plan, folder: Path) -> Reckoning:
    """People report whether or not anybody listens; the server dies again and again."""
    weather = Storm(plan, folder)
    server, simulator = weather.server, OneBotSimulator()
    await simulator.start()
    people = {person.id: str(20000 + n) for n, person in enumerate(weather._office.county.people)}
    await put_in(server.data, county_on("qq", {REPORTS: f"g{ROOM}"}, people))
    text = snippet("qq", simulator.channel(server.url)).replace(
        "[channels.qq]\n", "[channels.qq]\nper_minute = 1000000\n"
    )
    (server.data / "settings.toml").write_text(f'office_hours = "00:00-23:59"\n{text}', "utf-8")
    try:
        await server.start()
        await asyncio.wait_for(simulator.connected.wait(), 30)
        marks = await _days(plan, weather, simulator, people)
        await _caught_up(server.data, marks)
        await _calm(server.data)
        return _reckon(weather, simulator, marks)
    finally:
        await server.stop()
        await simulator.close()


async def _days(plan: Plan, weather: Storm, simulator: OneBotSimulator, people: dict[str, str]) -> list[str]:
    """The mark of each report."""
    chance, texts, marks = random.Random(plan.seed), iter(weather._texts()), []

    async def talk(count: int) -> None:
        for person, text in itertools.islice(texts, count):
            photos = [_picture(chance)] if chance.random() < plan.photos else []
            marks.append(text.rpartition(" ")[2])
            await simulator.say(ROOM, people[person], text, photos)
            await asyncio.sleep(chance.uniform(0, 0.1))

    share = plan.reports // (plan.kills + 1)
    await talk(1)  # somebody was heard before the first death
    await asyncio.sleep(1)
    for place in itertools.islice(itertools.cycle(("", *PLACES)), plan.kills):
        talking = asyncio.create_task(talk(share))
        if not await weather.server.ended(within=chance.uniform(0.2, 1.0)):
            await weather.server.kill()
        if not await weather.server.start(f"{place}:{AFTER[place.partition('.')[0]]}" if place else ""):
            await weather.server.start()
        await talking
    await weather.server.kill()
    await weather.server.start()
    await talk(plan.reports - len(marks))
    return marks


async def _caught_up(data: Path, marks: list[str]) -> None:
    """Until what was said is there, or half a minute has passed without."""
    for _ in range(150):
        if not _missing(data, marks):
            return
        await asyncio.sleep(0.2)


def _missing(data: Path, marks: list[str]) -> list[str]:
    with reading(data) as connection:
        texts = "\n".join(row[0] for row in connection.execute("select text from task"))
    return [mark for mark in marks if mark not in texts]


def _reckon(weather: Storm, simulator: OneBotSimulator, marks: list[str]) -> Reckoning:
    with reading(weather.server.data) as connection:
        texts = [row[0] for row in connection.execute("select text from task")]
        unclear = connection.execute("select count(*) from outbox where state = 'unknown'").fetchone()[0]
    held = Counter(found[0] for text in texts if (found := re.findall(r"[A-Z]{4}", text)))
    told = Counter(m[1] for line in simulator.sent if (m := NUMBER.match(line.text)))
    return Reckoning(
        len(marks),
        weather.server.kills,
        len(_missing(weather.server.data, marks)),
        len(texts),
        sum(count - 1 for count in held.values()),
        sum(count - 1 for count in told.values()),
        int(unclear),
        max(weather.server.starts),
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    for name, usual in (("reports", 500), ("kills", 40), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(storm(Plan(asked.reports, asked.kills, 0.1, seed=asked.seed), Path(folder)))
    print(found.summary())
    sys.exit(1 if found.lost or found.doubled or found.told_twice else 0)


if __name__ == "__main__":
    main()
