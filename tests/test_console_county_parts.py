"""Parts of the county edited on a page: checked, taken up at once, audited, and the last change undone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from config.county import CalendarDay
from config.errors import Rejected
from config.holidays import read_notice
from config.texts import load_texts
from handlers import wording
from handlers.tasks.texts import fields_of
from store import Tx, tasks
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTICE_2027 = """一、元旦：2027年1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（农历腊月二十九、周五）至2月12日（周五）放假调休，共8天。1月31日（周日）、2月13日（周六）上班。
七、国庆节：10月1日（周五）至7日（周四）放假调休，共7天。9月26日（周日）、10月9日上班。"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("parts")) as found:
        yield found


async def said(house: House, path: str, person: str = "hetao") -> str:
    return await (await house.get(person, path)).text()


async def undo(house: House, part: str) -> int:
    step = re.search(r'name="step" value="(\d+)"', await said(house, f"/county/{part}"))
    assert step is not None
    return (await house.post("hetao", f"/county/{part}/undo", {"step": step[1]})).status


async def test_the_yearly_notice_is_read_day_by_day() -> None:
    found = {day.date: day.kind for day in read_notice(NOTICE_2027, 2027)}
    assert len(found) == 3 + 8 + 7 + 4
    assert found["2027-01-03"] == "holiday" and found["2027-02-12"] == "holiday" and found["2027-10-07"] == "holiday"
    assert [day for day, kind in found.items() if kind == "workday"] == [
        "2027-01-31",
        "2027-02-13",
        "2027-09-26",
        "2027-10-09",
    ]


@pytest.mark.parametrize("text", ["国庆节放假七天", "2月30日放假", "10月7日至1日放假", "1日放假"])
async def test_a_notice_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        read_notice(text, 2027)


async def test_a_pasted_year_ends_the_warning_and_makes_expected_deadlines_firm(house: House) -> None:
    engine = house.parts.engine
    year = engine.office.worktime.calendar.year_of(engine.store.now() // 86400).number + 1
    text, held = NOTICE_2027.replace("2027", str(year)), engine.office.county.calendar
    number = await house.task(state="accepted")

    def expected(tx: Tx) -> None:
        task = tasks.by_number(tx, number)
        assert task is not None
        far = tx.at + 120 * 86400
        tasks.change(
            tx, task, began=tx.at, allowed_n=60, limit_n=60, limit_unit="work_day", due_at=far, provisional=True
        )

    await engine.store.write(expected)
    answer = await house.post("hetao", "/county/calendar", {"year": str(year), "notice": text})
    assert answer.status == 303
    await engine.settle()
    task = await engine.store.read(lambda c: tasks.by_number(c, number))
    assert task is not None and not task.provisional
    assert engine.office.worktime.calendar.published(year)
    page = await said(house, f"/county/calendar?year={year}")
    assert "年的节假日还没有" not in page and f"{year}-10-07" in page
    assert ("hetao", "county/calendar/1", "ok") in await house.audited()
    assert await undo(house, "calendar") == 303
    assert not engine.office.worktime.calendar.published(year) and engine.office.county.calendar == held


async def test_a_day_is_added_removed_and_undone(house: House) -> None:
    engine = house.parts.engine
    year = engine.office.worktime.calendar.year_of(engine.store.now() // 86400).number
    day, held = f"{year}-12-31", engine.office.county.calendar
    form = {"year": str(year), "first": day, "kind": "holiday"}
    assert (await house.post("hetao", "/county/calendar", form)).status == 303
    assert engine.office.county.calendar == (*held, CalendarDay(day, "holiday"))
    assert (await house.post("hetao", "/county/calendar", form)).status == 422, "nothing would change"
    assert (await house.post("hetao", "/county/calendar/remove", {"date": day})).status == 303
    assert engine.office.county.calendar == held
    assert await undo(house, "calendar") == 303
    assert engine.office.county.calendar == (*held, CalendarDay(day, "holiday"))


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        ("2026-02-30", "", "holiday"),
        ("2026-05-05", "2026-05-01", "holiday"),
        ("2026-01-01", "2026-12-31", "holiday"),
        ("1999-01-01", "", "holiday"),
        ("2026-07-08", "", "party"),
        ("", "", "holiday"),
    ],
)
async def test_a_day_that_cannot_be_is_refused(house: House, first: str, last: str, kind: str) -> None:
    held = house.parts.engine.office.county.calendar
    form = {"year": "2026", "first": first, "last": last, "kind": kind}
    assert (await house.post("hetao", "/county/calendar", form)).status == 422
    assert house.parts.engine.office.county.calendar == held


