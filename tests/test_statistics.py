"""Statistics: the golden figures of a published bulletin, what each step counts for, and rebuilds that agree to the byte."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.statistics import Book, differences, month_period, table_of
from config.county import Category, County, Place, Unit
from handlers.calendar import Calendar
from handlers.tasks.figures import FORMULAS, Part, as_text, parts, percent, period_of, shown_rate, shown_span
from handlers.tasks.statistics import Cell, Period, Span, Table, count, names_of
from handlers.worktime import Worktime
from store import Store, history, statistics
from store.statistics import Life, Step
from tests.flows.chat import perform
from tests.flows.town import TOWN, PlainReader
from tests.lives import fill

DAY = 86400
START = period_of("2016-12-01", "2016-12-31", 2**40).start
DECEMBER = Period(START, START + 31 * DAY)
CLOCK = Worktime(Calendar())
COUNTY = County(
    units=(Unit("b", "乙局"), Unit("a", "甲局")),
    places=(Place("p", "人民路", (), "road", "城关镇"), Place("t", "西河镇", (), "town", "")),
    categories=(Category("事件0101", "小广告", "事件", ""), Category("部件0101", "井盖", "部件", "")),
)
NAMES = names_of(COUNTY)
EVENT, PART = "事件0101|p", "部件0101|t"


def life(task: str, *steps: tuple[int, str, str, str, int | None], code: str = EVENT, unit: str = "a") -> Life:
    """Steps as (seconds after START, event, from, to, limit after it)."""
    return [
        Step(
            task,
            n,
            START + at,
            event,
            source,
            target,
            unit if n > 1 else "",
            code if n == 1 else "",
            due and START + due,
        )
        for n, (at, event, source, target, due) in enumerate(steps, 1)
    ]


def a_case(task: str, *, filed: bool = True, due: int, answered: int = 0, code: str = EVENT, opened: int = 60) -> Life:
    """Opened, dispatched, and answered and closed when `answered` says when."""
    steps: list[tuple[int, str, str, str, int | None]] = [(opened, "open", "", "pending_confirmation", None)]
    if filed:
        steps.append((opened + 60, "dispatch", "pending_confirmation", "dispatched", due))
    if answered:
        steps += [
            (answered, "feed_back", "dispatched", "feedback_given", due),
            (answered + 60, "verify_ok", "feedback_given", "closed", due),
        ]
    return life(task, *steps, code=code)


def bulletin() -> list[Life]:
    """Tianmen, December 2016 (ux.md A5): 受理1054 立案996 应结案972 结案911, 按期737; 事件 902/956, 部件 9/16."""
    cases = [a_case(f"e{n}", due=5 * DAY, answered=(4 if n < 737 else 6) * DAY) for n in range(902)]
    cases += [a_case(f"p{n}", due=5 * DAY, answered=6 * DAY, code=PART) for n in range(9)]
    cases += [a_case(f"f{n}", due=5 * DAY) for n in range(54)]  # past their limit and open
    cases += [a_case(f"q{n}", due=5 * DAY, code=PART) for n in range(7)]
    cases += [a_case(f"r{n}", due=40 * DAY) for n in range(996 - 972)]  # their limit lies in January
    return cases + [a_case(f"u{n}", filed=False, due=0) for n in range(1054 - 996)]


def counted(*lives: Life, period: Period = DECEMBER) -> Table:
    return count(lives, period, NAMES, CLOCK)


def test_the_golden_figures_of_a_published_bulletin_come_out() -> None:
    table = counted(*bulletin())
    counts = table.total.counts
    assert (counts["received"], counts["filed"], counts["due"], counts["closed"]) == (1054, 996, 972, 911)
    assert shown_rate(table.total, "closing") == "93.72%(911/972)"
    assert shown_rate(table.total, "punctuality") == "75.82%(737/972)"
    assert shown_rate(table.kinds["事件"], "closing") == "94.35%(902/956)"
    assert shown_rate(table.kinds["部件"], "closing") == "56.25%(9/16)"
    assert counts["running"] == 1054 - 911 and counts["late"] == 61


def test_the_order_of_lives_changes_no_byte() -> None:
    cases = bulletin()
    text = as_text(counted(*cases), COUNTY, 7)
    random.Random(4).shuffle(cases)
    assert as_text(counted(*cases), COUNTY, 7) == text
    assert json.loads(text)["formulas"] == list(FORMULAS)


@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [(911, 972, "93.72"), (737, 972, "75.82"), (9, 16, "56.25"), (1, 800, "0.13"), (0, 5, "0.00"), (1, 0, "")],
)
def test_a_rate_has_two_decimals_and_halves_go_up(numerator: int, denominator: int, shown: str) -> None:
    assert percent(numerator, denominator) == shown


def test_of_fewer_than_ten_no_rate_is_made_and_of_none_a_dash() -> None:
    cell = Cell()
    assert shown_rate(cell, "closing") == "—"
    cell.counts.update(due=9, closed=8)
    assert shown_rate(cell, "closing") == "8/9(样本少)"
    cell.counts["due"] = 10
    assert shown_rate(cell, "closing") == "80.00%(8/10)"


def test_a_mean_says_working_time_then_raw_time_and_of_how_many() -> None:
    assert shown_span(Span()) == "—"
    assert shown_span(Span(2, 2 * DAY, 2 * 3900)) == "1小时5分 / 24小时0分(2件)"


def test_what_happens_after_a_period_does_not_change_it() -> None:
    late = a_case("x", due=5 * DAY, answered=33 * DAY)
    december, january = counted(late), counted(late, period=Period(DECEMBER.end, DECEMBER.end + 31 * DAY))
    assert (december.total.counts["due"], december.total.counts["closed"], december.total.counts["late"]) == (1, 0, 1)
    assert (january.total.counts["due"], january.total.counts["closed"], january.total.counts["punctual"]) == (1, 1, 0)
    assert january.total.counts["received"] == 0


def test_a_case_closed_before_its_limit_counts_once_and_in_time() -> None:
    early = a_case("x", due=40 * DAY, answered=2 * DAY)
    january = counted(early, period=Period(DECEMBER.end, DECEMBER.end + 31 * DAY))
    assert counted(early).total.counts["punctual"] == 1
    assert january.total.counts["due"] == 0


def test_rework_within_its_new_limit_does_not_mend_the_overrun_before_it() -> None:
    table = counted(
        life(
            "x",
            (0, "open", "", "pending_confirmation", None),
            (60, "dispatch", "pending_confirmation", "dispatched", DAY),
            (2 * DAY, "feed_back", "dispatched", "feedback_given", DAY),
            (2 * DAY + 60, "verify_fail", "feedback_given", "rework", 4 * DAY),
            (3 * DAY, "feed_back", "rework", "feedback_given", 4 * DAY),
            (3 * DAY + 60, "verify_ok", "feedback_given", "closed", 4 * DAY),
        )
    )
    counts = table.total.counts
    assert (counts["closed"], counts["punctual"], counts["redone"], counts["reworks"]) == (1, 0, 1, 1)


def test_an_exemption_is_counted_beside_the_overrun_which_stays() -> None:
    case = a_case("x", due=DAY, answered=2 * DAY)
    case.append(case[-1]._replace(n=9, event="exempt_ok", source="closed", target="closed", at=case[-1].at + 60))
    counts = counted(case).total.counts
    assert (counts["closed"], counts["punctual"], counts["exempted"]) == (1, 0, 1)


def test_suspended_tasks_and_tasks_taken_back_are_not_due() -> None:
    table = counted(
        life(
            "s",
            (0, "open", "", "pending_confirmation", None),
            (60, "dispatch", "pending_confirmation", "dispatched", DAY),
            (120, "accept", "dispatched", "accepted", DAY),
            (180, "suspend", "accepted", "suspended", None),
        ),
        life(
            "w",
            (0, "open", "", "pending_confirmation", None),
            (60, "dispatch", "pending_confirmation", "dispatched", DAY),
            (120, "withdraw", "dispatched", "withdrawn", DAY),
        ),
    )
    counts = table.total.counts
    assert (counts["filed"], counts["due"], counts["suspended"], counts["withdrawn"]) == (2, 0, 1, 1)
    assert table.stages["suspended"].standing == 1
    assert table.total.spans["accept"] == Span(1, 60, 0)  # at midnight: no working time


def test_a_task_handed_on_counts_for_the_unit_that_ends_up_with_it_and_each_units_own_signing() -> None:
    first = life(
        "x",
        (0, "open", "", "pending_confirmation", None),
        (9 * 3600, "dispatch", "pending_confirmation", "dispatched", DAY),
    )
    rest = [
        ("accept", "dispatched", "accepted", 9 * 3600 + 600, "a"),
        ("return_", "accepted", "returned", 9 * 3600 + 1200, "a"),
        ("reassign", "returned", "dispatched", 10 * 3600, "b"),
        ("accept", "dispatched", "accepted", 10 * 3600 + 60, "b"),
    ]
    for n, (event, source, target, at, unit) in enumerate(rest, 3):
        first.append(Step("x", n, START + at, event, source, target, unit, "", START + DAY))
    table = counted(first)
    assert table.units["a"].spans["accept"].seconds == 600 and table.units["b"].spans["accept"].seconds == 60
    assert (table.units["a"].counts["returned"], table.units["b"].counts["returned"]) == (1, 0)
    assert (table.units["a"].counts["filed"], table.units["b"].counts["received"]) == (1, 1)
    assert table.units["b"].counts["running"] == 1


def test_units_stand_in_the_countys_order_whatever_their_figures() -> None:
    table = counted(*(a_case(f"x{n}", due=DAY, answered=3600) for n in range(12)))
    table.units["b"] = replace(Cell(), counts={**Cell().counts, "received": 1})
    by_unit: Part = parts(table, COUNTY)[3]
    assert [key for key, _, _ in by_unit.rows] == ["b", "a"]
    assert by_unit.rows[1][1] == "甲局"


DAYS = """
    — 11月23日 —
    09:00 李敏: 三角绿地小广告
        群: …
    09:03 张强: 签收
        群: …
    09:30 张强: 到场
        群: …
    10:00 张强: 反馈 已清理
        群: …
    10:05 李敏: 返工 东侧还有
        张强: …
        群: …
    11:00 张强: 反馈 又清了一遍
        群: …
    11:30 李敏: 通过
        群: …
    14:00 王芳: 人民路垃圾
        群: …
    14:01 赵静: 改类别 井盖
        群: …
