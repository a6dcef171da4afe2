"""Lessons: every correction counts at once and after a restart, can be taken back without a trace, and changes nothing settled."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.hindsight import Hindsight
from bot.lesson_files import read_history, thin
from config.files import shipped_county
from handlers.learning import TEXTS
from handlers.reports.reading import Lesson, Reader
from store import lessons, settled, tasks
from tests.console_house import House, open_house
from tests.serving import bot

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = "人民路38号门口井盖坏了一角"
OTHERS = ("西环路75号井盖缺了一块", "建设路路灯不亮好几天了", "菜市场门口垃圾没人清")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("learning")) as found:
        yield found


def reader(house: House) -> Reader:
    return house.parts.engine.office.reader


async def choose(
    house: House, unit: str, text: str = WORDS, person: str = "zhaojing", offered: str = "cgj|zjj|jjdd"
) -> int:
    """A dispatcher chooses a unit for a waiting task; the lesson's number."""
    number = await house.task("pending_confirmation", unit="", text=text, choices=offered)
    form = {"event": "confirm", "word": "派", "unit": unit, "permit": f"permit{number}"}
    assert (await house.post(person, f"/tasks/{number}/steps", form)).status == 303
    return (await house.parts.engine.store.read(lessons.listing))[0].seq


async def turn(house: House, event: str, seq: int, person: str = "zhaojing") -> int:
    return (await house.post(person, "/learning/steps", {"event": event, "lesson": str(seq)})).status


async def steps_of(house: House, seq: int) -> list[lessons.LessonStep]:
    await house.parts.hindsight.catch_up()
    return await house.parts.engine.store.read(lambda c: lessons.steps(c, seq))


async def test_a_correction_counts_within_ten_seconds(house: House) -> None:
    before = reader(house).read(WORDS, 1).units[0].value
    began = time.monotonic()
    await choose(house, "jjdd")
    found = reader(house).read(WORDS, 1).units[0].value
    assert (before, found) == (before, "jjdd") and before != "jjdd"
    assert time.monotonic() - began < 10


async def test_revoking_restores_what_was_byte_for_byte_and_giving_back_what_came(house: House) -> None:
    texts = (WORDS, *OTHERS)
    before = [repr(reader(house).read(text, 1)) for text in texts]
    version = reader(house).version
    seq = await choose(house, "zrzy", "西环路75号井盖缺了一块")
    taught = [repr(reader(house).read(text, 1)) for text in texts]
    assert taught != before
    began = time.monotonic()
    assert await turn(house, "revoked", seq) == 303
    assert [repr(reader(house).read(text, 1)) for text in texts] == before
    assert reader(house).version == version
    assert await turn(house, "given_back", seq) == 303
    assert [repr(reader(house).read(text, 1)) for text in texts] == taught
    assert time.monotonic() - began < 20
    assert await turn(house, "given_back", seq) == 422, "it stands already"
    await turn(house, "revoked", seq)


async def test_a_lesson_in_the_middle_is_taken_out_as_if_never_given(house: House) -> None:
    first = await choose(house, "cgj", "滨河公园长椅断了")
    middle = await choose(house, "jjdd", "滨河公园长椅坏了没人修")
    last = await choose(house, "zjj", "滨河公园路灯灭了")
    rows = await house.parts.engine.store.read(lambda c: [lessons.get(c, seq) for seq in (first, middle, last)])
    assert all(row is not None for row in rows)
    await turn(house, "revoked", middle)
    standing = await house.parts.engine.store.read(lessons.standing)
    alone = Reader(house.parts.engine.office.county, tuple(Lesson(*row) for row in standing))
    assert ("滨河公园长椅坏了没人修", "", "jjdd", "") not in standing
    for text in ("滨河公园长椅坏了", "滨河公园路灯灭了一盏"):
        assert repr(reader(house).read(text, 1)) == repr(alone.read(text, 1))
    for seq in (first, last):
        await turn(house, "revoked", seq)