PLACE = {"name": "云溪新天地", "aliases": "新天地、天地广场", "kind": "landmark", "town": "城关镇"}


async def test_a_place_is_shown_with_its_effect_before_it_is_added_and_read_at_once_after(house: House) -> None:
    engine = house.parts.engine
    await house.task(state="closed", text="天地广场门口井盖坏了")
    answer = await house.post("hetao", "/county/places", PLACE)
    page = await answer.text()
    assert answer.status == 200 and "的地点会认得不一样" in page and "没认出" in page
    assert "门口井盖" not in page, "an administrator reads no report"
    assert all(place.name != "云溪新天地" for place in engine.office.county.places)
    assert (await house.post("hetao", "/county/places", {**PLACE, "go": "1"})).status == 303
    made = next(place for place in engine.office.county.places if place.name == "云溪新天地")
    assert made.aliases == ("新天地", "天地广场")
    assert engine.office.reader.read("天地广场门口井盖坏了", 1).place_id == made.id
    assert "天地广场" in await said(house, "/county/places?q=新天地")


async def test_a_changed_or_retired_place_comes_back_by_undo(house: House) -> None:
    engine = house.parts.engine
    before = engine.office.places["yuexinglu"]
    order = [place.id for place in engine.office.county.places]
    form = {"id": "yuexinglu", "name": "月星大道", "aliases": "月星路", "kind": "road", "town": "城关镇", "go": "1"}
    assert (await house.post("hetao", "/county/places", form)).status == 303
    assert engine.office.places["yuexinglu"].name == "月星大道"
    assert [place.id for place in engine.office.county.places] == order
    assert await undo(house, "places") == 303 and engine.office.places["yuexinglu"] == before
    assert (await house.post("hetao", "/county/places", {"id": "yuexinglu", "retire": "1"})).status == 200
    assert (await house.post("hetao", "/county/places", {"id": "yuexinglu", "retire": "1", "go": "1"})).status == 303
    assert "yuexinglu" not in engine.office.places
    assert await undo(house, "places") == 303 and engine.office.places["yuexinglu"] == before


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"name": "人民路"}, "已是"),
        ({"aliases": "人民大街"}, "已是"),
        ({"town": "火星镇"}, "火星镇"),
        ({"name": ""}, "不能为空"),
        ({"name": "路"}, "太短"),
        ({"name": "长" * 65}, "太长"),
        ({"kind": "planet"}, ""),
        ({"id": "nowhere"}, "有人改过"),
        ({"id": "chengguanzhen", "retire": "1"}, ""),
    ],
)
async def test_a_place_that_would_confuse_is_refused(house: House, more: dict[str, str], why: str) -> None:
    held = house.parts.engine.office.county.places
    form = {**PLACE, "name": "另一处空地", "aliases": "", **more}
    answer = await house.post("hetao", "/county/places", form)
    if why:
        assert answer.status == 422 and why in await answer.text()
    assert house.parts.engine.office.county.places == held


async def test_every_field_of_every_text_is_explained_with_an_example() -> None:
    used = {field for words in wording.SHIPPED.values() for field in fields_of(words)}
    assert used <= set(wording.FIELDS)
    assert len(wording.SHIPPED) == sum(map(len, wording.PARTS.values())), "a name in two parts"
    assert all("{" not in wording.example(words) for words in wording.SHIPPED.values())


async def test_our_own_words_may_be_saved_as_they_stand() -> None:
    assert {name: wording.edited(name, words) for name, words in wording.SHIPPED.items()} == wording.SHIPPED


