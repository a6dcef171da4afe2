"""What becomes of an answer and of an unasked message when QQ fails: each row of docs/platforms/faults.md, played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import ClientTimeout
from structlog.testing import capture_logs

from bot import fetcher
from bot.simulators.frame import Fault
from bot.simulators.qq import SECRET, QQSimulator
from store import outbox
from tests.platforms import outcomes
from tests.platforms.stage import Scene
from tests.platforms.test_qq import ROOM, platform, qq, queue, scene, state

Check = Callable[[Scene, tuple[str, int, str]], bool]


async def played(found: Scene, push: bool, *faults: Fault) -> tuple[tuple[str, int, str], outbox.OutboxRow]:
    """One message with faults in its way: how its row stands right after."""
    simulator = qq(found)
    if push:
        simulator.pushers.add(ROOM)
    else:
        await simulator.say(ROOM, "limin", "@群办 隐私")
        await found.house.settle()
    simulator.calls.clear()
    simulator.sent.clear()
    simulator.faults.extend(faults)
    row = await queue(found, "f1", simulator.address(ROOM), "【通知】")
    got = await state(found, row)
    return (str(got[0]), int(got[1]), str(got[2])), row


async def ended(found: Scene, got: tuple[str, int, str], row: outbox.OutboxRow) -> str:
    """The outcome in the table's words, after what follows has followed."""
    simulator, channel = qq(found), found.house.parts.engine.outbox
    seen = len(simulator.sent)
    if got[0] == "sent":
        return outcomes.RENEWED if len(simulator.tokens) > 1 else outcomes.SENT
    if got[0] == "dead":
        return outcomes.NEVER
    if got[0] == "unknown":
        return outcomes.PARKED
    if channel._is_paused("qq"):
        return outcomes.RESTS
    if got[2] == outbox.AWAITING:
        await simulator.say(ROOM, "limin", "@群办 帮助")
        await found.hears("【通知】")
        return outcomes.SPEAKS
    await later(found)
    again = await state(found, row)
    if again[0] == "sent":
        assert len([line for line in simulator.sent if "【通知】" in line.text]) == 1
        return outcomes.UNCLEAR_ONCE if seen or _unclear(got[2]) else outcomes.AGAIN
    assert again[2] == outbox.AWAITING
    await simulator.say(ROOM, "limin", "@群办 帮助")
    await found.hears("【通知】")
    return outcomes.SPEAKS


def _unclear(reason: str) -> bool:
    return any(word in reason for word in ("没有回应", "中断", "不是 JSON", "超时"))


async def later(found: Scene) -> None:
    engine = found.house.parts.engine
    engine.business.advance_to(engine.store.now() + 30)
    await engine.outbox.sweep()
    await found.house.settle()


CASES: dict[str, tuple[bool, tuple[Fault, ...]]] = {
    "答复：正常": (False, ()),
    "答复：令牌过期（11243）": (False, (Fault("token_expired"),)),
    "答复：限频（22009）": (False, (Fault("rate_limit"),)),
    "答复：有未报备的网址（304003）": (False, (Fault("error", code=304003),)),
    "答复：已过 5 分钟（304027）": (False, (Fault("error", code=304027),)),
    "答复：图片失效（304082）": (False, (Fault("error", code=304082),)),
    "答复：不回应": (False, (Fault("timeout"),)),
    "答复：回到一半断开": (False, (Fault("reset"),)),
    "答复：回网页而不是 JSON": (False, (Fault("html"),)),
    "答复：慢 30 秒": (False, (Fault("slow", seconds=1.0),)),
    "答复：已发出但没有回执": (False, (Fault("half_sent"),)),
    "主动：群不收（40034105）": (True, (Fault("error", code=40034105),)),
    "主动：已发出但没有回执": (True, (Fault("half_sent"),)),
    "主动：不回应": (True, (Fault("timeout"),)),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CASES)
async def test_a_platform_fault_ends_as_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(fetcher, "TIMEOUT", ClientTimeout(total=0.4, connect=0.3))
    push, faults = CASES[name]
    async with scene(tmp_path) as found:
        with capture_logs() as lines:
            got, row = await played(found, push, *faults)
            assert (name, await ended(found, got, row)) in outcomes.QQ
        assert SECRET not in repr(lines)


@pytest.mark.asyncio
async def test_a_wrong_secret_rests_the_channel_and_loses_nothing(tmp_path: Path) -> None:
    simulator = QQSimulator()
    async with scene(tmp_path, simulator) as found:
        simulator.secret = "another secret!!!"
        row = await queue(found, "f1", simulator.address(ROOM), "【通知】")
        assert (await state(found, row))[:2] == ("due", 0)
        assert found.house.parts.engine.outbox._is_paused("qq") and platform(found).api.tokens.renewals == 1
        assert ("AppSecret 不对", outcomes.RESTS) in outcomes.QQ
