"""What is remembered of a group without being written: open gathering windows and the last pieces nobody kept.

Bounded, at most ten minutes old, lost on restart by design (design 3).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.events import Event

PIECES = 3
LASTS = 600
BOUND = 20_000  # (group, sender) pairs in memory


@dataclass(frozen=True, slots=True)
class _Piece:
    event: Event
    at: int


class Windows:
    """Keyed by (group, sender)."""

    def __init__(self, lasts: int = LASTS) -> None:
        self._lasts = lasts
        self._until: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._unkept: OrderedDict[tuple[str, str], deque[_Piece]] = OrderedDict()

    def is_open(self, event: Event, now: int) -> bool:
        """Whether the sender's next piece in this group belongs to what was kept before."""
        return self._until.get((event.group, event.sender), 0) >= now

    def open(self, group: str, sender: str, now: int) -> None:
        """A piece was kept; what follows from the same sender is kept too, for ten minutes."""
        self._until[group, sender] = now + self._lasts
        self._until.move_to_end((group, sender))
        if len(self._until) > BOUND:
            self._until.popitem(last=False)

    def shut(self, group: str, sender: str) -> None:
        """The sender's report is complete or was taken back."""
        self._until.pop((group, sender), None)

    def clear(self) -> None:
        """Everything begins anew (demo reset)."""
        self._until.clear()
        self._unkept.clear()

    def remember(self, event: Event, now: int) -> None:
        """Hold a piece that was not kept, in case the next one explains it."""
        pieces = self._unkept.setdefault((event.group, event.sender), deque(maxlen=PIECES))
        if any(piece.event.id == event.id for piece in pieces):
            return
        pieces.append(_Piece(event, now))
        self._unkept.move_to_end((event.group, event.sender))
        if len(self._unkept) > BOUND:
            self._unkept.popitem(last=False)

    def forget(self, group: str, sender: str, message: str) -> bool:
        """The sender took a piece back before anybody kept it; True when it was here."""
        pieces = self._unkept.get((group, sender), deque())
        found = [piece for piece in pieces if piece.event.id == message]
        for piece in found:
            pieces.remove(piece)
        return bool(found)

    def put_back(self, pieces: Sequence[Event], now: int) -> None:
        """The disk did not take what pulled them along."""
        for event in pieces:
            self.remember(event, now)

    def recall(self, event: Event, now: int) -> list[Event]:
        """The unkept pieces a kept one pulls along, oldest first."""
        pieces = self._unkept.pop((event.group, event.sender), ())
        return [piece.event for piece in pieces if now - piece.at <= self._lasts]
