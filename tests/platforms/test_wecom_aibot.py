"""The WeCom AI bot over its long connection: the whole job in a group, each fault with its outcome, nothing over a limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bot.check import examine
from bot.commands.simulate import snippet
from bot.platforms import standing
from bot.platforms.wecom_aibot import WecomAibotPlatform
from bot.platforms.wecom_aibot_events import read_message
from bot.platforms.wecom_aibot_line import TAKEN, Access, Denied, Line
from bot.platforms.wecom_aibot_media import opened
from bot.platforms.wecom_aibot_sending import planned
from bot.platforms.wecom_text import inert, pieces
from bot.simulators.frame import Fault
from bot.simulators.wecom_aibot import BOT_ID, SECRET, WecomAibotSimulator
from bot.simulators.wecom_aibot_frames import sealed
from config.errors import Awaiting, Offline, Paused, Refused, Retry, SendError, Unknown
from handlers.events import Message
from handlers.office import Channel
from store import outbox, people
from store.outbox import OutboxRow
from tests.fakes import until
from tests.platforms import outcomes
from tests.platforms.stage import REPORTS, TAX, Scene, picture, staged

ROOM, TAX_ROOM, LIMIN, OFFICER = "wrSUISHOUPAI", "wrTAX", "limin", "zhangqiang"


@pytest_asyncio.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr("bot.prepare.PATIENCE", 10.0)  # a busy machine must not part a photo from its words
    people = {"limin": LIMIN, "zhangqiang": OFFICER}
    async with staged(
        tmp_path / "data", WecomAibotSimulator(), {REPORTS: ROOM, TAX: TAX_ROOM}, people, _hasty
    ) as found:
        platform(found).line.pauses = (0.02,)
        await simulator(found).connected()
        yield found


def _hasty(channel: dict[str, object]) -> None:
    options = channel["options"]
    assert isinstance(options, dict)
    options["address_per_minute"] = 0


def simulator(scene: Scene) -> WecomAibotSimulator:
    assert isinstance(scene.simulator, WecomAibotSimulator)
    return scene.simulator


def platform(scene: Scene) -> WecomAibotPlatform:
    found = scene.house.parts.engine.platforms["wecom"]
    assert isinstance(found, WecomAibotPlatform)
    return found


@pytest.mark.asyncio
async def test_the_main_job_in_a_group_with_photos(scene: Scene) -> None:
    say = scene.simulator.say
    await say(ROOM, LIMIN, "@群办 西环路三角绿地的雕塑上贴满小广告", [picture(1)])
    told = await scene.hears("已受理")
    assert told.room == ROOM and "城管执法局" in told.text
    await say(ROOM, OFFICER, "@群办 签收")
    await scene.hears("已签收")
    await say(ROOM, OFFICER, "@群办 反馈 已清理干净", [picture(2)])
    asked = await scene.hears("已反馈")
    assert asked.mentions == (LIMIN,)
    shown = await scene.simulator.expect(lambda line: line.form == "image")
    assert shown.photos[0].startswith((b"\xff\xd8", b"\x89PNG"))
    await say(ROOM, LIMIN, "@群办 通过", quote=asked.id)
    await scene.hears("已办结")
    await scene.house.settle()
    assert await scene.house.sql("select state from task") == [("closed",)]
    assert (await scene.house.sql("select count(*) from task_photo"))[0][0] == 2


@pytest.mark.asyncio
async def test_a_report_in_a_quoted_photo_and_a_click_do_as_words_do(scene: Scene) -> None:
    simulator = scene.simulator
    photo = await simulator.say(ROOM, LIMIN, "", [picture(3)])
    await simulator.say(ROOM, LIMIN, "@群办 西环路三角绿地的雕塑上贴满小广告", quote=photo)
    told = await scene.hears("已受理")
    assert [label for label, _ in told.buttons] == ["签收", "退单"]
    await simulator.press(told, "签收", OFFICER)
    await scene.hears("已签收")
    marked = await simulator.expect(lambda line: any(label == "✓签收" for label, _ in line.buttons))
    assert marked.id == told.id and marked.text == told.text
    await scene.house.settle()
    assert (await scene.house.sql("select count(*) from task_photo"))[0][0] == 1


@pytest.mark.asyncio
async def test_whoever_opens_the_chat_is_taught_to_send_photo_and_words_together(scene: Scene) -> None:
    await simulator(scene).enter("stranger")
    told = await scene.hears("引用照片")
    assert (told.user, told.form) == ("stranger", "text") and "同一条@消息" in told.text
    await scene.simulator.say(ROOM, LIMIN, "@群办 帮助")
    assert "同一条@消息" in (await scene.hears("查进度")).text


@pytest.mark.asyncio
async def test_a_bare_photo_in_private_is_enough_and_people_and_groups_bind_by_code(scene: Scene) -> None:
    engine = scene.house.parts.engine
    for code, kind, subject in (("123456", "person", "limin"), ("654321", "group", REPORTS)):
        await engine.store.write(lambda tx, c=code, k=kind, s=subject: people.make_code(tx, c, k, s, "limin", 600))  # type: ignore[misc]
    await scene.simulator.say("", "wmNEW", "报到 123456")
    assert (await scene.hears("报到成功")).user == "wmNEW"
    scene.simulator.rooms["wrNEW"] = "新群"
    await scene.simulator.say("wrNEW", LIMIN, "@群办 绑定 654321")
    assert (await scene.hears("本群已绑定")).room == "wrNEW"
    await scene.house.settle()
    accounts = {a for g in engine.office.county.groups for a in g.accounts}
    assert {"wecom:wrNEW"} <= accounts and ("wecom", "wmNEW") in engine.office.person_at


@pytest.mark.asyncio
async def test_a_tax_question_is_answered_in_the_approved_words(scene: Scene) -> None:
    await scene.simulator.say(TAX_ROOM, LIMIN, "@群办 这个月征期到几号")
    told = await scene.simulator.expect(lambda line: line.room == TAX_ROOM)
    body = (await scene.house.sql("select body from outbox where address = ?", TAX_ROOM))[0][0]
    assert told.text == Message.from_json(body).text


@pytest.mark.asyncio
async def test_a_broken_line_is_dialled_again_and_what_waited_leaves(scene: Scene) -> None:
    sim = simulator(scene)
    await sim.drop()
    await sim.lost()
    await scene.house.parts.engine.apply(
        lambda tx: outbox.add(tx, "k1", "wecom", ROOM, "received", Message("断线时写的").to_json())
    )
    await sim.connected()
    sim.called.add(ROOM)
    await scene.hears("断线时写的")
    assert sim.subscribed.total() == 2


@pytest.mark.asyncio
async def test_a_bot_that_another_server_took_over_stays_away(scene: Scene) -> None:
    sim, line = simulator(scene), platform(scene).line
    await sim.kick()
    await until(lambda: line.state == TAKEN)
    await asyncio.wait_for(line.ended(), 10)
    found = await scene.house.parts.engine.store.read(lambda c: standing.get(c, "wecom"))
    assert found is not None and found.state == TAKEN and sim.subscribed.total() == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("rate_limit"), ("due", 0)),
        (Fault("error", code=6000), ("sent", 1)),
        (Fault("error", code=40008), ("dead", 0)),
        (Fault("half_sent"), ("sent", 2)),
        (Fault("reset"), ("sent", 1)),
        (Fault("disconnect"), ("sent", 1)),
    ],
    ids=lambda value: f"{value.name}-{value.code}" if isinstance(value, Fault) else "",
)
@pytest.mark.asyncio
async def test_a_fault_of_the_platform_ends_as_the_table_says(
    scene: Scene, fault: Fault, outcome: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.BACKOFF", (0.0,))
    sim, engine = simulator(scene), scene.house.parts.engine
    sim.called.add(ROOM)
    sim.faults.append(fault)
    key = f"fault-{fault.name}"
    await engine.apply(lambda tx: outbox.add(tx, key, "wecom", ROOM, "received", Message("一句话").to_json()))
    for _ in range(400):
        state = (await scene.house.sql("select state, reason from outbox where key = ?", key))[0]
        if state[0] == outcome[0] and (state[0] != "due" or state[1]):
            break
        await engine.clock.tick()
        await asyncio.sleep(0.02)
    assert (state[0], len(sim.sent)) == outcome
    assert sim.happened == [fault.name]


@pytest.mark.asyncio
async def test_a_reply_whose_exchange_is_over_is_pushed(scene: Scene) -> None:
    scene.simulator.faults.append(Fault("error", code=846608))
    await scene.simulator.say(ROOM, LIMIN, "@群办 帮助")
    assert (await scene.hears("查进度")).form == "markdown"


@given(st.text(max_size=3000), st.integers(64, 600))
def test_no_piece_is_over_its_limit_and_none_is_cut_inside_a_character(text: str, limit: int) -> None:
    text = text.replace("\ud800", "")
    text = "".join(sign for sign in text if not 0xD800 <= ord(sign) < 0xE000)
    shown = inert(text)
    found = pieces(shown, limit)
    assert all(len(piece.encode()) <= limit for piece in found)
    assert "".join(found).replace("\n", "") == shown.replace("\n", "")


@given(st.text("字 ，。\n", max_size=200), st.text("字 。\n", max_size=200))
def test_no_address_is_cut(before: str, after: str) -> None:
    link = "https://example.gov.cn/zcfg/2026/11/24/notice.html?id=1234567890"
    assert sum(link in piece for piece in pieces(f"{before}\n{link} {after}", 100)) == 1


@pytest.mark.parametrize(
    "evil", ["<@all>", "<@zhangsan>", "[点我](http://evil)", "<font color=red>", "`x`", "**粗**", "# 大字", "> 引"]
)
def test_markup_in_what_people_write_is_inert(evil: str) -> None:
    shown = inert(evil)
    assert not any(mark in shown for mark in ("<@", "](", "<f", "`", "**", "# ")) and not shown.startswith(">")
    assert len(shown) == len(evil)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"msgid": "1"},
        {"msgid": 1, "from": {"userid": "a"}, "msgtype": "text", "text": {"content": "x"}},
        {"msgid": "1", "from": [], "msgtype": "text", "text": {"content": "x"}},
        {"msgid": "1", "from": {"userid": "a"}, "msgtype": "mixed", "mixed": {"msg_item": [1, {"msgtype": "mixed", "mixed": {}}]}},
        {"msgid": "1", "from": {"userid": "a"}, "msgtype": "image", "image": {"url": "file:///etc/passwd"}},
        {"msgid": "1", "from": {"userid": "a"}, "msgtype": ["x"], "text": {}},
    ],
)  # fmt: skip
def test_a_body_that_is_no_message_is_none(body: dict[str, object]) -> None:
    assert read_message("wecom", body) is None


@pytest.mark.parametrize("name", ["", "群办"])
def test_the_call_is_taken_off_the_text(name: str) -> None:
    body = {
        "msgid": "1", "chattype": "group", "chatid": "wr", "from": {"userid": "a"},
        "msgtype": "text", "text": {"content": "@群办 路灯坏了"},
    }  # fmt: skip
    event = read_message("wecom", body, name)
    assert event is not None and (event.text, event.addressed, event.address) == ("路灯坏了", True, "wr")


def test_a_broken_picture_is_refused_in_words() -> None:
    key = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"
    for data, opener in ((b"", key), (b"x" * 31, key), (b"x" * 64, key), (b"x" * 64, "kurz"), (b"x" * 64, "！")):
        with pytest.raises(Refused):
            opened(data, opener)
    assert opened(sealed(b"photo", key), key) == b"photo"


@pytest.mark.asyncio
async def test_check_proves_the_line_alone_and_asks_the_running_server_instead_of_throwing_it_out(
    scene: Scene, tmp_path: Path
) -> None:
    sim, folder = simulator(scene), tmp_path / "data"
    await asyncio.to_thread(_write_settings, folder, sim)
    lines = [
        finding for finding in await asyncio.to_thread(lambda: list(examine(folder))) if "渠道 wecom" in finding.text
    ]
    assert [(line.level, line.text[-3:]) for line in lines] == [("ok", "起连着")]
    assert sim.subscribed.total() == 1
    await platform(scene).line.close()
    assert "凭证有效" in await platform(scene).probe()
    scene.simulator.faults.append(Fault("html"))
    with pytest.raises(Retry):
        await platform(scene).probe()


def _write_settings(folder: Path, sim: WecomAibotSimulator) -> None:
    (folder / "settings.toml").write_text(snippet("wecom", sim.channel("")), "utf-8")


@pytest.mark.asyncio
async def test_what_is_for_somebody_who_never_spoke_waits_until_they_do(scene: Scene) -> None:
    engine = scene.house.parts.engine
    note = Message("请核对一件工单").to_json()
    await engine.apply(lambda tx: outbox.add(tx, "k1", "wecom", OFFICER, "reminder", note, person="zhangqiang"))
    await engine.settle()
    assert await scene.house.sql("select state, reason from outbox where key = 'k1'") == [("due", outbox.AWAITING)]
    await scene.simulator.say("", OFFICER, "帮助")
    assert (await scene.hears("请核对")).user == OFFICER


FAULTS = {
    "正常": None,
    "限频（45009）": Fault("rate_limit"),
    "系统忙（6000）": Fault("error", code=6000),
    "内容不合规（40008）": Fault("error", code=40008),
    "会话里还没人找过机器人": None,
    "不回应": Fault("timeout"),
    "慢 30 秒": Fault("slow"),
    "回到一半断开": Fault("reset"),
    "断开连接": Fault("disconnect"),
    "已发出但没有回执": Fault("half_sent"),
}


@pytest.mark.asyncio
async def test_each_fault_has_the_outcome_the_document_names(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bot.platforms.wecom_aibot_line.ACK_SECONDS", 0.3)
    sim, found = simulator(scene), dict[str, str]()
    sim.called.add(ROOM)
    for seq, (name, fault) in enumerate(FAULTS.items(), 1):
        await sim.connected()
        await until(lambda: platform(scene).line.state == "connected")
        if fault is not None:
            sim.faults.append(fault)
        found[name] = await _outcome(scene, seq, "wrSTRANGE" if "没人" in name else ROOM)
        if fault is not None and fault.name in ("reset", "disconnect", "half_sent"):
            await sim.lost()
    await sim.connected()
    sim.faults.append(Fault("error", code=846608))
    await sim.say(ROOM, LIMIN, "@群办 帮助")
    assert (await scene.hears("查进度")).form == "markdown"
    found["回复已过时（846608）"] = outcomes.PUSHED
    await sim.kick()
    await platform(scene).line.ended()
    found["另一处用同一个机器人连上"] = await _outcome(scene, 99, ROOM)
    assert found == dict(outcomes.WECOM_AIBOT)
    assert SECRET not in capsys.readouterr().out


async def _outcome(scene: Scene, seq: int, address: str) -> str:
    row = OutboxRow(seq, f"f{seq}", "wecom", address, address, "received", None, "", "", None, 0, None, 0)
    kinds = (
        (Paused, outcomes.RESTS), (Awaiting, outcomes.SPEAKS), (Offline, outcomes.WAITS), (Unknown, outcomes.TWICE),
        (Retry, outcomes.AGAIN), (Refused, outcomes.NEVER),
    )  # fmt: skip
    try:
        await platform(scene).send(row, Message(f"第{seq}条"))
    except SendError as error:
        assert platform(scene).channel.delivery == "at-least-once"
        return next(outcome for kind, outcome in kinds if isinstance(error, kind))
    return outcomes.SENT


@pytest.mark.asyncio
async def test_a_wrong_secret_is_said_plainly_and_not_tried_again_at_once(tmp_path: Path) -> None:
    sim = WecomAibotSimulator()
    await sim.start()
    try:
        line = Line(Access(f"{sim.url.replace('http', 'ws')}/ws", BOT_ID, "wrong-secret-0123456789"), _deaf, _told)
        with pytest.raises(Denied, match="请核对 bot_id 和 secret") as caught:
            await line.prove()
        assert "wrong-secret" not in str(caught.value)
        line.start()
        await until(lambda: "核对" in line.state)
        assert not sim.subscribed
        await line.close()
    finally:
        await sim.close()


async def _deaf(frame: object) -> None: ...


async def _told(state: str) -> None: ...


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(WORDS, st.lists(st.tuples(WORDS, WORDS), max_size=9), st.booleans(), st.sampled_from(["", "R1"]))
def test_no_frame_is_over_a_limit_of_the_platform(
    text: str, buttons: list[tuple[str, str]], called: bool, exchange: str
) -> None:
    channel = Channel("wecom", True, "at-least-once", markdown_bytes=300, buttons=True)
    row = OutboxRow(1, "k", "wecom", ROOM, ROOM, "received", None, "", "", None, 0, None, 0)
    message = Message(text, ("limin",) if called else (), buttons=tuple(buttons))
    for step in planned(channel, row, message, inert(text), exchange):
        assert len(step.text.encode()) <= 300
        if step.card is not None:
            assert len(step.card["main_title"]["title"]) <= 26 and len(step.card.get("sub_title_text", "")) <= 112
            assert len(step.card["button_list"]) <= 6
            assert all(len(b["text"]) <= 10 and len(b["key"].encode()) <= 1024 for b in step.card["button_list"])
