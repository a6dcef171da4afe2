"""Random lives of a task against a small model of its own: state, right, limit to the second, and the caps."""

from __future__ import annotations

import asyncio
import copy
import os
import sqlite3
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from bot.rehearse import Line, Rehearsal
from bot.statistics import Book, differences
from store import history, tasks
from store.tasks import Task
from tests.flows.chat import PERSON
from tests.flows.model import ALL, DESK, FINAL, HELPER, LEADS, REPORTER, START, WORDS, ZONE, Model
from tests.flows.town import TOWN, PlainReader

KINDS = (*("usual",) * 8, "anybody", "anybody", "late", "late", "anything", "end")


class Life(RuleBasedStateMachine):
    """The real thing beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.model = Model()
        self.real: Rehearsal = self.loop.run_until_complete(Rehearsal.open(TOWN, START))
        self._line(0, REPORTER, "三角绿地小广告")
        self._line(0, "王芳", "府前路违停")  # what the task may be merged into

    def _line(self, t: int, who: str = "", text: str = "") -> Any:
        line = Line(t, "ssp" if who else "", PERSON[who] if who else "", text)
        step = self.loop.run_until_complete(self.real.step(line))
        self.loop.run_until_complete(self.real.finish())
        return step

    @rule(minutes=st.sampled_from((1, 1, 3, 7, 7, 30, 60, 150, 150, 600, 1440, 7 * 1440, 10_500)))
    def wait(self, minutes: int) -> None:
        self.model.wait(minutes)
        self._compare(self._line(self.model.now - START), "")

    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def say(self, data: Any, kind: str) -> None:
        """Mostly a step that may be taken now, by whom it belongs to; sometimes anything, sometimes by anybody."""
        day = datetime.fromtimestamp(self.model.now, ZONE).date() + timedelta(days=2)
        until = int(datetime(day.year, day.month, day.day, 8, 30, tzinfo=ZONE).timestamp())
        now = {what: copy.copy(self.model).say(self._usual(what), what, until) for what in sorted(WORDS)}
        legal = [what for what, refused in now.items() if not refused and what not in FINAL]
        late = [what for what, refused in now.items() if refused == "too_late"] or legal
        ends = [what for what in FINAL if not now[what]]
        chosen = {"usual": legal, "anybody": legal, "late": late, "end": ends}.get(kind) or sorted(WORDS)
        what = data.draw(st.sampled_from(chosen))
        speakers = (HELPER, *ALL) if kind == "anybody" else (self._usual(what), self._usual(what), *self._other(what))
        speaker = data.draw(st.sampled_from(speakers))
        expected = self.model.say(speaker, what, until)
        step = self._line(self.model.now - START, speaker, WORDS[what][0].format(date=day.isoformat()))
        self._compare(step, expected)

    def _usual(self, what: str) -> str:
        who = WORDS[what][1]
        return LEADS[self.model.lead] if who == "lead" else who

    def _other(self, what: str) -> tuple[str, ...]:
        """Who else takes this step: with several units each does its part; a dispatcher suspends at once."""
        if what == "suspend":
            return (DESK,)
        return tuple(LEADS[u] for u in self.model.units - {self.model.lead}) if WORDS[what][1] == "lead" else ()

    def _compare(self, step: Any, refused: str) -> None:
        task, model = next(task for task in step.tasks if task["number"] == "1123-001"), self.model
        seen = (
            step.refused or "",
            task["state"],
            task["due_at"],
            task["extension_pending"],
            task["unit"],
            set(task["units"]),
            task["merged_into"],
        )
        merged = "1123-002" if model.state == "merged" else None
        ought = (refused, model.state, model.due, model.asked == "extend", model.lead, set(model.units), merged)
        assert seen == ought, (seen, ought, vars(model))

    def teardown(self) -> None:
        counted: dict[tuple[str, str], int] = {}
        for row, _ in self.real.stage.sent:
            if row.kind in ("reminder", "escalation"):
                counted[row.person, row.task or ""] = counted.get((row.person, row.task or ""), 0) + 1
        task, faults = self.loop.run_until_complete(self.real.engine.store.read(self._ends))
        self.loop.run_until_complete(self.real.close())
        self.loop.close()
        model = self.model
        assert max(counted.values(), default=0) <= 2 and faults == []
        seen = (task.returns, task.extensions, task.suspensions, task.reworks, task.exempt, bool(task.overran))
        ought = (model.returns, model.extensions, model.suspensions, model.reworks, model.exempt, model.overran)
        assert (*seen, bool(task.final)) == (*ought, model.final), vars(model)

    def _ends(self, connection: sqlite3.Connection) -> tuple[Task, list[str]]:
        """The task, and what is wrong with its history or with the statistics rebuilt from it."""
        office, now = self.real.engine.office, self.real.engine.store.now()
        book = Book(office.county, office.worktime)
        task = tasks.by_number(connection, "1123-001")
        assert task is not None
        return task, [*history.verify(connection), *differences(connection, book, now)]


def _live(examples: int) -> None:
    quiet = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
    profile = settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=quiet,
        derandomize=examples < 1000,
    )
    run_state_machine_as_test(Life, settings=profile)


def test_no_life_of_a_task_leaves_the_model() -> None:
    _live(200)


@pytest.mark.long
def test_no_life_of_a_task_leaves_the_model_in_20_000_lives() -> None:
    _live(int(os.environ.get("QUNBAN_LIVES", "20000")))


def test_the_machine_uses_the_plain_reader() -> None:
    assert PlainReader(TOWN).read("三角绿地小广告", 0).sure
