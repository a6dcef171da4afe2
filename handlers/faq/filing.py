"""Filing deadlines: published days, else the rule that reproduces them, labelled 预计; and questions about them.

Rule (faq.md E1, reproduces 2024–2026): the 15th; every run of three or more days off within the 1st–15th adds its
length in working days; if there is none and the 15th is a day off, the next working day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from config.faq.filing import Published, shipped_filing
from handlers.calendar import Calendar
from handlers.faq.normalise import widen

RUN = 3
NUMBERS = {sign: n for n, sign in enumerate("一二三四五六七八九十", 1)} | {"十一": 11, "十二": 12, "元": 1, "腊": 12}
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last filing day of a month; without a document it is computed and must be called 预计."""

    year: int
    month: int
    day: date
    document: str = ""
    source: str = ""
    following: Deadline | None = None

    @property
    def text(self) -> str:
        """What is said in chat; of a month that is over also when the next one ends."""
        return f"{self._alone}（已过）{self.following._alone}" if self.following else self._alone

    @property
    def _alone(self) -> str:
        when = f"{self.day.month}月{self.day.day}日（周{WEEKDAYS[self.day.weekday()]}）"
        if self.document:
            return f"{self.year}年{self.month}月征期截止{when}。依据：{self.document}。"
        return f"{self.year}年{self.month}月征期预计截止{when}，以税务机关通知为准。"


class FilingCalendar:
    """Deadlines by month. `published` wins; other months are computed from working days."""

    def __init__(
        self, calendar: Calendar | None = None, published: Mapping[tuple[int, int], Published] | None = None
    ) -> None:
        self._calendar = calendar or Calendar()
        self._published = shipped_filing() if published is None else published

    def deadline(self, year: int, month: int) -> Deadline:
        """The deadline of one month."""
        known = self._published.get((year, month))
        if known is not None:
            return Deadline(year, month, known.day, known.document, known.source)
        return Deadline(year, month, self.computed(year, month))

    def computed(self, year: int, month: int) -> date:
        """The rule alone."""
        last = date(year, month, 15)
        added = sum(run for run in self._runs(year, month) if run >= RUN)
        if not added:
            return last if self._calendar.is_workday(last) else self._later(last, 1)
        return self._later(last, added)

    def next(self, today: date) -> Deadline:
        """The nearest deadline that is not over."""
        this = self.deadline(today.year, today.month)
        if today <= this.day:
            return this
        return self.deadline(today.year + today.month // 12, today.month % 12 + 1)

    def reminders(self, year: int, month: int, before: tuple[int, ...] = (5, 3, 1, 0)) -> dict[int, date]:
        """Working days before the deadline → the day to remind on. Computed months have none: never pushed as official."""
        deadline = self.deadline(year, month)
        if not deadline.document:
            return {}
        return {n: self._earlier(deadline.day, n) for n in before}

    def answer(self, text: str, today: date) -> Deadline | None:
        """The deadline a message asks for, or None when it is no calendar question."""
        month = asked_month(text, today)
        if month is None:
            return None
        asked = self.next(today) if month == () else self.deadline(*month)
        over = (asked.year, asked.month) == (today.year, today.month) and asked.day < today
        return replace(asked, following=self.next(today)) if over else asked

    def _runs(self, year: int, month: int) -> list[int]:
        runs = [0]
        for day in range(1, 16):
            if self._calendar.is_workday(date(year, month, day)):
                runs.append(0)
            else:
                runs[-1] += 1
        return runs

    def _later(self, day: date, working: int) -> date:
        while working:
            day += timedelta(days=1)
            working -= self._calendar.is_workday(day)
        return day

    def _earlier(self, day: date, working: int) -> date:
        while working:
            day -= timedelta(days=1)
            working -= self._calendar.is_workday(day)
        return day


PERIOD_WORD = re.compile(r"征期|征收期|申报期|报税期|办税日历|大征期")
END = re.compile(
    r"截止|截至|结束|最后一天|最后期限|最晚|到(?:几|哪|多少)|(?:几|哪|多少)[号日天].{0,4}(?:前|止|截)|几号|哪天|哪一天|啥时候|什么时候|何时|好久"
)
FILE = re.compile(r"申报|报税|纳税|税|征期|缴款")
NOW = re.compile(
    r"这个?月|本月|当月|这次|本期|这期|下个?月|上个?月|(?:1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月(?!底|末|初|\d|份?之?前)"
)
OVER = re.compile(r"^.{0,10}(?:过|结束|完|截止)了?(?:没有?|吗|么|不)[?？]?$")
MONTH = re.compile(r"(?:(20\d\d)年|(明年|去年|今年))?的?(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月")
BARE = re.compile(
    r"^(?:请问)?(?:这个?|本|下个?)月(?:的)?(?:报税|申报)?(?:是)?(?:什么时候|几号|哪天|啥时候)(?:截止|结束|到期)"
)
OTHER = re.compile(
    r"汇算|年报|年度|社保|医保|养老|残保|工商|退税|补税|注销|发票|开票|专项|扣除|预约|过了|逾期|错过|忘|没报|没申报|罚|滞纳|延期|晚了|"
    r"补报|更正|作废|奖金|优惠|政策|财务报表|财报|印花|房产税|车船|契税|购置|工资发|经营所得|勾选|认证|抵扣|登记|变更"
)


def asked_month(text: str, today: date) -> tuple[int, int] | tuple[()] | None:
    """(year, month) a calendar question is about, () for the coming deadline, None when it is no such question."""
    plain = widen(text).replace(" ", "")
    if PERIOD_WORD.search(plain) and OVER.search(plain):
        return _month(plain, today)
    if len(plain) > 40 or OTHER.search(plain):
        return None
    by_word = PERIOD_WORD.search(plain) and (END.search(plain) or len(plain) <= 8 or NOW.search(plain))
    by_month = NOW.search(plain) and END.search(plain) and (FILE.search(plain) or BARE.search(plain))
    if not (by_word or by_month):
        return None
    return _month(plain, today)


def _month(plain: str, today: date) -> tuple[int, int] | tuple[()]:
    if found := MONTH.search(plain):
        month = int(found[3]) if found[3].isdigit() else NUMBERS[found[3]]
        shift = {"明年": 1, "去年": -1}.get(found[2] or "", 0)
        if found[1] or found[2]:
            return int(found[1] or today.year) + shift, month
        return today.year + (month < today.month - 6), month
    if re.search(r"下个?月", plain):
        return today.year + today.month // 12, today.month % 12 + 1
    if re.search(r"这个?月|本月|当月", plain):
        return today.year, today.month
    return ()
