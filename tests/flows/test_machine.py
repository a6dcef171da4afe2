"""Random lives of a task against a small model of its own: state, right, limit to the second, and the caps."""

from __future__ import annotations

import asyncio
import copy
import os
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from bot.rehearse import Line, Rehearsal
from store import history
from tests.flows.chat import PERSON
from tests.flows.town import TOWN, PlainReader

ZONE = timezone(timedelta(hours=8))
START = int(datetime(2026, 11, 23, 9, tzinfo=ZONE).timestamp())
WORK_DAY = 9 * 3600 + 1800
HANDLER, REPORTER, DESK, CHECKER, ARBITER, LEADER, OTHER = "张强", "李敏", "赵静", "钱芳", "周敏", "高远", "何建"


def working(at: int) -> bool:
    """Monday to Friday, 08:30 to 18:00; no holiday falls into the weeks these lives last."""
    then = datetime.fromtimestamp(at, ZONE)
    return then.weekday() < 5 and (8, 30) <= (then.hour, then.minute) < (18, 0)


def spent(start: int, end: int) -> int:
    return sum(60 for at in range(start, end, 60) if working(at))


def after(start: int, seconds: int) -> int:
    """The first moment at which so many working seconds have gone by, minute by minute."""
    at, left = start, seconds
    while left > 0:
        at += 60
        left -= 60 if working(at - 60) else 0
    return at


def opening(at: int) -> int:
    while not working(at):
        at += 60
    return at


