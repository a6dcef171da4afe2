"""审计: found by who, what, result and day; taken away without a formula; a changed row shows on the page; the auditor's alone."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import openpyxl
import pytest
import pytest_asyncio

from bot.console import audit as page
from handlers.calendar import local
from store import Tx, audit
from store.audit import Sought
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMULAS = ("=1+1", "@SUM(A1)", "+2", "-2+3", "=HYPERLINK(1)")


def fill(tx: Tx) -> None:
    for n in range(120):
        audit.append(tx, "limin", "reporter", "127.0.0.1", f"task/{n}", "GET", "ok")
    for text in FORMULAS:
        audit.append(tx, "wangfang", "handler", text, text, text, "not_allowed")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("audit")) as found:
        await found.parts.engine.store.write(fill)
        yield found


async def said(house: House, query: str = "") -> str:
    answer = await house.get("tangwei", f"/audit{query}")
    assert answer.status == 200
    return await answer.text()


async def test_rows_are_found_by_name_object_result_and_day(house: House) -> None:
    office = house.parts.engine.office
    name = office.person_name("wangfang")
    assert "task/3<" not in await said(house, f"?who={name}")
    assert "=HYPERLINK" in await said(house, f"?who={name}")
    assert "task/77<" in await said(house, "?who=limin&what=task/77")
    assert "task/" not in await said(house, "?result=refused&who=limin")
    assert "没有符合条件" in await said(house, "?what=%25")
    today = f"{local(house.parts.engine.store.now()):%Y-%m-%d}"
    assert "task/119<" in await said(house, f"?who=limin&from={today}&to={today}")
    assert "没有符合条件" in await said(house, "?to=2001-01-01")


async def test_older_pages_follow_one_another_without_a_gap(house: House) -> None:
    read = house.parts.engine.store.read
    sought = Sought(actors=("limin",))
    seen: list[int] = []
    before: int | None = None
    while rows := await read(lambda c, mark=before: audit.search(c, sought, 50, mark)):  # type: ignore[misc]
        seen += [row[0] for row in rows]
        before = seen[-1]
    assert len(seen) == len(set(seen)) == 120
    assert "更早的" in await said(house, "?who=limin")
    assert f"task/{119 - page.PAGE}<" in await said(house, f"?who=limin&before={seen[page.PAGE - 1]}")
    assert f"task/{120 - page.PAGE}<" not in await said(house, f"?who=limin&before={seen[page.PAGE - 1]}")


async def test_what_is_taken_away_holds_no_formula_and_is_itself_audited(house: House) -> None:
    answer = await house.get("tangwei", "/audit/file.csv?who=wangfang&result=refused")
    rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert rows[0] == list(page.HEADER)
    assert {row[6] for row in rows[1:]} == {f"'{text}" for text in FORMULAS}
    answer = await house.get("tangwei", "/audit/file.xlsx?who=wangfang&result=refused")
    sheet = openpyxl.load_workbook(io.BytesIO(await answer.read())).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert set(FORMULAS) <= {str(cell.value) for cell in cells}
    assert ("tangwei", "export/audit/5", "ok") in await house.audited()


async def test_too_much_for_a_file_is_said_and_not_cut(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST", 10)
    answer = await house.get("tangwei", "/audit/file.csv?who=limin")
    assert answer.status == 422
    assert "日期" in await answer.text()


async def test_the_page_verifies_every_row_and_names_the_one_that_was_changed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as own:
        await own.parts.engine.store.write(fill)
        assert "逐条校验通过，共" in await said(own)

        def forge(tx: Tx) -> int:
            seq = int(tx.one("select seq from audit where object = 'task/50'")[0])
            tx.execute("drop trigger audit_no_update")
            tx.execute("update audit set actor = 'hetao' where seq = ?", (seq,))
            return seq

        seq = await own.parts.engine.store.write(forge)
        assert f"审计记录 {seq} 被改动" in await said(own)
        assert f"审计记录 {seq} 被改动" in await said(own, "?who=limin&verify=1")


async def test_search_letters_are_letters_and_never_a_pattern(house: House) -> None:
    def found(connection: sqlite3.Connection) -> list[int]:
        return [
            len(audit.search(connection, Sought(what=what), 500)) for what in ("task_3", "%", "'; drop table audit")
        ]

    assert await house.parts.engine.store.read(found) == [0, 0, 0]
