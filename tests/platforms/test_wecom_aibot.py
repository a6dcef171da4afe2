"""The WeCom AI bot over its long connection: the whole job in a group, each fault with its outcome, nothing over a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.platforms.wecom_aibot import WecomAibotPlatform
from bot.simulators.wecom_aibot import WecomAibotSimulator
from tests.platforms.stage import REPORTS, TAX, Scene, picture, staged

ROOM, TAX_ROOM, LIMIN, OFFICER = "wrSUISHOUPAI", "wrTAX", "limin", "zhangqiang"


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
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
