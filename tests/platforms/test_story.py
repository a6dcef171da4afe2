"""The same three things through every platform that can hear and speak: a report to its end, a tax question, an edition.

What a platform cannot do is said here, in its cast, and nowhere worked around.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.arrivals import Arrivals, Origin
from bot.candidates import run_day
from bot.platforms import onebot_lines
from bot.simulators.frame import SentLine, Simulator
from bot.simulators.official_account import OfficialAccountSimulator
from bot.simulators.onebot import OneBotSimulator
from bot.simulators.qq import QQGatewaySimulator, QQSimulator
from bot.simulators.wecom_aibot import WecomAibotSimulator
from bot.simulators.wecom_aibot_webhook import WecomAibotWebhookSimulator
from bot.simulators.wecom_app import WecomAppSimulator
from bot.simulators.wecom_webhook import WecomWebhookSimulator
from digests.dates import SHANGHAI
from handlers.editions import timing
from handlers.events import CONSOLE, Event, Message
from store import editions, outbox
from tests.edition_house import TEXTS
from tests.platforms.stage import REPORTS, TAX, Scene, picture, staged
from tests.test_digest_candidates import arrived

REPORT = "西环路三角绿地的雕塑上贴满小广告"
QUESTION = "这个月征期到几号"
NOTICES, EDITORS, SERIAL = "tongzhi", ("qinyue", "fanwen", "gaoyuan"), itertools.count(1)
LINK = "https://www.gov.cn/zhengce/202611/content_7001.htm"
EDITION = f"【每日摘要】11月24日\n1. 防汛工作会议召开\n{LINK}\n退订请回复“退订”"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays. `room` and `hall` are the report and the tax group ("" where there are no groups), by the simulator's ids."""

    make: Callable[[], Simulator]
    room: str = ""
    hall: str = ""
    reporter: str = "limin"
    officer: str = "zhangqiang"
    call: str = ""  # what begins every word in a group
    group: Callable[[Any, str], str] = lambda simulator, room: room  # the simulator's id → our address
    account: Callable[[Any, str, str], str] = lambda simulator, user, room: user
    ready: Callable[[Any], None] = lambda simulator: None


def _push(simulator: QQSimulator) -> None:
    simulator.pushers.update(simulator.rooms)


def _template(simulator: OfficialAccountSimulator) -> None:
    simulator.template = "TEMPLATE1"


def _chat(simulator: WecomAppSimulator) -> None:
    simulator.rooms["room1"] = "机关通知学习群"


def _qq(make: Callable[[], Simulator]) -> Cast:
    return Cast(
        make,
        "room1",
        "room2",
        call="@群办 ",
        group=lambda simulator, room: simulator.address(room),
        account=lambda simulator, user, room: simulator.account(user, room),
        ready=_push,
    )


def _onebot(way: str) -> Cast:
    return Cast(lambda: OneBotSimulator(way), "7788", "7799", "20001", "20002", group=lambda _, room: f"g{room}")


CASTS: Mapping[str, Cast] = {
    "wecom-aibot": Cast(WecomAibotSimulator, "wrSUISHOUPAI", "wrTAX", call="@群办 "),
    "wecom-aibot-webhook": Cast(WecomAibotWebhookSimulator, "wrSUISHOUPAI", "wrTAX", call="@群办 "),
    "wecom-app": Cast(WecomAppSimulator),
    "qq": _qq(QQSimulator),
    "qq-gateway": _qq(QQGatewaySimulator),
    "onebot-reverse": _onebot("reverse"),
    "onebot-forward": _onebot("forward"),
    "onebot-http": _onebot("http"),
    "official-account": Cast(OfficialAccountSimulator, reporter="oLimin0001", officer="oZhang0002", ready=_template),
}
WECOM_APP_GROUP = Cast(WecomAppSimulator, "room1", group=lambda _, room: f"chat/{room}", ready=_chat)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onebot_lines, "FIRST_WAIT", 0.05)