async def test_it_says_which_settled_tasks_would_go_elsewhere_and_leaves_them_alone(house: House) -> None:
    engine = house.parts.engine
    words = "古城路公交站牌被撞歪了"
    was = reader(house).read(words, 1).units[0].value
    closed = [await house.task("closed", unit=was, text=words) for _ in range(3)]
    waiting = await house.task("dispatched", unit=was, text=words)
    other = next(unit for unit in ("jjdd", "cgj", "zjj") if unit != was)
    seq = await choose(house, other, words)
    step = (await steps_of(house, seq))[-1]
    effects = await engine.store.read(lambda c: lessons.effects(c, step.seq))
    found = await engine.store.read(
        lambda c: {row[0] for row in settled.numbers(c, [e.task for e in effects]).values()}
    )
    assert found >= set(closed) and waiting not in found, "only what is settled"
    assert all((e.before, e.after) == (was, other) for e in effects if e.task in found)
    assert step.changed == len(effects) <= (step.looked or 0)
    for number in closed:
        task = await engine.store.read(lambda c, number=number: tasks.by_number(c, number))
        assert task is not None and (task.unit, task.state, task.version) == (was, "closed", 2), (
            "nothing settled changes"
        )
    page = await (await house.get("zhaojing", f"/learning/{seq}")).text()
    assert all(f"#{number[4:]}" in page for number in closed)
    told = await engine.store.read(
        lambda c: c.execute("select person, body from outbox where key = ?", (f"lesson/{step.seq}",)).fetchall()
    )
    assert len(told) == 1 and told[0][0] == "zhaojing" and "已定的都不改" in told[0][1], (
        "one private line to who corrected"
    )
    await turn(house, "revoked", seq)
    back = (await steps_of(house, seq))[-1]
    undone = await engine.store.read(lambda c: lessons.effects(c, back.seq))
    assert {(e.task, e.after) for e in undone} == {(e.task, e.before) for e in effects}


async def test_nobody_is_written_to_when_nothing_would_change(house: House) -> None:
    seq = await choose(house, reader(house).read("北关村村口路面塌了个坑", 1).units[0].value, "北关村村口路面塌了个坑")
    step = (await steps_of(house, seq))[-1]
    assert step.changed == 0 and step.done_at is not None
    told = await house.parts.engine.store.read(
        lambda c: c.execute("select count(*) from outbox where key = ?", (f"lesson/{step.seq}",)).fetchone()[0]
    )
    assert told == 0


async def test_the_page_tells_what_was_said_and_what_was_put_right(house: House) -> None:
    seq = await choose(house, "zjj", "和平路人行道砖松动", offered="cgj|zjj")
    page = await (await house.get("zhaojing", "/learning")).text()
    assert "和平路人行道砖松动" in page and "首选城管执法局" in page and "赵静" in page
    await turn(house, "revoked", seq)
    assert "和平路人行道砖松动" not in await (await house.get("zhaojing", "/learning")).text()
    assert "和平路人行道砖松动" in await (await house.get("zhaojing", "/learning?tab=revoked")).text()
    steps = await steps_of(house, seq)
    assert [(step.event, step.actor) for step in steps] == [("made", "zhaojing"), ("revoked", "zhaojing")]
    assert ("zhaojing", f"lesson/{seq}", "revoked") in await house.audited()


async def test_how_often_the_first_proposal_stood_has_its_denominators(house: House) -> None:
    engine = house.parts.engine
    now = engine.store.now()
    old = now - 20 * 86400
    for unit in ("cgj", "cgj", "cgj", "zjj"):
        await house.task("closed", unit=unit, text="", choices="cgj|zjj", opened_at=old)
    await house.task("pending_confirmation", unit="", choices="cgj", opened_at=old)
    await house.task("withdrawn", unit="zjj", choices="cgj", opened_at=old)
    week = next(
        w
        for w in await engine.store.read(lambda c: settled.weeks(c, now, 8))
        if w.start <= old < w.start + settled.WEEK
    )
    assert (week.settled, week.stood, week.alone) == (4, 3, 0)
    assert "75%" in await (await house.get("gaoyuan", "/learning")).text()


async def test_only_who_dispatches_takes_lessons_back_and_only_with_the_form_token(house: House) -> None:
    seq = await choose(house, "cgj", "解放路隔离栏倒了")
    assert await turn(house, "revoked", seq, "gaoyuan") == 403, "a leader looks and does not touch"
    assert await turn(house, "revoked", seq, "limin") == 403
    refused = await house.ask("POST", "zhaojing", "/learning/steps", data={"event": "revoked", "lesson": str(seq)})
    assert refused.status == 403
    row = await house.parts.engine.store.read(lambda c: lessons.get(c, seq))
    assert row is not None and row.revoked_at is None
    await turn(house, "revoked", seq)


