"""What could not be delivered or decided waits for a person, with its reason, and one click tries again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from handlers.events import Message
from store import Tx, inbox, outbox
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("delivery")) as found:
        yield found


async def stuck(house: House, state: str, key: str) -> int:
    """An outbox row that ended in this state."""

    def job(tx: Tx) -> int:
        text = Message("不给管理员看的正文").to_json()
        row = outbox.add(tx, key, "web", "suishoupai", "dispatched", text)
        assert row is not None
        outbox.mark(tx, row.seq, state, reason="对方服务器没有回答")
        return row.seq

    return await house.parts.engine.store.write(job)


async def state_of(house: House, seq: int) -> str:
    row = await house.parts.engine.store.read(lambda c: outbox.by_seq(c, seq))
    assert row is not None
    return row.state


@pytest.mark.parametrize("state", ["unknown", "dead", "expired"])
async def test_one_click_sends_again(house: House, state: str) -> None:
    seq = await stuck(house, state, f"again/{state}")
    page = await (await house.get("hetao", f"/delivery?state={state}")).text()
    assert "对方服务器没有回答" in page and "城市管理随手拍工作群" in page
    assert "不给管理员看的正文" not in page
    assert (await house.post("hetao", f"/delivery/{seq}/resend")).status == 303
    await house.parts.engine.outbox.idle()
    assert await state_of(house, seq) == "sent"
    again = await house.post("hetao", f"/delivery/{seq}/resend")
    assert again.status == 422 and "不用补发" in await again.text()


async def test_a_parked_event_is_taken_up_again(house: House) -> None:
    engine = house.parts.engine

    def job(tx: Tx) -> int:
        row = inbox.add(
            tx, "web", "parked-1", "message", "web:limin", "limin", '{"text":"帮助","address":"limin"}', None
        )
        assert row is not None
        inbox.settle(tx, row.seq, "parked", "KeyError broken:1")
        return row.seq

    seq = await engine.store.write(job)
    page = await (await house.get("zhaojing", "/delivery")).text()
    assert "处理出错（KeyError broken:1）" in page
    assert (await house.post("zhaojing", f"/delivery/parked/{seq}/retry")).status == 303
    await engine.settle()
    state = await engine.store.read(lambda c: c.execute("select state from inbox where seq = ?", (seq,)).fetchone()[0])
    assert state == "done"
    assert (await house.post("zhaojing", f"/delivery/parked/{seq}/retry")).status == 422


async def test_every_channel_prints_what_it_promises(house: House) -> None:
    page = await (await house.get("hetao", "/delivery")).text()
    for channel in house.parts.engine.office.channels.values():
        assert (channel.label or channel.name) in page
    for word in ("已送达", "结果不明", "待补发", "重复发送只出现一次"):
        assert word in page


async def test_today_counts_what_is_stuck_for_those_who_can_mend_it(house: House) -> None:
    await stuck(house, "unknown", "today/1")
    assert "结果不明的通知" in await (await house.get("hetao", "/today")).text()
    assert "结果不明的通知" not in await (await house.get("limin", "/today")).text()
