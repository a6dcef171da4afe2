"""When the QQ bot may speak: in a window somebody opened by speaking, else unasked where that is allowed, else not yet.

A window takes five messages. Two of them are kept for the answers to whoever opened it, so that what waited for the
window does not use it up. Real time throughout: the platform's clock is the one that counts.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from config.errors import Awaiting, Parked
from store import Store, outbox, qq
from store.outbox import OutboxRow
from store.qq import Slot, Window

REPLIES = 5  # platforms.md 5.6
RESERVED = 2
ADDRESSES = 10_000
WINDOWS = 60  # an address: more than a group says to the bot in five minutes
AWAIT_SECONDS = 3600.0


@dataclass(slots=True)
class _Open:
    window: Window
    used: int
    own: int = 0  # answers to whoever opened it; not known of an earlier process

    @property
    def free(self) -> int:
        """How many more it takes."""
        return REPLIES - self.used

    @property
    def spare(self) -> int:
        """How many of those are for others than whoever opened it; in private they are all for the same person."""
        return self.free if self.window.address.startswith("u") else self.free - max(0, RESERVED - self.own)


class Replies:
    """One channel's windows. `heard` opens one; `claim` says what a message leaves as, durably, before it leaves."""

    def __init__(self, channel: str, pushes: bool, ask_again_days: int) -> None:
        self._channel = channel
        self._pushes = pushes
        self._again = ask_again_days * 86400
        self._open: dict[str, deque[_Open]] = {}
        self._silent: dict[str, int] = {}
        self.waiting: set[str] = set()
        self._tidied = 0

    async def load(self, store: Store) -> None:
        """What an earlier process knew."""
        now = int(time.time())
        found, silent, waiting = await store.read(
            lambda c: (
                qq.windows(c, self._channel, now),
                qq.silent(c, self._channel),
                outbox.awaiting(c, self._channel),
            )
        )
        for window, used in found:
            self.heard(window, used)
        self._silent = silent
        self.waiting |= waiting
        await self._tidy(store)

    async def _tidy(self, store: Store) -> None:
        """Once a day, while it sends."""
        now = int(time.time())
        if self._tidied != now // 86400:
            self._tidied = now // 86400
            await store.write(lambda tx: qq.forget(tx, now))

    def heard(self, window: Window, used: int = 0) -> None:
        """Somebody spoke; a redelivery changes nothing."""
        here = self._open.get(window.address)
        if here is None:
            if len(self._open) >= ADDRESSES:
                self._sweep()
            here = self._open[window.address] = deque(maxlen=WINDOWS)
        if all(held.window.id != window.id for held in here):
            here.append(_Open(window, used))

    def _sweep(self) -> None:
        now = time.time()
        for address in [a for a, here in self._open.items() if all(o.window.until <= now for o in here)]:
            del self._open[address]

    async def claim(self, store: Store, row: OutboxRow, quote: str, parts: int) -> tuple[Slot, bool]:
        """The slot, and whether an earlier attempt had it. Raises Awaiting when nobody may be spoken to there now."""
        await self._tidy(store)
        held = self._pick(row.address, quote)
        if held is None and not self._may_push(row.address):
            found = await store.read(lambda c: qq.slot_of(c, row.seq))
            if found is None:
                raise self.wait(row.address)
            return found, True
        free = max(1, min(parts, held.free)) if held is not None else parts
        window = held.window if held is not None else None
        slot, again = await store.write(lambda tx: qq.claim(tx, self._channel, row.seq, window, free))
        if held is not None and not again:
            held.used += slot.parts
            held.own += slot.parts if held.window.id == quote else 0
        return slot, again

    def _pick(self, address: str, quote: str) -> _Open | None:
        """The window of the message this answers, else the newest with room to spare."""
        now = time.time()
        here = [held for held in self._open.get(address, ()) if held.window.until > now]
        for held in here:
            if held.window.id == quote and held.free > 0:
                return held
        return next((held for held in reversed(here) if held.spare > 0), None)

    def _may_push(self, address: str) -> bool:
        at = self._silent.get(address)
        return self._pushes and (at is None or at + self._again <= time.time())

    def wait(self, address: str) -> Awaiting:
        """To be raised: the message waits for somebody to speak there."""
        self.waiting.add(address)
        return Awaiting("", AWAIT_SECONDS)

    async def give_back(self, store: Store, row: OutboxRow, slot: Slot) -> None:
        """It certainly did not leave: its numbers are free again."""
        await store.write(lambda tx: qq.give_back(tx, row.seq))
        for held in self._open.get(row.address, ()):
            if held.window.id == slot.id:
                held.used = max(0, held.used - slot.parts)

    async def refused(self, store: Store, row: OutboxRow) -> Awaiting:
        """The address takes no unasked messages: remembered, and this one waits."""
        await store.write(lambda tx: qq.silence(tx, self._channel, row.address, row.seq))
        self._silent[row.address] = int(time.time())
        return self.wait(row.address)

    async def doubtful(self, store: Store, row: OutboxRow, why: str) -> Parked:
        """To be raised: only a person can decide, and if they do it starts afresh."""
        await store.write(lambda tx: qq.give_back(tx, row.seq))
        return Parked(why)

    def shut(self, address: str, window: str) -> None:
        """The platform takes no more answers to this."""
        here = self._open.get(address)
        if here is not None:
            self._open[address] = deque((held for held in here if held.window.id != window), WINDOWS)

    async def consent(self, store: Store, address: str, pushes: bool) -> None:
        """Somebody switched unasked messages on or off."""
        change = qq.unsilence if pushes else qq.silence
        await store.write(lambda tx: change(tx, self._channel, address))
        if pushes:
            self._silent.pop(address, None)
        else:
            self._silent[address] = int(time.time())

    async def wake(self, store: Store, address: str) -> bool:
        """Make due what waited for this address to speak; whether there was anything."""
        if address not in self.waiting:
            return False
        self.waiting.discard(address)
        return bool(await store.write(lambda tx: outbox.hasten(tx, self._channel, outbox.AWAITING, address)))
