"""A county goes out as files and comes back the same; a bad file changes nothing and says everything at once."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from config.county import (
    CATEGORY_KINDS,
    LIMIT_UNITS,
    PLACE_KINDS,
    PURPOSES,
    ROLES,
    CalendarDay,
    Category,
    County,
    Duty,
    Group,
    Person,
    Phrase,
    Place,
    Standard,
    Unit,
)
from config.errors import ConfigError
from config.files import SHIPPED, examine, read_county, shipped_county, write_county, write_workbook
from config.sheets import SHEETS
from config.spreadsheets import escape, unescape

UNITS = "id,name,aliases,town,duty\ncgj,城管局,城管|执法局,,负责小广告\nxz,西镇政府,,西镇,\n"
PEOPLE = "id,name,unit,roles,accounts\nzs,张三,cgj,handler|reporter,web:zs|wecom:ZhangSan\nls,李四,xz,上报人,\n"
GROUPS = "id,name,purpose,members,accounts\ng1,随手拍群,reports,zs|ls,web:g1\n"


def folder(path: Path, **sheets: str | bytes) -> Path:
    """A county folder with the three required files, some replaced or added."""
    texts: dict[str, str | bytes] = {"units": UNITS, "people": PEOPLE, "groups": GROUPS}
    for name, text in (texts | sheets).items():
        (path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_county(path)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [f"{fault.file}:{fault.row}:{fault.column} {fault.message}" for fault in caught.value.faults]


def sure(found: Iterable[str], *parts: str) -> None:
    """Exactly these faults, in any order, each recognised by its beginning."""
    left = list(found)
    for part in parts:
        hits = [line for line in left if line.startswith(part)]
        assert hits, f"no fault starts with {part!r} in {left}"
        left.remove(hits[0])
    assert not left


# --- what comes with the product


def test_the_shipped_county_is_complete_and_without_a_warning() -> None:
    county = shipped_county()
    found = examine(SHIPPED, County())
    assert (found.faults, found.warnings) == ((), ())
    national = [c for c in county.categories if c.kind != "其他"]
    assert len(national) == 190
    assert len({c.code[2:] for c in national}) == 134  # 56 bare codes occur in both kinds
    assert sum(s.code[:2] != "其他" for s in county.standards) == 519
    assert {s.code for s in county.standards} == {c.code for c in county.categories}
    assert {d.code for d in county.duties if not d.place_or_town} == {c.code for c in county.categories}
    assert len({c.spoken_group for c in county.categories}) <= 21


def test_every_unit_of_the_shipped_county_has_someone_who_answers() -> None:
    county = shipped_county()
    roles = {(p.unit, role) for p in county.people for role in p.roles}
    assert all((d.unit, "handler") in roles and (d.unit, "unit_leader") in roles for d in county.duties)
    held = {role for _, role in roles}
    assert held == set(ROLES)
    assert all(account == f"web:{p.id}" for p in county.people for account in p.accounts)
    assert all(unit.duty for unit in county.units)


def test_the_story_of_the_sculpture_can_be_told() -> None:
    county = shipped_county()
    people = {p.id: p for p in county.people}
    assert people["limin"].unit == "chengguan" and "reporter" in people["limin"].roles
    assert people["zhangqiang"].unit == "cgj" and "handler" in people["zhangqiang"].roles
    names = {name for place in county.places for name in (place.name, *place.aliases)}
    assert {"西环路", "三角绿地"} <= names
    posters = next(c for c in county.categories if c.name == "非法小广告")
    assert Duty(posters.code, "", "cgj") in county.duties


def test_the_calendar_of_2026_agrees_with_the_official_arrangement() -> None:
    chinese_calendar = pytest.importorskip("chinese_calendar")
    from datetime import date, timedelta

    days = {day.date: day.kind for day in shipped_county().calendar}
    for day in (date(2026, 1, 1) + timedelta(n) for n in range(365)):
        off = {"holiday": True, "workday": False}.get(days.get(day.isoformat(), ""), day.weekday() > 4)
        assert off == chinese_calendar.is_holiday(day), day


def test_reading_csv_loads_no_heavy_library() -> None:
    code = (
        "import sys; from config.files import shipped_county; shipped_county();"
        "print([m for m in ('openpyxl', 'xlsxwriter', 'pydantic', 'asyncio', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# --- round trip

RISKY = "=+-@＝＋－＠'\"，,；;、 　。①（）😀"
WORD = st.text(st.sampled_from("云溪县甲乙丙abcXYZ019" + RISKY), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
PROSE = st.lists(WORD, max_size=3).map("\n".join)
WORDS = st.lists(WORD, max_size=3).map(tuple)
IDS = st.text(st.sampled_from("abcXYZ0129_-.=+@'县局"), min_size=1, max_size=8)
NO_SPACE = st.text(st.sampled_from("abcXYZ0129_-.=:@'/"), min_size=1, max_size=8)


def some(words: Iterable[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(words))


@st.composite
def counties(draw: st.DrawFn) -> County:
    unit_ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    person_ids = draw(st.lists(IDS, max_size=5, unique=True))
    kinds = draw(st.lists(st.tuples(some(CATEGORY_KINDS), IDS), min_size=1, max_size=4, unique=True))
    codes = [kind + code for kind, code in kinds]
    accounts = iter(draw(st.lists(NO_SPACE.map("web:{}".format), max_size=9, unique=True)))
    conditions = draw(st.lists(st.tuples(some(codes), WORD), max_size=5, unique=True))
    days = draw(st.lists(st.dates().filter(lambda day: day.year >= 1000).map(str), max_size=4, unique=True))
    unit, code, text = st.sampled_from(unit_ids), st.sampled_from(codes), st.one_of(st.just(""), WORD)
    return County(
        tuple(draw(st.builds(Unit, st.just(u), WORD, WORDS, text, PROSE)) for u in unit_ids),
        tuple(
            draw(st.builds(Person, st.just(p), WORD, unit, st.lists(some(ROLES), unique=True).map(tuple)))
            if (account := next(accounts, None)) is None
            else Person(p, draw(WORD), draw(unit), (), (account,))
            for p in person_ids
        ),
        tuple(
            draw(st.builds(Place, st.just(p), WORD, WORDS, st.one_of(st.just(""), some(PLACE_KINDS)), text))
            for p in draw(st.lists(IDS, max_size=4, unique=True))
        ),
        tuple(
            Group(g, draw(WORD), draw(some(PURPOSES)), tuple(person_ids[:2]), (f"qq:{g}",))
            for g in draw(st.lists(IDS, max_size=3, unique=True))
        ),
        tuple(Category(kind + bare, draw(WORD), kind, draw(WORD)) for kind, bare in kinds),
        tuple(Standard(c, w, draw(st.integers(1, 9999)), draw(some(LIMIT_UNITS))) for c, w in conditions),
        tuple(draw(st.lists(st.builds(Duty, code, text, unit, some(("confirmed", "proposed"))), max_size=4))),
        tuple(CalendarDay(day, draw(some(("holiday", "workday")))) for day in days),
        tuple(draw(st.lists(st.builds(Phrase, st.one_of(st.just(""), code), WORD), max_size=4))),
    )


@pytest.mark.parametrize("form", ["folder", "workbook"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(county=counties())
def test_what_is_written_is_read_back_the_same(form: str, county: County, tmp_path: Path) -> None:
    if form == "folder":
        write_county(county, tmp_path / "out")
        assert read_county(tmp_path / "out") == county
    else:
        write_workbook(county, tmp_path / "out.xlsx")
        assert read_county(tmp_path / "out.xlsx") == county


def test_the_shipped_county_survives_both_forms(tmp_path: Path) -> None:
    write_county(shipped_county(), tmp_path)
    assert read_county(tmp_path) == shipped_county()
    write_workbook(shipped_county(), tmp_path / "county.xlsx")
    assert read_county(tmp_path / "county.xlsx") == shipped_county()


@given(st.text(max_size=6) | st.text(st.sampled_from("'=+-@＝＋－＠\t\r\nA"), max_size=6))
def test_escaping_hides_every_formula_and_loses_nothing(cell: str) -> None:
    assert unescape(escape(cell)) == cell
    assert escape(cell)[:1] not in set("=+-@＝＋－＠\t\r\n")


# --- inert in a spreadsheet (security.md T10)

EVIL = ('=HYPERLINK("http://x","点")', "@SUM(1)", "＝cmd|x", "+1", "-1", "'=1")


def test_an_export_holds_no_formula(tmp_path: Path) -> None:
    county = County(units=tuple(Unit(f"u{n}", name.replace("|", "")) for n, name in enumerate(EVIL)))
    write_county(county, tmp_path)
    with (tmp_path / "units.csv").open(encoding="utf-8-sig", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert all(name.startswith("'") for name in names)
    write_workbook(county, tmp_path / "c.xlsx")
    cells = [row[1] for row in load_workbook(tmp_path / "c.xlsx")["units"].iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}


def test_a_formula_in_an_import_stays_text(tmp_path: Path) -> None:
    units = 'id,name\ncgj,"=HYPERLINK(""http://x"",""点"")"\nxz,@SUM(1)\n'
    assert [u.name for u in read_county(folder(tmp_path, units=units)).units] == [EVIL[0], "@SUM(1)"]
    path = book(tmp_path / "c.xlsx", units=[["id", "name"], ["cgj", EVIL[0]], ["xz", "西镇"]])
    found = examine(path)
    assert found.county and found.county.units[0].name == EVIL[0]
    assert [w.message for w in found.warnings] == ["是公式，已按文字读入"]


# --- how offices save files


def book(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    """A workbook with the three required sheets, some replaced or added."""
    made = Workbook()
    made.remove(made["Sheet"])
    texts = {"units": UNITS, "people": PEOPLE, "groups": GROUPS}
    rows: dict[str, Sequence[Sequence[object]]] = {name: list(csv.reader(t.splitlines())) for name, t in texts.items()}
    for name, lines in (rows | sheets).items():
        sheet = made.create_sheet(name)
        for line in lines:
            sheet.append(line)
    made.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_any_encoding_an_office_uses_is_read(tmp_path: Path, encoding: str, ending: str) -> None:
    expected = read_county(folder(tmp_path))
    coded = {n: t.replace("\n", ending).encode(encoding) for n, t in (("units", UNITS), ("people", PEOPLE))}
    assert read_county(folder(tmp_path, **coded)) == expected


def test_chinese_headers_names_and_words_are_understood(tmp_path: Path) -> None:
    county = read_county(
        folder(
            tmp_path,
            units="编号,名称,别名,乡镇,职责\ncgj,城管局,城管｜执法局,,负责小广告\nxz,西镇政府,,西镇,\n",
            people="编号,姓名,单位,角色,账号\nzs,张三,城管局,经办人|上报人,web:zs|wecom:ZhangSan\nls,李四,xz,上报人,\n",
            groups="编号,名称,用途,成员,账号\ng1,随手拍群,随手拍,张三|李四,web:g1\n",
            categories="代码,名称,类型,俗称\n事件0201,小广告,事件,小广告\n",
            standards="代码,立案条件,时限,时限单位\n小广告,乱贴,1,工作日\n",
            duties="代码,范围,单位,状态\n事件0201,,城管局,拟定\n",
            calendar="日期,类型\n2026/1/1,放假\n2026年2月14日,调休\n",
        )
    )
    assert county.units[0].aliases == ("城管", "执法局")
    assert county.people[0] == Person("zs", "张三", "cgj", ("handler", "reporter"), ("web:zs", "wecom:ZhangSan"))
    assert county.groups[0] == Group("g1", "随手拍群", "reports", ("zs", "ls"), ("web:g1",))
    assert county.standards == (Standard("事件0201", "乱贴", 1, "work_day"),)
    assert county.duties == (Duty("事件0201", "", "cgj", "proposed"),)
    assert county.calendar == (CalendarDay("2026-01-01", "holiday"), CalendarDay("2026-02-14", "workday"))


def test_a_kind_of_place_we_have_no_word_for_is_a_landmark(tmp_path: Path) -> None:
    path = folder(tmp_path, places="id,name,kind,town\np1,北门桥,桥梁,\np2,人民路,路,\np3,三里村,行政村,\n")
    assert [place.kind for place in read_county(path).places] == ["landmark", "road", "village"]


def test_a_workbook_with_numbers_dates_and_chinese_sheet_names_is_read(tmp_path: Path) -> None:
    from datetime import datetime

    path = book(
        tmp_path / "县.xlsx",
        人员=[["编号", "姓名", "单位"], [7.0, "王五", "cgj"]],
        日历=[["日期", "类型"], [datetime(2026, 10, 1), "holiday"]],
        说明=[["这一张不是表"]],
    )
    made = load_workbook(path)
    del made["people"], made["groups"]
    made.create_sheet("工作群").append(["编号", "名称", "用途"])
    made.save(path)
    county = read_county(path)
    assert [p.id for p in county.people] == ["7"]
    assert county.calendar == (CalendarDay("2026-10-01", "holiday"),)


def test_missing_sheets_come_from_the_product_but_not_its_places_and_duties(tmp_path: Path) -> None:
    county, product = read_county(folder(tmp_path)), shipped_county()
    assert (county.categories, county.standards, county.calendar) == (
        product.categories,
        product.standards,
        product.calendar,
    )
    assert county.phrases == product.phrases
    assert (county.places, county.duties) == ((), ())


def test_own_categories_leave_out_the_products_other_standards(tmp_path: Path) -> None:
    own = "code,name,kind,spoken_group\n事件0201,小广告,事件,小广告\n"
    assert {s.code for s in read_county(folder(tmp_path, categories=own)).standards} == {"事件0201"}


def test_rows_of_a_workbook_are_counted_as_it_shows_them(tmp_path: Path) -> None:
    path = book(tmp_path / "c.xlsx")
    made = load_workbook(path)
    made["people"]["A9"], made["people"]["B9"], made["people"]["C1048000"] = "ww", "王五", " "
    made.save(path)
    assert faults(path) == ["c.xlsx「people」:9:unit 不能为空"]


def test_a_damaged_workbook_is_refused_in_words(tmp_path: Path) -> None:
    with ZipFile(book(tmp_path / "good.xlsx")) as good, ZipFile(tmp_path / "bad.xlsx", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name)[:-20] if "sheet1" in name else good.read(name))
    assert faults(tmp_path / "bad.xlsx") == ["bad.xlsx:None:None 不是能读的 Excel 文件，请另存为 .xlsx"]


# --- faults


def test_every_fault_is_named_with_file_row_and_column(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        units="id,name,备注\ncgj,城管局,x\n,无编号,\ncgj,又一个,\nxz,,\n",
        people="id,name,unit,roles,accounts\n\nzs,张三,nowhere,boss,web:zs\nls,李四,,reporter,zs\nww,王五,cgj,,web:zs\n",
        groups="id,name,purpose,members\ng1,群,,zs|nobody\ng2,群二,聊天,\n",
        duties="code,unit\n事件9999,cgj\n事件0201,none\n",
        standards="code,condition,limit_n,limit_unit\n事件0201,乱贴,0,work_day\n事件0201,乱画,1.5,周\n",
        calendar="date,kind\n2026-02-30,holiday\n二月,放假\n2026-05-01,holiday\n2026/5/1,holiday\n",
    )
    sure(
        faults(path),
        "units.csv:3:id 不能为空",
        "units.csv:4:id “cgj”重复，第2行已有",
        "units.csv:5:name 不能为空",
        "people.csv:3:unit 没有编号为“nowhere”的单位",
        "people.csv:3:roles 不认识“boss”",
        "people.csv:4:unit 不能为空",
        "people.csv:4:accounts 账号“zs”写法不对",
        "people.csv:5:accounts 账号“web:zs”重复，第3行已有",
        "groups.csv:2:purpose 不能为空",
        "groups.csv:2:members 没有编号为“nobody”的人员",
        "groups.csv:3:purpose 不认识“聊天”",
        "duties.csv:2:code 没有编号为“事件9999”的类别",
        "duties.csv:3:unit 没有编号为“none”的单位",
        "standards.csv:2:limit_n “0”应为",
        "standards.csv:3:limit_n “1.5”应为",
        "standards.csv:3:limit_unit 不认识“周”",
        "calendar.csv:2:date 没有“2026-02-30”这一天",
        "calendar.csv:3:date 日期“二月”写法不对",
        "calendar.csv:5:date “2026-05-01”重复，第4行已有",
    )


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ({"units": "id\ncgj\nxz\n"}, ["units.csv:1:name 缺少这一列"]),
        ({"units": UNITS.replace("town", "id")}, ["units.csv:1:id 这一列出现了两次"]),
        ({"units": UNITS + "a,b,,,,多\n"}, ["units.csv:4:None 这一行比表头多出内容"]),
        ({"units": UNITS + 'a,"b\n'}, ["units.csv:4:None 这一行拆不开"]),
        ({"units": UNITS + "a,b\x07\n"}, ["units.csv:4:name 有换行或看不见的字符"]),
        ({"units": UNITS + "a,b\u202ec\n"}, ["units.csv:4:name 有换行或看不见的字符"]),
        ({"units": UNITS + 'a,"b\nc"\n'}, ["units.csv:4:name 有换行或看不见的字符"]),
        ({"units": UNITS + f"a,{'长' * 65}\n"}, ["units.csv:4:name 太长：65 字，最多 64 字"]),
        ({"units": UNITS + "a b,名\n"}, ["units.csv:4:id 编号里不能有空格或竖线"]),
        ({"categories": "code,name,kind,spoken_group\n0201,x,事件,x\n"}, ["categories.csv:2:code “0201”要以类型开头"]),
        ({"categories": "code,name,kind,spoken_group\n事件1,x,事情,x\n"}, ["categories.csv:2:kind 不认识“事情”"]),
        ({"units": b"id,name\n\xff\xfe\xff\x81\n"}, ["units.csv:None:None 文字编码认不出"]),
    ],
)
def test_a_bad_cell_is_refused_with_its_reason(
    tmp_path: Path, sheets: dict[str, str | bytes], expected: list[str]
) -> None:
    found = faults(folder(tmp_path, **sheets))
    sure(found, *expected)


def test_line_breaks_are_allowed_in_prose_only(tmp_path: Path) -> None:
    units = 'id,name,duty\ncgj,城管局,"一、小广告\r\n二、占道"\nxz,西镇,\n'
    assert read_county(folder(tmp_path, units=units)).units[0].duty == "一、小广告\n二、占道"


def test_an_unknown_column_is_a_warning_and_no_fault(tmp_path: Path) -> None:
    found = examine(folder(tmp_path, units="id,name,备注\ncgj,城管局,x\nxz,西镇,\n"))
    assert found.county and [str(w) for w in found.warnings] == ["units.csv 第1行「备注」列:不认识这一列，没有读入"]


def test_odd_but_allowed_rows_are_warnings(tmp_path: Path) -> None:
    found = examine(
        folder(
            tmp_path,
            units=UNITS + "zf,执法局,城管,,\n",
            duties="code,place_or_town,unit\n事件0201,,cgj\n事件0201,,xz\n事件0202,火星,cgj\n",
        )
    )
    assert found.county
    assert [(w.file, w.row) for w in found.warnings] == [
        ("units.csv", 4),
        ("units.csv", 4),
        ("duties.csv", 4),
        ("duties.csv", 3),
    ]


@pytest.mark.parametrize("missing", ["units", "people", "groups"])
def test_a_missing_required_file_is_named(tmp_path: Path, missing: str) -> None:
    (folder(tmp_path) / f"{missing}.csv").unlink()
    assert f"{missing}.csv:None:None 缺少这张表" in "\n".join(faults(tmp_path))


def test_what_is_no_county_at_all_is_refused_in_words(tmp_path: Path) -> None:
    assert faults(tmp_path / "nothing") == ["nothing:None:None 没有这个文件夹或文件"]
    (tmp_path / "c.txt").write_text("x")
    assert faults(tmp_path / "c.txt") == ["c.txt:None:None 请给出装 CSV 的文件夹，或一个 .xlsx 文件"]
    (tmp_path / "c.xlsx").write_text("x")
    assert faults(tmp_path / "c.xlsx") == ["c.xlsx:None:None 不是能读的 Excel 文件，请另存为 .xlsx"]


def test_the_same_sheet_twice_is_a_fault(tmp_path: Path) -> None:
    found = faults(folder(tmp_path, 单位=UNITS))
    assert any("是同一张表" in line for line in found)


def test_every_column_of_the_table_is_a_field_of_its_row() -> None:
    for sheet in SHEETS:
        assert tuple(column.name for column in sheet.columns) == tuple(sheet.row.__dataclass_fields__)
        titles = [title for column in sheet.columns for title in (column.name, *column.titles)]
        assert len(titles) == len(set(titles)), sheet.name
