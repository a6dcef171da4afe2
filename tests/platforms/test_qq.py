"""The QQ open platform against its simulator: what is answered, when, as which message, and what waits for the next call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.platforms.qq import QQPlatform
from bot.simulators.frame import Fault
from bot.simulators.qq import QQGatewaySimulator, QQSimulator
from config.errors import Busy, Paused
from handlers.events import Message
from store import Tx, outbox
from store.qq import KEPT, Window, claim, forget
from tests.platforms.stage import REPORTS, TAX, Scene, picture, staged

ROOM, HALL = "room1", "room2"
REPORT = "@群办 #随手拍 西环路12号路灯不亮"


@contextlib.asynccontextmanager
async def scene(
    folder: Path,
    simulator: QQSimulator | None = None,
    change: Callable[[dict[str, Any]], None] = lambda channel: None,
    **more: Any,
) -> AsyncIterator[Scene]:
    found = simulator or QQSimulator()
    groups = {REPORTS: found.address(ROOM), TAX: found.address(HALL)}
    users = {person: found.account(person, ROOM) for person in ("limin", "zhangqiang")}
    async with staged(folder / "data", found, groups, users, change, **more) as staging:
        yield staging
        await staging.house.settle()  # what is leaving would open connections behind the end


def platform(found: Scene) -> QQPlatform:
    built = found.house.parts.engine.platforms["qq"]
    assert isinstance(built, QQPlatform)
    return built


def qq(found: Scene) -> QQSimulator:
    assert isinstance(found.simulator, QQSimulator)
    return found.simulator


async def wait_for(found: Scene, query: str, rows: list[tuple[Any, ...]]) -> None:
    for _ in range(500):
        if await found.house.sql(query) == rows:
            return
        await asyncio.sleep(0.01)
    assert await found.house.sql(query) == rows


def alone(found: Scene, person: str) -> tuple[str, str] | None:
    """Where QQ alone would reach somebody in private."""
    office = found.house.parts.engine.office
    return replace(office, channels={"qq": office.channels["qq"]}).private_address(person)


async def queue(found: Scene, key: str, address: str, text: str, **more: Any) -> outbox.OutboxRow:
    """Something nobody asked for, as an edition is."""
    body = Message(text, **more).to_json()
    row = await found.house.parts.engine.apply(lambda tx: outbox.add(tx, key, "qq", address, "edition", body))
    assert row is not None
    await found.house.parts.engine.outbox.idle()
    return row


async def state(found: Scene, row: outbox.OutboxRow) -> tuple[Any, ...]:
    return (await found.house.sql("select state, attempts, reason from outbox where seq = ?", row.seq))[0]


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [QQSimulator, QQGatewaySimulator])
async def test_a_photo_report_is_taken_answered_and_led_on(tmp_path: Path, kind: type[QQSimulator]) -> None:
    async with scene(tmp_path, kind()) as found:
        if kind is QQGatewaySimulator:
            await qq(found).hub.connected.wait()
        said = await found.simulator.say(ROOM, "limin", REPORT, [picture(1)])
        line = await found.hears("已受理")
        assert line.room == ROOM and line.quote == said
        await found.house.settle()
        assert await found.house.sql("select group_id, reporter from task") == [(REPORTS, "limin")]
        await wait_for(found, "select count(*) from task_photo", [(1,)])  # a slow photo joins its task later
        assert await found.house.sql("select distinct state from outbox where channel = 'qq'") == [("sent",)]
        await found.simulator.say(ROOM, "zhangqiang", "@群办 签收", quote=line.id)
        await wait_for(found, "select count(*) from inbox where channel = 'qq' and kind = 'message'", [(2,)])


@pytest.mark.asyncio
async def test_an_edition_waits_for_the_next_call_where_a_group_refuses_it_and_holds_up_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        edition = await queue(found, "e1", qq(found).address(ROOM), "【每日摘要】云溪县")
        assert await state(found, edition) == ("due", 0, outbox.AWAITING)
        second = await queue(found, "e2", qq(found).address(ROOM), "【微课堂】")
        assert await state(found, second) == ("due", 0, outbox.AWAITING)
        await found.simulator.say(ROOM, "limin", "@群办 帮助")
        for words in ("每日摘要", "微课堂", "查进度"):
            await found.hears(words)
        await found.house.settle()
        assert await found.house.sql("select distinct state from outbox where channel = 'qq'") == [("sent",)]
        assert await found.house.sql("select count(*) from qq_silent") == [(1,)]


@pytest.mark.asyncio
async def test_a_refusal_is_learned_once_per_group_and_only_for_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        await simulator.say(ROOM, "limin", "@群办 帮助")
        await simulator.say(HALL, "limin", "@群办 隐私")
        await found.house.settle()
        simulator.lapse()
        platform(found).replies._open.clear()
        simulator.pushers.add(HALL)
        simulator.calls.clear()
        for number in range(3):
            await queue(found, f"r{number}", simulator.address(ROOM), "【每日摘要】")
            await queue(found, f"h{number}", simulator.address(HALL), "【每日摘要】")
        pushed = [path for path, body in simulator.calls if "msg_id" not in body]
        assert sum(path.endswith(f"{simulator.address(ROOM)[1:]}/messages") for path in pushed) == 1
        assert sum(path.endswith(f"{simulator.address(HALL)[1:]}/messages") for path in pushed) == 3


@pytest.mark.asyncio
async def test_what_waits_is_still_waiting_after_a_restart(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        await queue(found, "e1", qq(found).address(ROOM), "【每日摘要】云溪县")
    async with scene(tmp_path) as found:
        await found.house.settle()
        assert await found.house.sql("select state, attempts from outbox where key = 'e1'") == [("due", 0)]
        await found.simulator.say(ROOM, "limin", "@群办 帮助")
        await found.hears("每日摘要")


@pytest.mark.asyncio
async def test_switching_unasked_messages_on_lets_the_edition_leave_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        await queue(found, "e1", simulator.address(ROOM), "【每日摘要】云溪县")
        simulator.pushers.add(ROOM)
        data = {
            "group_openid": simulator.address(ROOM)[1:],
            "op_member_openid": "A1",
            "timestamp": int(time.time()) - 3600,
        }
        await simulator.tell("GROUP_MSG_RECEIVE", data)
        await found.hears("每日摘要")
        assert await found.house.sql("select count(*) from qq_silent") == [(0,)]
        await simulator.tell("GROUP_MSG_REJECT", data)
        assert await found.house.sql("select count(*) from qq_silent") == [(1,)]


@pytest.mark.asyncio
async def test_a_window_takes_five_and_keeps_two_for_its_own_answers(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        for number in range(6):
            await queue(found, f"e{number}", qq(found).address(ROOM), f"摘要{number}")
        await found.simulator.say(ROOM, "limin", "@群办 帮助")
        await found.hears("查进度")
        await found.house.settle()
        sent = [line.text for line in found.simulator.sent]
        assert len([text for text in sent if text.startswith("摘要")]) == 3
        numbers = [body["msg_seq"] for _, body in qq(found).calls if "msg_id" in body]
        assert sorted(numbers) == [1, 2, 3, 4]
        await found.simulator.say(ROOM, "limin", "@群办 隐私")
        await found.hears("摘要5")
        assert [line.text for line in found.simulator.sent if line.text.startswith("摘要")] == [
            f"摘要{n}" for n in range(6)
        ]


@pytest.mark.asyncio
async def test_replies_are_counted_across_a_restart(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        await found.simulator.say(ROOM, "limin", "@群办 帮助")
        await found.house.settle()
        before = await found.house.sql(
            "select address, window, first, parts from qq_slot join qq_window on id = window"
        )
        assert len(before) == 1
    async with scene(tmp_path) as found:
        held = platform(found).replies._open[qq(found).address(ROOM)]
        assert [one.used for one in held] == [1]


@pytest.mark.asyncio
async def test_a_repetition_is_the_same_message(tmp_path: Path) -> None:
    """Half sent: the platform has it and the line broke. The retry carries the same numbers and is refused as known."""
    async with scene(tmp_path) as found:
        simulator = qq(found)
        simulator.faults.append(Fault("half_sent"))
        await simulator.say(ROOM, "limin", "@群办 帮助")
        await wait_for(found, "select attempts from outbox where channel = 'qq' and state = 'due'", [(1,)])
        found.house.parts.engine.business.advance_to(found.house.parts.engine.store.now() + 30)
        await found.house.parts.engine.outbox.sweep()
        await found.house.settle()
        numbers = [(body["msg_id"], body["msg_seq"]) for _, body in simulator.calls]
        assert len(numbers) == 2 and numbers[0] == numbers[1]
        assert len(simulator.sent) == 1
        assert await found.house.sql("select state from outbox where channel = 'qq'") == [("sent",)]


@pytest.mark.asyncio
async def test_an_unclear_push_is_left_to_a_person_and_sent_once_more_if_they_say_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        simulator.pushers.add(ROOM)
        simulator.faults.append(Fault("half_sent"))
        row = await queue(found, "e1", simulator.address(ROOM), "【每日摘要】")
        assert (await state(found, row))[0] == "unknown" and len(simulator.sent) == 1
        await found.house.parts.engine.apply(lambda tx: outbox.resend(tx, row.seq))
        await found.house.settle()
        assert (await state(found, row))[0] == "sent" and len(simulator.sent) == 2


@pytest.mark.asyncio
async def test_an_answer_too_late_for_its_window_waits_and_is_not_lost(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        simulator.faults.append(Fault("error", code=304027))
        await simulator.say(ROOM, "limin", "@群办 帮助")
        await wait_for(found, "select attempts from outbox where channel = 'qq' and state = 'due'", [(1,)])
        found.house.parts.engine.business.advance_to(found.house.parts.engine.store.now() + 30)
        await found.house.parts.engine.outbox.sweep()
        await found.house.settle()
        await wait_for(found, "select reason from outbox where channel = 'qq'", [(outbox.AWAITING,)])
        await simulator.say(ROOM, "limin", "@群办 隐私")
        await found.hears("查进度")


@pytest.mark.asyncio
async def test_one_token_for_all_senders_and_one_refresh_for_each_expiry(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        await asyncio.gather(*(platform(found).api.token() for _ in range(20)))
        assert len(simulator.tokens) == 1
        simulator._valid.clear()
        await asyncio.gather(*(platform(found).api.call("GET", "/users/@me") for _ in range(20)))
        assert len(simulator.tokens) == 2


@pytest.mark.asyncio
async def test_a_redelivery_is_known_and_a_busy_store_asks_for_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as found:
        said = await found.simulator.say(ROOM, "limin", REPORT)
        await found.simulator.say(ROOM, "limin", REPORT, id=said)
        await found.house.settle()
        assert await found.house.sql("select count(*) from task") == [(1,)]
        taken, inbox = [False], found.house.parts.engine.inbox
        accept = inbox.accept

        async def busy_once(*given: Any) -> Any:
            if not taken[0]:
                taken[0] = True
                raise Busy("")
            return await accept(*given)

        monkeypatch.setattr(inbox, "accept", busy_once)
        qq(found).patience = 0.01
        await found.simulator.say(ROOM, "limin", "@群办 #随手拍 解放路垃圾桶满了没人收")
        await found.house.settle()
        assert await found.house.sql("select count(*) from task") == [(2,)]


@pytest.mark.asyncio
async def test_a_quoted_photo_is_reported_and_a_quoted_answer_names_its_task(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        shown = await simulator.say(ROOM, "limin", "", [picture(3)])  # not heard: nobody was called
        assert await found.house.sql("select count(*) from inbox where channel = 'qq'") == [(0,)]
        await simulator.say(ROOM, "limin", REPORT, quote=shown)
        line = await found.hears("已受理")
        await found.house.settle()
        await wait_for(found, "select count(*) from task_photo", [(1,)])  # a slow photo joins its task later
        receipts = await found.house.sql("select receipt from outbox where receipt is not null and task is not null")
        await simulator.say(ROOM, "limin", "@群办 进度", quote=line.id)
        await found.house.settle()
        quoted = await found.house.sql("select body from inbox where kind = 'message' order by seq desc limit 1")
        assert json.loads(quoted[0][0])["quote"] in {receipt for (receipt,) in receipts}


@pytest.mark.asyncio
async def test_check_in_and_binding_by_code_work_with_openids_and_each_place_is_its_own(tmp_path: Path) -> None:
    from store import people

    async with scene(tmp_path) as found:
        engine = found.house.parts.engine
        await engine.store.write(lambda tx: people.make_code(tx, "K7M2Q9", "person", "wangfang", "", 3600))
        await found.simulator.say(ROOM, "wanglei", "@群办 报到 K7M2Q9")
        await found.hears("报到成功")
        await found.house.settle()
        assert ("qq", qq(found).account("wanglei", ROOM)) in engine.office.person_at
        await found.simulator.say("", "wanglei", "帮助")
        await found.hears("还没有登记")
        assert alone(found, "wangfang") is None  # a group's pseudonym reaches nobody in private
        await engine.store.write(lambda tx: people.make_code(tx, "P3X8W4", "person", "wangfang", "", 3600))
        await found.simulator.say("", "wanglei", "报到 P3X8W4")
        await wait_for(found, "select count(*) from outbox where body like '%报到成功%' and state = 'sent'", [(2,)])
        await found.house.settle()
        assert alone(found, "wangfang") == ("qq", qq(found).account("wanglei"))


@pytest.mark.asyncio
async def test_a_pressed_button_says_its_words_and_is_acknowledged(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        simulator = qq(found)
        await simulator.say(ROOM, "limin", REPORT, [picture(1)])
        await found.hears("已受理")
        row = await queue(found, "b1", simulator.address(ROOM), "请选择", buttons=(("帮助", "帮助"), ("隐私", "隐私")))
        line = await found.hears("请选择")
        await simulator.press(line, "隐私", "limin")
        await found.hears("只保存")
        await found.house.settle()
        assert (await state(found, row))[0] == "sent" and len(simulator.acknowledged) == 1


@pytest.mark.asyncio
async def test_all_group_messages_are_read_where_granted_and_chatter_is_forgotten(tmp_path: Path) -> None:
    async with scene(tmp_path, change=lambda channel: channel["options"].update(all_messages=True)) as found:
        simulator = qq(found)
        simulator.all_messages = True
        await simulator.say(ROOM, "zhangqiang", "中午吃什么")
        await simulator.say(ROOM, "limin", "#随手拍 西环路12号路灯不亮", [picture(2)])
        await found.hears("已受理")
        await simulator.say(ROOM, "limin", "@群办 隐私")
        await found.hears("只保存")
        await found.house.settle()
        assert await found.house.sql("select count(*) from inbox where channel = 'qq' and kind = 'message'") == [(2,)]
        assert await found.house.sql("select count(*) from inbox where body like '%中午%'") == [(0,)]
        assert await found.house.sql("select count(*) from qq_window") == [(2,)]


@pytest.mark.asyncio
async def test_the_connection_can_be_proved_without_anybody_seeing_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        assert (await platform(found).probe()).startswith("已连通，机器人“群办”")
        qq(found).secret = "another secret!!!"
        qq(found)._valid.clear()
        with pytest.raises(Paused, match="AppSecret"):
            await platform(found).probe()
        assert qq(found).sent == []


@pytest.mark.asyncio
async def test_a_message_that_was_leaving_when_the_process_died_leaves_again_as_the_same(tmp_path: Path) -> None:
    """Its numbers were on disk before it left, so QQ knows the second for the first; an unasked one is a person's matter."""
    async with scene(tmp_path) as found:
        engine, room, hall = found.house.parts.engine, qq(found).address(ROOM), qq(found).address(HALL)
        said = await found.simulator.say(ROOM, "limin", "@群办 帮助")
        await found.hears("查进度")
        await found.house.settle()
        window = Window(said, "msg_id", room, int(time.time()) + 200)

        def dying(tx: Tx) -> None:
            for key, address in (("answer", room), ("push", hall)):
                row = outbox.add(tx, key, "qq", address, "answer", Message("又一条").to_json())
                assert row is not None
                claim(tx, "qq", row.seq, window if key == "answer" else None, 1)

        await engine.store.write(dying)  # as a kill between the claim and the booking leaves it
    later = QQSimulator()
    later._open(said, ROOM, "limin")
    async with scene(tmp_path, later) as found:
        await found.hears("又一条")
        await found.house.settle()
        assert [(body["msg_id"], body["msg_seq"]) for _, body in later.calls] == [(said, 2)]
        states = await found.house.sql("select key, state from outbox where key in ('answer', 'push') order by key")
        assert states == [("answer", "sent"), ("push", "unknown")]


@pytest.mark.asyncio
async def test_books_of_old_windows_are_thrown_away(tmp_path: Path) -> None:
    async with scene(tmp_path) as found:
        await found.simulator.say(ROOM, "limin", "@群办 帮助")
        await found.house.settle()
        store, soon = found.house.parts.engine.store, int(time.time()) + KEPT
        await store.write(lambda tx: forget(tx, soon - 3600))
        assert await found.house.sql("select count(*) from qq_window") == [(1,)]
        await store.write(lambda tx: forget(tx, soon + 3600))
        counts = "select (select count(*) from qq_window), (select count(*) from qq_slot)"
        assert await found.house.sql(counts) == [(0, 0)]
