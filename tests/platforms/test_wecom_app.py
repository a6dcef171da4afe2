"""WeCom's self-built app: the whole job one to one, each fault with its outcome, one refusal for every forgery."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot import fetcher
from bot.platforms import wecom_parts
from bot.platforms.registry import connect
from bot.platforms.wecom_app import WecomAppPlatform
from bot.platforms.wecom_letters import letter
from bot.simulators.frame import Fault, SentLine
from bot.simulators.wecom_app import WecomAppSimulator
from config.errors import Busy, ConfigError, Offline, Parked, Paused, Refused, Retry, SendError, Unknown
from config.settings import ChannelSettings
from handlers.events import Message
from store import people
from store.outbox import OutboxRow
from tests.platforms import outcomes
from tests.platforms.stage import REPORTS, Scene, picture, staged

ROOM, LIMIN, OFFICER = "room1", "limin", "zhangqiang"
PEOPLE = {"limin": LIMIN, "zhangqiang": OFFICER, "wanglei": "wanglei"}


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    simulator = WecomAppSimulator()
    simulator.rooms[ROOM] = "城管随手拍工作群"
    simulator.patience = 0.05
    async with staged(tmp_path / "data", simulator, {REPORTS: f"chat/{ROOM}"}, PEOPLE, _hasty) as found:
        yield found


def _hasty(channel: dict[str, Any]) -> None:
    channel["options"]["address_per_minute"] = 0


def simulator(scene: Scene) -> WecomAppSimulator:
    assert isinstance(scene.simulator, WecomAppSimulator)
    return scene.simulator


def platform(scene: Scene) -> WecomAppPlatform:
    found = scene.house.parts.engine.platforms["app"]
    assert isinstance(found, WecomAppPlatform)
    return found


async def there(scene: Scene, query: str, wanted: list[tuple[Any, ...]]) -> None:
    """Photos may join a moment later than the words they came with."""
    for _ in range(600):
        if await scene.house.sql(query) == wanted:
            return
        await asyncio.sleep(0.05)
    assert await scene.house.sql(query) == wanted


def told(user: str, *words: str) -> Callable[[SentLine], bool]:
    return lambda line: line.user == user and all(word in line.text for word in words)


def row(text: str, address: str = LIMIN, seq: int = 1) -> tuple[OutboxRow, Message]:
    message = Message(text)
    return OutboxRow(
        seq, f"k{seq}", "app", address, f"app/{address}", "help", None, "", message.to_json(), None, 0, None, 0
    ), message


@pytest.mark.asyncio
async def test_the_main_job_one_to_one_with_photos_and_the_group_told(scene: Scene) -> None:
    say, expect = scene.simulator.say, scene.simulator.expect
    await say("", LIMIN, "西环路三角绿地的雕塑上贴满小广告", [picture(1)])
    taken = await expect(told(LIMIN, "已受理", "城管执法局"))
    assert (await expect(lambda line: line.room == ROOM and "已受理" in line.text)).text == taken.text
    asked = await expect(told(OFFICER, "签收"))
    assert asked.form in ("text", "template_card")
    await say("", OFFICER, "签收")
    await expect(told(OFFICER, "已签收"))
    await say("", OFFICER, "反馈 已清理干净", [picture(2)])
    await scene.house.settle()
    await expect(told(LIMIN, "通过"))
    await say("", LIMIN, "通过")
    await expect(told(LIMIN, "已办结"))
    await scene.house.settle()
    assert await scene.house.sql("select state, group_id from task") == [("closed", REPORTS)]
    await there(scene, "select role from task_photo order by 1", [("evidence",), ("report",)])
    assert simulator(scene).renewals == 1


@pytest.mark.asyncio
async def test_a_bare_photo_and_a_place_make_a_report_with_the_words_that_follow(scene: Scene) -> None:
    await scene.simulator.say("", LIMIN, "", [picture(3)])
    await simulator(scene).locate(LIMIN, "西环路三角绿地")
    await scene.simulator.say("", LIMIN, "雕塑上贴满小广告")
    await scene.simulator.expect(told(LIMIN, "已受理", "西环路三角绿地"))
    await scene.house.settle()
    assert await scene.house.sql("select count(*) from task") == [(1,)]
    await there(scene, "select count(*) from task_photo", [(1,)])


@pytest.mark.asyncio
async def test_the_address_is_verified_with_the_word_alone(scene: Scene) -> None:
    assert await simulator(scene).verify() == "7301293344"


@pytest.mark.asyncio
async def test_a_redelivery_opens_no_second_task_and_a_replay_is_answered_200(scene: Scene) -> None:
    for _ in range(3):
        await scene.simulator.say("", LIMIN, "西环路三角绿地的雕塑上贴满小广告", id="7300000000000000001")
    await scene.house.settle()
    assert await scene.house.sql("select count(*) from task") == [(1,)]


@pytest.mark.asyncio
async def test_while_nothing_can_be_stored_the_platform_is_left_to_come_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, tries = scene.house.parts.engine.inbox, 0
    real = inbox.accept

    async def busy(events: Any, beside: Any = None) -> Any:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Busy("满了")
        return await real(events, beside)

    monkeypatch.setattr(inbox, "accept", busy)
    monkeypatch.setattr("bot.platforms.wecom_app.PATIENCE", 0.0)
    monkeypatch.setattr("bot.platforms.wecom_app.BUSY_SECONDS", 0.0)
    await scene.simulator.say("", LIMIN, "西环路三角绿地的雕塑上贴满小广告")
    await scene.simulator.expect(told(LIMIN, "已受理"))
    assert simulator(scene).deliveries >= 2


@pytest.mark.asyncio
async def test_a_pressed_button_is_its_words_and_the_card_says_so_once(scene: Scene) -> None:
    message = Message("新工单 #1125-001\n西环路 小广告", buttons=(("帮助", "帮助"),))
    await platform(scene).send(replace(row("")[0], body=message.to_json()), message)
    card = next(line for line in scene.simulator.sent if line.buttons)
    await scene.simulator.press(card, "帮助")
    await scene.simulator.expect(told(LIMIN, "上报"))
    await asyncio.gather(*platform(scene)._beside)
    assert [update["button"] for update in simulator(scene).updates] == [{"replace_name": "已提交：帮助"}]


@pytest.mark.asyncio
async def test_a_dispatch_comes_with_buttons_and_one_press_signs_for_it(scene: Scene) -> None:
    await scene.simulator.say("", LIMIN, "西环路三角绿地的雕塑上贴满小广告")
    card = await scene.simulator.expect(told(OFFICER, "新工单"))
    assert (card.form, [label for label, _ in card.buttons]) == ("template_card", ["签收", "退单"])
    assert "签收请回复" in card.text
    await scene.simulator.press(card, "签收")
    await scene.simulator.expect(told(OFFICER, "已签收"))
    await scene.simulator.expect(lambda line: line.room == ROOM and "已签收" in line.text)
    await scene.simulator.press(card, "签收")
    await scene.house.settle()
    assert await scene.house.sql("select state from task") == [("accepted",)]


@pytest.mark.asyncio
async def test_check_in_works_by_code_and_a_stranger_is_told_once_how(scene: Scene) -> None:
    store = scene.house.parts.engine.store
    await store.write(lambda tx: people.make_code(tx, "K7M2Q9", "person", "wangfang", "", 3600))
    scene.simulator.users["wf"] = "王芳"
    for text in ("西环路三角绿地的雕塑上贴满小广告", "西环路的路灯不亮"):
        await scene.simulator.say("", "wf", text)
    await scene.simulator.expect(told("wf", "还没有登记"))
    await scene.simulator.say("", "wf", "报到 K7M2Q9")
    await scene.simulator.expect(told("wf", "报到成功"))
    await scene.house.settle()
    assert sum("还没有登记" in line.text for line in scene.simulator.sent) == 1
    assert await scene.house.sql("select count(*) from task") == [(0,)]


@pytest.mark.asyncio
async def test_a_tax_question_is_answered_one_to_one(scene: Scene) -> None:
    await scene.simulator.say("", LIMIN, "个体户六税两费能减免不")
    await scene.house.settle()
    assert [line.user for line in scene.simulator.sent] == [LIMIN]
    assert await scene.house.sql("select count(*) from task") == [(0,)]


@pytest.mark.asyncio
async def test_a_private_deployment_is_reached_by_its_own_address_through_a_proxy(tmp_path: Path) -> None:
    simulator = WecomAppSimulator()

    def inside(channel: dict[str, Any]) -> None:
        channel["options"] |= {"base": "http://wecom.gov.invalid/cgi-bin/", "proxy": simulator.url}

    async with staged(tmp_path / "data", simulator, {}, PEOPLE, inside) as found:
        assert "有效" in await platform(found).probe()
        await platform(found).send(*row("经代理"))
        assert simulator.sent[-1].text == "经代理"


@pytest.mark.parametrize(
    "wrong", [{"corp": ""}, {"agent": 0}, {"aes_key": "A" * 42}, {"base": "qyapi"}, {"ca": "/nowhere"}]
)
def test_settings_that_cannot_work_are_named(wrong: dict[str, Any]) -> None:
    simulator = WecomAppSimulator()
    channel = simulator.channel("http://127.0.0.1:1")
    for key, value in wrong.items():
        channel["secrets" if key == "aes_key" else "options"][key] = value
    settings = ChannelSettings.model_validate(channel)
    with pytest.raises(ConfigError, match=r"corp|43|base|ca"):
        connect({"app": settings}, Path, demo=False)


@pytest.mark.asyncio
async def test_a_group_is_made_and_spoken_into(scene: Scene) -> None:
    address = await platform(scene).create_chat("随手拍", [LIMIN, OFFICER])
    assert simulator(scene).rooms[address.removeprefix("chat/")] == "随手拍"
    line, message = row("通知", address)
    await platform(scene).send(line, message)
    assert scene.simulator.sent[-1].text == "通知"


FAULTS: dict[str, tuple[Fault | None, str]] = {
    "正常": (None, LIMIN),
    "令牌过期（42001）": (Fault("token_expired"), LIMIN),
    "限频（45009）": (Fault("rate_limit"), LIMIN),
    "系统繁忙（-1）": (Fault("error", code=-1), LIMIN),
    "出口 IP 不可信（60020）": (Fault("error", code=60020), LIMIN),
    "收件人不可见（81013）": (None, "nobody"),
    "不回应": (Fault("timeout"), LIMIN),
    "回到一半断开": (Fault("reset"), LIMIN),
    "回网页而不是 JSON": (Fault("html"), LIMIN),
    "慢 30 秒": (Fault("slow"), LIMIN),
    "已发出但没有回执": (Fault("half_sent"), LIMIN),
    "群里：已发出但没有回执": (Fault("half_sent"), f"chat/{ROOM}"),
}


@pytest.mark.asyncio
async def test_each_fault_ends_as_the_table_says(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "TIMEOUT", ClientTimeout(total=0.3))
    await platform(scene).api.tokens.current()
    found = []
    for seq, (name, (fault, address)) in enumerate(FAULTS.items(), 1):
        found.append((name, await _outcome(scene, fault, *row(f"第{seq}条", address, seq))))
    assert tuple(found) == outcomes.WECOM_APP


async def _outcome(scene: Scene, fault: Fault | None, line: OutboxRow, message: Message) -> str:
    renewals = simulator(scene).renewals
    if fault is not None:
        scene.simulator.faults.append(fault)
    try:
        await platform(scene).send(line, message)
    except SendError as error:
        return await _ended(scene, error, line, message)
    assert _count(scene, message) == 1
    return outcomes.SENT if simulator(scene).renewals == renewals else outcomes.RENEWED


async def _ended(scene: Scene, error: SendError, line: OutboxRow, message: Message) -> str:
    for kind, outcome in ((Parked, outcomes.PARKED), (Paused, outcomes.RESTS), (Offline, outcomes.WAITS)):
        if isinstance(error, kind):
            return outcome
    assert isinstance(error, Unknown | Retry | Refused)
    if isinstance(error, Unknown):
        await platform(scene).send(line, message)
        assert _count(scene, message) == 1, "the platform swallowed the second"
        return outcomes.UNCLEAR_ONCE
    return outcomes.AGAIN if isinstance(error, Retry) else outcomes.NEVER


def _count(scene: Scene, message: Message) -> int:
    return sum(line.text == message.text for line in scene.simulator.sent)


@pytest.mark.asyncio
async def test_forty_senders_at_an_expiry_renew_once_and_all_arrive(scene: Scene) -> None:
    await platform(scene).send(*row("零", seq=0))
    simulator(scene)._tokens.clear()
    await asyncio.gather(*(platform(scene).send(*row(f"第{n}条", seq=n)) for n in range(1, 41)))
    assert simulator(scene).renewals == 2 and len(scene.simulator.sent) == 41


@pytest.mark.asyncio
async def test_two_messages_that_say_the_same_both_arrive(scene: Scene) -> None:
    for seq in (1, 2):
        await platform(scene).send(*row("请补一张照片", seq=seq))
    assert len(scene.simulator.sent) == 2


@pytest.mark.asyncio
async def test_a_picture_goes_along_and_is_uploaded_once(scene: Scene) -> None:
    await scene.simulator.say("", LIMIN, "西环路三角绿地的雕塑上贴满小广告", [picture(1)])
    await there(scene, "select count(*) from task_photo", [(1,)])
    sha = (await scene.house.sql("select sha from task_photo"))[0][0]
    for seq in (71, 72):
        message = Message(f"看照片 {seq}", photos=(sha,))
        await platform(scene).send(row("", seq=seq)[0], message)
    shown = [line for line in scene.simulator.sent if line.form == "image"]
    assert len(shown) == 2 and shown[0].photos == shown[1].photos and shown[0].photos[0].startswith(b"\xff\xd8")


def _hostile(scene: Scene) -> dict[str, tuple[dict[str, str], bytes]]:
    sealed = simulator(scene).envelope.seal("<xml><MsgType>text</MsgType><Content>x</Content></xml>")
    good = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
    body = sealed.to_xml().encode()
    bomb = simulator(scene).envelope.seal('<!DOCTYPE x [<!ENTITY a "aa">]><xml><Content>&a;</Content></xml>')
    return {
        "forged": ({**good, "msg_signature": "0" * 40}, body),
        "swapped": ({**good, "nonce": sealed.stamp, "timestamp": sealed.nonce}, body),
        "truncated": (good, body[:50]),
        "oversize": (good, body + b" " * (70 << 10)),
        "bare": ({}, b""),
        "bomb": (
            {"msg_signature": bomb.signature, "timestamp": bomb.stamp, "nonce": bomb.nonce},
            bomb.to_xml().encode(),
        ),
    }


@pytest.mark.asyncio
async def test_every_forgery_gets_one_answer_and_one_log_line(
    scene: Scene, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = set()
    for query, body in _hostile(scene).values():
        capsys.readouterr()
        async with scene.house.client.post("/in/app", params=query, data=body) as answer:
            answers.add((answer.status, await answer.text(), answer.headers.get("Content-Type")))
        out = capsys.readouterr()
        assert (out.out + out.err).count("callback_refused") <= 1
    async with scene.house.client.get("/in/app", params={"echostr": "x"}) as answer:
        answers.add((answer.status, await answer.text(), answer.headers.get("Content-Type")))
    assert answers == {(403, "不接受", "text/plain; charset=utf-8")}
    assert await scene.house.sql("select count(*) from inbox") == [(0,)]


@pytest.mark.asyncio
async def test_five_hundred_faults_say_no_secret(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(fetcher, "TIMEOUT", ClientTimeout(total=5))
    said = []
    names = ("reset", "html", "half_sent", "rate_limit", "token_expired", "error")
    for n in range(500):
        scene.simulator.faults.append(Fault(names[n % len(names)], code=(40001, 60020, -1, 40056)[n % 4]))
        try:
            await platform(scene).send(*row(f"第{n}条", seq=n))
        except SendError as error:
            said.append(f"{error!r} {error.__cause__!r} {error.__context__!r}")
        scene.simulator.faults.clear()
    out = capsys.readouterr()
    everything = "\n".join([*said, out.out, out.err, caplog.text])
    found = simulator(scene)
    secrets = [found.secret, found.token, found.aes_key, *found._tokens, "access_token", "corpsecret"]
    assert [secret for secret in secrets if secret in everything] == []
    assert len(said) > 300


def test_what_is_heard() -> None:
    base = {"FromUserName": "u", "CreateTime": "1764000000", "MsgId": "123"}
    heard = letter("app", {**base, "MsgType": "voice", "Recognition": "路灯坏了"})
    assert heard and heard.event.voice and heard.event.text == "路灯坏了" and heard.event.id == "123"
    place = {**base, "MsgType": "location", "Location_X": "30", "Location_Y": "120"}
    assert (found := letter("app", place)) and found.event.text == "位置：30,120"
    pressed = {
        **base,
        "MsgId": "",
        "MsgType": "event",
        "Event": "template_card_event",
        "EventKey": "签收 1",
        "TaskId": "t",
    }
    first, second = letter("app", pressed), letter("app", {**pressed, "EventKey": "退单 1"})
    assert first and second and first.event.id != second.event.id and first == letter("app", pressed)
    for kind in ("video", "file", ""):
        assert letter("app", {**base, "MsgType": kind}) is None
    assert letter("app", {**base, "MsgType": "event", "Event": "enter_agent"}) is None
    assert letter("app", {"MsgType": "text", "Content": "x"}) is None


ODD = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("👨‍👩‍👧🇨🇳é<@a/ ")), max_size=900)
LINK = "https://www.gov.cn/zhengce/content/2026-11/24/a.html?id=1"


@examples(max_examples=80, deadline=None)
@given(text=ODD, form=st.sampled_from(["", "markdown", "news"]), limit=st.sampled_from([2048, 4096]))
def test_no_part_is_over_its_limit_or_cut_inside_a_link(text: str, form: str, limit: int) -> None:
    articles = ((text or "题", text, LINK),) * 10
    message = Message(f"{text}{LINK} {text}{LINK} {text}", form=form, articles=articles)
    said = ""
    for kind, content in wecom_parts.parts(message, limit):
        if kind == "news":
            assert 1 <= len(content["articles"]) <= 8
            assert all(
                len(a["title"].encode()) <= 128 and len(a["description"].encode()) <= 512 for a in content["articles"]
            )
            continue
        assert len(content["content"].encode()) <= (2048 if kind == "text" else limit)
        said += content["content"]
        assert content["content"].count("https://") == content["content"].count(LINK)
    if form != "news":
        assert said == (wecom_parts.plain(message.text) if not form else message.text)


@given(text=st.sampled_from(['<a href="http://evil">点我</a>', "<@all>", "<font color=red>", "1<2"]))
def test_nobodys_words_become_markup(text: str) -> None:
    (_, content), *_ = wecom_parts.parts(Message(text), 2048)
    assert "<a" not in content["content"] and "<@" not in content["content"] and "</" not in content["content"]


@examples(max_examples=60, deadline=None)
@given(text=st.text(max_size=200), labels=st.lists(st.text(max_size=14), max_size=8))
def test_a_card_holds_to_its_limits_or_is_none(text: str, labels: list[str]) -> None:
    message = Message(text, buttons=tuple((label, f"说 {label}") for label in labels))
    found = wecom_parts.card(message, "t1")
    if found is not None:
        assert 1 <= len(found["main_title"]["title"]) <= 26 and len(found.get("sub_title_text", "")) <= 112
        assert 1 <= len(found["button_list"]) <= 6 and all(len(b["text"]) <= 10 for b in found["button_list"])
        json.dumps(found)
