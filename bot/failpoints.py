"""Places where a test may kill this process: QUNBAN_FAIL_AT=name[:nth], and never otherwise.

Callers ask `if ARMED` first, a module constant, so that a running office pays nothing for them.
"""

from __future__ import annotations

import os
import signal
import threading

POINTS: dict[str, str] = {
    "accept.before_commit": "an event is written, its transaction not yet committed",
    "accept.after_commit": "an event is on disk, nothing has taken it up",
    "accept.before_answer": "an event is taken up, its platform not yet answered",
    "prepare.begin": "photos are about to be fetched or words read",
    "prepare.end": "the facts are there, the decision is not",
    "decide.begin": "inside the transaction, before the handler",
    "decide.end": "everything decided, its transaction not yet committed",
    "decide.after_commit": "the decision is on disk, nothing has been sent",
    "send.before": "a message is about to leave",
    "send.after": "the platform has the message, the books do not know",
    "mark.end": "the books say sent, their transaction not yet committed",
    "mark.after_commit": "the message is sent and booked",
    "tick.read": "due timers are read, none is taken",
    "tick.after_commit": "due timers are events on disk, nothing has taken them up",
    "clock.before_replace": "the new offset is written beside the old",
    "clock.moved": "business time has jumped, what falls due has not rung",
    "photo.kept": "a photo's file is whole, its row is not written",
    "photo.entered": "a photo's row is written, nobody was told",
    "anchor.after_commit": "an anchor is sealed, its second copy not written",
}


def _wanted() -> tuple[str, int]:
    name, _, nth = os.environ.get("QUNBAN_FAIL_AT", "").partition(":")
    return name, int(nth) if nth.isdigit() else 1


_NAME, _NTH = _wanted()
ARMED = bool(_NAME)
_lock = threading.Lock()
_reached = 0


def reach(name: str) -> None:
    """Die here if this is the place."""
    global _reached
    if name != _NAME:
        return
    with _lock:
        _reached += 1
        if _reached == _NTH:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
