"""The QQ gateway: read where it was left, alive or dialled again, and never without what it was not granted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.platforms import qq_gateway, standing
from bot.simulators.frame import Fault
from bot.simulators.qq import QQGatewaySimulator
from tests.platforms.stage import Scene
from tests.platforms.test_qq import REPORT, ROOM, qq, scene, wait_for

OTHER = "@群办 #随手拍 解放路垃圾桶满了没人收"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qq_gateway, "PAUSES", (0.01, 0.02))


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [4009, 1006, 1001])
async def test_what_was_said_while_the_line_was_down_comes_on_resume_once(tmp_path: Path, code: int) -> None:
    async with scene(tmp_path, QQGatewaySimulator()) as found:
        hub = qq(found).hub
        await hub.connected.wait()
        await found.simulator.say(ROOM, "limin", REPORT)
        await wait_for(found, "select count(*) from task", [(1,)])
        await hub.drop(code if code != 1006 else 4008)
        await found.simulator.say(ROOM, "limin", OTHER)
        await wait_for(found, "select count(*) from task", [(2,)])
        op, said = hub.greetings[-1]
        assert op == 6 and said["seq"] == 2


@pytest.mark.asyncio
async def test_a_restart_resumes_where_the_events_are_stored(tmp_path: Path) -> None:
    simulator = QQGatewaySimulator()
    async with scene(tmp_path, simulator) as found:
        await simulator.hub.connected.wait()
        await simulator.say(ROOM, "limin", REPORT)
        await wait_for(found, "select count(*) from task", [(1,)])
        await found.house.settle()
        session = await found.house.sql("select session, last from qq_session")
    later = QQGatewaySimulator()
    later.hub._session, later.hub._last = session[0][0], session[0][1]
    later._ids = iter(range(100, 199))  # type: ignore[assignment]
    await later.hub.tell({"op": 0, "id": "e9", "t": "GROUP_AT_MESSAGE_CREATE", "d": _missed()})
    async with scene(tmp_path, later) as found:
        await later.hub.connected.wait()
        await wait_for(found, "select count(*) from task", [(2,)])
        assert [op for op, _ in later.hub.greetings] == [6]


def _missed() -> dict[str, object]:
    from bot.simulators import qq_wire

    return qq_wire.message("ROBOT1.0_99", ROOM, "limin", "李敏", " #随手拍 解放路垃圾桶满了没人收", (), None, True)


@pytest.mark.asyncio
async def test_an_invalid_session_begins_anew(tmp_path: Path) -> None:
    async with scene(tmp_path, QQGatewaySimulator()) as found:
        hub = qq(found).hub
        await hub.connected.wait()
        hub._session = "forgotten"
        await hub.drop(4009)
        await hub.connected.wait()
        assert [op for op, _ in hub.greetings][-2:] == [6, 2]
        await found.simulator.say(ROOM, "limin", REPORT)
        await wait_for(found, "select count(*) from task", [(1,)])


@pytest.mark.asyncio
async def test_intents_that_are_not_granted_are_left_out(tmp_path: Path) -> None:
    async with scene(tmp_path, QQGatewaySimulator()) as found:
        hub = qq(found).hub
        await hub.connected.wait()
        asked = [data["intents"] for _, data in hub.greetings]
        assert asked == [1 << 24 | 1 << 25 | 1 << 26, 1 << 25 | 1 << 26]


@pytest.mark.asyncio
async def test_a_line_that_answers_no_heartbeat_is_dialled_again(tmp_path: Path) -> None:
    simulator = QQGatewaySimulator()
    simulator.hub.interval = 1000
    async with scene(tmp_path, simulator) as found:
        await simulator.hub.connected.wait()
        simulator.hub.deaf = True
        first = simulator.hub._line
        async with asyncio.timeout(10):
            while simulator.hub._line is first or simulator.hub._line is None:  # noqa: ASYNC110 - no event says it
                await asyncio.sleep(0.02)
        assert [op for op, _ in simulator.hub.greetings][-1] == 6
        simulator.hub.deaf = False
        await found.simulator.say(ROOM, "limin", REPORT)
        await wait_for(found, "select count(*) from task", [(1,)])


@pytest.mark.asyncio
async def test_a_token_that_expired_meanwhile_is_replaced(tmp_path: Path) -> None:
    async with scene(tmp_path, QQGatewaySimulator()) as found:
        hub = qq(found).hub
        await hub.connected.wait()
        found.simulator.faults.append(Fault("token_expired"))
        await hub.drop(4009)
        await hub.connected.wait()
        assert len(qq(found).tokens) == 2


@pytest.mark.asyncio
async def test_what_became_of_the_line_can_be_read_by_the_check(tmp_path: Path) -> None:
    async with scene(tmp_path, QQGatewaySimulator()) as found:
        await qq(found).hub.connected.wait()
        await stands(found, standing.CONNECTED)
        qq(found).hub.granted = 0
        await qq(found).hub.drop(4915)
        await stands(found, "机器人已被封禁")
    async with scene(tmp_path) as found:  # by callback now: nothing is said of a line
        store = found.house.parts.engine.store
        assert await store.read(lambda c: standing.get(c, "qq")) is None


async def stands(found: Scene, state: str) -> None:
    """Until it does, if only for a moment."""
    seen: list[str] = []
    for _ in range(500):
        now = await found.house.parts.engine.store.read(lambda c: standing.get(c, "qq"))
        seen.append(now.state if now else "")
        if seen[-1] == state:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(set(seen))