class Model:
    """What ought to be: one task of one working day, handled by one unit."""

    def __init__(self) -> None:
        self.now, self.state = START, "dispatched"
        self.returns = self.extensions = self.suspensions = self.reworks = self.used = 0
        self.final, self.asked = False, ""
        self.allowed, self.resume_at, self.ended, self.closed = WORK_DAY, 0, 0, 0
        self.began: int | None = START
        self.due: int | None = after(START, WORK_DAY)

    def wait(self, minutes: int) -> None:
        self.now += minutes * 60
        if self.state == "suspended" and self.now >= self.resume_at:
            self._run(self.resume_at)
            self.state = "in_progress"

    def _run(self, at: int) -> None:
        self.began = opening(at)
        self.due = after(self.began, self.allowed - self.used)

    def _fresh(self) -> None:
        self.allowed, self.used = WORK_DAY, 0
        self._run(self.now)

    def say(self, who: str, what: str, until: int = 0) -> str:
        """Take the step if it may be taken; the refusal otherwise."""
        step = getattr(self, f"_{what}")
        refused: str = step(who, until) or ""
        return refused

    def _accept(self, who: str, _: int) -> str | None:
        if self.state != "dispatched":
            return "wrong_state"
        if who != HANDLER:
            return "not_allowed"
        self.state = "accepted"
        return None

    def _arrive(self, who: str, _: int) -> str | None:
        if self.state not in ("dispatched", "accepted", "rework"):
            return "wrong_state"
        if who != HANDLER:
            return "not_allowed"
        self.state = "in_progress"
        return None

    def _feed_back(self, who: str, _: int) -> str | None:
        if self.state not in ("dispatched", "accepted", "in_progress", "rework"):
            return "wrong_state"
        if who != HANDLER:
            return "not_allowed"
        self.state, self.asked = "feedback_given", ""
        return None

    def _verify_ok(self, who: str, _: int) -> str | None:
        if self.state != "feedback_given":
            return "wrong_state"
        if who not in (REPORTER, CHECKER, DESK):
            return "own_unit" if who == HANDLER else "not_allowed"
        self.state, self.ended, self.closed = "closed", self.now, self.now
        return None

    def _verify_fail(self, who: str, until: int) -> str | None:
        if self.state == "closed":
            return self._reopen(who, until)
        if self.state != "feedback_given":
            return "wrong_state"
        if who not in (REPORTER, CHECKER, DESK):
            return "own_unit" if who == HANDLER else "not_allowed"
        self.state = "rework"
        self._fresh()
        return None

    def _reopen(self, who: str, _: int) -> str | None:
        if self.state != "closed":
            return "wrong_state"
        if who not in (REPORTER, CHECKER):
            return "own_unit" if who == HANDLER else "not_allowed"
        if self.now - self.closed > 7 * 86400:
            return "too_late"
        self.state = "rework"
        self._fresh()
        return None

    def _return(self, who: str, _: int) -> str | None:
        if self.state not in ("dispatched", "accepted"):
            return "wrong_state"
        if who != HANDLER:
            return "not_allowed"
        if self.final:
            return "not_allowed"
        quarter = self.began is not None and (self.used + spent(self.began, self.now)) * 4 > self.allowed
        if self.returns >= 2 or quarter:
            return "too_late"
        self.state, self.returns, self.asked = "returned", self.returns + 1, ""
        return None

    def _assign(self, who: str, _: int) -> str | None:
        if self.state not in ("pending_confirmation", "dispatched", "accepted", "returned"):
            return "wrong_state"
        if who not in (DESK, ARBITER):
            return "not_allowed"
        self.final = self.state == "returned" and (who == ARBITER or self.returns >= 2)
        self.state, self.asked = "dispatched", ""
        if self.due is None:
            self._fresh()
        return None

    def _extend(self, who: str, _: int) -> str | None:
        if self.state not in ("accepted", "in_progress"):
            return "wrong_state"
        if who != HANDLER:
            return "not_allowed"
        if self.asked:
            return "wrong_state"
        if (self.due is not None and self.now > self.due) or self.extensions >= 2:
            return "too_late"
        self.asked = "extend"
        return None

    def _grant(self, who: str, _: int) -> str | None:
        if (refused := self._answer(who)) is not None:
            return refused
        self.asked, self.extensions, self.allowed = "", self.extensions + 1, self.allowed + WORK_DAY
        assert self.began is not None
        self.due = after(self.began, self.allowed - self.used)
        return None

    def _deny(self, who: str, _: int) -> str | None:
        if (refused := self._answer(who)) is not None:
            return refused
        self.asked = ""
        return None

    def _answer(self, who: str) -> str | None:
        if self.state not in ("accepted", "in_progress"):
            return "wrong_state"
        if who != DESK:
            return "not_allowed"
        return None if self.asked == "extend" else "wrong_state"

    def _suspend(self, who: str, until: int) -> str | None:
        if self.state not in ("accepted", "in_progress"):
            return "wrong_state"
        if who != DESK:
            return "not_allowed"
        if self.suspensions:
            return "too_late"
        assert self.began is not None
        self.used += max(0, spent(self.began, self.now))
        self.state, self.asked, self.suspensions, self.resume_at = "suspended", "", 1, until
        self.began = self.due = None
        return None

    def _resume(self, who: str, _: int) -> str | None:
        if self.state != "suspended":
            return "wrong_state"
        if who not in (DESK, HANDLER):
            return "not_allowed"
        self.state = "in_progress"
        self._run(self.now)
        return None

    def _withdraw(self, who: str, _: int) -> str | None:
        early = self.state in ("pending_confirmation", "dispatched")
        if not early and self.state not in ("accepted", "in_progress", "rework", "returned"):
            return "wrong_state"
        if who not in ((REPORTER, DESK) if early else (DESK,)):
            return "not_allowed"
        self.state, self.ended = "withdrawn", self.now
        return None

    def _reject(self, who: str, _: int) -> str | None:
        if self.state not in ("pending_confirmation", "dispatched", "returned"):
            return "wrong_state"
        if who != DESK:
            return "not_allowed"
        self.state, self.ended = "rejected", self.now
        return None

    def _appeal(self, who: str, _: int) -> str | None:
        if self.state != "rejected":
            return "wrong_state"
        if who != REPORTER:
            return "not_allowed"
        if self.now - self.ended > 86400:
            return "too_late"
        self.state, self.due, self.began = "pending_confirmation", None, None
        return None

    def _force_close(self, who: str, _: int) -> str | None:
        if self.state in ("closed", "rejected", "withdrawn"):
            return "wrong_state"
        if who != LEADER:
            return "not_allowed"
        self.state, self.asked, self.ended, self.closed = "closed", "", self.now, self.now
        return None