def history(*lines: str, header: str = "内容,单位,类别,地点") -> bytes:
    return "\n".join((header, *lines)).encode("utf-8-sig")


async def upload(house: House, data: bytes, name: str = "历史.csv") -> tuple[int, str]:
    await house.enter("zhaojing")
    form = {"csrf": house.csrf("zhaojing"), "file": io.BytesIO(data)}
    from aiohttp import FormData

    body = FormData()
    body.add_field("csrf", form["csrf"])
    body.add_field("file", data, filename=name, content_type="text/csv")
    answer = await house.ask("POST", "zhaojing", "/learning/preview", data=body)
    return answer.status, await answer.text()


async def test_an_office_s_history_is_shown_first_then_taken_then_taken_back_whole(house: House) -> None:
    engine = house.parts.engine
    text = "梨园巷电动车乱停堵了消防通道"
    before = repr(reader(house).read(text, 1))
    count = (await engine.store.read(lessons.counts))[1]
    status, page = await upload(
        house, history(f"{text},jjdd,,", f"{text},jjdd,,", "兴隆街井盖响，电话13812345678,zls,,")
    )
    assert status == 200 and '读到 <b class="num">3</b> 行' in page and "重复的 1 行" in page and "打码" in page
    assert (await engine.store.read(lessons.counts))[1] == count, "a preview takes nothing"
    token = page.partition('name="token" value="')[2].partition('"')[0]
    assert (await house.post("zhaojing", "/learning/import", {"token": "wrong"})).status == 422
    status, page = await upload(
        house, history(f"{text},jjdd,,", f"{text},jjdd,,", "兴隆街井盖响，电话13812345678,zls,,")
    )
    token = page.partition('name="token" value="')[2].partition('"')[0]
    assert (await house.post("zhaojing", "/learning/import", {"token": token})).status == 303
    assert reader(house).read(text, 1).units[0].value == "jjdd"
    batch = (await engine.store.read(lessons.batches))[0]
    assert (batch.count, batch.standing) == (2, 2)
    rows = [row for row in await engine.store.read(lessons.everything) if row.batch == batch.name]
    assert all(row.source == "imported" for row in rows) and "13812345678" not in "".join(row.text for row in rows)
    assert (await house.post("zhaojing", "/learning/steps", {"event": "revoked", "batch": batch.name})).status == 303
    assert repr(reader(house).read(text, 1)) == before
    assert (await house.post("zhaojing", "/learning/steps", {"event": "given_back", "batch": batch.name})).status == 303
    assert reader(house).read(text, 1).units[0].value == "jjdd"
    assert (await house.post("zhaojing", "/learning/import", {"token": token})).status == 422, "once"
    await house.post("zhaojing", "/learning/steps", {"event": "revoked", "batch": batch.name})


async def test_a_history_with_one_mistake_is_refused_with_row_and_column(house: House) -> None:
    count = await house.parts.engine.store.read(lessons.counts)
    status, page = await upload(
        house, history("井盖坏了,zls,,", "路灯坏了,没这个局,,", ",zls,,", "秘密★1年 内部文件,zls,没有的类,")
    )
    assert status == 422
    assert "第 3 行「单位」列：没有叫“没这个局”的单位" in page
    assert "第 4 行「内容」列：不能为空" in page
    assert "第 5 行「类别」列" in page and "第 5 行「内容」列：疑似涉密" in page
    assert await house.parts.engine.store.read(lessons.counts) == count


async def test_the_export_comes_back_as_it_went(house: House, tmp_path: Path) -> None:
    answer = await house.get("zhaojing", "/learning/export")
    file = tmp_path / "lessons.csv"
    file.write_bytes(await answer.read())
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    known = await house.parts.engine.store.read(lessons.everything)
    assert len(rows) == len(known)
    again = read_history(file, house.parts.engine.office.county)
    assert set(again.rows) == {(row.text, row.category, row.unit, row.place) for row in known}


