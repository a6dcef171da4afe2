"""The WeCom AI bot called by webhook: answered in place, by a stream, or when somebody speaks; forgeries all look alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout

from bot.platforms.envelope import Envelope
from bot.platforms.wecom_aibot_webhook import WecomAibotWebhookPlatform
from bot.simulators.frame import Fault
from bot.simulators.wecom_aibot_webhook import AES_KEY, TOKEN, WecomAibotWebhookSimulator
from config.errors import Awaiting, Paused, Refused, Retry, SendError, Unknown
from handlers.events import Message
from store import outbox
from store.outbox import OutboxRow
from tests.platforms import outcomes
from tests.platforms.stage import REPORTS, TAX, Scene, picture, staged

ROOM, TAX_ROOM, LIMIN, OFFICER = "wrSUISHOUPAI", "wrTAX", "limin", "zhangqiang"


@pytest_asyncio.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr("bot.prepare.PATIENCE", 10.0)  # a busy machine must not part a photo from its words
    people = {"limin": LIMIN, "zhangqiang": OFFICER}
    groups = {REPORTS: ROOM, TAX: TAX_ROOM}
    async with staged(tmp_path / "data", WecomAibotWebhookSimulator(), groups, people, _hasty) as found:
        simulator(found).poll_seconds = 0.05
        platform(found).answer_seconds = platform(found).leave_seconds = 4.0
        yield found


def _hasty(channel: dict[str, Any]) -> None:
    channel["options"]["address_per_minute"] = 0


def simulator(scene: Scene) -> WecomAibotWebhookSimulator:
    assert isinstance(scene.simulator, WecomAibotWebhookSimulator)
    return scene.simulator


def platform(scene: Scene) -> WecomAibotWebhookPlatform:
    found = scene.house.parts.engine.platforms["wecom"]
    assert isinstance(found, WecomAibotWebhookPlatform)
    return found


@pytest.mark.asyncio
async def test_the_main_job_in_a_group_with_photos(scene: Scene) -> None:
    say = scene.simulator.say
    assert await simulator(scene).verify()
    await say(ROOM, LIMIN, "@群办 西环路三角绿地的雕塑上贴满小广告", [picture(1)])
    told = await scene.hears("已受理")
    assert (told.room, told.form) == (ROOM, "stream_with_template_card")
    await scene.simulator.press(told, "签收", OFFICER)
    await scene.hears("已签收")
    assert {line.form for line in scene.simulator.sent} <= {"stream", "stream_with_template_card", "markdown"}
    await say(ROOM, OFFICER, "@群办 反馈 已清理干净", [picture(2)])
    asked = await scene.hears("已反馈")
    assert asked.photos and asked.photos[0].startswith((b"\xff\xd8", b"\x89PNG"))
    await say(ROOM, LIMIN, "@群办 通过", quote=asked.id)
    await scene.hears("已办结")
    await scene.house.settle()
    assert await scene.house.sql("select state from task") == [("closed",)]


@pytest.mark.asyncio
async def test_a_slow_answer_opens_a_stream_that_ends_with_it(scene: Scene) -> None:
    platform(scene).answer_seconds = 0.0
    await scene.simulator.say(ROOM, LIMIN, "@群办 帮助")
    assert (await scene.hears("查进度")).form == "stream"
    assert len(scene.simulator.sent) == 1


@pytest.mark.asyncio
async def test_what_nobody_asked_waits_until_somebody_speaks(scene: Scene) -> None:
    engine = scene.house.parts.engine
    await engine.apply(lambda tx: outbox.add(tx, "k1", "wecom", ROOM, "received", Message("值班提示").to_json()))
    await engine.settle()
    assert not scene.simulator.sent
    await scene.simulator.say(ROOM, LIMIN, "@群办 帮助")
    assert (await scene.hears("值班提示")).form == "markdown"


@pytest.mark.asyncio
async def test_a_redelivery_is_one_event(scene: Scene) -> None:
    simulator(scene).patience = 0.0
    await scene.simulator.say(ROOM, LIMIN, "@群办 西环路三角绿地的雕塑上贴满小广告", id="CAISAME")
    await scene.simulator.say(ROOM, LIMIN, "@群办 西环路三角绿地的雕塑上贴满小广告", id="CAISAME")
    await scene.house.settle()
    assert await scene.house.sql("select count(*) from task") == [(1,)]


@pytest.mark.asyncio
async def test_whoever_opens_the_chat_is_greeted_and_a_bare_photo_in_private_is_a_report(scene: Scene) -> None:
    await simulator(scene).enter(LIMIN)
    assert "引用照片" in (await scene.hears("群办")).text
    platform(scene).leave_seconds = 0.1
    await scene.simulator.say("", LIMIN, "", [picture(4)])
    platform(scene).leave_seconds = 4.0
    await scene.simulator.say("", LIMIN, "西环路三角绿地的雕塑上贴满小广告")
    await scene.simulator.expect(lambda line: "1125-" in line.text or "已受理" in line.text)
    await scene.house.settle()
    assert (await scene.house.sql("select count(*) from task_photo"))[0][0] == 1


FAULTS = {
    "正常": None,
    "没有可用的 response_url": None,
    "限频（45009）": Fault("rate_limit"),
    "内容不合规（40008）": Fault("error", code=40008),
    "不回应": Fault("timeout"),
    "回到一半断开": Fault("reset"),
    "回网页而不是 JSON": Fault("html"),
    "慢 30 秒": Fault("slow", seconds=0.5),
    "已发出但没有回执": Fault("half_sent"),
}
KINDS = (
    (Paused, outcomes.RESTS),
    (Awaiting, outcomes.SPEAKS),
    (Unknown, outcomes.TWICE),
    (Retry, outcomes.AGAIN),
    (Refused, outcomes.NEVER),
)


@pytest.mark.asyncio
async def test_each_fault_has_the_outcome_the_document_names(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.fetcher.TIMEOUT", ClientTimeout(total=0.3))
    found = dict[str, str]()
    for seq, (name, fault) in enumerate(FAULTS.items(), 1):
        if "没有" not in name or fault is not None:
            await scene.simulator.say(ROOM, LIMIN, "@群办 帮助", id=f"M{seq}")
            await scene.house.settle()
        if fault is not None:
            scene.simulator.faults.append(fault)
        found[name] = await _outcome(scene, seq)
    assert found == dict(outcomes.WECOM_AIBOT_WEBHOOK)


async def _outcome(scene: Scene, seq: int) -> str:
    row = OutboxRow(seq, f"f{seq}", "wecom", ROOM, ROOM, "received", None, "", "", None, 0, None, 0)
    try:
        await platform(scene).send(row, Message(f"第{seq}条"))
    except SendError as error:
        assert platform(scene).channel.delivery == "at-least-once"
        return next(outcome for kind, outcome in KINDS if isinstance(error, kind))
    return outcomes.SENT


Forged = tuple[dict[str, str], bytes]


def _forgeries() -> dict[str, Forged]:
    body = {
        "msgid": "F1",
        "chattype": "single",
        "from": {"userid": LIMIN},
        "msgtype": "text",
        "text": {"content": "帮助"},
    }
    good = Envelope(TOKEN, AES_KEY, "").seal(json.dumps(body))
    query = {"msg_signature": good.signature, "timestamp": good.stamp, "nonce": good.nonce}
    whole = json.dumps({"encrypt": good.encrypt}).encode()

    def other(envelope: Envelope, text: str = json.dumps(body)) -> Forged:
        sealed = envelope.seal(text)
        found = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
        return found, json.dumps({"encrypt": sealed.encrypt}).encode()

    last = "0" if good.signature[-1] != "0" else "1"
    return {
        "forged": ({**query, "msg_signature": good.signature[:-1] + last}, whole),
        "unsigned": ({}, whole),
        "swapped nonce": ({**query, "nonce": "other"}, whole),
        "old": other(Envelope(TOKEN, AES_KEY, "", lambda: 1_700_000_000.0)),
        "truncated": (query, whole[:-20]),
        "oversize": (query, b'{"encrypt":"' + b"A" * 70_000 + b'"}'),
        "wrong receiver": other(Envelope(TOKEN, AES_KEY, "ww1234567890")),
        "wrong key": other(Envelope(TOKEN, AES_KEY[::-1], "")),
        "wrong token": other(Envelope("x" * 24, AES_KEY, "")),
        "deep": other(Envelope(TOKEN, AES_KEY, ""), "[" * 40_000),
        "twice": (query, whole[:-1] + b',"encrypt":"AAAA"}'),
        "empty": (query, b""),
    }


@pytest.mark.asyncio
async def test_every_forgery_gets_the_one_refusal_and_at_most_one_line(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, (query, body) in _forgeries().items():
        capsys.readouterr()
        async with scene.house.client.post("/in/wecom", params=query, data=body) as answer:
            assert (answer.status, await answer.text()) == (403, "不接受"), kind
        said = capsys.readouterr()
        lines = [line for line in (said.out + said.err).splitlines() if "callback" in line or "rror" in line]
        assert len(lines) <= 1 and not any(secret in said.out + said.err for secret in (TOKEN, AES_KEY)), kind
    assert await scene.house.sql("select count(*) from inbox where channel = 'wecom'") == [(0,)]


@pytest.mark.asyncio
async def test_a_replay_is_taken_once(scene: Scene) -> None:
    body = {
        "msgid": "F1",
        "chattype": "single",
        "from": {"userid": LIMIN},
        "msgtype": "text",
        "text": {"content": "帮助"},
    }
    sealed = Envelope(TOKEN, AES_KEY, "").seal(json.dumps(body))
    query: dict[str, Any] = {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}
    for _ in range(3):
        async with scene.house.client.post("/in/wecom", params=query, json={"encrypt": sealed.encrypt}) as answer:
            assert answer.status == 200
    await asyncio.wait_for(scene.house.settle(), 10)
    assert await scene.house.sql("select count(*) from inbox where channel = 'wecom'") == [(1,)]
