"""The QQ open platform against its simulator: what is answered, when, as which message, and what waits for the next call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.platforms.qq import QQPlatform
from bot.simulators.frame import Fault
from bot.simulators.qq import QQGatewaySimulator, QQSimulator
from config.errors import Busy
from handlers.events import Message
from store import outbox
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
        assert await found.house.sql("select count(*) from task_photo") == [(1,)]
        assert await found.house.sql("select distinct state from outbox where channel = 'qq'") == [("sent",)]
        await found.simulator.say(ROOM, "zhangqiang", "@群办 签收", quote=line.id)
        await wait_for(found, "select count(*) from inbox where channel = 'qq' and kind = 'message'", [(2,)])
