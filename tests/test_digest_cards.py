"""Micro-classes and micro-warnings: each in its turn, none too soon again, nothing in them that may not be printed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from bot.cli import main
from config.digest.cards import SHIPPED, CardRow, read_cards, shipped_cards, write_cards
from config.digest.leaders import LeaderRow, write_leaders
from config.errors import ConfigError, Rejected
from handlers.editions import cards
from store import Store, county, digest, editions
from store.editions import Card
from tests.flows.town import TOWN

ROLES = ("editor",)
TEXT = "应当归档的材料按规定定期移交，任何个人不得据为己有。"
ONE = CardRow("class", "材料要归档", TEXT, "中华人民共和国档案法")


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    opened = Store.open(None)
    yield opened
    opened.close()


async def library(store: Store, *rows: CardRow) -> None:
    await store.write(lambda tx: cards.take(tx, rows))


async def shown(store: Store, day: str, rest: int = 60) -> tuple[Card, ...]:
    return await store.read(lambda c: cards.todays(c, day, rest))


@pytest.mark.asyncio
async def test_each_day_has_another_card_of_each_kind_and_none_comes_back_while_it_rests(store: Store) -> None:
    await library(store, *shipped_cards())
    seen: list[int] = []
    for day in range(1, 14):
        found = await shown(store, f"2026-12-{day:02d}")
        assert [card.kind for card in found] == (["class", "warning"] if day <= 12 else [])
        for card in found:
            await store.write(lambda tx, n=card.n, d=day: editions.use_card(tx, n, f"2026-12-{d:02d}"))
            seen.append(card.n)
    assert len(set(seen)) == len(seen) == 24
    again = await shown(store, "2027-01-31", 60)
    assert [card.used_on for card in again] == ["2026-12-01", "2026-12-01"]


@pytest.mark.asyncio
async def test_a_planned_card_goes_first_on_its_day_and_waits_for_its_turn_when_the_day_went_by(store: Store) -> None:
    await library(store, ONE, replace(ONE, title="第二张"))
    first, second = await store.read(lambda c: sorted(card.n for card in editions.cards(c)))
    today = "2026-11-24"
    await store.write(lambda tx: cards.plan(tx, "qinyue", ROLES, second, "2026-11-26", today, 60))
    assert [(await shown(store, f"2026-11-{day}"))[0].n for day in (25, 26, 27)] == [first, second, first]
    await store.write(lambda tx: editions.use_card(tx, first, "2026-11-27"))
    assert (await shown(store, "2026-11-30"))[0].n == second
    with pytest.raises(Rejected, match="最早2027-01-27"):
        await store.write(lambda tx: cards.plan(tx, "qinyue", ROLES, first, "2026-12-01", today, 60))
    with pytest.raises(Rejected, match="已安排了"):
        await store.write(lambda tx: editions.use_card(tx, first, "2026-01-01"))
        await store.write(lambda tx: cards.plan(tx, "qinyue", ROLES, first, "2026-11-26", today, 60))
    with pytest.raises(Rejected, match="今天或以后"):
        await store.write(lambda tx: cards.plan(tx, "qinyue", ROLES, first, "2026-11-20", today, 60))


@pytest.mark.asyncio
async def test_retired_and_expired_cards_are_never_shown(store: Store) -> None:
    await library(store, replace(ONE, valid_to="2026-11-24"), replace(ONE, title="停用的", state="retired"))
    assert len(await shown(store, "2026-11-24")) == 1 and not await shown(store, "2026-11-25")
    n = await store.read(lambda c: next(card.n for card in editions.cards(c) if card.title == "停用的"))
    await store.write(lambda tx: cards.retire(tx, "qinyue", ROLES, n, back=True))
    assert [card.n for card in await shown(store, "2026-11-25")] == [n]
    await store.write(lambda tx: cards.retire(tx, "qinyue", ROLES, n))
    assert not await shown(store, "2026-11-25")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"机密★10年\n{TEXT}", "疑似涉密"),
        (f"{TEXT}请打13812345678咨询。", "个人号码"),
        (f"{TEXT}县委书记李不是同志强调，要抓好落实。", "职务"),
    ],
)
async def test_what_may_not_be_printed_is_not_written_down(store: Store, text: str, why: str) -> None:
    await store.write(lambda tx: digest.replace_leaders(tx, [("王安", "云溪县委书记", "", "")]))
    with pytest.raises(Rejected, match=why):
        await store.write(lambda tx: cards.write(tx, "qinyue", ROLES, replace(ONE, text=text)))
    assert not await store.read(lambda c: editions.cards(c))


@pytest.mark.asyncio
async def test_only_editors_and_administrators_change_cards(store: Store) -> None:
    with pytest.raises(Rejected, match="只有摘要编辑"):
        await store.write(lambda tx: cards.write(tx, "limin", ("reporter",), ONE))
    n = await store.write(lambda tx: cards.write(tx, "hetao", ("admin",), ONE))
    with pytest.raises(Rejected, match="同名"):
        await store.write(lambda tx: cards.write(tx, "qinyue", ROLES, ONE))
    await store.write(lambda tx: cards.write(tx, "qinyue", ROLES, replace(ONE, title="材料归档"), n))
    assert await store.read(lambda c: [card.title for card in editions.cards(c)]) == ["材料归档"]


@pytest.mark.asyncio
async def test_a_library_goes_out_to_a_file_and_comes_back_the_same(store: Store, tmp_path: Path) -> None:
    await library(store, *shipped_cards(), replace(ONE, url="https://www.gov.cn/a", plan_on="2026-12-01"))
    rows = await store.read(cards.give)
    write_cards(rows, tmp_path / "卡片.csv")
    assert read_cards(tmp_path / "卡片.csv") == rows
    assert await store.write(lambda tx: cards.take(tx, rows)) == {"same": 25}
    assert sum(row.origin == "sample" for row in rows) == 24


def test_every_mistake_of_a_file_is_named_with_its_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "卡片.csv"
    path.write_text(
        f"栏目,标题,正文,链接,安排日期\n微课堂,一,{TEXT},,\n微课,二,{TEXT},www.gov.cn,2026-13-01\n微课堂,一,短,,\n",
        encoding="gb18030",
    )
    with pytest.raises(ConfigError) as caught:
        read_cards(path)
    places = {(fault.row, fault.column) for fault in caught.value.faults}
    assert places == {(3, "栏目"), (3, "安排日期"), (3, "链接"), (4, "标题"), (4, "正文")}


def test_the_starter_cards_are_clean_short_and_each_names_its_basis() -> None:
    rows = shipped_cards()
    assert [sum(row.kind == kind for row in rows) for kind in ("class", "warning")] == [12, 12]
    for row in rows:
        assert row.origin == "sample" and row.basis and not cards.wrong(row) and len(row.text) <= 120


def test_files_go_in_and_out_of_a_stopped_office_by_command(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out.csv"
    store = Store.open(data)
    asyncio.run(store.write(lambda tx: county.save(tx, TOWN)))
    store.close()

    def run(*words: object) -> str:
        result = CliRunner().invoke(main, ["digest", *map(str, words), "--data", str(data)])
        return result.output + str(result.exit_code)

    assert "新增 24" in run("cards", "samples") and "未变 24" in run("cards", "import", SHIPPED)
    assert "已导出 24 张" in run("cards", "export", out) and read_cards(out) == shipped_cards()
    assert run("cards", "export", out).endswith("1")
    rows, bad = tmp_path / "名录.csv", tmp_path / "bad.csv"
    write_leaders([LeaderRow("王安", "云溪县委书记")], rows)
    assert "已导入 1 行" in run("leaders", "import", rows) and "已导出 1 行" in run(
        "leaders", "export", tmp_path / "l.csv"
    )
    bad.write_text(f"栏目,标题,正文\n微课堂,好的,{TEXT}\n微课堂,坏的,机密★10年{TEXT}\n", encoding="utf-8")
    assert "第3行「正文」列" in run("cards", "import", bad)
