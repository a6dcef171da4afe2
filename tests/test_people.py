"""Members and their bot: admission, check-in, binding, opinions, quiet; strangers get nothing done."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from handlers import people as said
from handlers.events import Event
from store import county, outbox, people
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = re.compile(r'class="code">([0-9A-Z]{8})<')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("people")) as found:
        yield found


_ids = iter(range(10_000))


async def say(house: House, sender: str, text: str, *, group: str = "", name: str = "") -> list[tuple[str, str]]:
    """A message by platform identity; (kind, text) of what it led to."""
    engine = house.parts.engine
    event = Event(
        "web",
        f"m{next(_ids)}",
        address=group or sender,
        group=group,
        sender=sender,
        name=name,
        text=text,
        addressed=True,
    )
    receipt = (await engine.inbox.accept((event,)))[0]
    await engine.inbox.idle()
    rows = await engine.store.read(lambda c: outbox.of_origin(c, receipt.seq))
    from handlers.events import Message

    return [(row.kind, Message.from_json(row.body).text) for row in rows]


async def test_a_stranger_is_held_and_told_once_and_nothing_is_opened(house: House) -> None:
    first = await say(house, "wx-77", "人民路井盖坏了", group="suishoupai", name="局长\u202e领导")
    second = await say(house, "wx-77", "签收", group="suishoupai", name="局长")
    assert first == [("refused", said.TEXTS["stranger"])]
    assert second == []
    held = await house.parts.engine.store.read(people.strangers)
    assert [(s.user_id, s.name) for s in held] == [("wx-77", "局长领导")], "no bidi tricks in a name"
    bodies = await house.parts.engine.store.read(
        lambda c: c.execute("select body from inbox where sender = 'wx-77'").fetchall()
    )
    assert all("井盖" not in body for (body,) in bodies), "a stranger's words are not kept"


async def test_one_click_binds_a_stranger_to_somebody_registered(house: House) -> None:
    await say(house, "wx-1", "你好", group="suishoupai", name="小李")
    page = await (await house.get("hetao", "/people")).text()
    assert "小李" in page
    form = {"channel": "web", "user": "wx-1", "person": "limin"}
    assert (await house.post("hetao", "/people/admit", form)).status == 303
    assert (await house.post("hetao", "/people/admit", form)).status == 422, "once"
    assert house.parts.engine.office.person_at[("web", "wx-1")].id == "limin"
    assert (await say(house, "wx-1", "帮助"))[0][0] == "help"


async def test_a_stranger_becomes_somebody_new_with_ordinary_rights_only(house: House) -> None:
    await say(house, "wx-2", "你好", group="suishoupai", name="新来的")
    form = {"channel": "web", "user": "wx-2", "name": "新来的", "unit": "cgj", "role": "leader"}
    assert (await house.post("hetao", "/people/admit", {**form, "unit": ""})).status == 422
    assert (await house.post("hetao", "/people/admit", form)).status == 303
    person = house.parts.engine.office.person_at[("web", "wx-2")]
    assert (person.name, person.unit, person.roles) == ("新来的", "cgj", ("reporter",)), (
        "a leader is made by the security administrator"
    )


async def test_a_declined_stranger_is_not_answered_again(house: House) -> None:
    await say(house, "wx-3", "你好", group="suishoupai")
    assert (await house.post("hetao", "/people/decline", {"channel": "web", "user": "wx-3"})).status == 303
    assert await say(house, "wx-3", "井盖坏了", group="suishoupai") == []
    assert "wx-3" not in [s.user_id for s in await house.parts.engine.store.read(people.strangers)]


async def test_a_check_in_code_works_once_and_only_for_its_person(house: House) -> None:
    page = await house.post("hetao", "/people/code", {"kind": "person", "subject": "wangfang"})
    found = CODE.search(await page.text())
    assert found
    assert found[1] not in await (await house.get("hetao", "/people")).text(), "shown once"
    answer = await say(house, "wx-4", f"报到 {found[1].lower()}", group="suishoupai")
    assert answer == [
        (
            "help",
            said.TEXTS["checked_in"]
            .replace("{name}", "王芳")
            .replace("{unit}", house.parts.engine.office.unit_name("chengguan")),
        )
    ]
    assert (await say(house, "wx-5", f"报到 {found[1]}", group="suishoupai"))[0][0] == "refused"
    assert (await say(house, "wx-6", "报到 AAAAAAAA"))[0] == ("refused", said.TEXTS["bad_code"])


async def test_a_group_is_bound_by_its_code_and_gets_the_privacy_notice_once(house: House) -> None:
    engine = house.parts.engine
    page = await house.post("hetao", "/people/code", {"kind": "group", "subject": "tongzhi"})
    found = CODE.search(await page.text())
    assert found
    receipt = (
        await engine.inbox.accept(
            (
                Event(
                    "web",
                    "bind-1",
                    address="wxg-9",
                    group="wxg-9",
                    sender="hetao",
                    text=f"绑定 {found[1]}",
                    addressed=True,
                ),
            )
        )
    )[0]
    await engine.inbox.idle()
    kinds = [row.kind for row in await engine.store.read(lambda c: outbox.of_origin(c, receipt.seq))]
    assert kinds == ["help", "privacy"]
    assert engine.office.group_at[("web", "wxg-9")].id == "tongzhi"
    assert not await engine.store.write(lambda tx: county.welcome(tx, "tongzhi"))


async def test_a_browser_group_hears_the_privacy_notice_once_before_anything_else(house: House) -> None:
    await house.post("zhaojing", "/in/web/messages", {"room": "suishoupai", "id": "hello-1", "text": "大家好"})
    await house.post("zhaojing", "/in/web/messages", {"room": "suishoupai", "id": "hello-2", "text": "大家早"})
    await house.parts.engine.settle()
    told = await house.parts.engine.store.read(
        lambda c: c.execute("select count(*) from outbox where kind = 'privacy' and address = 'suishoupai'").fetchone()[
            0
        ]
    )
    assert told == 1


async def test_an_opinion_is_answered_privately_once(house: House) -> None:
    answer = await say(house, "limin", "意见 晚上消息太多")
    opinion = re.search(r"Y\d+", answer[0][1])
    assert opinion
    assert "晚上消息太多" in await (await house.get("hetao", "/opinions")).text()
    assert (await house.post("hetao", f"/opinions/{opinion[0]}/reply", {"text": ""})).status == 422
    assert (await house.post("hetao", f"/opinions/{opinion[0]}/reply", {"text": "已调整到上班时间"})).status == 303
    assert (await house.post("hetao", f"/opinions/{opinion[0]}/reply", {"text": "再答一次"})).status == 422
    rows = await house.parts.engine.store.read(
        lambda c: c.execute(
            "select address, person, body from outbox where key = ?", (f"opinion/{opinion[0]}",)
        ).fetchall()
    )
    assert len(rows) == 1 and rows[0][1] == "limin" and "已调整到上班时间" in rows[0][2]


async def test_quiet_is_kept_and_taken_back(house: House) -> None:
    engine = house.parts.engine
    assert "2小时" in (await say(house, "limin", "静音"))[0][1]
    assert await engine.store.read(lambda c: people.muted(c, "limin", engine.store.now() + 7100))
    assert not await engine.store.read(lambda c: people.muted(c, "limin", engine.store.now() + 7300))
    assert "72小时" in (await say(house, "limin", "静音 99小时"))[0][1]
    await say(house, "limin", "恢复")
    assert not await engine.store.read(lambda c: people.muted(c, "limin", engine.store.now()))


async def test_help_names_only_what_the_asker_may_do(house: House) -> None:
    officer = (await say(house, "zhangqiang", "帮助"))[0][1]
    member = (await say(house, "limin", "帮助"))[0][1]
    dispatcher = (await say(house, "zhaojing", "帮助"))[0][1]
    assert "签收" in officer and "签收" not in member
    assert "核查" in member
    assert "派单" in dispatcher
    assert all(len(text) <= 120 and text.count("\n") <= 2 for text in (officer, member, dispatcher))


async def test_every_text_fits_a_message() -> None:
    assert all(len(text) <= 120 and text.count("\n") <= 2 for text in said.TEXTS.values())
