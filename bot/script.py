"""A script of messages for a rehearsal: JSON lines in, frozen lines out, every bad line named (design 8)."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.errors import Fault

START = "2026-11-23T09:00:00+08:00"  # a Monday in duty hours
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a script; without a sender it lets the clock run. `i` is its place among the script's lines."""

    t: int
    group: str = ""
    sender: str = ""
    text: str = ""
    photos: tuple[str, ...] = ()
    quote: int | None = None
    recall: int | None = None
    id: str = ""
    i: int | None = None


def read_script(path: Path) -> tuple[int, list[Line], list[Fault]]:
    """(start, lines, faults): a malformed line keeps its place, is reported with its number, and the rest goes on."""
    start, lines, faults, place = instant(START), [], [], 0
    for number, raw in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
            if "start" in row and not place:
                start = instant(row["start"])
                if "t" not in row:
                    continue
            lines.append(_line(row, place, path.parent))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append(Fault(path.name, number, None, f"看不懂这一行({_why(error)})，已跳过"))
        place += 1
    return start, lines, faults


def instant(text: str) -> int:
    """Epoch seconds of an ISO time; without a zone it is Shanghai's."""
    then = datetime.datetime.fromisoformat(text)
    return int((then if then.tzinfo else then.replace(tzinfo=SHANGHAI)).timestamp())


def _why(error: Exception) -> str:
    return f"缺少 {error}" if isinstance(error, KeyError) else type(error).__name__


def _line(row: dict[str, Any], place: int, folder: Path) -> Line:
    return Line(
        int(row["t"]),
        str(row.get("group") or ""),
        str(row.get("sender") or ""),
        str(row.get("text") or ""),
        tuple(_photo(str(name), folder) for name in row.get("photos") or ()),
        None if row.get("quote") is None else int(row["quote"]),
        None if row.get("recall") is None else int(row["recall"]),
        str(row.get("id") or ""),
        place,
    )


def _photo(name: str, folder: Path) -> str:
    """The path of a picture beside the script, or the name as it is."""
    found = folder / name
    return str(found) if found.is_file() else name
