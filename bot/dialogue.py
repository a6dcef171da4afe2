"""A rehearsal as people write it: one line a message, names and clock times instead of ids and seconds.

    09:00 王芳：解放路垃圾桶满了没人收 [照片]
    09:05 王秀兰 回1：签收
    12:00                                   the clock runs
    王芳 撤回1

A line that begins with { is a line of the JSON form (design 8).
"""

from __future__ import annotations

import datetime
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot.script import SHANGHAI, START, Line, instant, read_script
from config.county import County
from config.errors import Fault

FILE = "剧本"
MOST = 200  # lines
STEP = 60  # seconds between two lines without a time
DAY = re.compile(r"^(?:(20\d\d)[-/年])?(\d{1,2})[-/月](\d{1,2})日?\s*")
CLOCK = re.compile(r"^(\d{1,2})[:：](\d{2})\s*")
SAYS = re.compile(r"^([^\s:：]{1,20})\s*(?:(回|撤回)\s*第?(\d{1,3})步?)?\s*(?:[:：]\s*(.*))?$", re.DOTALL)
PHOTO = re.compile(r"[\[【](?:照片|图片|图)[:：]?\s*([^\]】]{0,40})[\]】]")


def read_dialogue(text: str, county: County, group: str) -> tuple[int, list[Line], list[Fault]]:
    """(start, lines, faults), like `read_script`; photos are made pictures, never files."""
    rows = [row for row in text.splitlines() if row.strip()]
    if len(rows) > MOST:
        return instant(START), [], [Fault(FILE, MOST + 1, None, f"最多 {MOST} 行，请删短再试")]
    if rows and rows[0].lstrip().startswith("{"):
        return _json(text)
    reader = _Reader(county, group)
    for number, row in enumerate(text.splitlines(), 1):
        if row.strip():
            reader.take(number, row.strip())
    return reader.start, reader.lines, reader.faults


class _Reader:
    """Line by line; the clock only goes forward."""

    def __init__(self, county: County, group: str) -> None:
        self.start = instant(START)
        self.lines: list[Line] = []
        self.faults: list[Fault] = []
        self._now: datetime.datetime | None = None
        self._group = group
        self._people = {name: p.id for p in county.people for name in (p.id, p.name)}

    def take(self, number: int, row: str) -> None:
        rest = self._time(row)
        if rest is None:
            self.faults.append(Fault(FILE, number, None, "时间看不懂或比上一行早，已跳过"))
        elif not rest:
            self._add(Line(0))
        else:
            self._say(number, rest)

    def _time(self, row: str) -> str | None:
        """What follows the day and the time; None when they make no sense."""
        last = self._now or datetime.datetime.fromtimestamp(self.start, SHANGHAI)
        day, moment = DAY.match(row), last + datetime.timedelta(seconds=STEP if self._now else 0)
        row = row[day.end() :] if day else row
        clock = CLOCK.match(row)
        try:
            if day:
                year = int(day[1]) if day[1] else last.year
                moment = moment.replace(year=year, month=int(day[2]), day=int(day[3]))
            if clock:
                moment = moment.replace(hour=int(clock[1]), minute=int(clock[2]), second=0)
        except ValueError:
            return None
        if self._now is None:
            self.start = int(moment.timestamp())
        elif moment < last:
            return None
        self._now = moment
        return row[clock.end() :] if clock else row

    def _say(self, number: int, row: str) -> None:
        found = SAYS.match(row)
        sender = self._people.get(found[1]) if found else None
        if found is None or sender is None or (found[4] is None and found[2] != "撤回"):
            why = "应写成“姓名：话”" if sender or found is None or found[4] is None else f"没有“{found[1]}”这个人"
            self.faults.append(Fault(FILE, number, None, f"{why}，已跳过"))
            return
        step = int(found[3]) - 1 if found[3] else None
        if step is not None and not 0 <= step < len(self.lines):
            self.faults.append(Fault(FILE, number, None, f"前面没有第 {found[3]} 步，已跳过"))
            return
        words, recalled = found[4] or "", found[2] == "撤回"
        photos = tuple(_made(name or f"{number}-{n}") for n, name in enumerate(PHOTO.findall(words)))
        said = Line(0, self._group, sender, PHOTO.sub("", words).strip(), photos)
        self._add(replace(said, recall=step) if recalled else replace(said, quote=step))

    def _add(self, line: Line) -> None:
        moment = int(self._now.timestamp()) if self._now else self.start
        self.lines.append(replace(line, t=moment - self.start, i=len(self.lines)))


def as_dialogue(start: int, lines: list[Line], county: County) -> str:
    """The same script as people write it."""
    return "\n".join(_written(start, lines, county))


def _written(start: int, lines: list[Line], county: County) -> Iterator[str]:
    names, day = {p.id: p.name for p in county.people}, ""
    for line in lines:
        moment = datetime.datetime.fromtimestamp(start + line.t, SHANGHAI)
        today = f"{moment.month}月{moment.day}日"
        head = f"{today} {moment:%H:%M}" if today != day else f"{moment:%H:%M}"
        day = today
        about = f" 回{line.quote + 1}" if line.quote is not None else ""
        photos = "".join(" [照片]" for _ in line.photos)
        who = names.get(line.sender, line.sender)
        if line.recall is not None:
            yield f"{head} {who} 撤回{line.recall + 1}"
        else:
            yield f"{head} {who}{about}：{line.text}{photos}" if line.sender else head


def _json(text: str) -> tuple[int, list[Line], list[Fault]]:
    with tempfile.TemporaryDirectory(prefix="qunban-") as folder:
        path = Path(folder) / FILE
        path.write_text(text, "utf-8")
        try:
            start, lines, faults = read_script(path)
        except (json.JSONDecodeError, ValueError) as error:
            return instant(START), [], [Fault(FILE, 1, None, f"看不懂({type(error).__name__})")]
    return start, [replace(line, photos=tuple(map(_made, line.photos))) for line in lines], faults


def _made(name: str) -> str:
    """A name no file has: what a page sends must not open files."""
    return "图 " + re.sub(r"[\\/\0]", "", name)
