"""A county that makes editions: three people, two notice groups, a stage that notes what leaves, a clock moved by hand."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.arrivals import Arrivals, Origin
from bot.candidates import run_day
from bot.rehearse import Rehearsal
from config.county import County, Group, Person
from handlers import Decision
from handlers.editions import timing
from handlers.events import CONSOLE, Event, Message
from handlers.office import Rules
from store import editions
from store.editions import Edition, EditionItem
from store.outbox import OutboxRow
from tests.flows.town import TOWN
from tests.test_digest_candidates import arrived

ZONE = timezone(timedelta(hours=8))
DAY = "2026-11-25"  # a Wednesday; its draft is composed on the Tuesday before
QIN, FAN, GAO, LIU = (
    Person("qinyue", "秦月", "zfb", ("editor",)),
    Person("fanwen", "范文", "zfb", ("reviewer",)),
    Person("gaoyuan", "高远", "zfb", ("leader", "publisher")),
    Person("liutong", "刘通", "zfb", ("editor", "reviewer", "publisher")),
)
STAFF = (QIN, FAN, GAO)
NEWS = (Group("news", "通知群", "notices"), Group("study", "学习群", "notices"))
TEXTS = (
    (
        "关于开展种粮补贴申报的通知",
        "县农业农村局关于开展种粮补贴申报的通知。各乡镇要在12月1日前完成申报登记，逾期不予受理，补贴标准每亩120元。",
    ),
    (
        "国家税务总局关于小微企业所得税优惠的公告",
        "为支持小微企业发展，国家税务总局就企业所得税优惠政策公告如下：年应纳税所得额不超过300万元的部分减按25%计入。",
    ),
    (
        "某地干部违规吃喝被通报",
        "省纪委监委通报三起违反中央八项规定精神典型问题，涉及违规吃喝、公车私用，相关人员受到党纪政务处分，要求引以为戒。",
    ),
)
_serial = itertools.count(1)


def at(day: str, clock: str) -> int:
    """A Shanghai moment: at("2026-11-24", "15:30")."""
    return int(datetime.fromisoformat(f"{day}T{clock}:00+08:00").timestamp())


def town(people: Sequence[Person] = STAFF, groups: Sequence[Group] = NEWS) -> County:
    """The small county with these people making editions."""
    ours = {person.id for person in people}
    others = tuple(p for p in TOWN.people if p.id not in ours)
    kept = tuple(group for group in TOWN.groups if group.id != "news")
    return replace(TOWN, people=(*others, *people), groups=(*kept, *groups))


@dataclass
class House:
    """An office with a day's intake; what was said is noted."""

    played: Rehearsal
    heard: int = field(default=0)

    @property
    def engine(self) -> Any:
        return self.played.engine

    @property
    def rows(self) -> list[tuple[OutboxRow, Message]]:
        return self.played.stage.sent

    def said(self, to: str = "") -> list[str]:
        """What left since the last look (to one address)."""
        found = [(row.address, message.text) for row, message in self.rows[self.heard :]]
        self.heard = len(self.rows)
        return [text for address, text in found if not to or address == to]

    def ever(self, to: str, kind: str = "edition") -> list[str]:
        return [message.text for row, message in self.rows if row.address == to and row.kind == kind]

    async def until(self, day: str, clock: str) -> None:
        """Let the clock run to a moment."""
        ahead = at(day, clock) - self.engine.business()
        if ahead > 0:
            await self.engine.clock.forward(ahead)

    async def say(self, person: str, text: str, group: str = "") -> str:
        """One message; the refusal's word."""
        event = Event("stage", f"x{next(_serial)}", "message", group or person, group, person, text=text)
        return (await self._decided(event)).refused

    async def click(self, person: str, text: str) -> Decision:
        """The same from the console."""
        return await self._decided(
            Event(CONSOLE, f"{person}/permit{next(_serial):08d}", "click", sender=person, action="摘要", text=text)
        )

    async def _decided(self, event: Event) -> Decision:
        receipt = (await self.engine.inbox.accept((event,)))[0]
        decision = await self.engine.inbox.decision(receipt.seq, 5.0)
        await self.engine.settle()
        assert decision is not None
        return decision  # type: ignore[no-any-return]

    async def edition(self, day: str = DAY) -> Edition:
        found = await self.engine.store.read(lambda c: editions.get(c, day))
        assert found is not None
        return found  # type: ignore[no-any-return]

    async def lines(self, day: str = DAY) -> list[EditionItem]:
        return await self.engine.store.read(lambda c: editions.items(c, day))  # type: ignore[no-any-return]

    async def code(self, day: str = DAY) -> str:
        return (await self.edition(day)).hash[:6]

    async def pass_all(self, *people: str, day: str = DAY) -> None:
        """送审, 通过, 签发 by these three (or 送审, 签发 by two)."""
        words = ("送审", "通过", "签发") if len(people) == 3 else ("送审", "签发")
        for word, person in zip(words, people, strict=True):
            assert await self.say(person, f"摘要 {word} {await self.code(day)}") == "", (word, self.said(person))


@asynccontextmanager
async def house(
    start: str = "2026-11-24 09:00",
    county: County | None = None,
    rules: Rules | None = None,
    texts: Sequence[tuple[str, str]] = TEXTS,
    day: str = DAY,
) -> AsyncIterator[House]:
    """Open, take the texts in, weigh them for the day."""
    date, clock = start.split()
    played = await Rehearsal.open(county or town(), at(date, clock), rules)
    try:
        engine = played.engine
        arrivals = Arrivals(engine.store, b"k" * 32)
        for n, (title, text) in enumerate(texts):
            url = f"https://www.example.gov.cn/{n}.html"
            await arrivals.take(arrived(title, text), Origin(f"s{n}", f"来源{n}", f"k{n}", url))
        if texts:
            await run_day(engine.store, engine.office.county, day)
        yield House(played)
    finally:
        await played.close()


__all__ = ["DAY", "House", "at", "house", "timing", "town"]
