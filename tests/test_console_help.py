"""帮助: the first hour judges by what is there, the examination is the administrators', the card names the county's own groups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.console.help import Seen, first_hour
from bot.platforms.standing import CONNECTED, Standing
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY = 86400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("help")) as found:
        yield found


async def test_each_step_of_the_first_hour_is_done_only_when_it_is(house: House) -> None:
    office, now = house.parts.engine.office, 400 * DAY
    fresh = Seen(True, frozenset(), frozenset(), (), False, None, None)
    assert [step.done for step in first_hour(office, fresh, now)] == [False, False, None, None, False, False, False]
    everybody = frozenset(person.id for person in office.county.people)
    real = Seen(False, everybody, frozenset({"hetao"}), (), True, now - 600, (now - DAY, True))
    assert [step.done for step in first_hour(office, real, now)] == [True, True, None, None, True, True, True]
    old = replace(real, drill=(now - 100 * DAY, True))
    failed = replace(real, drill=(now - DAY, False))
    assert [list(first_hour(office, seen, now))[5].done for seen in (old, failed)] == [False, False]


async def test_a_channel_that_is_shut_out_is_named_with_its_reason(house: House) -> None:
    office = house.parts.engine.office
    seen = Seen(False, frozenset(), frozenset(), (("web", Standing("密钥不对", 1)),), False, None, None)
    step = list(first_hour(office, seen, 10))[2]
    assert step.done is False
    assert any("密钥不对" in line for line in step.more)
    fine = replace(seen, channels=(("web", Standing(CONNECTED, 1)),))
    assert list(first_hour(office, fine, 10))[2].done is True


async def test_who_sets_up_sees_the_steps_and_a_member_only_how_to_speak(house: House) -> None:
    own = await (await house.get("hetao", "/help")).text()
    assert "第一个小时" in own
    for href in ("/county", "/people", "/rehearsal", "/help/card", "/help/check"):
        assert f'href="{href}"' in own
    member = await (await house.get("limin", "/help")).text()
    assert "第一个小时" not in member
    assert "/help/check" not in member
    assert "跟群办怎么说" in member


async def test_the_page_examines_the_running_office_as_bot_check_does(house: House) -> None:
    answer = await house.get("hetao", "/help/check")
    said = await answer.text()
    assert answer.status == 200
    assert "数据库完好" in said
    assert "群办正在运行" in said
    assert (await house.get("limin", "/help/check")).status == 403


async def test_the_card_names_the_county_and_only_the_groups_one_is_in(house: House) -> None:
    office = house.parts.engine.office
    everything = await (await house.get("hetao", "/help/card")).text()
    assert office.rules.county_name in everything
    assert all(f'value="{group.id}"' in everything for group in office.county.groups)
    foreign = next(group for group in office.county.groups if group.members and "limin" not in group.members)
    own = await (await house.get("limin", "/help/card")).text()
    assert foreign.name not in own
    assert "隐私" in own
    assert foreign.name not in await (await house.get("limin", f"/help/card?group={foreign.id}")).text()


async def test_the_demo_shows_everybody_the_first_hour_and_says_who_can_do_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, demo=True) as demo:
        said = await (await demo.get("limin", "/help")).text()
        assert "第一个小时" in said
        assert "何涛" in said
