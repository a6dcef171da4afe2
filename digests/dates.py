"""Dates as Chinese sites write them. A time without a zone is Shanghai time; what is no date stays None.

`today` is passed in where a form needs it (MM-DD, 昨天, 3小时前): this floor has no clock.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))
YEARS = range(1990, 2101)
CLOCK = r"(?:\D{0,3}?(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2}))?)?"
FULL = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})(?!\d)\s*日?[T\s]*" + CLOCK)
PACKED = re.compile(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:(\d\d)(\d\d)(\d\d)?)?(?!\d)")
SHORT = re.compile(r"(?<![\d-])(\d{1,2})[月/-](\d{1,2})(?![\d-])")
IN_URL = re.compile(r"/t?((?:19|20)\d\d)-?/?(\d\d)-?/?(\d\d)(?=[_/.])")
EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
AGO = re.compile(r"(\d{1,3})\s*(分钟|小时|天|日)前")
STEPS = {"分钟": timedelta(minutes=1), "小时": timedelta(hours=1), "天": timedelta(days=1), "日": timedelta(days=1)}
DAYS = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2}
HANZI = str.maketrans("〇零○О一二三四五六七八九", "0000123456789")
WRITTEN = re.compile(r"([〇零○О一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日")
WEEKDAYS = re.compile(r"^(?:(?:星期|周)[一二三四五六日天]\s*[,，]?|[A-Za-z]{3,9},)\s*")


def find_moment(text: str, today: date | None = None) -> datetime | None:
    """The first full date in `text`, with its time of day where one follows; zone-less means Shanghai."""
    full = FULL.search(text)
    if full:
        return _moment(full.groups())
    written = WRITTEN.search(text)
    if written:
        return _moment((written[1].translate(HANZI), str(_tens(written[2])), str(_tens(written[3])), None, None, None))
    packed = PACKED.search(text)
    if packed:
        return _moment(packed.groups())
    return _relative(text, today) if today else None


def find_date(text: str, today: date | None = None) -> str | None:
    """The same as yyyy-mm-dd."""
    moment = find_moment(text, today)
    return moment.date().isoformat() if moment else None


def date_in_url(url: str) -> str | None:
    """The day TRS and most other systems put into an article's address (…/t20240424_343546.html)."""
    found = IN_URL.search(url)
    moment = _moment((*found.groups(), None, None, None)) if found else None
    return moment.date().isoformat() if moment else None


def parse_moment(text: str, today: date | None = None) -> datetime | None:
    """A date field: ISO 8601, RFC 822, epoch seconds or milliseconds, or any form `find_moment` knows."""
    text = WEEKDAYS.sub("", text.strip())
    if EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), SHANGHAI)
    for read in (_iso, _mail):
        moment = read(text)
        if moment is not None:
            return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment
    return find_moment(text, today)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if "-" in text[:8] else None
    except ValueError:
        return None


def _mail(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _moment(parts: tuple[str | None, ...]) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in (*parts, None)[:6])
    if year not in YEARS:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
    except ValueError:
        return _moment((*parts[:3], None, None, None)) if hour or minute or second else None


def _relative(text: str, today: date) -> datetime | None:
    noon = datetime(today.year, today.month, today.day, tzinfo=SHANGHAI)
    for word, back in DAYS.items():
        if word in text:
            return noon - timedelta(days=back)
    ago = AGO.search(text)
    if ago:
        return noon - int(ago[1]) * STEPS[ago[2]] if ago[2] in "天日" else noon
    short = SHORT.search(text)
    if not short:
        return None
    moment = _moment((str(today.year), short[1], short[2], None, None, None))
    if moment and moment.date() > today + timedelta(days=1):  # a list without years shows the past
        return _moment((str(today.year - 1), short[1], short[2], None, None, None))
    return moment


def _tens(text: str) -> int:
    head, _, tail = text.partition("十")
    digits = "〇一二三四五六七八九"
    if "十" not in text:
        return digits.index(text[0])
    return 10 * (digits.index(head) if head else 1) + (digits.index(tail) if tail else 0)
