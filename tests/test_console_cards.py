"""The library of cards and the table of leaders in the console: loaded on a button, written, planned, retired, screened."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.arrivals import day_of
from store import digest, editions
from tests.console_house import House, open_house

CARD = {
    "n": "0", "kind": "warning", "title": "年底少喝酒", "text": "酒后驾车，党员和公职人员要受党纪政务处分。", "basis": "道路交通安全法",
}  # fmt: skip


def _workday(house: House) -> str:
    """The next working day, today included."""
    engine = house.parts.engine
    day = date.fromisoformat(day_of(engine.store.now()))
    while not engine.office.worktime.is_workday(day):
        day += timedelta(days=1)
    return day.isoformat()


async def library(house: House) -> list[editions.Card]:
    return await house.parts.engine.store.read(lambda c: editions.cards(c))


@pytest.mark.asyncio
async def test_samples_come_on_a_button_alone_and_keep_what_the_office_wrote(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        assert not await library(house)
        assert "装入范例" in await (await house.get("qinyue", "/digest/cards")).text()
        mine = {**CARD, "title": "酒后不开车", "text": "我们自己写的，请各单位互相提醒，酒后一律不开车。"}
        assert (await house.post("qinyue", "/digest/cards/write", mine)).status == 303
        assert (await house.post("qinyue", "/digest/cards/samples")).status == 303
        assert (await house.post("qinyue", "/digest/cards/samples")).status == 303
        found = await library(house)
        assert len(found) == 24 and sum(card.made_by == "sample" for card in found) == 23
        page = await (await house.get("fanwen", "/digest/cards")).text()
        assert "范例" in page and "装入范例" not in page and "写一张" not in page


@pytest.mark.asyncio
async def test_an_editor_writes_plans_and_retires_a_card_and_nobody_below_does(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        assert (await house.post("qinyue", "/digest/cards/write", CARD)).status == 303
        (card,) = await library(house)
        n, today = str(card.n), _workday(house)
        for day in ("2026-02-30", "2026-13-45", "2099-01-03", "明天"):
            assert (await house.post("qinyue", "/digest/cards/plan", {"n": n, "day": day})).status == 422
        assert (await house.post("qinyue", "/digest/cards/plan", {"n": n, "day": today})).status == 303
        changed = {**CARD, "n": n, "title": "年底不喝酒"}
        assert (await house.post("hetao", "/digest/cards/write", changed)).status == 303
        (card,) = await library(house)
        assert (card.title, card.plan_on, card.made_by) == ("年底不喝酒", today, "qinyue")
        assert "年底不喝酒" in await (await house.get("qinyue", f"/digest/cards/{n}")).text()
        assert (await house.post("qinyue", "/digest/cards/retire", {"n": n})).status == 303
        assert (await library(house))[0].state == "retired"
        assert (await house.post("fanwen", "/digest/cards/retire", {"n": n, "back": "1"})).status == 403
        assert (await house.post("qinyue", "/digest/cards/plan", {"n": n, "day": today})).status in (409, 422)
        assert ("qinyue", f"card/{n}", "ok") in await house.audited()


@pytest.mark.asyncio
async def test_what_may_not_be_printed_is_shown_back_and_not_stored(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for text, why in (("太短", "正文太短"), ("机密★10年 某项工作的内部口径，供学习。", "疑似涉密")):
            answer = await house.post("qinyue", "/digest/cards/write", {**CARD, "text": text})
            assert answer.status == 422 and why in await answer.text()
        assert not await library(house)
        assert "内部口径" not in await house.parts.engine.store.read(lambda c: "\n".join(c.iterdump()))


@pytest.mark.asyncio
async def test_the_table_of_leaders_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        rows = {"leaders": "王安，云溪县委书记，2024-03-01\n李宁远，云溪县县长"}
        assert (await house.post("hetao", "/digest/leaders", rows)).status == 303
        bad = await house.post("qinyue", "/digest/leaders", {"leaders": "王安，云溪县委书记\n赵，县长，2026-99-01"})
        assert bad.status == 422 and "第2行任职日期" in await bad.text()
        kept = await house.parts.engine.store.read(digest.leaders)
        assert kept == [("王安", "云溪县委书记", "2024-03-01", ""), ("李宁远", "云溪县县长", "", "")]
        page = await (await house.get("fanwen", "/digest/leaders")).text()
        assert "李宁远" in page and "保存" not in page
