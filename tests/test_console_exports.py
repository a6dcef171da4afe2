"""导出: what a person sees he may take, marked with his name; no cell is a formula; too much needs a second person."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator

import docx
import openpyxl
import pytest
import pytest_asyncio

from bot.console import exports
from bot.papers import case_file
from handlers.calendar import local
from store import history, tasks
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORMULAS = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "=cmd|' /C calc'!A0",
    "https://evil.example/a",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("exports")) as found:
        for text in FORMULAS:
            await found.task("dispatched", "cgj", text=text)
        await found.task("dispatched", "zjj", reporter="wangfang", text="工地扬尘")
        yield found


async def book(house: House, person: str, query: str = "") -> openpyxl.Workbook:
    answer = await house.get(person, f"/exports/ledger.xlsx{query}")
    assert answer.status == 200, await answer.text()
    return openpyxl.load_workbook(io.BytesIO(await answer.read()))


async def test_no_cell_of_the_ledger_is_a_formula_or_a_link(house: House) -> None:
    sheet = (await book(house, "zhaojing")).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "n"}
    assert all(cell.hyperlink is None for cell in cells)
    said = {cell.value for cell in cells}
    assert {text.strip() for text in FORMULAS} <= {str(value).strip() for value in said}


async def test_the_ledger_holds_what_its_taker_sees_and_says_who_took_it(house: House) -> None:
    everything = (await book(house, "zhaojing")).active
    own = (await book(house, "wangfang")).active
    assert everything is not None and own is not None
    assert everything.max_row - 3 == len(FORMULAS) + 1
    assert own.max_row - 3 == 1 and "王芳" in str(own.cell(own.max_row, 1).value)
    assert "赵静" in str(everything.cell(everything.max_row, 1).value)
    assert ("zhaojing", f"export/ledger/{len(FORMULAS) + 1}", "ok") in await house.audited()


async def test_filters_narrow_the_ledger(house: House) -> None:
    sheet = (await book(house, "zhaojing", "?unit=zjj&photos=1")).active
    assert sheet is not None and sheet.max_row - 3 == 1
    assert sheet.cell(2, 6).value == "工地扬尘"


async def test_a_months_bulletin_is_set_as_official_papers_are(house: House) -> None:
    answer = await house.get("gaoyuan", "/exports/bulletin.docx")
    paper = docx.Document(io.BytesIO(await answer.read()))
    section = paper.sections[0]
    margins = [getattr(section, f"{side}_margin").mm for side in ("top", "bottom", "left", "right")]
    assert [round(mm) for mm in margins] == [37, 35, 28, 26]
    text = "\n".join(paragraph.text for paragraph in paper.paragraphs)
    assert f"受理{len(FORMULAS) + 1}件" in text and "不排名" in text and "第一" not in text
    fonts = {run._element.rPr.rFonts.get(docx.oxml.ns.qn("w:eastAsia")) for p in paper.paragraphs for run in p.runs}
    assert "仿宋_GB2312" in fonts
    assert (await house.get("zhangqiang", "/exports/bulletin.docx")).status == 403


async def test_a_bulletin_is_named_after_its_period(house: House) -> None:
    now = local(house.parts.engine.store.now())
    year, week, _ = now.isocalendar()
    for asked, title in (
        (f"period={year}-W{week:02d}", f"周报（{year}年第{week}周"),
        (f"period={now.year}-Q{(now.month + 2) // 3}", f"季报（{now.year}年第"),
        (f"period={now.year}", f"年报（{now.year}年）"),
        (f"from={now:%Y-%m-%d}&to={now:%Y-%m-%d}", f"通报（{now.year}年"),
        ("period=x", f"月报（{now.year}年{now.month}月）"),
    ):
        answer = await house.get("gaoyuan", f"/exports/bulletin.docx?{asked}")
        paper = docx.Document(io.BytesIO(await answer.read()))
        assert title in paper.paragraphs[0].text, asked


async def test_a_cases_file_proves_its_history_and_a_changed_step_shows(house: House) -> None:
    number = await house.task("dispatched", "cgj", text="<script>alert(1)</script>")
    await house.photo(number, "a" * 64)
    answer = await house.get("zhangqiang", f"/exports/case/{number}.zip")
    archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert {"卷宗.html", "流水.csv", "校验.txt", "照片/01-上报.jpg"} == set(archive.namelist())
    assert "逐步校验通过" in archive.read("校验.txt").decode()
    assert "<script>" not in archive.read("卷宗.html").decode()

    def changed(connection: object) -> list[str]:
        from dataclasses import replace

        task = tasks.by_number(connection, number)  # type: ignore[arg-type]
        assert task is not None
        steps = history.of(connection, task.id)  # type: ignore[arg-type]
        return case_file.faults([replace(steps[0], unit="zjj")])

    assert await house.parts.engine.store.read(changed) == ["第 1 步被改动"]


async def test_nobody_takes_another_units_case(house: House) -> None:
    number = await house.task("dispatched", "zjj", reporter="wangfang")
    assert (await house.get("zhangqiang", f"/exports/case/{number}.zip")).status == 403


async def test_too_many_rows_need_another_person_and_hold_for_a_day(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST", 2)
    turned = await house.get("zhaojing", "/exports/ledger.xlsx")
    assert turned.status == 303 and turned.headers["Location"].startswith("/exports?query=")
    assert (await house.post("zhaojing", "/exports", {"query": "", "why": ""})).status == 422
    assert (await house.post("zhaojing", "/exports", {"query": "", "why": "年度考核"})).status == 303
    assert "待同意的导出" in await (await house.get("gaoyuan", "/today")).text()
    page = await (await house.get("gaoyuan", "/exports")).text()
    n = re.search(r'action="/exports/(\d+)"', page)
    assert n is not None and "年度考核" in page
    assert (await house.post("zhaojing", f"/exports/{n[1]}", {"state": "granted"})).status == 403
    assert (await house.get("zhaojing", f"/exports/ledger.xlsx?request={n[1]}")).status == 303
    assert (await house.post("gaoyuan", f"/exports/{n[1]}", {"state": "granted"})).status == 303
    assert (await house.get("zhaojing", f"/exports/ledger.xlsx?request={n[1]}")).status == 200
    assert (await house.get("sunlei", f"/exports/ledger.xlsx?request={n[1]}")).status == 303
    engine = house.parts.engine
    engine.business.advance_to(engine.store.now() + 86401)
    assert (await house.get("zhaojing", f"/exports/ledger.xlsx?request={n[1]}")).status == 303


async def test_nobody_grants_a_request_of_his_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.post("gaoyuan", "/exports", {"query": "state=ended", "why": "看一看"})
    own = await house.parts.engine.store.read(lambda c: exports.exports.listing(c, "gaoyuan")[0])
    assert "待同意的导出" not in await (await house.get("gaoyuan", "/today")).text()
    answer = await house.post("gaoyuan", f"/exports/{own.n}", {"state": "granted"})
    assert answer.status == 422 and "另一人" in await answer.text()
