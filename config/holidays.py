"""The State Council's yearly notice as it is printed (国办发明电), read into calendar rows: 放假 and 上班, day by day."""

from __future__ import annotations

import re
from datetime import date, timedelta

from config.county import CalendarDay
from config.errors import Rejected

LONGEST = 31  # days in a row
_ASIDE = re.compile(r"[（(][^（）()]*[）)]")
_DAY = r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})[日号]"
_DATES = re.compile(rf"{_DAY}(?:\s*[至到—-]\s*{_DAY})?|(放假|休息|上班)")


def read_notice(text: str, year: int) -> tuple[CalendarDay, ...]:
    """Every day named, by the word that follows it. Raises Rejected when nothing can be read or a day does not exist."""
    waiting: list[date] = []
    found: dict[date, str] = {}
    month = 0
    for part in _DATES.finditer(_ASIDE.sub("", text)):
        if part[7]:
            found |= dict.fromkeys(waiting, "workday" if part[7] == "上班" else "holiday")
            waiting = []
            continue
        month = int(part[2] or month)
        first = _day(int(part[1] or year), month, int(part[3]))
        month = int(part[5] or month)
        waiting += span(first, _day(int(part[4] or first.year), month, int(part[6])) if part[6] else first)
    if not found:
        raise Rejected("没有读出日期。请粘贴放假通知原文，例如“元旦：1月1日至3日放假，1月4日上班。”")
    return tuple(CalendarDay(day.isoformat(), found[day]) for day in sorted(found))


def span(first: date, last: date) -> list[date]:
    """Every day from first to last. Raises Rejected when the order is wrong or it is too long."""
    length = (last - first).days + 1
    if not 1 <= length <= LONGEST:
        raise Rejected(f"“{first}”到“{last}”不对：结束不能早于开始，一次最多 {LONGEST} 天。")
    return [first + timedelta(days=n) for n in range(length)]


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise Rejected(f"没有{year}年{month}月{day}日这一天，请核对。") from error
