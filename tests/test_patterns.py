"""Hours and trends: golden numbers of a small month, sums that agree with the table, and rebuilds equal to the byte."""

from __future__ import annotations

import asyncio
import random
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from bot.console.charts import lines, shade
from bot.statistics import Book, differences, heat_of, table_of, trend_of
from config.county import County, Place
from handlers.calendar import SHANGHAI, Calendar
from handlers.tasks import figures
from handlers.tasks.patterns import as_text, heat, in_order, trend
from handlers.tasks.periods import asked, followed, offered
from handlers.tasks.statistics import Period, count, names_of
from handlers.worktime import Worktime
from store import Store
from store.statistics import Life, Step
from tests.flows.town import TOWN
from tests.lives import fill

COUNTY = County(places=(Place("p", "人民路", (), "road", "城关镇"), Place("t", "西河镇", (), "town", "")))
NAMES = names_of(COUNTY)
DAY = 86400


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp())


NOW = at("2026-11-24T15:00")


def a_life(n: int, opened: str, place: str = "p", closed: str = "", limit: str = "2026-12-31T00:00") -> Life:
    """Opened and dispatched; answered and closed when `closed` says when."""
    rows = [("open", "", "pending_confirmation", opened), ("dispatch", "pending_confirmation", "dispatched", opened)]
    if closed:
        rows += [
            ("feed_back", "dispatched", "feedback_given", closed),
            ("verify_ok", "feedback_given", "closed", closed),
        ]
    return [
        Step(f"t{n}", k, at(when), event, source, target, "a", f"事件0101|{place}" if k == 1 else "", at(limit))
        for k, (event, source, target, when) in enumerate(rows, 1)
    ]  # fmt: skip


def a_month() -> list[Life]:
    """23 November 2026 is a Monday."""
    return [
        a_life(1, "2026-11-23T08:59:59", closed="2026-11-23T12:00"),
        a_life(2, "2026-11-23T09:00", closed="2026-11-24T12:00"),
        a_life(3, "2026-11-16T09:30", "t"),
        a_life(4, "2026-11-22T23:59:59", "t"),
        a_life(5, "2026-11-24T00:00", ""),
        a_life(6, "2026-10-31T23:59:59", closed="2026-11-02T09:00"),
        *(a_life(n, "2026-09-10T10:00", closed="2026-09-11T10:00") for n in range(7, 19)),
        a_life(19, "2026-09-12T10:00", limit="2026-09-20T00:00"),
    ]


def test_the_golden_hours_of_a_month_come_out() -> None:
    found = heat(a_month(), asked("2026-11", "", "", NOW).period, NAMES)
    full = {
        (day, hour): n for day, counts in enumerate(found.weekdays) for hour, n in enumerate(counts) if n
    }  # Monday 0
    assert full == {(0, 8): 1, (0, 9): 2, (6, 23): 1, (1, 0): 1}
    assert {town: {h: n for h, n in enumerate(counts) if n} for town, counts in found.towns.items()} == {
        "城关镇": {8: 1, 9: 1},
        "西河镇": {9: 1, 23: 1},
        "": {0: 1},
    }


def test_the_golden_months_of_a_trend_come_out_and_few_cases_give_no_rate() -> None:
    points = followed(asked("", "", "", NOW), NOW)
    cells = trend(a_month(), [point.period for point in points])
    assert [point.key for point in points] == ["2025-12", *(f"2026-{m:02d}" for m in range(1, 12))]
    assert [cell.counts["received"] for cell in cells] == [0] * 9 + [13, 1, 5]
    assert [cell.counts["closed"] for cell in cells] == [0] * 9 + [12, 0, 3]
    assert [cell.counts["due"] for cell in cells] == [0] * 9 + [13, 1, 4]
    shown = [figures.shown_rate(cell, "closing") for cell in cells[8:]]
    assert shown == ["—", "92.31%(12/13)", "0/1(样本少)", "3/4(样本少)"]


def test_hours_add_up_to_the_received_and_a_point_is_its_months_total() -> None:
    lives, clock = a_month(), Worktime(Calendar())
    points = followed(asked("", "", "", NOW), NOW)
    for point, cell in zip(points, trend(lives, [point.period for point in points]), strict=True):
        table, hours = count(lives, point.period, NAMES, clock), heat(lives, point.period, NAMES)
        assert cell.counts == table.total.counts
        assert sum(map(sum, hours.weekdays)) == table.total.counts["received"]
        for town, counts in hours.towns.items():
            assert sum(counts) == table.towns[town].counts["received"]


