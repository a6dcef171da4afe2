"""The board's one field: numbers, names and their initials, places, and any piece of what was reported; nothing outside one's scope."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.console.search import initials
from store import task_words, tasks
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("search")) as found:
        yield found


async def listed(house: House, person: str, typed: str, more: str = "") -> set[str]:
    from urllib.parse import quote

    page = await (await house.get(person, f"/tasks?q={quote(typed)}{more}")).text()
    return set(re.findall(r'href="/tasks/(20\d{6}-\d+)"', page))


async def test_any_piece_of_a_report_finds_it_open_or_ended(house: House) -> None:
    first = await house.task("dispatched", text="解放路ABC大厦门口的ｗｉｆｉ箱倒了，压住盲道")
    ended = await house.task("closed", text="盲道被占用", closed_at=1)
    assert {first, ended} <= await listed(house, "zhaojing", "盲道")
    for typed in ("abc大厦", "wifi箱倒", "压住 解放路", "ABC"):
        found = await listed(house, "zhaojing", typed)
        assert first in found and ended not in found, typed
    assert await listed(house, "zhaojing", "盲 倒道") == set()
    assert first in await listed(house, "zhaojing", "盲道", "&state=dispatched")
    assert ended not in await listed(house, "zhaojing", "盲道", "&state=dispatched")


async def test_names_and_initials_find_whom_they_mean(house: House) -> None:
    number = await house.task("dispatched", reporter="zouping", text="路灯不亮了")
    for typed in ("邹萍", "zp", "ZP", "zouping"):
        assert number in await listed(house, "zhaojing", typed), typed
    assert initials("张强") == "zq" and initials("X强") == ""


async def test_a_word_finds_nothing_of_another_unit(house: House) -> None:
    other = await house.task("dispatched", "zjj", reporter="wangfang", text="只有住建局看得见的塔吊")
    assert other in await listed(house, "zhaojing", "塔吊")
    assert other not in await listed(house, "zhangqiang", "塔吊")


@pytest.mark.parametrize(
    "typed", ['"', "a OR b", "x*", "(", "NEAR(", "task:1", "'; drop table task; --", "\x00", "％", "-"]
)
async def test_whatever_is_typed_is_only_looked_for(house: House, typed: str) -> None:
    from urllib.parse import quote

    assert (await house.get("zhaojing", f"/tasks?q={quote(typed)}")).status == 200


async def test_changed_words_leave_nothing_of_the_old_ones(house: House) -> None:
    number = await house.task("dispatched", text="原来写的是秋千坏了")

    def change(tx: object) -> None:
        task = tasks.by_number(tx, number)  # type: ignore[arg-type]
        assert task is not None
        tasks.change(tx, task, text="（文字已删除）")  # type: ignore[arg-type]

    await house.parts.engine.store.write(change)
    assert await listed(house, "zhaojing", "秋千") == set()
    assert number in await listed(house, "zhaojing", "已删除")


async def test_tasks_older_than_the_index_are_entered_behind_the_start(house: House) -> None:
    number = await house.task("dispatched", text="老库里的消防栓漏水")
    store = house.parts.engine.store

    def forget(connection: sqlite3.Connection) -> None:
        connection.execute("delete from task_entry")
        connection.execute("insert into task_words (task_words) values ('delete-all')")
        connection.execute("delete from meta where name = 'task_words'")

    await store.write(lambda tx: forget(tx.connection))
    assert await listed(house, "zhaojing", "消防栓") == set()
    await house.parts.maintenance.enter_words()
    assert number in await listed(house, "zhaojing", "消防栓")
    assert await store.write(task_words.catch_up) == 0
