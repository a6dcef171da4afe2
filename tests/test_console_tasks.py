"""The board and the task page: within one's scope, most pressing first, and a click goes the way a message goes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from store import Tx, history, tasks
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERMIT = re.compile(r'name="permit" value="([^"]+)"')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("tasks")) as found:
        yield found


async def step(house: House, person: str, number: str, event: str, word: str, **more: str) -> tuple[int, str]:
    """Take a step as the page's form does: (status, page or address)."""
    page = await (await house.get(person, f"/tasks/{number}")).text()
    permit = next((p for p in PERMIT.findall(page) if p.endswith(f"-{event}")), f"forged-{event}-{number}")
    form = {"event": event, "word": word, "permit": permit, **more}
    answer = await house.post(person, f"/tasks/{number}/steps", form)
    return answer.status, answer.headers.get("Location", "") or await answer.text()


async def offered(house: House, person: str, number: str) -> set[str]:
    page = await (await house.get(person, f"/tasks/{number}")).text()
    return set(re.findall(r'name="event" value="([^"]+)"', page))


async def told(house: House, number: str) -> list[tuple[str, str]]:
    """(kind, address) of what was queued about a task."""
    return await house.parts.engine.store.read(
        lambda c: c.execute(
            "select o.kind, o.address from outbox o join task t on t.id = o.task where t.day || '-' || printf('%03d', t.serial) = ? order by o.seq",
            (number,),
        ).fetchall()
    )


async def test_a_click_takes_the_step_and_tells_the_group(house: House) -> None:
    number = await house.task()
    assert await offered(house, "zhangqiang", number) >= {"accept", "arrive", "feed_back", "return_"}
    status, where = await step(house, "zhangqiang", number, "accept", "签收")
    assert (status, where) == (303, f"/tasks/{number}?told=done#do")
    assert await house.state(number) == "accepted"
    assert ("accepted", "suishoupai") in await told(house, number)
    page = await (await house.get("zhangqiang", f"/tasks/{number}")).text()
    assert "签收" in page and "张强" in page, "the story names the step and who took it"


async def test_pressing_twice_is_one_step(house: House) -> None:
    number = await house.task()
    page = await (await house.get("zhangqiang", f"/tasks/{number}")).text()
    permit = next(p for p in PERMIT.findall(page) if p.endswith("-accept"))
    form = {"event": "accept", "word": "签收", "permit": permit}
    first = await house.post("zhangqiang", f"/tasks/{number}/steps", form)
    second = await house.post("zhangqiang", f"/tasks/{number}/steps", form)
    assert first.headers["Location"].endswith("told=done#do")
    assert second.headers["Location"].endswith("told=known#do")
    task = await house.parts.engine.store.read(lambda c: tasks.by_number(c, number))
    assert task is not None
    events = await house.parts.engine.store.read(lambda c: [row.event for row in history.of(c, task.id)])
    assert events.count("accept") == 1


async def test_a_refusal_comes_back_to_the_page_and_nowhere_else(house: House) -> None:
    number = await house.task()
    assert "accept" not in await offered(house, "limin", number)
    status, page = await step(house, "limin", number, "accept", "签收")
    assert status == 409
    assert "请由" in page and "操作" in page
    assert await house.state(number) == "dispatched"
    assert await told(house, number) == []
    assert any(row[0] == "limin" and row[2] == "not_allowed" for row in await house.audited())


async def test_a_reason_that_is_needed_is_asked_for_and_what_was_typed_stays(house: House) -> None:
    number = await house.task()
    status, page = await step(house, "zhangqiang", number, "return_", "退单", text="")
    assert status == 409 and "原因" in page
    status, page = await step(house, "zhangqiang", number, "return_", "退单", text="字" * 501)
    assert status == 422 and "500" in page and "字字字" in page
    status, _ = await step(house, "zhangqiang", number, "return_", "退单", text="属于道路施工，归住建局")
    assert status == 303
    assert await house.state(number) == "returned"


async def test_what_was_typed_cannot_change_the_step_or_the_task(house: House) -> None:
    number, other = await house.task(), await house.task()
    await step(house, "zhangqiang", number, "return_", "退单", text=f"#{other[4:]} 签收")
    assert await house.state(other) == "dispatched"
    assert await house.state(number) == "returned"


async def test_a_unit_never_checks_its_own_work(house: House) -> None:
    number = await house.task("feedback_given", reporter="zhangqiang", handler="zhangqiang")
    assert "verify_ok" not in await offered(house, "zhangqiang", number)
    status, page = await step(house, "zhangqiang", number, "verify_ok", "通过")
    assert status == 409 and "其他单位" in page
    assert await house.state(number) == "feedback_given"
    status, _ = await step(house, "qianfang", number, "verify_ok", "通过")
    assert status == 303
    assert await house.state(number) == "closed"


