"""Zero tolerance (issue 5): whatever is asked and whenever, what is said as an answer is an approved text in force."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.rehearse import Rehearsal
from bot.script import Line, instant
from config.faq.entries import Entry
from handlers.faq import cards, speaking
from handlers.faq.knowledge import office_day, standing
from store import faq
from tests.flows.tax_town import BUREAU, ENTRIES
from tests.flows.town import PlainReader

DAY = date(2026, 11, 24)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=900)


@given(TEXT, TEXT, st.integers(700, 4000))
@example("家👨‍👩‍👧‍👦人" * 300, "依据", 700)
def test_pieces_joined_are_the_text_and_the_basis_stands_whole_in_the_last(answer: str, basis: str, limit: int) -> None:
    entry = Entry("x", "问", answer, basis[:100], valid_to="2026-12-31")
    pieces = cards.card(entry, limit)
    head, foot = "【解答】问\n", f"\n依据：{entry.basis}\n有效期：至2026年12月31日\n不满意请回复 人工"
    assert all(len(piece.encode()) <= limit for piece in pieces)
    assert pieces[-1].endswith(foot.removeprefix("\n"))
    joined = pieces[0] + "".join(piece.removeprefix("（续）\n") for piece in pieces[1:])
    assert joined.removeprefix(head).removesuffix(foot).removesuffix(foot.removeprefix("\n")) == answer


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_the_last_moment_of_an_entry_is_the_last_second_of_its_day_in_shanghai(day: date) -> None:
    entry = replace(ENTRIES[0], valid_to=day.isoformat())
    last = speaking.last_moment(entry)
    assert last is not None
    assert last == instant(f"{day.isoformat()}T23:59:59+08:00")


def test_an_entry_without_end_has_no_last_moment() -> None:
    assert speaking.last_moment(replace(ENTRIES[0], valid_to="")) is None


@pytest.fixture
def _knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.engine.shipped_entries", lambda: ENTRIES)
    monkeypatch.setattr("handlers.office.Reader", PlainReader)


ASKED = [text for entry in ENTRIES for text in (entry.question, *entry.similar)]
SAID = (
    *ASKED,
    "1",
    "2",
    "3",
    "第一个",
    "个体户",
    "那季度呢",
    "人工",
    "没用",
    "谢谢",
    "出口退税怎么办理",
    "这个月征期到几号",
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 30))
@pytest.mark.usefixtures("_knowledge")
def test_nothing_is_said_as_an_answer_that_is_not_an_approved_text_in_force(seed: int) -> None:
    asyncio.run(_season(random.Random(seed)))


async def _season(chance: random.Random) -> None:
    """Some talk around midnights at which entries end, begin, are changed and withdrawn."""
    rehearsal = await Rehearsal.open(BUREAU, instant("2026-11-24T23:58:00+08:00"))
    try:
        t = 0
        for _ in range(14):
            t += chance.choice((1, 20, 61, 119, 86400))
            await _meddle(rehearsal, chance)
            sender = chance.choice(("fangxin", "shimei"))
            step = await rehearsal.step(Line(t, "tax", sender, chance.choice(SAID)))
            now, live = rehearsal.engine.business(), await rehearsal.engine.store.read(faq.live)
            for notice in step.notices:
                if notice.kind in ("answer", "policy") and "征期" not in notice.text[:12]:
                    _check(notice.text, live, now)
    finally:
        await rehearsal.close()


async def _meddle(rehearsal: Rehearsal, chance: random.Random) -> None:
    entry = chance.choice(ENTRIES[:-1])
    what = chance.randrange(4)
    if what == 0:
        today = date.fromtimestamp(rehearsal.engine.business() + 8 * 3600)
        last = today + timedelta(days=chance.randrange(-1, 2))
        changed = replace(
            entry, answer=f"{entry.answer}（{chance.randrange(99)}）", valid_from="", valid_to=last.isoformat()
        )
        await rehearsal.engine.apply(lambda tx: faq.publish(tx, changed, "a", "b"))
    elif what == 1:
        await rehearsal.engine.apply(lambda tx: faq.withdraw(tx, entry.id, "b"))


def _check(text: str, live: list[Entry], now: int) -> None:
    found = [
        entry for entry in live if f"【解答】{entry.question}\n{entry.answer}\n依据：{entry.basis}\n有效期：" in text
    ]
    assert len(found) == text.count("【解答】") > 0, text
    assert all(standing(entry, office_day(now)) == "live" for entry in found), text
