"""What is done with a question: the approved text, three to choose from, a person, silence. By words alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.faq.entries import Entry, read_entries, shipped_entries, write_entries
from handlers.faq.assistant import Assistant
from handlers.faq.knowledge import office_day, standing

TODAY = date(2026, 11, 24)
ENTRIES = tuple(replace(entry, status="live") for entry in shipped_entries())
SET = Path(__file__).parent / "faq_set"


def assistant(*entries: Entry) -> Assistant:
    made = Assistant()
    made.load(entries or ENTRIES)
    return made


SHARED = assistant()


def test_the_starter_base_is_complete_and_careful() -> None:
    shipped = shipped_entries()
    assert len(shipped) >= 48
    assert all(len(entry.similar) >= 5 and entry.basis for entry in shipped)
    assert {entry.status for entry in shipped} == {"live", "draft"}


def test_a_draft_is_never_found() -> None:
    made = assistant(*shipped_entries())
    outcome = made.ask("企业所得税汇算清缴的截止日期", TODAY)
    assert outcome.entry is None or outcome.entry.status == "live"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_the_standard_question_gets_the_approved_text_byte_for_byte(entry: Entry) -> None:
    outcome = SHARED.ask(entry.question, TODAY)
    assert outcome.top[0] == entry.id
    if outcome.band == "answer" and outcome.entry:
        assert outcome.entry.answer.encode() == entry.answer.encode()


def test_another_kind_of_taxpayer_never_gets_a_direct_answer() -> None:
    outcome = SHARED.ask("一般纳税人月销售额多少以内免征增值税", TODAY)
    assert (outcome.band, outcome.reason, len(outcome.choices)) == ("choose", "taxpayer", 3)


def test_a_follow_up_is_read_with_its_askers_last_question() -> None:
    said = ("小规模按月销售额多少免增值税",)
    outcome = SHARED.ask("那季度呢", TODAY, said)
    assert outcome.entry is not None
    assert outcome.entry.id == "vat-small-exempt"
    assert SHARED.ask("那季度呢", TODAY).band != "answer"


def test_two_questions_get_two_outcomes_and_one_with_its_story_gets_one() -> None:
    both = SHARED.hear("六税两费是哪些税？残保金什么情况下免交？", TODAY)
    assert [o.entry.id for o in both if o.entry] == ["six-two", "disabled-fund"]
    assert len(SHARED.hear("我们是小规模。这个季度开了28万。要交增值税吗？", TODAY)) == 1


@pytest.mark.parametrize("text", ["我的税号是91110108MA01A2B3C4，帮我查查", "电话13812345678，怎么申报个税"])
def test_a_message_with_personal_numbers_is_masked(text: str) -> None:
    outcome = SHARED.ask(text, TODAY)
    assert outcome.band == "mask"
    assert "****" in outcome.masked


def test_chatter_is_not_answered_and_questions_outside_hardly_ever() -> None:
    chatter = (SET / "chatter.txt").read_text("utf-8").splitlines()
    outside = (SET / "outside.txt").read_text("utf-8").splitlines()
    assert not [text for text in chatter if SHARED.ask(text, TODAY).band in ("answer", "choose")]
    assert sum(SHARED.ask(text, TODAY).band == "answer" for text in outside) <= len(outside) * 0.05


def test_an_expired_entry_goes_to_a_person_and_names_its_successor() -> None:
    old = replace(ENTRIES[0], id="old", valid_to="2025-12-31", valid_from="", successor="new")
    new = Entry("new", "住房租金专项附加扣除标准", "每月1500元。", "国发〔2018〕41号")
    outcome = assistant(old, new).ask(old.question, TODAY)
    assert (outcome.band, outcome.reason) == ("handoff", "expired")
    assert outcome.successor == new


def test_an_entry_without_basis_never_answers() -> None:
    entry = replace(ENTRIES[0], basis=" ")
    assert assistant(entry).ask(entry.question, TODAY).band == "handoff"


@settings(deadline=None)  # a busy machine
@given(st.datetimes(datetime(2027, 12, 30), datetime(2028, 1, 3)))
def test_nothing_is_answered_past_its_last_day_in_shanghai(moment: datetime) -> None:
    at = int(moment.replace(tzinfo=UTC).timestamp())
    day = office_day(at)
    over = moment + timedelta(hours=8) >= datetime(2028, 1, 1)
    assert (standing(ENTRIES[0], day) == "expired") == over
    outcome = SHARED.ask(ENTRIES[0].question, day)
    assert (outcome.band == "answer") != over


@settings(deadline=None)
@given(st.text(max_size=60), st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_whatever_is_said_only_effective_entries_with_basis_are_answered(text: str, day: date) -> None:
    for outcome in SHARED.hear(text, day):
        if outcome.band == "answer" and outcome.entry:
            assert standing(outcome.entry, day) == "live"
            assert outcome.entry in ENTRIES


def test_changes_take_effect_at_once() -> None:
    made = assistant()
    entry = Entry("new", "水资源税怎么申报", "按季申报。", "财税〔2024〕28号")
    assert "new" not in made.ask(entry.question, TODAY).top
    made.add(entry)
    assert made.ask(entry.question, TODAY).entry == entry
    made.remove("new")
    assert "new" not in made.ask(entry.question, TODAY).top


def test_entries_come_back_from_csv_unchanged(tmp_path: Path) -> None:
    write_entries(ENTRIES, tmp_path / "faq.csv")
    assert read_entries(tmp_path / "faq.csv") == ENTRIES
