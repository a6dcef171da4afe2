"""The table of leaders: read whole or not at all, and what notices are compared with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.card_files import replace_leaders
from config.digest.leaders import LeaderRow, read_leaders, read_typed, typed, write_leaders
from config.errors import ConfigError
from digests.checks import Leader, leader_alarms
from digests.items import Item
from store import Store, digest

ROWS = (LeaderRow("王安", "云溪县委书记", "2024-03-01"), LeaderRow("李宁远", "云溪县县长", "", "2026-11-30"))


def test_a_table_goes_out_to_a_file_and_to_a_page_and_comes_back_the_same(tmp_path: Path) -> None:
    write_leaders(ROWS, tmp_path / "a.csv")
    assert read_leaders(tmp_path / "a.csv") == ROWS
    assert read_typed(typed(ROWS)) == ROWS
    assert read_typed("王安，云溪县委书记，2024-03-01\n\n李宁远\t云溪县县长\t\t2026/11/30\n") == ROWS


def test_every_mistake_is_named_with_its_row_and_column() -> None:
    with pytest.raises(ConfigError) as caught:
        read_typed("王安,县委书记\n李,县长,2026-13-01\n,副县长\n王安,县委书记\n赵明,县长,2026-01-02,2026-01-01")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (2, "valid_from"), (3, "name"), (2, "name"), (4, "name"), (5, "valid_to"),
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_the_check_of_notices_uses_the_table_as_it_stands() -> None:
    store = Store.open(None)
    try:
        await store.write(lambda tx: replace_leaders(tx, ROWS, "qinyue", ("editor",)))
        leaders = [Leader(*row) for row in await store.read(lambda c: digest.leaders(c))]
        told = "县委副书记王安主持会议并讲话，要求抓好落实。"
        assert leader_alarms(Item("1", "会议", told, published_at="2026-11-24"), leaders)
        assert not leader_alarms(Item("1", "会议", "县委书记王安主持会议。", published_at="2026-11-24"), leaders)
        await store.write(lambda tx: replace_leaders(tx, ()))
        assert not await store.read(lambda c: digest.leaders(c))
    finally:
        store.close()
