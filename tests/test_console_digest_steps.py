"""The desk's rarer ways: a wrong title of a leader holds up 签发 until answered for, a day without an edition, a correction."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.candidates import run_day
from handlers.editions import timing
from store import Tx, digest, editions
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = "县委书记王建国调研冬季供暖\n11月24日，县委书记王建国到热力公司调研冬季供暖工作。他要求各乡镇在12月1日前完成管网排查，保障群众温暖过冬。"


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("steps")) as found:
        engine = found.parts.engine
        await engine.store.write(lambda tx: digest.replace_leaders(tx, [("王建国", "县长", "2025-01-01", "")]))
        await found.post("qinyue", "/digest/paste", {"text": TEXT, "permit": "permit-0001"})
        yield found


async def day_of(house: House) -> str:
    engine = house.parts.engine
    now = engine.store.now()
    return await engine.store.read(lambda c: timing.edition_day(c, engine.office, now))


async def edit(house: House, do: str, day: str, person: str = "qinyue", **form: str) -> int:
    return (await house.post(person, "/digest/edit", {"do": do, "day": day, **form})).status


async def step(house: House, person: str, word: str, day: str, **form: str) -> str:
    found = await house.parts.engine.store.read(lambda c: editions.get(c, day))
    seen = found.hash[:12] if found else ""
    sent = {"step": word, "day": day, "seen": seen, "permit": secrets.token_hex(8), **form}
    return await (await house.post(person, "/digest/steps", sent)).text()


async def filled(house: House) -> str:
    day, engine = await day_of(house), house.parts.engine
    assert await edit(house, "begin", day) == 303
    assert await edit(house, "keep", day, item="1", column="本地工作") == 409, "held until somebody looked"
    assert (await house.post("fanwen", "/digest/items/1/release", {"why": "已核实"})).status == 403
    assert (await house.post("qinyue", "/digest/items/1/release", {"why": ""})).status == 409
    assert (await house.post("qinyue", "/digest/items/1/release", {"why": "已核实"})).status == 303
    assert (await house.post("qinyue", "/digest/items/1/release", {"why": "已核实"})).status == 409
    await run_day(engine.store, engine.office.county, day)
    await edit(house, "begin", day)
    await edit(house, "keep", day, item="1", column="本地工作")  # by the hour it is in already
    return day


async def test_a_wrong_title_holds_up_the_signature_until_a_person_answers_for_it(house: House) -> None:
    day = await filled(house)
    page = await (await house.get("qinyue", "/digest")).text()
    assert "王建国" in page and "核对无误" in page and "提醒没有核对" in page
    await step(house, "qinyue", "送审", day)
    await step(house, "fanwen", "通过", day)
    assert "note bad" in await step(house, "gaoyuan", "签发", day)
    assert await edit(house, "ack", day, "gaoyuan", pos="1") == 409, "a reason is asked for"
    assert await edit(house, "ack", day, "gaoyuan", pos="1", why="已核实，任免文件当天公布") == 303
    page = await step(house, "gaoyuan", "签发", day)
    assert "note bad" not in page and "高远已核对：已核实" in page


async def test_a_day_without_an_edition_is_decided_with_a_reason_and_reopened(house: House) -> None:
    day = await filled(house)
    assert "note bad" in await step(house, "gaoyuan", "不发", "2020-01-06", why="x"), "only the one being made"
    page = await step(house, "gaoyuan", "不发", day, why="今日无重要内容")
    assert "今日无重要内容" in page and "重开" in page
    assert "送审</button>" not in await (await house.get("qinyue", "/digest", params={"day": day})).text()
    assert await edit(house, "drop", day, pos="1") == 409
    page = await step(house, "gaoyuan", "重开", day)
    assert "note bad" not in page
    found = await house.parts.engine.store.read(lambda c: editions.get(c, day))
    assert found is not None and found.state == "draft"


async def test_a_correction_is_written_by_one_and_let_pass_by_another(house: House) -> None:
    day = await filled(house)

    def sent(tx: Tx) -> None:
        editions.move(tx, day, ["draft"], "sent")
        editions.deliver(tx, day, "tongzhi", "edition", 0, f"edition/{day}/tongzhi/1", "")

    await house.parts.engine.store.write(sent)

    async def take(person: str, act: str, at: str, **form: str) -> str:
        sent = {"act": act, "at": at, "day": day, "permit": secrets.token_hex(8), **form}
        return await (await house.post(person, "/digest/corrections", sent)).text()

    assert "note ok" in await take("qinyue", "更正", "1", text="排查期限应为12月5日")
    assert "待通过的更正" in await (await house.get("fanwen", "/today")).text()
    page = await (await house.get("fanwen", "/digest/history")).text()
    assert "排查期限应为12月5日" in page and "通过并发出" in page
    assert "note bad" in await take("fanwen", "更正通过", "1", seen="0" * 12), "of other words"
    seen = page.split('name="seen" value="')[1].split('"')[0]
    assert "note ok" in await take("fanwen", "更正通过", "1", seen=seen)
    (row,) = await house.parts.engine.store.read(lambda c: editions.corrections(c))
    assert row.state == "sent"
    assert (await house.post("qinyue", "/digest/corrections", {"act": "别的", "at": "1"})).status == 422
