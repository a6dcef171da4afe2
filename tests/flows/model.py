"""What ought to be: one task of one working day's limit, told independently of the code it is held against."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
START = int(datetime(2026, 11, 23, 9, tzinfo=ZONE).timestamp())
DAY = 86400
WORK_DAY = 9 * 3600 + 1800
LEADS = {"cgj": "张强", "zjj": "陈波"}
HANDLER, HELPER = LEADS["cgj"], LEADS["zjj"]
REPORTER, DESK, CHECKER, ARBITER, LEADER, OTHER = "李敏", "赵静", "钱芳", "周敏", "高远", "何建"
WORKING = ("accepted", "in_progress", "rework")
UNSIGNED = ("pending_confirmation", "dispatched")
ENDED = ("closed", "rejected", "withdrawn", "merged")


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
    """Steps return the refusal's word, or nothing."""

    def __init__(self) -> None:
        self.now, self.state, self.lead = START, "dispatched", "cgj"
        self.units: frozenset[str] = frozenset({"cgj"})
        self.reported: frozenset[str] = frozenset()
        self.returns = self.extensions = self.suspensions = self.reworks = self.used = self.exempt = 0
        self.final, self.overran, self.asked, self.before = False, False, "", ""
        self.allowed, self.resume_at, self.asked_until, self.ended = WORK_DAY, 0, 0, 0
        self.answered: int | None = None
        self.began: int | None = START
        self.due: int | None = after(START, WORK_DAY)

    def wait(self, minutes: int) -> None:
        self.now += minutes * 60
        if self.state == "suspended" and self.now >= self.resume_at:
            self._run(self.resume_at)
            self.state = "in_progress"

    def say(self, who: str, what: str, until: int = 0) -> str:
        """Take the step if it may be taken; the refusal otherwise."""
        refused: str = getattr(self, f"_{what}")(who, until) or ""
        return refused

    def _run(self, at: int) -> None:
        self.began = opening(at)
        self.due = after(self.began, self.allowed - self.used)

    def _fresh(self) -> None:
        self.allowed, self.used = WORK_DAY, 0
        self._run(self.now)

    def _leads(self, who: str) -> bool:
        return who == LEADS[self.lead]

    def _helps(self, who: str) -> bool:
        return who in {LEADS[unit] for unit in self.units - {self.lead}}

    def _barred(self, who: str, sources: tuple[str, ...], *allowed: str) -> str | None:
        if self.state not in sources:
            return "wrong_state"
        return None if who in allowed else "not_allowed"

    def _accept(self, who: str, _: int) -> str | None:
        if self._helps(who) and self.state in ("dispatched", *WORKING):
            return None
        if refused := self._barred(who, ("dispatched",), LEADS[self.lead]):
            return refused
        self.state = "accepted"
        return None

    def _arrive(self, who: str, _: int) -> str | None:
        if self._helps(who) and self.state in ("dispatched", *WORKING):
            return None
        if refused := self._barred(who, ("dispatched", "accepted", "rework"), LEADS[self.lead]):
            return refused
        self.state = "in_progress"
        return None

    def _feed_back(self, who: str, _: int) -> str | None:
        both = {LEADS[unit]: unit for unit in self.units}
        if refused := self._barred(who, ("dispatched", *WORKING), *both):
            return refused
        self.reported |= {both[who]}
        if self.reported >= self.units:
            self.state, self.asked, self.answered = "feedback_given", "", self.now
        return None

    def _checked(self, who: str, source: str, *allowed: str) -> str | None:
        if self.state != source:
            return "wrong_state"
        if who not in allowed:
            return "own_unit" if self._leads(who) or self._helps(who) else "not_allowed"
        return None

    def _verify_ok(self, who: str, _: int) -> str | None:
        if refused := self._checked(who, "feedback_given", REPORTER, CHECKER, DESK):
            return refused
        self.state, self.ended = "closed", self.now
        return None

    def _verify_fail(self, who: str, until: int) -> str | None:
        if self.state == "closed":
            return self._reopen(who, until)
        return self._checked(who, "feedback_given", REPORTER, CHECKER, DESK) or self._again()

    def _reopen(self, who: str, _: int) -> str | None:
        if refused := self._checked(who, "closed", REPORTER, CHECKER):
            return refused
        return "too_late" if self.now - self.ended > 7 * DAY else self._again()

    def _again(self) -> str | None:
        self.overran, self.answered, self.exempt = self._late(), None, 0
        self.state, self.reported, self.reworks = "rework", frozenset(), self.reworks + 1
        self._fresh()
        return None

    def _late(self) -> bool:
        answered = self.answered or self.ended
        return self.overran or (self.due is not None and answered > self.due)

    def _return(self, who: str, _: int) -> str | None:
        helpers = [LEADS[unit] for unit in self.units]
        if refused := self._barred(who, ("dispatched", "accepted"), *helpers):
            return refused
        if self.final:
            return "not_allowed"
        quarter = self.began is not None and (self.used + spent(self.began, self.now)) * 4 > self.allowed
        if self.returns >= 2 or quarter:
            return "too_late"
        self.state, self.returns, self.asked = "returned", self.returns + 1, ""
        return None

    def _assign(self, who: str, until: int, unit: str = "cgj") -> str | None:
        if refused := self._barred(who, (*UNSIGNED, "accepted", "returned"), DESK, ARBITER):
            return refused
        return self._hand(unit, frozenset({unit}), self._ruled(who))

    def _assign_other(self, who: str, until: int) -> str | None:
        return self._assign(who, until, "zjj")

    def _joint(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, (*UNSIGNED, "returned", "accepted", "in_progress"), DESK, ARBITER):
            return refused
        both, stays = frozenset({"cgj", "zjj"}), self.lead == "cgj"
        if self.state in ("accepted", "in_progress") and stays:
            self.units = both
            return None
        return self._hand("cgj", both, self._ruled(who) or (self.final and stays))

    def _ruled(self, who: str) -> bool:
        return self.state == "returned" and (who == ARBITER or self.returns >= 2)

    def _hand(self, lead: str, units: frozenset[str], final: bool) -> str | None:
        self.lead, self.units, self.reported, self.final = lead, units, frozenset(), final
        self.state, self.asked = "dispatched", ""
        if self.due is None:
            self._fresh()
        return None

    def _extend(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, ("accepted", "in_progress"), LEADS[self.lead]):
            return refused
        if self.asked:
            return "wrong_state"
        if (self.due is not None and self.now > self.due) or self.extensions >= 2:
            return "too_late"
        self.asked = "extend"
        return None

    def _grant(self, who: str, _: int) -> str | None:
        if (refused := self._answer(who, "extend")) is not None:
            return refused
        self.asked, self.extensions, self.allowed = "", self.extensions + 1, self.allowed + WORK_DAY
        assert self.began is not None
        self.due = after(self.began, self.allowed - self.used)
        return None

    def _deny(self, who: str, _: int) -> str | None:
        refused = self._answer(who, "extend")
        self.asked = self.asked if refused else ""
        return refused

    def _answer(self, who: str, to: str) -> str | None:
        if refused := self._barred(who, ("accepted", "in_progress"), DESK):
            return refused
        return None if self.asked == to else "wrong_state"

    def _suspend(self, who: str, until: int) -> str | None:
        if refused := self._barred(who, ("accepted", "in_progress"), DESK, LEADS[self.lead]):
            return refused
        if who != DESK and self.asked:
            return "wrong_state"
        if self.suspensions:
            return "too_late"
        if who != DESK:
            self.asked, self.asked_until = "suspend", until
            return None
        return self._stop(until)

    def _suspend_ok(self, who: str, _: int) -> str | None:
        if (refused := self._answer(who, "suspend")) is not None:
            return refused
        return "unclear" if self.asked_until <= self.now else self._stop(self.asked_until)

    def _suspend_no(self, who: str, _: int) -> str | None:
        refused = self._answer(who, "suspend")
        self.asked = self.asked if refused else ""
        return refused

    def _stop(self, until: int) -> str | None:
        assert self.began is not None
        self.used += max(0, spent(self.began, self.now))
        self.state, self.asked, self.suspensions, self.resume_at = "suspended", "", 1, until
        self.began = self.due = None
        return None

    def _resume(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, ("suspended",), DESK, LEADS[self.lead]):
            return refused
        self.state = "in_progress"
        self._run(self.now)
        return None

    def _withdraw(self, who: str, _: int) -> str | None:
        early = self.state in UNSIGNED
        if refused := self._barred(who, (*UNSIGNED, *WORKING, "returned"), *((REPORTER, DESK) if early else (DESK,))):
            return refused
        self.state, self.ended = "withdrawn", self.now
        return None

    def _reject(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, (*UNSIGNED, "returned"), DESK):
            return refused
        self.state, self.ended = "rejected", self.now
        return None

    def _appeal(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, ("rejected",), REPORTER):
            return refused
        if self.now - self.ended > DAY:
            return "too_late"
        self.state, self.due, self.began = "pending_confirmation", None, None
        return None

    def _merge(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, UNSIGNED, DESK):
            return refused
        self.before, self.state, self.ended = self.state, "merged", self.now
        return None

    def _split(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, ("merged",), DESK, REPORTER):
            return refused
        if self.now - self.ended > DAY:
            return "too_late"
        self.state = self.before
        return None

    def _force_close(self, who: str, _: int) -> str | None:
        if self.state in ENDED:
            return "wrong_state"
        if who != LEADER:
            return "not_allowed"
        self.state, self.asked, self.ended = "closed", "", self.now
        return None

    def _exempt(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, ("closed",), DESK):
            return refused
        if not self._late() or self.exempt:
            return "wrong_state"
        self.exempt = 1
        return None

    def _exempt_ok(self, who: str, _: int) -> str | None:
        if refused := self._barred(who, ("closed",), ARBITER):
            return refused
        if self.exempt != 1:
            return "wrong_state"
        self.exempt = 2
        return None

    def _urge(self, who: str, _: int) -> str | None:
        return self._barred(who, ("dispatched", *WORKING), REPORTER, DESK)