async def test_lessons_and_waiting_comparisons_outlive_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as first:
        await first.parts.hindsight.close()  # as if the process died before it could look
        first.parts.engine.relearned.append(first.parts.hindsight.wake)
        seq = await choose(first, "jjdd")
        taught = repr(reader(first).read(WORDS, 1))
        assert (await first.parts.engine.store.read(lambda c: lessons.steps(c, seq)))[-1].done_at is None
    async with open_house(tmp_path) as second:
        assert repr(reader(second).read(WORDS, 1)) == taught
        assert (await steps_of(second, seq))[-1].done_at is not None
        await turn(second, "revoked", seq)
        plain = repr(reader(second).read(WORDS, 1))
    async with open_house(tmp_path) as third:
        assert repr(reader(third).read(WORDS, 1)) == plain != taught


async def test_the_look_back_is_bounded(house: House) -> None:
    seen = await Hindsight(house.parts.engine, newest=2)._compare(reader(house), reader(house), 90)
    assert seen.looked == 2 and seen.effects == ()


async def test_an_import_by_command_counts_at_the_next_start_and_is_refused_beside_a_server(tmp_path: Path) -> None:
    text = "梨园巷电动车乱停堵了消防通道"
    file, wrong = tmp_path / "历史.csv", tmp_path / "错.csv"
    file.write_text(f"内容,承办单位,小类,日期\n{text},公安局交警大队,,2025-01-01\n", "gb18030")
    wrong.write_text(f"内容,单位\n{text},交警支队\n", "utf-8")
    async with open_house(tmp_path / "d") as running:
        plain = repr(reader(running).read(text, 1))
        beside = await asyncio.to_thread(bot, "lessons", "import", str(file), "--data", str(tmp_path / "d"), "--yes")
        assert beside.returncode == 1 and "数据目录正被" in beside.stderr, beside.stderr
    refused = await asyncio.to_thread(bot, "lessons", "import", str(wrong), "--data", str(tmp_path / "d"), "--yes")
    assert refused.returncode == 1 and "错.csv 第2行「单位」列:没有叫“交警支队”的单位" in refused.stderr
    done = await asyncio.to_thread(bot, "lessons", "import", str(file), "--data", str(tmp_path / "d"), "--yes")
    assert done.returncode == 0 and "读到 1 行" in done.stderr and "「日期」列:不认识这一列" in done.stderr, done.stderr
    async with open_house(tmp_path / "d") as again:
        assert reader(again).read(text, 1).units[0].value == "jjdd"
        batch = (await again.parts.engine.store.read(lessons.batches))[0]
    out = tmp_path / "out.xlsx"
    saved = await asyncio.to_thread(bot, "lessons", "export", str(out), "--data", str(tmp_path / "d"))
    assert saved.returncode == 0 and read_history(out, shipped_county()).rows == ((text, "", "jjdd", ""),)
    back = await asyncio.to_thread(bot, "lessons", "revoke", batch.name, "--data", str(tmp_path / "d"))
    assert back.returncode == 0, back.stderr
    async with open_house(tmp_path / "d") as last:
        assert repr(reader(last).read(text, 1)) == plain


async def test_a_long_history_keeps_the_newest_of_every_unit_and_class() -> None:
    rows = [(f"一{n}", "", "cgj", "") for n in range(50)] + [(f"二{n}", "", "zjj", "") for n in range(3)]
    kept = thin(rows, 10)
    assert kept == [*rows[43:50], *rows[50:]], "as many as there is room for, the oldest of the largest go"


@pytest.mark.parametrize("name", sorted(TEXTS))
async def test_what_a_dispatcher_reads_is_short(name: str) -> None:
    fields = {"lines": "经验1234 西环路三角绿地那雕塑又贴满… → 城市管理综合执法局\n经验1233 老供销社后院井盖碎了一角… → 市政设施管理中心",
              "seq": 1234, "text": "西环路三角绿地那雕塑又贴满…", "unit": "城市管理综合执法局", "revoked": "（已撤回）", "what": "恢复导入的经验",
              "looked": 2000, "changed": 135, "number": "1122-017", "before": "市政设施管理中心", "after": "城市管理综合执法局"}  # fmt: skip
    said = TEXTS[name].format(**fields)
    assert len(said) <= 120 and len(said.splitlines()) <= 3, (len(said), said)
