"""Duties proposed from prose are used at once and say so; a person's word wins, shows its effect first, and goes round by file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from multidict import MultiDict

from config.county import County, Duty, Place, Unit
from config.files import read_county, shipped_county, write_county
from handlers import duties as table
from handlers.duties import Line, lines, plan
from store import county as county_rows
from store import duties as rows
from store import tasks
from store.duties import CHANGED, CONFIRMED, KEPT, WITHDRAWN, DutyStep
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
LAMP = "部件0137"
PROSE = "负责城市照明，路灯的安装和维修。配合做好市容工作"


def small(**fields: object) -> County:
    shipped = shipped_county()
    units = (Unit("lamp", "路灯所", duty=PROSE), Unit("cgj", "城管局", duty="负责市容秩序"))
    classes = tuple(c for c in shipped.categories if c.code in (LAMP, "事件0110", "部件0209"))
    return replace(shipped, units=units, places=(), duties=(), categories=classes, **fields)


def named(found: list[Line], code: str, scope: str = "") -> Line:
    return next(line for line in found if (line.code, line.scope) == (code, scope))


async def test_what_prose_says_is_proposed_with_the_sentence_it_stands_in() -> None:
    lamp = named(lines(small(), {}), LAMP)
    assert (lamp.unit, lamp.status, lamp.clause) == ("lamp", "proposed", "负责城市照明，路灯的安装和维修")
    assert any(word in lamp.clause for word in lamp.words.split("、"))


async def test_a_class_nobody_claims_is_listed_as_such() -> None:
    found = lines(replace(small(), units=(Unit("lamp", "路灯所", duty=PROSE),)), {})
    assert {line.status for line in found if not line.unit} == {table.NOBODY}


async def test_confirming_keeps_the_town_offices_of_the_same_class_as_proposals() -> None:
    units = (
        Unit("hws", "环卫所", duty="负责城区生活垃圾清运"),
        Unit("t", "河东镇政府", town="河东镇", duty="负责本镇各村生活垃圾收集清运"),
    )
    places = (Place("r", "人民路", (), "road", "城关镇"), Place("v", "李村", (), "village", "河东镇"))
    county = replace(small(), units=units, places=places)
    before = lines(county, {})
    assert named(before, "事件0110", "河东镇").unit == "t"
    done = plan(before, CONFIRMED, {("事件0110", "", "hws")})
    assert set(done.duties) == {Duty("事件0110", "", "hws", "confirmed"), Duty("事件0110", "河东镇", "t", "proposed")}
    assert {(event, key) for event, key, _ in done.steps} == {
        (CONFIRMED, ("事件0110", "", "hws")),
        (KEPT, ("事件0110", "河东镇", "t")),
    }
    steps = {key: DutyStep(0, "x", event, *key, words) for event, key, words in done.steps}
    after = lines(replace(county, duties=done.duties), steps)
    assert named(after, "事件0110", "河东镇").words == named(before, "事件0110", "河东镇").words
    undone = plan(after, WITHDRAWN, {("事件0110", "", "hws")})
    assert undone.duties == (), "nothing is left over: prose speaks again"


async def test_changing_the_unit_replaces_the_row_and_never_doubles_it() -> None:
    county = small(phrases=())
    done = plan(lines(county, {}), CHANGED, {(LAMP, "", "lamp")}, "cgj")
    assert [d for d in done.duties if d.code == LAMP] == [Duty(LAMP, "", "cgj", "confirmed")]
    both = replace(county, duties=(Duty(LAMP, "", "lamp", "proposed"), Duty(LAMP, "", "cgj", "proposed")))
    assert plan(lines(both, {}), CHANGED, {(LAMP, "", "lamp")}, "cgj").duties == (Duty(LAMP, "", "cgj", "confirmed"),)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("duties")) as found:
        engine = found.parts.engine
        prose = replace(engine.office.county, duties=())
        await engine.apply(lambda tx: county_rows.save(tx, prose))
        yield found


async def test_the_page_lists_proposals_marked_with_their_words(house: House) -> None:
    page = await (await house.get("zhaojing", "/duties?group=&unit=gdgs")).text()
    assert "拟定" in page and "<mark>" in page and "供电公司" in page
    assert 'name="event"' not in await (await house.get("gaoyuan", "/duties")).text(), "a leader only looks"


async def test_a_change_is_shown_first_then_wins_over_prose_then_is_withdrawn_without_a_trace(house: House) -> None:
    engine = house.parts.engine
    text = "建设路路灯不亮好几天了"
    first = engine.office.reader.read(text, 1)
    plain, was, code = repr(first), first.units[0].value, str(first.category)
    number = await house.task("closed", unit=was, text=text)
    key = f"{code}||{named(lines(engine.office.county, {}), code).unit}"
    form = {"event": CHANGED, "key": key, "unit": "gdgs"}
    shown = await house.post("zhaojing", "/duties", form)
    page = await shown.text()
    assert shown.status == 200 and f"#{number[4:]}" in page and "会派给别的单位" in page
    assert engine.office.county.duties == () and repr(engine.office.reader.read(text, 1)) == plain, (
        "a preview changes nothing"
    )
    assert (await house.post("zhaojing", "/duties", {**form, "go": "1"})).status == 303
    assert engine.office.reader.read(text, 1).units[0].value == "gdgs"
    assert any(row[0] == "zhaojing" and row[2] == CHANGED for row in await house.audited())
    page = await (await house.get("zhaojing", "/duties?status=confirmed")).text()
    assert "供电公司" in page and "赵静" in page
    back = {"event": WITHDRAWN, "key": f"{code}||gdgs", "go": "1"}
    assert (await house.post("zhaojing", "/duties", back)).status == 303
    assert repr(engine.office.reader.read(text, 1)) == plain
    assert (await engine.store.read(rows.table)) == ()


async def test_many_are_confirmed_at_once_and_go_round_by_file(house: House, tmp_path: Path) -> None:
    engine = house.parts.engine
    found = [line for line in lines(engine.office.county, {}) if line.unit == "slj"]
    keys = ["|".join(line.key) for line in found]
    await house.enter("zhaojing")
    data = MultiDict(
        [("csrf", house.csrf("zhaojing")), ("event", CONFIRMED), ("go", "1"), *(("key", key) for key in keys)]
    )
    assert (await house.ask("POST", "zhaojing", "/duties", data=data)).status == 303
    table_now = engine.office.county.duties
    assert {d.code for d in table_now if d.status == "confirmed"} == {line.code for line in found}
    write_county(engine.office.county, tmp_path / "out")
    assert read_county(tmp_path / "out").duties == table_now
    assert "proposed" in {d.status for d in table_now} or len(table_now) == len(found)


async def test_without_the_token_or_the_right_nothing_changes(house: House) -> None:
    before = house.parts.engine.office.county.duties
    form = {"event": CONFIRMED, "key": "部件0106||szzx", "go": "1"}
    assert (await house.ask("POST", "zhaojing", "/duties", data=form)).status == 403
    assert (await house.post("gaoyuan", "/duties", form)).status == 403
    assert (await house.post("zhaojing", "/duties", {"event": CONFIRMED, "go": "1"})).status == 422
    assert (
        await house.post("zhaojing", "/duties", {"event": CHANGED, "key": "部件0106||szzx", "unit": "nobody"})
    ).status == 422
    assert house.parts.engine.office.county.duties == before


async def test_a_class_put_right_takes_the_task_to_whom_prose_names(house: House) -> None:
    """改类别 where no table speaks: the unit follows the class as it would have from the start."""
    engine = house.parts.engine
    code, unit = next(
        (line.code, line.unit) for line in lines(engine.office.county, {}) if line.unit == "gdgs" and not line.scope
    )
    name = engine.office.category_name(code)
    number = await house.task("dispatched", unit="cgj", text="这里有个东西歪了", category="事件0201", choices="cgj")
    form = {"event": "correct", "word": "改类别", "text": name, "permit": f"permit{number}"}
    assert (await house.post("zhaojing", f"/tasks/{number}/steps", form)).status == 303
    task = await engine.store.read(lambda c: tasks.by_number(c, number))
    assert task is not None and (task.category, task.unit) == (code, unit)