WORDS = {
    "accept": "签收 1123-001",
    "arrive": "到场 1123-001",
    "feed_back": "反馈 1123-001 已清理",
    "verify_ok": "通过 1123-001",
    "verify_fail": "返工 1123-001 没清",
    "reopen": "重开 1123-001",
    "return": "退单 1123-001 不属于",
    "assign": "派 1123-001 城管局",
    "extend": "延期 1123-001 等配件",
    "grant": "同意延期 1123-001",
    "deny": "不同意延期 1123-001",
    "suspend": "挂账 1123-001 {date} 等配件",
    "resume": "恢复办理 1123-001",
    "withdraw": "撤回 1123-001 重复",
    "reject": "不予受理 1123-001 重复",
    "appeal": "申诉 1123-001 不同处",
    "force_close": "强制办结 1123-001 已处理",
}
USUAL = {
    "accept": HANDLER, "arrive": HANDLER, "feed_back": HANDLER, "return": HANDLER, "extend": HANDLER, "verify_ok": REPORTER,
    "verify_fail": CHECKER, "reopen": REPORTER, "assign": DESK, "grant": DESK, "deny": DESK, "suspend": DESK, "resume": DESK,
    "withdraw": DESK, "reject": DESK, "appeal": REPORTER, "force_close": LEADER,
}  # fmt: skip
ALL = (HANDLER, REPORTER, DESK, CHECKER, ARBITER, LEADER, OTHER)
ENDS = ("withdraw", "reject", "force_close")


class Life(RuleBasedStateMachine):
    """The real thing beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.model = Model()
        self.real: Rehearsal = self.loop.run_until_complete(Rehearsal.open(TOWN, START))
        self._line(0, REPORTER, "三角绿地小广告")

    def _line(self, t: int, who: str = "", text: str = "") -> Any:
        line = Line(t, "ssp" if who else "", PERSON[who] if who else "", text)
        step = self.loop.run_until_complete(self.real.step(line))
        self.loop.run_until_complete(self.real.finish())
        return step

    @rule(minutes=st.sampled_from((1, 1, 3, 7, 7, 30, 60, 150, 150, 600, 1440, 9 * 1440)))
    def wait(self, minutes: int) -> None:
        self.model.wait(minutes)
        self._compare(self._line(self.model.now - START), "")

    @rule(data=st.data(), kind=st.sampled_from(("usual", "usual", "usual", "late", "anything", "anybody")))
    def say(self, data: Any, kind: str) -> None:
        """Mostly a step that may be taken now, by whom it belongs to; sometimes anything, sometimes by anybody."""
        day = datetime.fromtimestamp(self.model.now, ZONE).date() + timedelta(days=2)
        until = int(datetime(day.year, day.month, day.day, 8, 30, tzinfo=ZONE).timestamp())
        now = {what: copy.copy(self.model).say(USUAL[what], what, until) for what in sorted(WORDS)}
        legal = [what for what, refused in now.items() if not refused and what not in ENDS]
        late = [what for what, refused in now.items() if refused == "too_late"] or [w for w in ENDS if not now[w]]
        chosen = {"usual": legal, "anybody": legal, "late": late}.get(kind) or sorted(WORDS)
        what = data.draw(st.sampled_from(chosen))
        speaker = data.draw(st.sampled_from(ALL)) if kind == "anybody" else USUAL[what]
        if what == "suspend" and speaker != DESK:
            return
        expected = self.model.say(speaker, what, until)
        step = self._line(self.model.now - START, speaker, WORDS[what].format(date=day.isoformat()))
        self._compare(step, expected)

    def _compare(self, step: Any, refused: str) -> None:
        task, model = step.tasks[0], self.model
        seen = (step.refused or "", task["state"], task["due_at"], task["extension_pending"])
        assert seen == (refused, model.state, model.due, model.asked == "extend"), (seen, refused, vars(model))

    def teardown(self) -> None:
        counted: dict[tuple[str, str], int] = {}
        for row, _ in self.real.stage.sent:
            if row.kind in ("reminder", "escalation"):
                counted[row.person, row.task or ""] = counted.get((row.person, row.task or ""), 0) + 1
        faults = self.loop.run_until_complete(self.real.engine.store.read(lambda c: list(history.verify(c))))
        self.loop.run_until_complete(self.real.close())
        self.loop.close()
        assert max(counted.values(), default=0) <= 2 and faults == []


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
