"""The crash storm: people report, officers answer, time runs ahead, and the server is killed all the while.

    python -m tests.crash.storm --reports 2000 --kills 110 --seed 1
    python -m tests.crash.storm --lives --reports 400 --kills 60

What must hold afterwards stands in `tests.crash.truth`; the last line printed sums up.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from bot.failpoints import POINTS
from config.files import shipped_county
from handlers.office import Office, Rules, open_office
from tests.crash.lives import OPEN, next_words, standing, straight_on
from tests.crash.persona import Persona
from tests.crash.server import Server
from tests.crash.truth import Truth, find_truth, table_so_far

ROOM = "suishoupai"
PROBLEMS = (
    "垃圾堆成山没人清", "井盖破了个大洞", "路灯不亮", "路面坑洼积水", "小广告贴满墙", "占道经营摆摊", "污水外溢",
    "树枝折断挂着", "护栏被撞坏", "建筑垃圾乱倒", "公厕堵了没水", "广告牌快掉下来了", "交通信号灯坏了", "共享单车乱停堵路",
    "消防栓漏水", "油烟扰民", "噪音扰民施工到半夜", "流浪狗成群", "电线垂下来了", "健身器材坏了", "候车亭玻璃碎了",
    "雨水篦子堵了", "河道里漂着垃圾", "墙上乱涂乱画", "违章搭建棚子", "路牌歪了", "垃圾桶满了没人收", "公交站牌倒了",
)  # fmt: skip
LEAPS = (600, 14400)  # seconds at a time where whole lives are lived
DETOURS = 4  # rounds in which the last tasks may still stray
ROUNDS = 90  # in which every led life must end; more reports take more of them
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Plan:
    """How big the storm is. `photos` is the share of reports that bring one, `again` of messages sent once more.

    With `lives`, tasks take every detour on their way to the end, days go by, and at last most are led there.
    """

    reports: int = 300
    kills: int = 30
    photos: float = 0.1
    again: float = 0.1
    seed: int = 1
    talkers: int = 12
    officers: int = 3
    leaps: tuple[int, int] = (60, 600)
    lives: bool = False
    places: tuple[str, ...] = tuple(POINTS)


@dataclass(slots=True)
class Said:
    """What was acknowledged: event id → (state, seq); `marks` the word that tells a report from every other."""

    acknowledged: dict[str, tuple[str, int]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    known: int = 0
    forwards: int = 0
    tables: list[tuple[int, str]] = field(default_factory=list)  # statistics up to a step, before a death


def mark_of(n: int) -> str:
    """A word in letters for a number."""
    return "".join(LETTERS[n // len(LETTERS) ** place % len(LETTERS)] for place in range(4))


class Storm:
    """`await Storm(plan, folder).run()` gives the truth found afterwards."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.server = Server(folder / "data")
        self.said = Said()
        self._random = random.Random(plan.seed)
        self._people: dict[str, Persona] = {}
        self._office = open_office(shipped_county(), {}, Rules(), b"k" * 32, demo=True)
        self._reports = iter(self._texts())
        self._over = asyncio.Event()
        self._turns = asyncio.Semaphore(0)
        self._traffic = asyncio.Event()
        self._traffic.set()
        self._allowed = 0
        self._hits: dict[str, int] = dict.fromkeys(POINTS, 0)

    async def run(self) -> Truth:
        """The whole storm, then the reckoning."""
        began = time.monotonic()
        await self.server.start()
        self._allow(0.0)
        async with asyncio.TaskGroup() as group:
            talkers = [group.create_task(self._talk()) for _ in range(self.plan.talkers)]
            others = [group.create_task(self._answer(n)) for n in range(self.plan.officers)]
            others += [group.create_task(self._hurry()), group.create_task(self._strike())]
            await asyncio.gather(*talkers)
            self._over.set()
            await asyncio.gather(*others)
        await self._calm()
        if self.plan.lives:
            await self._lead_on()
            await self._calm(days=5)
        await self._rest()
        for person in self._people.values():
            await person.close()
        await self.server.stop()
        repeats = sum(person.repeats for person in self._people.values())
        return find_truth(self.server, self.said, self._hits, repeats, time.monotonic() - began)

    def _texts(self) -> list[tuple[str, str]]:
        """(person, text): every report is about another class at another place, so no rule joins two of them."""
        office, wanted = self._office, self.plan.reports
        reporters = itertools.cycle(p.id for p in office.county.people if p.roles == ("reporter",))
        places = [p for p in office.county.places if p.kind != "town"]
        clear: dict[tuple[str, str], str] = {}
        for place, problem in itertools.product(places, PROBLEMS):
            text = f"{place.name}{problem} {mark_of(len(clear))}"
            found = _matter_of(office, text)
            if found and found[0] == place.id and found not in clear:
                clear[found] = text
        assert len(clear) >= wanted, f"only {len(clear)} reports that cannot be taken for one another"
        return [(next(reporters), text) for text in self._random.sample(list(clear.values()), wanted)]

    def _person(self, name: str) -> Persona:
        if name not in self._people:
            self._people[name] = Persona(self.server, name)
        return self._people[name]

    async def _talk(self) -> None:
        for person, text in self._reports:
            await self._turns.acquire()
            await self._traffic.wait()
            who, message = self._person(person), f"r{text.rpartition(' ')[2]}"
            self.said.marks[f"{person}/{message}"] = text.rpartition(" ")[2]
            photos = []
            if self._random.random() < self.plan.photos:
                photos.append(await who.photo(_picture(self._random)))
            await self._say(who, message, text, photos)

    async def _say(self, who: Persona, message: str, text: str, photos: list[str]) -> None:
        twice = self._random.random() < self.plan.again
        tries = [who.say(ROOM, message, text, photos)]
        if twice and self._random.random() < 0.5:
            tries.append(who.say(ROOM, message, text, photos))  # side by side
        answers = await asyncio.gather(*tries)
        if twice:
            answers.append(await who.say(ROOM, message, text, photos))
        for answer in answers:
            self.said.known += answer["state"] == "known"
            if answer["state"] == "kept":
                self.said.acknowledged[f"{who.person}/{message}"] = ("kept", int(answer["seq"]))
            else:
                self.said.acknowledged.setdefault(f"{who.person}/{message}", (answer["state"], 0))

    async def _answer(self, officer: int) -> None:
        """Units sign for tasks, report them done, reporters agree."""
        for n in itertools.count():
            await self._traffic.wait()
            if self._over.is_set():
                return
            found = await asyncio.to_thread(self._some_task)
            if found is None:
                await asyncio.sleep(0.05)
                continue
            person, text = found
            await self._say(self._person(person), f"c{officer}-{n}", text, [])

    def _some_task(self) -> tuple[str, str] | None:
        states = (*OPEN, "closed") if self.plan.lives else ("dispatched", "accepted", "feedback_given")
        found = standing(self.server.data, states, 40)
        if len(found) < 5:
            return None
        task = self._random.choice([task for task in found if task.state != "closed"] * 4 + found)
        step = next_words if self.plan.lives else straight_on
        return step(task, self._office, self._random, task.opened_at)

    async def _hurry(self) -> None:
        """Business time runs ahead in leaps of minutes, so that timers ring in the storm."""
        while not self._over.is_set():
            await self.server.up.wait()
            far = self._random.random() < 0.1
            await self._leap(3700 if far else self._random.randint(*self.plan.leaps))
            await asyncio.sleep(0.3)

    async def _strike(self) -> None:
        """Kill: at random moments, and at each named place in turn."""
        places = itertools.cycle(self.plan.places)
        while self.server.kills < self.plan.kills:
            await asyncio.to_thread(self._take_table)
            await self._strike_at(next(places))
            await asyncio.sleep(self._random.uniform(0.0, 1.0))
            await self.server.kill()
            await self.server.start()
            self._allow(self.server.kills / self.plan.kills)
        self._allow(1.0)

    async def _strike_at(self, place: str) -> None:
        """A moment's work, then death at the named place, or by hand when nobody comes by there."""
        often = place.partition(".")[0] in ("accept", "prepare", "decide", "send", "mark")
        await asyncio.sleep(self._random.uniform(0.0, 0.5))
        if place.startswith(("tick.", "clock.", "anchor.")):
            self._traffic.clear()  # time runs ahead only when nobody talks
        if place.startswith("anchor."):
            await self._leap(3700)  # a new hour, to be sealed at the next start
        await self.server.kill()
        sight = asyncio.create_task(self._sight()) if place.startswith("photo.") else None
        came = f"{place}:{self._random.choice((1, 2, 5, 15)) if often else 1}"
        if not await self.server.start(came) or await self.server.ended(within=2.0 if often else 6.0):
            self._hits[place] += 1
        else:
            await self.server.kill()
        self._traffic.set()
        await self.server.start()
        if sight is not None:
            await sight

    async def _sight(self) -> None:
        await self._person("hetao").photo(_picture(self._random))

    async def _leap(self, seconds: int) -> None:
        try:
            await self._person("hetao").forward(seconds)
            self.said.forwards += 1
        except (aiohttp.ClientError, TimeoutError, KeyError):
            pass

    def _allow(self, share: float) -> None:
        """Reports are spread over the whole storm."""
        while self._allowed < min(1.0, share + 0.05) * self.plan.reports:
            self._allowed += 1
            self._turns.release()

    def _take_table(self) -> None:
        """The statistics up to now: no death may change them, nor anything said later."""
        if made := table_so_far(self.server.data):
            self.said.tables.append(made)

    async def _calm(self, days: int = 1) -> None:
        """Everything left over gets its time: hours pass, then days."""
        await self.server.kill()
        await self.server.start()
        who = self._person("hetao")
        for seconds in (3600, *(86400,) * days):
            await who.forward(seconds)

    async def _lead_on(self) -> None:
        """Nine tasks of ten go to the end, at first by detours; the rest stay where they are, for the timers."""
        for n in itertools.count():
            found = await asyncio.to_thread(standing, self.server.data, OPEN, 10_000)
            left = [task for task in found if not task.number.endswith("0") and self._office.staff(task.unit)]
            if not left:
                return
            assert n < ROUNDS, f"still open: {left[:3]}"
            go = next_words if n < DETOURS else straight_on
            said = [go(task, self._office, self._random, task.opened_at) for task in left]
            step = itertools.count()
            await asyncio.gather(
                *(self._say(self._person(who), f"e{n}-{next(step)}", text, []) for who, text in filter(None, said))
            )

    async def _rest(self) -> None:
        """The statistics before and after one more death."""
        await asyncio.to_thread(self._take_table)
        await self.server.kill()
        await self.server.start()
        await asyncio.to_thread(self._take_table)