def played(folder: Path, cast: Cast, group: str = REPORTS) -> Any:
    """The cast on its stage."""
    simulator = cast.make()
    cast.ready(simulator)
    rooms = {ours: cast.group(simulator, theirs) for ours, theirs in ((group, cast.room), (TAX, cast.hall)) if theirs}
    users = {"limin": cast.reporter, "zhangqiang": cast.officer}
    accounts = {person: cast.account(simulator, user, cast.room) for person, user in users.items()}
    return staged(folder / "data", simulator, rooms, accounts, _unhurried)


def _unhurried(channel: dict[str, Any]) -> None:
    if channel["kind"] != "wecom-webhook":
        channel["options"]["address_per_minute"] = 0


async def there(simulator: Any) -> None:
    """Until the line stands, where there is one."""
    connected = getattr(simulator, "connected", None)
    if isinstance(simulator, QQGatewaySimulator):
        connected = simulator.hub.connected
    if isinstance(connected, asyncio.Event) and getattr(simulator, "way", "") != "http":
        await asyncio.wait_for(connected.wait(), 10)
    elif callable(connected):
        await connected()


async def hears(found: Scene, who: str, room: str, *words: str) -> SentLine:
    """In the room, or alone where there is none."""
    simulator = found.simulator
    return await simulator.expect(
        lambda line: (line.room == room if room else line.user == who) and all(word in line.text for word in words)
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CASTS)
async def test_a_photo_report_is_led_to_its_end(tmp_path: Path, name: str) -> None:
    cast = CASTS[name]
    reporter, officer, room = cast.reporter, cast.officer, cast.room
    async with played(tmp_path, cast) as found:
        await there(found.simulator)
        say = found.simulator.say
        await say(room, reporter, f"{cast.call if room else ''}{REPORT}", [picture(1)])
        assert "城管执法局" in (await hears(found, reporter, room, "已受理")).text
        await found.house.settle()
        call = cast.call if room else ""
        await say(room, officer, f"{call}签收")
        await hears(found, officer, room, "已签收")
        await found.house.settle()
        await say(room, officer, f"{call}反馈 已清理干净", [picture(2)])
        if room:
            asked = await hears(found, reporter, room, "已反馈")
        else:
            asked = await hears(found, reporter, room, "通过")
        await found.house.settle()
        await say(room, reporter, f"{call}通过", quote=asked.id if room else "")
        await hears(found, reporter, room, "已办结")
        await found.house.settle()
        assert await found.house.sql("select state, reporter from task") == [("closed", "limin")]
        photos = await found.house.sql("select role, count(*) from task_photo group by role")
        assert dict(photos) == {"report": 1, "evidence": 1}
        stuck = (
            "select channel, kind, state, reason from outbox where channel <> 'web' and state not in ('sent', 'due')"
        )
        assert await found.house.sql(stuck) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CASTS)
async def test_a_tax_question_is_answered_byte_for_byte(tmp_path: Path, name: str) -> None:
    cast = CASTS[name]
    async with played(tmp_path, cast) as found:
        await there(found.simulator)
        await found.simulator.say(cast.hall, cast.reporter, f"{cast.call if cast.hall else ''}{QUESTION}")
        line = await found.simulator.expect(
            lambda line: line.room == cast.hall if cast.hall else line.user == cast.reporter
        )
        await found.house.settle()
        bodies = await found.house.sql("select body from outbox where channel <> 'web' order by seq")
        assert line.text.strip() == Message.from_json(bodies[0][0]).text.strip()
        assert "征期" in line.text or "申报" in line.text


def shown(line: SentLine) -> bool:
    """Whether it is the edition."""
    return "防汛工作会议召开" in line.text or any("防汛" in title for title, *_ in line.articles)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [*CASTS, "wecom-webhook"])
