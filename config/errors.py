"""Every error this program raises on purpose.

    QunbanError
    ├── ConfigError      a file, row and column to mend
    ├── Rejected         a person asked for something that cannot be done; says what to do instead
    ├── Busy             no room or no disk right now; the sender should try again
    └── SendError        a platform did not take a message
        ├── Retry        try again after so many seconds
        │   ├── Offline  nobody is connected; waits as long as it takes, which is no failed attempt
        │   │   └── Awaiting  it may only be said once somebody there has spoken; what comes later may pass it
        │   └── Paused   the platform refuses the whole channel for a while; nor is that a failed attempt
        ├── Refused      it will never take this one
        └── Unknown      it may or may not have taken it
            └── Parked   and whatever the channel promises, this one must not be repeated unasked

The message is Chinese wherever a user can see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class QunbanError(Exception):
    """Root of the tree."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in an imported file. `row` counts as the spreadsheet does (header = 1)."""

    file: str
    row: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f" 第{self.row}行"
        if self.column is not None:
            place += f"「{self.column}」列"
        return f"{place}:{self.message}"


class ConfigError(QunbanError):
    """Configuration or county files that cannot be used. Carries every fault found, not just the first."""

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults: tuple[Fault, ...] = () if isinstance(faults, str) else tuple(faults)
        super().__init__(faults if isinstance(faults, str) else "\n".join(str(f) for f in faults))


class Rejected(QunbanError):
    """A request that is refused for a reason its sender can act on. `code` is one of design 8's `refused` words."""

    def __init__(self, message: str, code: str = "unclear") -> None:
        self.code = code
        super().__init__(message)


class Busy(QunbanError):
    """Nothing was stored; trying again later is right (HTTP 503)."""


class SendError(QunbanError):
    """A platform did not confirm a message."""


class Retry(SendError):
    """Certainly not sent; may be sent again after `after` seconds."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        self.after = after
        super().__init__(reason)


class Offline(Retry):
    """Nobody is there to send through. The message waits without using up its attempts."""


class Awaiting(Offline):
    """Nobody may be spoken to there until they speak first. Unlike other failures it holds up no later message."""


class Paused(Retry):
    """A rate limit on the whole channel: every message of it rests `after` seconds, none uses up an attempt."""


class Refused(SendError):
    """Certainly not sent and never will be."""


class Unknown(SendError):
    """Perhaps sent: the connection broke after the request left."""


class Parked(Unknown):
    """Perhaps sent, and a repetition would be a second message: for a person to decide, on any channel."""
