"""订阅 and 退订: a group's owner decides which columns of the digest it gets, nobody else, and chatter is none of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.county import Group
from handlers.editions.desk import COLUMNS
from handlers.editions.groups import wanted
from tests.flows.chat import perform
from tests.flows.town import TOWN

pytestmark = pytest.mark.asyncio

NEWS, REPORTS = Group("news", "通知群", "notices", owner="limin"), Group("ssp", "随手拍群", "reports")
OWNED = replace(
    TOWN,
    groups=(NEWS, REPORTS),
    people=tuple(replace(p, roles=("editor",)) if p.id == "zouping" else p for p in TOWN.people),
)


async def test_the_owner_turns_columns_off_and_on_in_the_group_and_nobody_else_does() -> None:
    played = await perform(
        """
        09:00 李敏@news: 退订 微警示、税务
            通知群: 已退订微警示、税务…本群栏目：政策速递、微课堂、本地工作
        09:01 王芳@news: 订阅 税务
            通知群: 本群的栏目由群主李敏决定
            ! not_allowed
        09:02 李敏@news: 订阅税务栏目
            通知群: 已订阅税务…
        09:03 李敏@news: 订阅
            通知群: 本群每日摘要的栏目：政策速递、微课堂、税务…可订阅：微警示…
        09:04 李敏@news: 订阅了今年的党报吗
        09:05 李敏@news: 退订的手续麻烦
        """,
        county=OWNED,
    )
    try:
        read = played.engine.store.read
        assert await read(lambda c: wanted(c, NEWS, ("政策速递", "微警示", "税务"))) == ("政策速递", "税务")
    finally:
        await played.close()


async def test_a_group_without_an_owner_is_the_editors_and_other_groups_get_only_what_they_asked_for() -> None:
    played = await perform(
        """
        09:00 李敏: 订阅 微课堂
            群: 本群没有登记群主，由摘要编辑决定栏目
            ! not_allowed
        09:01 邹萍: 订阅 微课堂
            群: 已订阅微课堂…本群栏目：微课堂
        09:02 邹萍→: 订阅 微课堂
            邹萍: 请在要订阅的工作群里发…
        09:03 邹萍: 退订 全部
            群: 已退订…（没有）
        09:04 邹萍: 订阅 税务
            群: 已订阅税务…
        """,
        county=OWNED,
    )
    try:
        read = played.engine.store.read
        assert await read(lambda c: wanted(c, REPORTS, COLUMNS)) == ("税务",)
        assert await read(lambda c: wanted(c, NEWS, COLUMNS)) == COLUMNS
    finally:
        await played.close()


async def test_an_owner_who_left_leaves_the_columns_to_the_editors() -> None:
    gone = replace(OWNED, groups=(replace(NEWS, owner="nobody"), REPORTS))
    played = await perform("09:00 邹萍@news: 退订 税务\n    通知群: 已退订税务…", county=gone)
    await played.close()


async def test_a_group_s_owner_goes_out_to_a_file_and_must_be_somebody_on_the_list(tmp_path: Path) -> None:
    from config.errors import ConfigError
    from config.files import read_county, write_county

    write_county(OWNED, tmp_path)
    assert read_county(tmp_path, TOWN).groups[0].owner == "limin"
    write_county(replace(OWNED, groups=(replace(NEWS, owner="nobody"),)), tmp_path)
    with pytest.raises(ConfigError, match="nobody"):
        read_county(tmp_path, TOWN)