def test_the_order_of_lives_changes_no_byte_and_the_store_gives_the_same(tmp_path: Path) -> None:
    periods = [point.period for point in followed(asked("", "", "", NOW), NOW)]
    lives = a_month()
    text = as_text(heat(lives, periods[-1], NAMES), trend(lives, periods))
    random.Random(7).shuffle(lives)
    assert as_text(heat(lives, periods[-1], NAMES), trend(lives, periods)) == text
    fill(tmp_path, TOWN, 60, at("2026-09-20T00:00"), apart=DAY)
    store = Store.open(tmp_path, lambda: NOW)
    book, points = Book(TOWN, Worktime(Calendar())), followed(asked("2026-11", "", "", NOW), NOW)
    faults, hours, table, cells = asyncio.run(
        store.read(
            lambda c: (
                list(differences(c, book, NOW)),
                heat_of(c, book, points[-1].period),
                table_of(c, book, points[-1].period),
                trend_of(c, points),
            )
        )
    )
    store.close()
    assert not [fault for fault in faults if "重建" in fault]
    assert sum(map(sum, hours.weekdays)) == table.total.counts["received"] == cells[-1].counts["received"] == 18


def test_towns_stand_in_the_countys_order_and_the_unknown_last() -> None:
    rows = in_order({"": [1] * 24, "乙": [9] * 24, "旧": [5] * 24, "甲": [0] * 24}, ["甲", "乙", "丙", "甲"])
    assert [name for name, _ in rows] == ["甲", "乙", "旧", "地点不明"]


@pytest.mark.parametrize(
    ("key", "kind", "first", "last", "label"),
    [
        ("2026-10", "month", date(2026, 10, 1), date(2026, 10, 31), "2026年10月"),
        ("2026-W47", "week", date(2026, 11, 16), date(2026, 11, 22), "2026年第47周（11月16日至11月22日）"),
        ("2025-W01", "week", date(2024, 12, 30), date(2025, 1, 5), "2025年第1周（12月30日至1月5日）"),
        ("2026-Q4", "quarter", date(2026, 10, 1), date(2026, 12, 31), "2026年第四季度"),
        ("2025", "year", date(2025, 1, 1), date(2025, 12, 31), "2025年"),
    ],
)
def test_a_period_is_named_in_the_address(key: str, kind: str, first: date, last: date, label: str) -> None:
    found = asked(key, "", "", NOW)
    assert (found.kind, found.key, found.first, found.last, found.label) == (kind, key, first, last, label)
    assert found.period.end <= NOW + 1


NONSENSE = ["2026-13", "2025-W53", "2026-W00", "2026-Q5", "2027", "2026-12", "1999", "٢٠٢٦", "<b>", "2026-11 "]


@pytest.mark.parametrize("key", NONSENSE)
def test_nonsense_means_the_running_month(key: str) -> None:
    assert asked(key, "", "", NOW) == asked("2026-11", "", "", NOW)


def test_days_are_taken_as_far_as_they_have_passed_and_wrong_ones_mean_the_running_month() -> None:
    found = asked("", "2026-11-02", "9999-12-31", NOW)
    assert (found.kind, found.first, found.last) == ("free", date(2026, 11, 2), date(2026, 11, 24))
    assert found.period == Period(at("2026-11-02T00:00"), NOW + 1)
    for first, last in (
        ("2026-11-03", "2026-11-02"),
        ("2026-11-25", "2026-11-26"),
        ("x", "2026-11-02"),
        ("2026-11-02", ""),
    ):
        assert asked("", first, last, NOW).key == "2026-11"


def test_twelve_weeks_follow_a_week_and_every_period_since_the_first_step_is_offered() -> None:
    weeks = followed(asked("2026-W47", "", "", NOW), NOW)
    assert (weeks[0].key, weeks[-1].key, len(weeks)) == ("2026-W36", "2026-W47", 12)
    assert all(a.period.end == b.period.start for a, b in pairwise(weeks))
    listed = offered(at("2025-11-30T00:00"), NOW)
    assert [one.key for one in listed["quarter"]] == ["2026-Q4", "2026-Q3", "2026-Q2", "2026-Q1", "2025-Q4"]
    assert listed["month"][-1].key == "2025-11" and [one.key for one in listed["year"]] == ["2026", "2025"]
    assert len(listed["week"]) == 26 and listed["week"][0].key == "2026-W48"


def test_a_chart_shades_by_quarters_and_no_two_numbers_share_a_place() -> None:
    assert [shade(n, 8) for n in (0, 1, 2, 3, 8)] == [0, 1, 1, 2, 4]
    assert (shade(0, 0), shade(1, 1), shade(2, 3), shade(3, 3)) == (0, 1, 2, 3)
    drawn = lines(["a", "b"], [0, 5], [0, 10])
    assert all(up.label != down.label for up, down in zip(*drawn.dots, strict=True))
    assert drawn.dots[1][1].y < drawn.dots[0][1].y
