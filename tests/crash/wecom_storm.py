"""The storm through WeCom's callback: encrypted reports, redelivered as WeCom does (three times, 5 s apart), and kill -9.

python -m tests.crash.wecom_storm --reports 500 --kills 40
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
from bot.simulators.wecom_app import WecomAppSimulator
from store.peeking import reading
from tests.crash.storm import Plan, Storm, _picture
from tests.platforms.stage import REPORTS, county_on

PLACES = (
    "accept.before_commit",
    "accept.after_commit",
    "decide.end",
    "decide.after_commit",
    "send.before",
    "send.after",
)
AFTER = {"accept": 9, "decide": 9, "send": 20}  # passages until death: what comes again comes through first
ROOM = "room1"
TALKERS = 8
PATIENCE = 60.0
NUMBER = re.compile(r"【已受理】#(\S+)")


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What was left. `given_up`: WeCom came three times in vain; nobody had been told otherwise."""

    reports: int
    deliveries: int
    kills: int
    given_up: int
    lost: int
    tasks: int
    doubled: int
    private_twice: int
    group_twice: int
    slowest_start: float

    def summary(self) -> str:
        """One line."""
        return (
            f"{self.reports} reports in {self.deliveries} deliveries, {self.kills} kills: given up {self.given_up}, "
            f"lost {self.lost}, tasks {self.tasks}, doubled {self.doubled}, notices twice to a person {self.private_twice}, "
            f"to the group {self.group_twice}; slowest start {self.slowest_start:.1f} s"
        )


async def storm(plan: Plan, folder: Path, patience: float = 5.0) -> Reckoning:
    """People report, the server dies again and again, WeCom comes again."""
    weather = Storm(plan, folder)
    server, simulator = weather.server, WecomAppSimulator()
    simulator.patience = patience
    simulator.rooms[ROOM] = "随手拍"
    await simulator.start()
    people = {person.id: person.id for person in weather._office.county.people}
    simulator.users = dict(people)
    await put_in(server.data, county_on("app", {REPORTS: f"chat/{ROOM}"}, people))
    channel = simulator.channel(server.url)
    channel["options"]["address_per_minute"] = 0
    text = snippet("app", channel).replace("[channels.app]\n", "[channels.app]\nper_minute = 1000000\n")
    (server.data / "settings.toml").write_text(f'office_hours = "00:00-23:59"\n{text}', "utf-8")
    try:
        await server.start()
        said = await _days(plan, weather, simulator)
        await _calm(server.data)
        return _reckon(weather, simulator, said)
    finally:
        await server.stop()
        await simulator.close()


async def _days(plan: Plan, weather: Storm, simulator: WecomAppSimulator) -> list[tuple[str, str]]:
    """(mark, event id) of what WeCom got rid of."""
    chance, texts, said = random.Random(plan.seed), iter(weather._texts()), []
    seats, under_way = asyncio.Semaphore(0), set[str]()

    async def talk() -> None:
        for person, text in texts:
            await seats.acquire()
            mark = text.rpartition(" ")[2]
            photos = [_picture(chance)] if chance.random() < plan.photos else []
            under_way.add(mark)
            try:
                said.append((mark, await simulator.say("", person, text, photos)))
            except RuntimeError:
                said.append((mark, ""))
            under_way.discard(mark)

    def release(count: int) -> None:
        for _ in range(count):
            seats.release()

    async def strike() -> None:
        for place in itertools.islice(itertools.cycle(("", *PLACES)), plan.kills):
            release(plan.reports // (plan.kills + 1))
            if not await weather.server.ended(within=chance.uniform(0.3, 1.5)):
                await weather.server.kill()
            if not await weather.server.start(f"{place}:{AFTER[place.partition('.')[0]]}" if place else ""):
                await weather.server.start()
            await _gone(under_way, set(under_way))  # WeCom's window: a node lives again within it, and stays
        await weather.server.kill()
        await weather.server.start()
        release(plan.reports)

    async with asyncio.TaskGroup() as group:
        group.create_task(strike())
        for _ in range(TALKERS):
            group.create_task(talk())
    return said


async def _gone(under_way: set[str], those: set[str]) -> None:
    """Until none of those is being delivered any more."""
    for _ in range(int(PATIENCE * 10)):
        if not under_way & those:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("a delivery never ended")


async def _calm(data: Path) -> None:
    """Until everything is decided and whatever may leave has left."""
    for _ in range(int(PATIENCE * 5)):
        if not await asyncio.to_thread(_left, data):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("something never left")


def _left(data: Path) -> int:
    with reading(data) as connection:
        open_ = connection.execute("select count(*) from inbox where state = 'open'").fetchone()[0]
        due = connection.execute(
            "select count(*) from outbox where state in ('due', 'sending') and kind in ('dispatched', 'received', 'ask_place')"
            " and not_before < (select at from ledger) + 60"
        ).fetchone()[0]
    return int(open_ + due)


def _reckon(weather: Storm, simulator: WecomAppSimulator, said: list[tuple[str, str]]) -> Reckoning:
    with reading(weather.server.data) as connection:
        stored = {row[0] for row in connection.execute("select event_id from inbox where channel = 'app'")}
        texts = [row[0] for row in connection.execute("select text from task")]
    marks = Counter(found[0] for text in texts if (found := re.findall(r"[A-Z]{4}", text)))
    private = Counter((line.user, m[1]) for line in simulator.sent if line.user and (m := NUMBER.match(line.text)))
    group = Counter(m[1] for line in simulator.sent if line.room and (m := NUMBER.match(line.text)))
    taken = [(mark, event) for mark, event in said if event]
    return Reckoning(
        len(said),
        simulator.deliveries,
        weather.server.kills,
        len(said) - len(taken),
        sum(event not in stored or mark not in marks for mark, event in taken),
        len(texts),
        sum(count - 1 for count in marks.values()),
        sum(count - 1 for count in private.values()),
        sum(count - 1 for count in group.values()),
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
    sys.exit(1 if found.lost or found.doubled or found.private_twice else 0)


if __name__ == "__main__":
    main()
