"""Filing deadlines: the published year, the rule behind it, and questions about it."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.faq.filing import FilingCalendar

NOTICES = {
    2026: [20, 24, 16, 20, 22, 15, 15, 17, 15, 26, 16, 15],  # 税总办征科函〔2025〕64号
    2025: [15, 20, 17, 18, 22, 16, 15, 15, 15, 27, 17, 15],  # faq.md E1
    2024: [15, 23, 15, 18, 22, 19, 15, 15, 18, 24, 15, 16],
}
FILING = FilingCalendar()
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize("year", NOTICES)
def test_the_rule_gives_every_deadline_of_the_year(year: int) -> None:
    assert [FILING.computed(year, month).day for month in range(1, 13)] == NOTICES[year]


def test_the_published_year_is_said_with_its_document() -> None:
    assert [FILING.deadline(2026, month).day.day for month in range(1, 13)] == NOTICES[2026]
    assert all("64号" in FILING.deadline(2026, month).text for month in range(1, 13))


def test_a_computed_deadline_is_called_expected_and_never_pushed() -> None:
    assert "预计" in FILING.deadline(2027, 3).text
    assert FILING.reminders(2027, 3) == {}


def test_reminders_fall_on_working_days() -> None:
    assert FILING.reminders(2026, 12) == {
        5: date(2026, 12, 8),
        3: date(2026, 12, 10),
        1: date(2026, 12, 14),
        0: date(2026, 12, 15),
    }


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("征期", 12),
        ("这个月什么时候截止", 11),
        ("12月征期到几号", 12),
        ("下个月报税截止哪天", 12),
        ("10月报税最晚几号", 10),
    ],
)
def test_a_calendar_question_gets_its_month(text: str, month: int) -> None:
    found = FILING.answer(text, TODAY)
    assert found is not None
    assert found.month == month


@pytest.mark.parametrize("text", ["过了征期才申报罚多少", "企业所得税汇算几号截止", "社保这个月几号扣款", "今天几号"])
def test_other_questions_are_no_calendar_questions(text: str) -> None:
    assert FILING.answer(text, TODAY) is None
