"""查 小微企业 政策: the archive answers in a group and alone with title, source, date and link; nothing that is not public."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.rehearse import Line, Rehearsal
from digests.words import apart, terms
from handlers.editions import finding
from store import Tx, digest
from store.digest import FindingRow, ItemRow, Marks
from tests.flows.town import TOWN

pytestmark = pytest.mark.asyncio
BODY = "县财政局说明小微企业所得税优惠政策的适用条件和申报办法，各企业按期申报。"


def put(title: str, key: str, **more: object) -> Callable[[Tx], int | None]:
    """One item, as the intake stores it."""
    row = ItemRow(
        0, 0, "2026-11-20", "src", "县财政局", f"https://www.example.gov.cn/{key}", key, "2026-11-19T09:00:00"
    )
    row = replace(row, length=40, **more)  # type: ignore[arg-type]
    findings = [FindingRow("leader", "hold", "职务不符")] if row.state == "held" else []
    return lambda tx: digest.add(tx, row, apart(title), apart(BODY), Marks(), findings, ())


ITEMS = (
    put("小微企业所得税优惠政策问答", "a"),
    put("小微企业融资政策（已失效）", "b"),
    put("小微企业社保补贴政策", "c", state="pulled", why="发布单位撤回"),
    put("小微企业内部政策口径", "d", state="held", why="要人看"),
    put("小微企业政策群里贴的", "e", source="submitted", url=""),
    put("供暖检修通知", "f"),
)


async def stocked() -> Rehearsal:
    """A town whose archive holds ITEMS."""
    played = await Rehearsal.open(TOWN)
    for job in ITEMS:
        await played.engine.store.write(job)
    return played


def say_in(played: Rehearsal) -> Callable[[str, str, str], Awaitable[str]]:
    """What is answered to words said in a group, or ("") alone."""

    async def say(group: str, sender: str, text: str) -> str:
        step = await played.step(Line(60 * (len(played.steps) + 1), group, sender, text))
        return "\n".join(notice.text for notice in step.notices)

    return say


async def test_the_archive_answers_in_the_notices_group_and_alone_and_chatter_asks_nothing() -> None:
    played = await stocked()
    try:
        say = say_in(played)
        found = await say("news", "wangfang", "查 小微企业 政策")
        assert found.startswith("查到3条")
        assert "1. 【已撤回】小微企业社保补贴政策（县财政局，2026-11-19）\nhttps://www.example.gov.cn/c" in found
        assert "2. 【已失效】小微企业融资政策" in found and "3. 小微企业所得税优惠政策问答" in found
        assert "口径" not in found and "群里贴的" not in found
        assert (await say("", "wangfang", "查 小微企业政策 补贴")).startswith("没有查到")
        assert "供暖检修通知" in await say("", "wangfang", "查询 供暖")
        assert await say("news", "wangfang", "查一下他什么时候来的吧我也不清楚") == ""
        assert await say("ssp", "wangfang", "查 小微企业 政策") == ""
        for text in ("查 我的工单", "查 西环路小微企业的单子", "查 进度", "查"):
            assert "小微" not in await say("", "wangfang", text) and played.steps[-1].notices
    finally:
        await played.close()


async def test_cut_words_find_inside_longer_words_and_one_story_is_shown_once() -> None:
    played = await stocked()
    try:
        store = played.engine.store
        await store.write(put("企业所得税优惠政策解读转载", "g", story=1))
        found = await store.write(lambda tx: list(finding.search(tx, "", terms("所得税 优惠政策"))))
        assert "企业所得税优惠政策解读转载" in [one.title for one in found]
        assert "小微企业所得税优惠政策问答" not in [one.title for one in found]
        assert len(found) <= finding.SHOWN
        assert not await store.write(lambda tx: list(finding.search(tx, "", terms("火星移民"))))
    finally:
        await played.close()
