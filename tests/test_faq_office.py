"""Around the conversation: rosters, reminders caught up, what is remembered over a restart, clusters, files in and out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import faq_files
from bot.cli import main
from bot.rehearse import Rehearsal
from bot.script import Line, instant
from config.faq.entries import write_entries
from handlers.events import Event
from handlers.faq import learning
from handlers.faq.clusters import clusters, unanswered
from handlers.faq.hall import Hall
from handlers.faq.texts import TEXTS
from handlers.wording import LENGTH, LINES
from store import Store, county, faq, meta, outbox, questions, tax
from store.questions import Asked
from tests.flows.tax_town import BUREAU, ENTRIES
from tests.flows.town import PlainReader

START = "2026-11-24T10:00:00+08:00"


@pytest.fixture(autouse=True)
def _small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.engine.shipped_entries", lambda: ENTRIES)
    monkeypatch.setattr("bot.faq_files.shipped_entries", lambda: ENTRIES)
    monkeypatch.setattr("handlers.office.Reader", PlainReader)


@pytest.mark.asyncio
async def test_the_officer_on_duty_for_the_tax_is_told_first() -> None:
    rehearsal = await Rehearsal.open(BUREAU, instant(START))
    await rehearsal.engine.apply(lambda tx: tax.set_roster(tx, [("增值税", "jiangtao"), ("", "renjing")]))
    first = await rehearsal.step(Line(1, "tax", "fangxin", "人工 增值税留抵的钱什么时候到账"))
    second = await rehearsal.step(Line(2, "tax", "shimei", "人工 出口的单子丢了"))
    await rehearsal.close()
    assert [notice.to for notice in first.notices if notice.kind == "ticket"] == ["jiangtao"]
    assert [notice.to for notice in second.notices if notice.kind == "ticket"] == ["renjing"]


@pytest.mark.asyncio
async def test_reminders_missed_while_the_program_was_off_are_caught_up_by_the_newest_alone() -> None:
    rehearsal = await Rehearsal.open(BUREAU, instant("2026-12-01T09:00:00+08:00"))
    rehearsal.engine.business.advance_to(instant("2026-12-11T10:00:00+08:00"))  # off over the 8th and the 10th
    await rehearsal.engine.clock.tick()
    await rehearsal.engine.settle()
    said = [message.text for row, message in rehearsal.stage.sent if row.kind == "filing"]
    await rehearsal.engine.clock.tick()
    await rehearsal.engine.settle()
    again = [message.text for row, message in rehearsal.stage.sent if row.kind == "filing"]
    await rehearsal.close()
    assert len(said) == len(BUREAU.groups) and all("还有2个工作日" in text for text in said)
    assert again == said


@pytest.mark.asyncio
async def test_a_group_that_wants_no_reminders_gets_none_and_a_quarters_end_names_more_taxes() -> None:
    rehearsal = await Rehearsal.open(BUREAU, instant("2026-10-09T09:00:00+08:00"))
    await rehearsal.engine.apply(lambda tx: tax.set_profile(tx, tax.Profile("shops", off=1)))
    await rehearsal.engine.clock.forward(20 * 86400)
    said = [(row.address, message.text) for row, message in rehearsal.stage.sent if row.kind == "filing"]
    await rehearsal.close()
    assert {address for address, _ in said} == {"tax"}
    assert all("企业所得税预缴" in text for _, text in said) and len(said) == 4


def test_what_an_asker_said_survives_a_restart_for_a_few_minutes() -> None:
    at = instant(START)
    asked = Asked("a1", "tax", "web", "tax", "m1", "web:u", "小规模一个月开多少票不用交增值税", "answer", at=at)
    hall = Hall(None, [entry for entry in ENTRIES if entry.status == "live"])
    hall.restore(asked)
    follow = Event("web", "m2", group="tax", sender="u", text="那按季度的呢")
    assert hall.hear(follow, at + 60).outcomes[0].entry == ENTRIES[1]
    assert hall.hear(replace(follow, sender="v"), at + 60).outcomes[0].band == "silent"
    assert hall.hear(follow, at + 3600).outcomes[0].band == "silent"


def test_like_questions_are_gathered_the_most_asked_first() -> None:
    texts = ("出口退税怎么办理", "出口退税在哪办理", "请问出口退税怎么办呢", "工会经费交多少", "社保断缴了怎么补")
    asked = [Asked(f"a{n}", "tax", "web", "tax", f"m{n}", "web:u", text, "handoff") for n, text in enumerate(texts)]
    found = clusters(asked)
    assert [cluster.size for cluster in found] == [3, 1, 1]
    assert "出口退税" in found[0].sample


@pytest.mark.asyncio
async def test_unanswered_and_hot_questions_are_counted_by_group() -> None:
    rehearsal = await Rehearsal.open(BUREAU, instant(START))
    for n, text in enumerate(
        ("孩子上学个税一个月能扣多少", "出口退税怎么办理", "孩子上学个税一个月能扣多少", "出口退税怎么办理呢")
    ):
        await rehearsal.step(Line(n * 60, "tax", "fangxin" if n % 2 else "shimei", text))
    read = rehearsal.engine.store.read
    hot, open_ = await read(lambda c: questions.hot(c, "tax", 0)), await read(lambda c: unanswered(c, 0))
    elsewhere = await read(lambda c: questions.hot(c, "shops", 0))
    await rehearsal.close()
    assert hot == [("children", 2)] and elsewhere == []
    assert [cluster.size for cluster in open_] == [2]


@pytest.mark.asyncio
async def test_an_answer_that_is_over_is_not_sent_again_by_hand() -> None:
    rehearsal = await Rehearsal.open(BUREAU, instant("2026-11-24T23:00:00+08:00"))
    await rehearsal.step(Line(0, "tax", "fangxin", "县城土地使用税一平方多少钱"))
    row = next(row for row, _ in rehearsal.stage.sent if row.kind == "answer")
    assert row.not_after == instant("2026-11-24T23:59:59+08:00")
    write = rehearsal.engine.store.write
    await write(lambda tx: outbox.mark(tx, row.seq, "dead"))
    rehearsal.engine.business.advance_to(instant("2026-11-25T00:00:00+08:00"))
    assert await write(lambda tx: outbox.resend(tx, row.seq)) is None
    await rehearsal.close()


def test_no_version_is_lost_and_nobody_approves_his_own() -> None:
    asyncio.run(_versions())


async def _versions() -> None:
    store = Store.open(None)
    await store.write(lambda tx: faq.found(tx, ENTRIES))
    changed = replace(ENTRIES[0], answer="新的答案")
    version = await store.write(lambda tx: faq.propose(tx, changed, "tianfang"))
    assert await store.write(lambda tx: faq.approve(tx, "month", version, "tianfang")) is None
    approved = await store.write(lambda tx: faq.approve(tx, "month", version, "renjing"))
    assert approved is not None and approved.answer == "新的答案" and approved.version == 2
    life = await store.read(lambda c: faq.versions(c, "month"))
    assert [(one.state, one.entry.answer) for one in life] == [("live", "新的答案"), ("replaced", ENTRIES[0].answer)]
    bare = await store.write(lambda tx: faq.propose(tx, replace(changed, basis=" "), "tianfang"))
    assert await store.write(lambda tx: faq.approve(tx, "month", bare, "renjing")) is None
    store.close()


@pytest.mark.asyncio
async def test_a_draft_that_is_decided_asks_no_more() -> None:
    rehearsal = await Rehearsal.open(BUREAU, instant(START))
    await rehearsal.step(Line(0, "tax", "fangxin", "出口退税怎么办理"))
    await rehearsal.step(Line(9, "", "tianfang", "#问0001 带报关单，依据：税务总局公告2018年第16号"))
    asks = next(row.seq for row, message in rehearsal.stage.sent if message.buttons)
    read = rehearsal.engine.store.read
    assert await read(lambda c: learning.waits(c, asks))
    await rehearsal.step(Line(18, "", "renjing", "同意 #草0001"))
    assert not await read(lambda c: learning.waits(c, asks))
    await rehearsal.close()


def test_our_texts_fit_a_chat() -> None:
    assert not [name for name, text in TEXTS.items() if len(text) > LENGTH or len(text.splitlines()) > LINES]


def _office(folder: Path) -> Path:
    """A data directory with a county and the small base."""

    async def found() -> None:
        store = Store.open(folder)
        await store.write(lambda tx: (county.save(tx, BUREAU), meta.put(tx, "demo", ""), faq.found(tx, ENTRIES)))
        store.close()

    asyncio.run(found())
    return folder


def test_a_base_goes_out_and_comes_back_the_same_and_changes_are_new_versions(tmp_path: Path) -> None:
    data, run = _office(tmp_path / "data"), CliRunner().invoke
    for name in ("base.csv", "base.xlsx"):
        assert run(main, ["faq", "export", str(tmp_path / name), "--data", str(data)]).exit_code == 0
        back = run(main, ["faq", "import", str(tmp_path / name), "--data", str(data)])
        assert back.output.strip() == f"已导入:新增 0、更新 0、待审 0、停用 0、未变 {len(ENTRIES)}。"
    changed = [replace(ENTRIES[0], answer="改过的"), replace(ENTRIES[2], status="retired")]
    fresh = replace(ENTRIES[0], id="fresh", question="新问题")
    write_entries([*changed, fresh, replace(fresh, id="idea", status="draft")], tmp_path / "some.csv")
    done = run(main, ["faq", "import", str(tmp_path / "some.csv"), "--data", str(data), "--json"])
    assert done.output.strip() == '{"added": 1, "changed": 1, "drafts": 1, "withdrawn": 1, "same": 0}'
    answers = {entry.id: entry for entry in faq_files.standing_entries(data)}
    assert answers["month"].answer == "改过的" and answers["month"].version == 2
    assert answers["close-company"].status == "retired" and answers["idea"].status == "draft"


def test_a_wrong_cell_is_named_by_row_and_column_and_changes_nothing(tmp_path: Path) -> None:
    data, path = _office(tmp_path / "data"), tmp_path / "bad.csv"
    write_entries([ENTRIES[0], replace(ENTRIES[1], answer="改过的", valid_to="2027-13-31")], path)
    result = CliRunner().invoke(main, ["faq", "import", str(path), "--data", str(data)])
    assert result.exit_code == 1 and "第3行「valid_to」列" in result.output
    assert {e.id: e.answer for e in faq_files.standing_entries(data)}["quarter"] == ENTRIES[1].answer


def test_an_import_is_refused_while_the_directory_is_held(tmp_path: Path) -> None:
    data = _office(tmp_path / "data")
    write_entries([ENTRIES[0]], tmp_path / "one.csv")
    store = Store.open(data)
    result = CliRunner().invoke(main, ["faq", "import", str(tmp_path / "one.csv"), "--data", str(data)])
    store.close()
    assert result.exit_code == 1 and "正被另一个群办进程使用" in result.output


def test_asking_from_the_command_line_says_the_approved_text(tmp_path: Path) -> None:
    data = _office(tmp_path / "data")
    ask = ["faq", "ask", "孩子上学个税一个月能扣多少", "--data", str(data), "--as-of", f"{date(2026, 11, 24)}"]
    assert ENTRIES[4].answer in CliRunner().invoke(main, ask).output
