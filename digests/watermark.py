"""A watermark camera's words: when and where a photo was taken, out of the lines read in it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence

ZONE = datetime.timezone(datetime.timedelta(hours=8))
DAY = r"(20\d\d)\s?[-./年]\s?(\d{1,2})\s?[-./月]\s?(\d{1,2})日?"
TIME = r"(?<!\d)([01]?\d|2[0-3])[:：]([0-5]\d)(?!\d)"
STAMP = re.compile(f"{DAY}.{{0,12}}?{TIME}", re.DOTALL)
CLOCK = re.compile(TIME)
DATE = re.compile(DAY)


def taken_at(lines: Sequence[str]) -> int | None:
    """The watermark's moment in epoch seconds (Shanghai); None without both a day and a time of day."""
    text = "\n".join(lines)
    whole = STAMP.search(text)
    day, time = whole or DATE.search(text), CLOCK.search(text)
    if day is None or (whole is None and time is None):
        return None
    hour, minute = whole.group(4, 5) if whole else time.groups() if time else ("0", "0")
    try:
        moment = datetime.datetime(*map(int, (*day.group(1, 2, 3), hour, minute)), tzinfo=ZONE)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return int(moment.timestamp())


def place_in(lines: Sequence[str], names: Mapping[str, str]) -> str:
    """The id of the longest place name the lines hold; `names` are name → id."""
    text = re.sub(r"\s", "", "".join(lines))
    found = [name for name in names if len(name) > 1 and name in text]
    return names[max(found, key=lambda name: (len(name), name))] if found else ""
