"""What the simulated QQ takes and what not: windows of five answers, numbers used once, pushes, files of their own place."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.simulators.frame import Fault, SentLine

REPLIES = 5

Data = dict[str, Any]


@dataclass(slots=True)
class _Window:
    until: float
    used: set[int] = field(default_factory=set)


class Rules:
    """The books behind /messages; `fault` takes the next fault when it is one of those named."""

    def __init__(self, fault: Callable[..., Fault | None]) -> None:
        self._fault = fault
        self._windows: dict[str, _Window] = {}
        self.files: dict[str, tuple[str, bytes]] = {}

    def open(self, found: str, seconds: float) -> None:
        """Somebody spoke; a redelivery opens nothing anew."""
        self._windows.setdefault(found, _Window(time.monotonic() + seconds))

    def lapse(self) -> None:
        """Every window closes now."""
        for window in self._windows.values():
            window.until = 0.0

    def problem(
        self, place: tuple[str, str] | None, home: str, asked: Mapping[str, Any], pushers: Container[str]
    ) -> web.Response | None:
        """Why it is not taken; None: it is, and its number is used up."""
        if (found := self._fault("error")) is not None:
            return error(found.code)
        if self._fault("rate_limit"):
            return error(22009)
        if place is None:
            return error(11255)
        answers = asked.get("msg_id") or asked.get("event_id")
        if not answers:
            return None if place[0] in pushers else error(40034105)
        window, number = self._windows.get(str(answers)), int(asked.get("msg_seq") or 1)
        if window is None or window.until <= time.monotonic():
            return error(304027)
        if number in window.used:
            return error(40054005)
        if len(window.used) >= REPLIES:
            return error(304027)
        info = (asked.get("media") or {}).get("file_info")
        if asked.get("msg_type") == 7 and self.files.get(str(info), ("", b""))[0] != home:
            return error(304082)
        if "://" in str(asked.get("content", "")):
            return error(304003)
        window.used.add(number)
        return None

    def line(self, found: str, room: str, user: str, asked: Data) -> SentLine:
        """What people see of it."""
        info = (asked.get("media") or {}).get("file_info")
        photos = (self.files[info][1],) if info in self.files else ()
        text = (asked.get("markdown") or {}).get("content") or str(asked.get("content", "")).strip()
        rows = ((asked.get("keyboard") or {}).get("content") or {}).get("rows") or ()
        buttons = tuple((b["render_data"]["label"], b["action"]["data"]) for row in rows for b in row["buttons"])
        form = "markdown" if asked.get("msg_type") == 2 else "text"
        return SentLine(found, room, user, form, text, photos, (), buttons, (), str(asked.get("msg_id", "")))


def error(code: int) -> web.Response:
    """A refusal with its code."""
    return web.json_response({"code": code, "message": "refused", "err_code": code}, status=400)