WORDS: dict[
    str, tuple[str, str]
] = {  # what is said, and who usually says it ("lead": whoever leads, "helper": the other)
    "accept": ("签收 1123-001", "lead"),
    "arrive": ("到场 1123-001", "lead"),
    "feed_back": ("反馈 1123-001 已清理", "lead"),
    "verify_ok": ("通过 1123-001", REPORTER),
    "verify_fail": ("返工 1123-001 没清", CHECKER),
    "reopen": ("重开 1123-001", REPORTER),
    "return": ("退单 1123-001 不属于", "lead"),
    "assign": ("派 1123-001 城管局", DESK),
    "assign_other": ("改派 1123-001 住建局", ARBITER),
    "joint": ("会办 1123-001 城管局牵头，住建局协办", DESK),
    "extend": ("延期 1123-001 等配件", "lead"),
    "grant": ("同意延期 1123-001", DESK),
    "deny": ("不同意延期 1123-001", DESK),
    "suspend": ("挂账 1123-001 {date} 等配件", "lead"),
    "suspend_ok": ("同意挂账 1123-001", DESK),
    "suspend_no": ("不同意挂账 1123-001", DESK),
    "resume": ("恢复办理 1123-001", DESK),
    "withdraw": ("撤回 1123-001 重复", DESK),
    "reject": ("不予受理 1123-001 重复", DESK),
    "appeal": ("申诉 1123-001 不同处", REPORTER),
    "merge": ("并案 1123-001 到 1123-002", DESK),
    "split": ("拆分 1123-001", REPORTER),
    "force_close": ("强制办结 1123-001 已处理", LEADER),
    "exempt": ("豁免 1123-001 等配件", DESK),
    "exempt_ok": ("同意豁免 1123-001", ARBITER),
    "urge": ("催办 1123-001", REPORTER),
}
ALL = (HANDLER, HELPER, REPORTER, DESK, CHECKER, ARBITER, LEADER, OTHER)
FINAL = ("withdraw", "reject", "force_close")
