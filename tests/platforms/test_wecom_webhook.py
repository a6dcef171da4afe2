"""WeCom's group webhook: twenty a minute and no more, pictures with their sum, nothing unclear said twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout

from bot import fetcher
from bot.platforms.wecom_webhook import WecomWebhookPlatform
from bot.simulators.frame import Fault
from bot.simulators.wecom_webhook import ROOM, WecomWebhookSimulator
from config.errors import Offline, Paused, Refused, Retry, SendError, Unknown
from handlers.events import Message
from store import outbox
from store.outbox import OutboxRow
from tests.platforms import outcomes
from tests.platforms.stage import Scene, picture, staged

NOTICES = "jianbao"


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with staged(tmp_path / "data", WecomWebhookSimulator(), {}, {}) as found:
        yield found


def platform(scene: Scene) -> WecomWebhookPlatform:
    found = scene.house.parts.engine.platforms["hook"]
    assert isinstance(found, WecomWebhookPlatform)
    return found


def simulator(scene: Scene) -> WecomWebhookSimulator:
    assert isinstance(scene.simulator, WecomWebhookSimulator)
    return scene.simulator


def row(message: Message, seq: int = 1) -> OutboxRow:
    return OutboxRow(
        seq, f"k{seq}", "hook", ROOM, f"hook/{ROOM}", "edition", None, "", message.to_json(), None, 0, None, 0
    )


async def send(scene: Scene, message: Message, seq: int = 1) -> str:
    return await platform(scene).send(row(message, seq), message)


@pytest.mark.asyncio
async def test_an_edition_goes_out_in_every_form(scene: Scene) -> None:
    store = scene.house.parts.engine.store
    articles = (("防汛会议召开", "县政府召开会议", "https://www.gov.cn/a"),) * 9
    forms = (
        Message("【今日要闻】\n1. 防汛会议\nhttps://www.gov.cn/a?b=1"),
        Message("## 今日要闻\n[防汛会议](https://www.gov.cn/a)", form="markdown"),
        Message("今日要闻", form="news", articles=articles),
    )
    for n, message in enumerate(forms):
        body = message.to_json()
        line = await store.write(lambda tx, n=n, body=body: outbox.add(tx, f"e{n}", "hook", ROOM, "edition", body))
        scene.house.parts.engine.outbox.take([line])
    await scene.simulator.expect(lambda line: line.form == "news" and len(line.articles) == 1)
    assert [line.form for line in scene.simulator.sent] == ["text", "markdown", "news", "news"]
    assert "https://www.gov.cn/a?b=1" in scene.simulator.sent[0].text


@pytest.mark.asyncio
async def test_a_picture_goes_with_its_sum_and_is_made_small_enough(scene: Scene, tmp_path: Path) -> None:
    platform(scene)._photo = lambda sha: tmp_path / f"{sha}.jpg"
    (tmp_path / "small.jpg").write_bytes(picture(1))
    _huge(tmp_path / "huge.jpg")
    await send(scene, Message("看图", photos=("small", "huge")))
    shown = [line.photos[0] for line in scene.simulator.sent if line.form == "image"]
    assert shown[0] == picture(1) and len(shown[1]) <= 2 << 20


def _huge(path: Path) -> None:
    from PIL import Image

    Image.effect_noise((2400, 2400), 120).convert("RGB").save(path, "JPEG", quality=98)
    assert path.stat().st_size > 2 << 20


@pytest.mark.asyncio
async def test_only_whom_a_duty_names_is_called_and_never_all(scene: Scene) -> None:
    found = platform(scene)
    engine = found.engine
    assert engine is not None
    found._accounts = "web"
    await send(scene, Message("@all 张三 <@all>", mention=("limin", "nobody")))
    assert scene.simulator.sent[-1].mentions == ("limin",) and "<@" not in scene.simulator.sent[-1].text


@pytest.mark.asyncio
async def test_a_file_is_handed_over(scene: Scene) -> None:
    await platform(scene).send_file("要闻.docx", b"PK" + bytes(100))
    assert scene.simulator.sent[-1].form == "file" and next(iter(simulator(scene).files.values())).startswith(b"PK")


@pytest.mark.asyncio
async def test_the_twenty_first_message_of_a_minute_rests_before_the_platform_has_to_say_so(scene: Scene) -> None:
    for n in range(18):
        await send(scene, Message(f"第{n}条"), n)
    long = Message("长" * 2000)  # three of theirs
    with pytest.raises(Paused) as told:
        await send(scene, long, 30)
    assert 50 < told.value.after <= 60 and len(scene.simulator.sent) == 18


@pytest.mark.asyncio
async def test_what_broke_after_a_first_part_is_left_to_a_person(scene: Scene) -> None:
    message = Message("长" * 2000)
    scene.simulator.faults.append(Fault("error", times=1, code=-1))
    with pytest.raises(Retry):
        await send(scene, message)
    found = platform(scene)
    real, calls = found._api.send, 0

    async def second_fails(path: str, body: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Retry("繁忙")
        return await real(path, body)

    found._api.send = second_fails  # type: ignore[method-assign]
    with pytest.raises(Unknown, match="前 1 段已发出"):
        await send(scene, message, 2)


FAULTS = {
    "正常": None,
    "限频（45009）": Fault("rate_limit"),
    "系统繁忙（-1）": Fault("error", code=-1),
    "key 已删除（93000）": Fault("error", code=93000),
    "内容不合规（40008）": Fault("error", code=40008),
    "不回应": Fault("timeout"),
    "回到一半断开": Fault("reset"),
    "回网页而不是 JSON": Fault("html"),
    "慢 30 秒": Fault("slow"),
    "已发出但没有回执": Fault("half_sent"),
}
NAMES = ((Paused, outcomes.RESTS), (Offline, outcomes.WAITS), (Retry, outcomes.AGAIN), (Refused, outcomes.NEVER))


@pytest.mark.asyncio
async def test_each_fault_ends_as_the_table_says(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "TIMEOUT", ClientTimeout(total=0.3))
    found = {}
    for seq, (name, fault) in enumerate(FAULTS.items(), 1):
        if fault is not None:
            scene.simulator.faults.append(replace(fault))
        found[name] = await _outcome(scene, seq)
    for seq in range(len(FAULTS), 21):
        found["一分钟第 21 条"] = await _outcome(scene, seq + 1)
    assert found == dict(outcomes.WECOM_WEBHOOK)


async def _outcome(scene: Scene, seq: int) -> str:
    try:
        await send(scene, Message(f"第{seq}条"), seq)
    except Unknown:
        assert platform(scene).channel.delivery == "at-most-once"
        return outcomes.PARKED
    except SendError as error:
        return next(outcome for kind, outcome in NAMES if isinstance(error, kind))
    return outcomes.SENT


@pytest.mark.asyncio
async def test_the_key_is_proved_without_a_word_in_the_group(scene: Scene) -> None:
    assert "有效" in await platform(scene).probe() and scene.simulator.sent == []
    simulator(scene).key = "another" * 4
    with pytest.raises(Offline, match="key 无效"):
        await platform(scene).probe()
