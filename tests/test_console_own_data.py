"""我的数据: one's own and nobody else's, to take away; a request becomes an opinion the administrator answers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from store import Tx, history, own, people, tasks
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("own"), keep_photos_days=91) as found:
        yield found


async def taken(house: House, person: str) -> tuple[dict[str, Any], list[str], str]:
    answer = await house.get(person, "/account/data.zip")
    assert answer.status == 200
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as archive:
        text = archive.read("我的数据.json").decode()
        return json.loads(text), archive.namelist(), text


async def test_what_is_taken_away_is_ones_own_and_nobody_elses(house: House) -> None:
    mine = await house.task(text="我家门口路灯不亮")
    await house.photo(mine, "d" * 64)
    theirs = await house.task(reporter="wangfang", text="别人写的话")

    def join(tx: Tx) -> None:
        both, first = tasks.by_number(tx, theirs), tasks.by_number(tx, mine)
        assert both is not None
        assert first is not None
        tasks.add_reporter(tx, both.id, "limin")
        n = history.append(tx, first.id, "verify_bad", "feedback_given", "rework", actor="limin")
        tasks.note(tx, first.id, n, "还是不亮")
        n = history.append(tx, first.id, "feed_back", "rework", "feedback_given", actor="zhangqiang")
        tasks.note(tx, first.id, n, "换了灯泡")

    await house.parts.engine.store.write(join)
    told, names, text = await taken(house, "limin")
    assert {report["单号"]: report["内容"] for report in told["上报"]} == {mine: "我家门口路灯不亮", theirs: ""}
    assert [step["内容"] for step in told["步骤"] if step["内容"]] == ["还是不亮"]
    assert "别人写的话" not in text
    assert "换了灯泡" not in text
    assert "照片/001.jpg" in names
    other, _, text = await taken(house, "zhangqiang")
    assert [step["内容"] for step in other["步骤"]] == ["换了灯泡"]
    assert "我家门口" not in text
    assert ("limin", "own_data/zip", "ok") in await house.audited()


async def test_what_one_said_to_the_bot_is_in_it(house: House) -> None:
    room, said = house.parts.engine.office.county.groups[0].id, "查 0101-001"
    await house.post("limin", "/in/web/messages", {"room": room, "text": said, "id": "own-1"})
    told, _, _ = await taken(house, "limin")
    counted = await house.parts.engine.store.read(lambda c: own.counts(c, "limin"))
    assert counted.said == len(told["对群办说的话"])
    assert said in [one["内容"] for one in told["对群办说的话"]]


async def test_the_page_counts_and_says_the_terms_the_office_set(house: House) -> None:
    said = await (await house.get("limin", "/account/data")).text()
    assert "91 天删除" in said
    assert "办结91天后删除" in said, "the notice says the office's days, too"
    assert "隐私" in said
    assert "data.zip" in said


async def test_a_request_becomes_an_opinion_and_its_answer_comes_back_to_the_page(house: House) -> None:
    form = {"kind": "delete", "text": "删掉我的照片，电话13812345678"}
    for _ in range(2):
        assert (await house.post("wangfang", "/account/data", form)).status == 303
    found = await house.parts.engine.store.read(people.opinions)
    asked = [one for one in found if one.person == "wangfang"]
    assert len(asked) == 1, "the same request twice is one"
    assert asked[0].text.startswith("【我的数据·删除】")
    assert "13812345678" not in asked[0].text
    assert asked[0].id in await (await house.get("hetao", "/opinions")).text()
    assert (await house.post("hetao", f"/opinions/{asked[0].id}/reply", {"text": "照片已删除"})).status == 303
    assert "照片已删除" in await (await house.get("wangfang", "/account/data")).text()
    assert "照片已删除" not in await (await house.get("limin", "/account/data")).text()


async def test_a_secret_is_not_written_down_and_requests_do_not_pile_up(house: House) -> None:
    assert (await house.post("yaojuan", "/account/data", {"kind": "correct", "text": "机密★10年"})).status == 422
    assert (await house.post("yaojuan", "/account/data", {"kind": "other", "text": "改名"})).status == 422
    codes = [
        (await house.post("yaojuan", "/account/data", {"kind": "correct", "text": f"第{n}条"})).status for n in range(4)
    ]
    assert codes == [303, 303, 303, 422]