def _matter_of(office: Office, text: str) -> tuple[str, str] | None:
    """(place, class) of a report that nobody will be asked about."""
    reading = office.reader.read(text, 0, "")
    heard = reading.kind == "report" and office.reader.listen(text, 0)  # untagged words must also be listened to
    plain = heard and not reading.parts and not reading.urgent
    return (reading.place_id, reading.category) if plain and reading.place_id and reading.category else None


def _picture(chance: random.Random) -> bytes:
    from PIL import Image

    made, out = Image.frombytes("RGB", (32, 32), chance.randbytes(32 * 32 * 3)).resize((320, 240)), io.BytesIO()
    made.save(out, "JPEG")
    return out.getvalue()


def main() -> None:
    """The command line of the full storm."""
    parser = argparse.ArgumentParser()
    for name, kind, usual in (("reports", int, 2000), ("kills", int, 110), ("photos", float, 0.1), ("seed", int, 1)):
        parser.add_argument(f"--{name}", type=kind, default=usual)
    parser.add_argument("--lives", action="store_true", help="whole lives, with days going by")
    asked = parser.parse_args()
    plan = Plan(asked.reports, asked.kills, asked.photos, seed=asked.seed)
    if asked.lives:
        plan = replace(plan, lives=True, leaps=LEAPS)
    with tempfile.TemporaryDirectory() as folder:
        truth = asyncio.run(Storm(plan, Path(folder)).run())
    print(truth.summary())
    sys.exit(1 if truth.faults else 0)


if __name__ == "__main__":
    main()
