"""县资料 in the browser: every mistake by file, row and column; nothing changes before a person's word; roles are not slipped in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bot import incoming
from bot.county_import import current, standing
from config.county import County
from config.files import shipped_county, write_workbook
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("county")) as found:
        yield found


def workbook(folder: Path, county: County) -> bytes:
    path = folder / "c.xlsx"
    path.unlink(missing_ok=True)
    write_workbook(county, path)
    return path.read_bytes()


async def hand_in(house: House, person: str, **files: bytes) -> int:
    await house.enter(person)
    form = aiohttp.FormData({"csrf": house.csrf(person)}, quote_fields=False)  # as browsers send names
    for name, body in files.items():
        form.add_field("files", body, filename=name.replace("__", "."), content_type="application/octet-stream")
    return (await house.ask("POST", person, "/county", data=form)).status


async def said(house: House, person: str = "hetao") -> str:
    return await (await house.get(person, "/county")).text()


def renamed(county: County, unit: str, name: str) -> County:
    return replace(county, units=tuple(replace(u, name=name) if u.id == unit else u for u in county.units))


async def test_what_is_taken_away_comes_back_unchanged(house: House) -> None:
    answer = await house.get("hetao", "/county/file.xlsx")
    assert answer.status == 200 and await hand_in(house, "hetao", c__xlsx=await answer.read()) == 303
    assert "与现有资料相同" in await said(house)


async def test_mistakes_are_named_by_file_row_and_column_and_change_nothing(house: House) -> None:
    people = "编号,姓名,单位,角色\nzhangsan,张三,nowhere,上报人\nzhangsan,张三,cgj,飞行员\n".encode("gbk")
    assert await hand_in(house, "hetao", 人员__csv=people) == 303
    page = await said(house)
    assert "人员.csv" in page or "people.csv" in page
    assert "飞行员" in page and "重复" in page and ">3<" in page and "缺少这张表" in page and "确认导入" not in page
    assert (await house.post("hetao", "/county/confirm")).status == 422
    assert house.parts.engine.office.county.people == shipped_county().people


async def test_a_right_county_is_put_in_by_confirmation_alone(house: House, tmp_path: Path) -> None:
    after = renamed(house.parts.engine.office.county, "hws", "环境卫生服务中心")
    assert await hand_in(house, "hetao", c__xlsx=workbook(tmp_path, after)) == 303
    page = await said(house)
    assert "单位:修改 1（环境卫生服务中心）" in page and "确认导入" in page
    assert house.parts.engine.office.unit_name("hws") != "环境卫生服务中心"
    assert (await house.post("hetao", "/county/confirm")).status == 303
    assert house.parts.engine.office.unit_name("hws") == "环境卫生服务中心"
    assert 'id="handed"' not in await said(house)


async def test_higher_roles_wait_for_the_security_administrator(house: House, tmp_path: Path) -> None:
    held = house.parts.engine.office.county
    people = tuple(replace(p, roles=("security_admin", "leader")) if p.id == "limin" else p for p in held.people)
    assert await hand_in(house, "hetao", c__xlsx=workbook(tmp_path, replace(held, people=people))) == 303
    assert "要由安全管理员确认" in await said(house)
    assert (await house.post("hetao", "/county/confirm")).status == 422
    assert house.parts.engine.office.people["limin"].roles == ("reporter",)
    assert "李敏" in await said(house, "xuyan")
    assert (await house.post("xuyan", "/county/confirm")).status == 303
    assert "leader" in house.parts.engine.office.people["limin"].roles


async def test_a_unit_with_open_tasks_cannot_go(house: House, tmp_path: Path) -> None:
    await house.task("dispatched", "wjj")
    held = house.parts.engine.office.county
    after = replace(
        held,
        units=tuple(u for u in held.units if u.id != "wjj"),
        people=tuple(p for p in held.people if p.unit != "wjj"),
        duties=tuple(d for d in held.duties if d.unit != "wjj"),
    )
    assert await hand_in(house, "xuyan", c__xlsx=workbook(tmp_path, after)) == 303
    assert "还有 1 件没办结的工单" in await said(house)
    assert (await house.post("xuyan", "/county/confirm")).status == 422


@pytest.mark.parametrize("name", ["../../evil.csv", "..\\x.csv", "shell.sh", "x.xlsx.exe", "", "people.csv.png"])
async def test_only_a_known_sheets_name_is_ever_written(house: House, name: str) -> None:
    await house.enter("hetao")
    form = aiohttp.FormData({"csrf": house.csrf("hetao")})
    form.add_field("files", b"id,name\n", filename=name or "x", content_type="text/csv")
    assert (await house.ask("POST", "hetao", "/county", data=form)).status == 422
    folder = house.parts.data / incoming.FOLDER
    assert not folder.exists() or {path.name for path in folder.iterdir()} <= {"county.xlsx"}


async def test_a_demo_ends_at_the_next_start_after_confirmation(tmp_path: Path) -> None:
    data = tmp_path / "d"
    data.mkdir()
    async with open_house(data, demo=True) as house:
        after = renamed(shipped_county(), "hws", "环卫服务中心")
        assert await hand_in(house, "hetao", c__xlsx=workbook(tmp_path, after)) == 303
        assert (await house.post("hetao", "/county/confirm")).status == 303
        assert "请关掉群办再启动" in await said(house)
        assert house.parts.engine.office.demo
    assert standing(data) == "demo"
    assert await asyncio.to_thread(incoming.keep_promise, data) is not None
    assert standing(data) == "real" and await asyncio.to_thread(incoming.keep_promise, data) is None
    found = current(data)
    assert found is not None and next(u.name for u in found.units if u.id == "hws") == "环卫服务中心"