async def test_a_dispatcher_names_the_unit(house: House) -> None:
    number = await house.task("pending_confirmation", unit="", choices="szzx|zjj")
    page = await (await house.get("zhaojing", f"/tasks/{number}")).text()
    assert page.index("市政设施管理中心（建议）") < page.index("住房和城乡建设局（建议）")
    status, _ = await step(house, "zhaojing", number, "confirm", "派", unit="szzx")
    assert status == 303
    assert await house.state(number) == "dispatched"
    status, page = await step(house, "zhaojing", number, "reassign", "改派", unit="gibtesnicht")
    assert status == 422 and "请选择单位" in page


async def test_secret_words_typed_into_a_form_are_not_kept(house: House) -> None:
    number = await house.task()
    status, page = await step(house, "zhangqiang", number, "feed_back", "反馈", text="机密★10年 某某文件")
    assert status == 422 and "涉密" in page
    assert await house.state(number) == "dispatched"
    found = await house.parts.engine.store.read(
        lambda c: c.execute("select count(*) from inbox where body like '%某某文件%'").fetchone()
    )
    assert found[0] == 0


async def test_the_board_puts_the_overdue_first_and_keeps_filters_in_the_address(house: House) -> None:
    now = house.parts.engine.store.now()
    late = await house.task(unit="hws", due_at=now - 60, text="已经超时的")
    soon = await house.task(unit="hws", due_at=now + 600, dispatched_at=now - 36000, text="快要到期的")
    calm = await house.task(unit="hws", due_at=now + 360000, text="不急的")
    urgent = await house.task("feedback_given", unit="hws", due_at=now - 600, text="已反馈的")
    page = await (await house.get("zhaojing", "/tasks?unit=hws")).text()
    order = [page.index(f'/tasks/{number}"') for number in (late, soon, calm)]
    assert order == sorted(order)
    assert page.index(f'/tasks/{late}"') < page.index(f'/tasks/{urgent}"'), (
        "what waits for a check is not the unit's delay"
    )
    only = await (await house.get("zhaojing", "/tasks?unit=hws&late=1")).text()
    assert late in only and soon not in only and urgent not in only
    state = await (await house.get("zhaojing", "/tasks?state=feedback_given&unit=hws")).text()
    assert urgent in state and late not in state
    for typed in (late[4:], late, f"%23{late[4:]}", late[9:]):
        assert late in await (await house.get("zhaojing", f"/tasks?q={typed}")).text()
    assert "没有符合条件" in await (await house.get("zhaojing", "/tasks?q=9999-999")).text()


async def test_a_short_number_opens_the_newest_task_of_that_number(house: House) -> None:
    number = await house.task(text="点群里的单号来的")
    assert "点群里的单号来的" in await (await house.get("zhaojing", f"/tasks/{number[4:]}")).text()


async def test_today_shows_each_person_only_what_they_may_act_on(house: House) -> None:
    waiting = await house.task("pending_confirmation", unit="", text="等指挥员的")
    mine = await house.task(unit="ylzx", text="等园林签收的")
    check = await house.task("feedback_given", unit="ylzx", reporter="limin", text="等李敏核查的")
    seen = {
        person: await (await house.get(person, "/today")).text()
        for person in ("zhaojing", "zhulin", "limin", "hetao", "zhangqiang")
    }
    assert waiting in seen["zhaojing"] and mine not in seen["zhaojing"]
    assert mine in seen["zhulin"] and waiting not in seen["zhulin"] and check not in seen["zhulin"]
    assert check in seen["limin"] and mine not in seen["limin"]
    assert not {waiting, mine, check} & set(re.findall(r"\d{8}-\d{3}", seen["hetao"] + seen["zhangqiang"]))


async def test_photos_stand_side_by_side_before_and_after(house: House) -> None:
    number = await house.task("feedback_given")
    await house.photo(number, "d" * 64)
    await house.photo(number, "e" * 64, "evidence")
    page = await (await house.get("zhaojing", f"/tasks/{number}")).text()
    assert page.index("上报时") < page.index("d" * 64) < page.index("办理后") < page.index("e" * 64)


async def test_pages_of_a_long_board(house: House) -> None:
    for n in range(55):
        await house.task(unit="scjg", text=f"第{n}件")
    first = await (await house.get("caixia", "/tasks")).text()
    second = await (await house.get("caixia", "/tasks?page=1")).text()
    assert len(re.findall(r"<th scope=\"row\">", first)) == 50
    assert len(re.findall(r"<th scope=\"row\">", second)) == 5
    assert "page=1" in first and "page=0" in second


@pytest.mark.asyncio(loop_scope="module")
async def test_where_a_photo_was_taken_is_shown_as_chinese_maps_draw_it(house: House) -> None:
    number = await house.task()
    await house.photo(number, "e" * 64)
    page = await (await house.get("zhaojing", f"/tasks/{number}")).text()
    assert "GCJ-02" not in page

    def place(tx: Tx) -> None:
        tx.execute("update photo set lat = 30.258472, lon = 104.083611 where sha = ?", ("e" * 64,))

    await house.parts.engine.store.write(place)
    page = await (await house.get("zhaojing", f"/tasks/{number}")).text()
    assert "纬度 30.25597" in page and "GCJ-02" in page and "30.25847" not in page
