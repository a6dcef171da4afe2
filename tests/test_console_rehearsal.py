"""A rehearsal from the console: as people write it, in memory alone, and it says whom the bot would have told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.console.rehearsal import EXAMPLES
from bot.dialogue import MOST, as_dialogue, read_dialogue
from config.files import shipped_county
from store import tasks
from tests.console_house import House, open_house

COUNTY = shipped_county()
GROUP = "suishoupai"


def test_a_conversation_is_read_as_it_is_written() -> None:
    text = "11月23日 09:00 王芳：解放路垃圾桶满了没人收 [照片]\n09:05 王秀兰 回1：签收\n12:00\n王芳 撤回1"
    start, lines, faults = read_dialogue(text, COUNTY, GROUP)
    assert not faults
    assert [(line.t, line.sender, line.text, len(line.photos), line.quote, line.recall) for line in lines] == [
        (0, "wangfang", "解放路垃圾桶满了没人收", 1, None, None),
        (300, "wangxiulan", "签收", 0, 0, None),
        (10800, "", "", 0, None, None),
        (10860, "wangfang", "", 0, None, 0),
    ]
    again = read_dialogue(as_dialogue(start, lines, COUNTY), COUNTY, GROUP)
    bare = [replace(line, photos=()) for line in lines]
    assert (again[0], [replace(line, photos=()) for line in again[1]]) == (start, bare)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("09:01 没这人：你好", "没有“没这人”这个人"),
        ("王芳 你好", "应写成“姓名：话”"),
        ("08:00 王芳：早", "比上一行早"),
        ("25:00 王芳：早", "时间看不懂"),
        ("王芳 回9：签收", "前面没有第 9 步"),
        ("2月30日 09:00 王芳：早", "时间看不懂"),
    ],
)
def test_a_line_nobody_can_play_is_named_and_the_rest_goes_on(row: str, why: str) -> None:
    _, lines, faults = read_dialogue(f"11月23日 09:00 王芳：早\n{row}\n王芳：好", COUNTY, GROUP)
    assert len(lines) == 2
    assert faults[0].row == 2 and why in faults[0].message


def test_no_name_of_a_photo_opens_a_file() -> None:
    for text in ("王芳：看 [照片 /etc/hostname]", '{"t":0,"group":"g","sender":"wangfang","photos":["/etc/hostname"]}'):
        _, lines, _ = read_dialogue(text, COUNTY, GROUP)
        assert lines[0].photos and not any(name.startswith("/") for name in lines[0].photos)


def test_a_script_without_end_is_refused() -> None:
    _, lines, faults = read_dialogue("王芳：早\n" * (MOST + 1), COUNTY, GROUP)
    assert not lines and str(MOST) in faults[0].message


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("rehearsal")) as found:
        yield found


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_shows_who_would_be_told_and_touches_nothing(house: House) -> None:
    script = EXAMPLES["从上报到办结"].format(reporter="王芳", handler="王秀兰")
    answer = await house.post("zhaojing", "/rehearsal", {"script": script, "group": GROUP})
    page = await answer.text()
    assert answer.status == 200
    assert "【已受理】" in page and "已办结" in page and "#1123-001" in page
    assert not await house.parts.engine.store.read(tasks.everything)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_pasted_is_shown_as_text(house: House) -> None:
    page = await (await house.post("zhaojing", "/rehearsal", {"script": "王芳：<img src=x onerror=1>路灯不亮"})).text()
    assert "<img src=x" not in page and "&lt;img src=x" in page


@pytest.mark.asyncio(loop_scope="module")
async def test_only_those_who_dispatch_check_or_set_up_rehearse(house: House) -> None:
    assert (await house.get("limin", "/rehearsal")).status == 403
    assert (await house.post("limin", "/rehearsal", {"script": "王芳：早"})).status == 403
    assert (await house.get("zhaojing", "/rehearsal")).status == 200