async def test_an_edition_is_delivered_in_the_best_form_the_channel_has(tmp_path: Path, name: str) -> None:
    cast = CASTS.get(name) or Cast(WecomWebhookSimulator, "room1", group=lambda simulator, room: "room1")
    async with played(tmp_path, cast) as found:
        await there(found.simulator)
        engine, channel_name = found.house.parts.engine, found.simulator.name
        channel = engine.office.channels[channel_name]
        if name != "wecom-webhook":  # whoever is spoken to has spoken before
            await found.simulator.say(cast.room, cast.reporter, f"{cast.call if cast.room else ''}隐私")
            await found.hears("我只保存")
        await found.house.settle()
        form = next((form for form in channel.forms if form in ("markdown", "news")), "")
        message = Message(
            EDITION, form=form, articles=(("防汛工作会议召开", "县防汛办", LINK),) if form == "news" else ()
        )
        simulator: Any = found.simulator
        address = cast.group(simulator, cast.room) if cast.room else cast.account(simulator, cast.reporter, "")
        body = message.to_json()
        row = await engine.store.write(lambda tx: outbox.add(tx, "e1", channel_name, address, "edition", body))
        assert row is not None
        engine.outbox.take([row])
        line = await simulator.expect(shown)
        if not name.startswith("qq"):  # QQ takes addresses of registered sites only; the text says where they are
            assert LINK in line.text or any(url == LINK for *_, url in line.articles)
        await engine.outbox.idle()
        assert await found.house.sql("select state from outbox where key = 'e1'") == [("sent",)]
        assert sum(map(shown, simulator.sent)) == 1


async def click(engine: Any, person: str, words: str) -> str:
    """Something done in the console; why it was refused, if it was."""
    event = Event(CONSOLE, f"{person}/permit{next(SERIAL):08d}", "click", sender=person, action="摘要", text=words)
    receipt = (await engine.inbox.accept((event,)))[0]
    decision = await engine.inbox.decision(receipt.seq, 5.0)
    assert decision is not None
    return str(decision.refused)


async def until(engine: Any, day: date, clock: str) -> None:
    """Let the clock run to a moment in Shanghai."""
    moment = int(datetime.fromisoformat(f"{day}T{clock}:00+08:00").timestamp())
    await engine.clock.forward(max(0, moment - engine.business()))
    await engine.settle()


async def composed(engine: Any) -> date:
    """A draft of three notices for the working day after the next one."""
    today = datetime.fromtimestamp(engine.business(), SHANGHAI).date()
    before = timing.next_workday(engine.office, today)
    day = timing.next_workday(engine.office, before)
    await until(engine, before, "13:00")
    arrivals = Arrivals(engine.store, b"k" * 32)
    for n, (title, text) in enumerate(TEXTS):
        origin = Origin(f"s{n}", f"来源{n}", f"k{n}", f"https://www.example.gov.cn/{n}.html")
        await arrivals.take(arrived(title, text), origin)
    await run_day(engine.store, engine.office.county, str(day))
    await until(engine, before, "17:00")
    return day


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [name for name, cast in CASTS.items() if cast.room or name == "wecom-app"])
async def test_three_people_sign_an_edition_and_it_leaves_once_in_the_morning(tmp_path: Path, name: str) -> None:
    """An official account has no groups, so no edition."""
    cast = CASTS[name] if name != "wecom-app" else WECOM_APP_GROUP
    async with played(tmp_path, cast, NOTICES) as found:
        await there(found.simulator)
        engine = found.house.parts.engine
        if name != "wecom-app":
            await found.simulator.say(cast.room, cast.reporter, "@群办 隐私")
            await found.hears("我只保存")
        day = await composed(engine)
        assert await engine.store.read(lambda c: editions.items(c, str(day)))
        for words, person in zip(("送审", "通过", "签发"), EDITORS, strict=True):
            edition = await engine.store.read(lambda c: editions.get(c, str(day)))
            assert await click(engine, person, f"{words} {edition.hash[:6]}") == "", words
        assert not [line for line in found.simulator.sent if line.room and "种粮" in line.text]
        await until(engine, day, "09:00")
        if not engine.office.channels[found.simulator.name].pushes:  # it comes along with the next answer
            await found.simulator.say(cast.room, cast.reporter, "@群办 帮助")
        line = await found.simulator.expect(lambda line: bool(line.room) and tells(line))
        assert line.room == cast.room
        await engine.outbox.idle()
        assert sum(bool(sent.room) and tells(sent) for sent in found.simulator.sent) == 1


def tells(line: SentLine) -> bool:
    """Whether it is the edition: in words, cards or as its long picture."""
    return "种粮" in line.text or any("种粮" in title for title, *_ in line.articles)