async def test_words_are_used_at_once_kept_in_the_file_and_undone(house: House) -> None:
    engine, data = house.parts.engine, house.parts.data
    words = '【签收啦】#{number} {unit} "{person}"\r\n{time}，用时{used} \\ 好'
    seen = await house.post("hetao", "/county/texts", {"name": "accepted", "words": words, "what": "look"})
    assert "【签收啦】#1122-017 城管局" in await seen.text() and engine.office.rules.texts == {}
    save = {"name": "accepted", "words": words, "what": "save"}
    assert (await house.post("hetao", "/county/texts", save)).status == 303
    kept = words.replace("\r\n", "\n")
    assert engine.office.rules.texts["accepted"] == kept and load_texts(data) == {"accepted": kept}
    assert (await house.post("hetao", "/county/texts", save)).status == 422, "nothing would change"
    assert (await house.post("hetao", "/county/texts", {**save, "what": "shipped"})).status == 303
    assert engine.office.rules.texts == {} and load_texts(data) == {}
    assert await undo(house, "texts") == 303
    assert engine.office.rules.texts["accepted"] == kept and load_texts(data) == {"accepted": kept}
    assert await undo(house, "texts") == 303 and load_texts(data) == {}
    assert any(row[1].startswith("county/texts/") and row[2] == "undone" for row in await house.audited())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("【签收】#{number} {unit} {time} {used}", "少了{person}"),
        ("【签收】#{number} {unit} {person} {time} {used} {secret}", "不能用 secret"),
        ("【签收】#{number} {unit} {person} {time} {used}" + "长" * 100, "太长"),
        ("", "不能为空"),
        ("【签收】#{number} {unit} {person} {time} {used}\u202e", "看不见"),
    ],
)
async def test_words_that_would_lose_something_are_refused_and_stay_in_the_form(
    house: House, words: str, why: str
) -> None:
    answer = await house.post("hetao", "/county/texts", {"name": "accepted", "words": words, "what": "save"})
    page = await answer.text()
    assert answer.status == 422 and why in page and words[:10] in page
    assert "accepted" not in house.parts.engine.office.rules.texts


@pytest.mark.parametrize("hand", ['received = "手工 #{number}"\n', 'received = "手工\n'])
async def test_a_file_changed_by_hand_is_not_overwritten(house: House, hand: str) -> None:
    file = house.parts.data / "texts.toml"
    file.write_text(hand, "utf-8")
    form = {"name": "withdrawn", "words": "【撤回】#{number} {where}{category}", "what": "save"}
    assert (await house.post("hetao", "/county/texts", form)).status == 422
    assert "手工" in file.read_text("utf-8")
    file.write_text("", "utf-8")


async def test_a_group_is_changed_and_comes_back_with_its_bindings(house: House) -> None:
    engine = house.parts.engine
    before = engine.office.groups["xihequn"]
    form = {"id": "xihequn", "name": "西河镇新群", "purpose": "reports", "owner": before.members[0]}
    await house.enter("hetao")
    data = [("csrf", house.csrf("hetao")), *form.items(), *(("member", one) for one in before.members[:2])]
    assert (await house.ask("POST", "hetao", "/county/groups", data=data)).status == 303
    after = engine.office.groups["xihequn"]
    assert (after.name, after.owner, set(after.members)) == ("西河镇新群", before.members[0], set(before.members[:2]))
    assert after.accounts == before.accounts
    page = await said(house, "/county/groups", "xuyan")
    assert "西河镇新群" in page and "您可以查看" in page and "/county/groups/undo" not in page
    assert await undo(house, "groups") == 303 and engine.office.groups["xihequn"] == before


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"name": "x"}, "2 到 64"),
        ({"purpose": "party"}, "用途"),
        ({"purpose": "notices"}, "没办结"),
        ({"owner": "nobody"}, "没有这个人"),
        ({"owner": "limin", "member": "haojun"}, "不在成员里"),
        ({"id": "nowhere"}, "没有这个群"),
    ],
)
async def test_a_group_that_cannot_be_is_refused(house: House, more: dict[str, str], why: str) -> None:
    engine = house.parts.engine
    await house.task(unit="zjj", reporter="haojun", group_id="xihequn")
    held = engine.office.groups["xihequn"]
    answer = await house.post(
        "hetao", "/county/groups", {"id": "xihequn", "name": held.name, "purpose": held.purpose, **more}
    )
    assert answer.status == 422 and why in await answer.text()
    assert engine.office.groups["xihequn"] == held