"""


@pytest.mark.asyncio
async def test_a_day_in_the_group_is_counted_from_its_history_and_agrees_with_the_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)
    rehearsal = await perform(DAYS)
    office, store, now = rehearsal.engine.office, rehearsal.engine.store, rehearsal.engine.store.now()
    book = Book(office.county, office.worktime)
    table = await store.read(lambda c: table_of(c, book, month_period("2026-11", now)))
    faults = await store.read(lambda c: list(differences(c, book, now)))
    await rehearsal.close()
    assert faults == []
    assert table.total.counts["received"] == 2 and table.total.counts["closed"] == 1
    assert table.total.spans["accept"].seconds == 180
    assert table.total.spans["arrive"].seconds == 1800
    assert table.total.spans["close"] == Span(1, 9000, 9000)
    assert table.towns.keys() == {"城关镇"}
    assert table.stages["rework"].left == Span(1, 3300, 3300)
    assert table.categories["部件0101"].counts["received"] == 1


def test_the_command_prints_one_json_and_verifies_its_own_rebuild(tmp_path: Path) -> None:
    fill(tmp_path / "data", TOWN, 40, START)
    run = CliRunner().invoke
    asked = ["stats", "--data", str(tmp_path / "data"), "--from", "2016-12-01", "--to", "2016-12-31"]
    made = run(main, [*asked, "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["total"]["counts"]["closed"] == 40
    plain = run(main, asked)
    assert "结案率100.00%(40/40)" in plain.stdout and FORMULAS[0] in plain.stdout
    verified = run(main, ["stats", "--data", str(tmp_path / "data"), "--verify"])
    assert verified.exit_code == 0 and "一字不差" in verified.stdout
    wrong = run(main, [*asked[:3], "--from", "2016-13-01"])
    assert wrong.exit_code == 1 and "2026-11-01" in wrong.stderr


def test_a_step_decided_after_a_restart_keeps_the_hour_at_which_it_was_said(tmp_path: Path) -> None:
    clock = [START]
    store = Store.open(tmp_path, lambda: clock[0])
    asyncio.run(store.write(lambda tx: history.append(tx, "t", "open", "", "pending_confirmation")))
    clock[0] += 3600
    asyncio.run(store.write(lambda tx: history.append(tx, "t", "withdraw", "", "withdrawn", at=START + 5)))
    steps = asyncio.run(store.read(lambda c: list(statistics.every(c))))[0]
    faults = asyncio.run(store.read(lambda c: list(history.verify(c))))
    store.close()
    assert [step.at for step in steps] == [START, START + 5] and faults == []
