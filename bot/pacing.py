"""How fast each platform may be written to: token buckets per channel and per address, in real time."""

from __future__ import annotations

from collections import OrderedDict

from aiolimiter import AsyncLimiter

from bot.platforms import Platform

ADDRESSES = 10_000  # buckets kept in memory


def bucket_of(per_minute: int) -> AsyncLimiter:
    """A bucket that lets no more than this through in any minute: what it holds at first counts against the rest.

    (A bucket of 20 that refills at 20 a minute lets 39 through in its first minute, and platforms punish that.)
    """
    if per_minute == 1:
        return AsyncLimiter(1, 60)
    burst = max(1, per_minute // 4)
    return AsyncLimiter(burst, 60 * burst / (per_minute - burst))


class Pacing:
    """`await slot(platform, address)` returns when one more message may go."""

    def __init__(self) -> None:
        self._channels: dict[str, AsyncLimiter] = {}
        self._addresses: OrderedDict[tuple[str, str], AsyncLimiter] = OrderedDict()

    async def slot(self, platform: Platform, address: str) -> None:
        """Wait for a token from the channel's bucket and from the address's."""
        pace, name = platform.pace, platform.channel.name
        if pace.channel_per_minute:
            if name not in self._channels:
                self._channels[name] = bucket_of(pace.channel_per_minute)
            await self._channels[name].acquire()
        if pace.address_per_minute:
            await self._bucket(name, address, pace.address_per_minute).acquire()

    def _bucket(self, name: str, address: str, per_minute: int) -> AsyncLimiter:
        bucket = self._addresses.get((name, address))
        if bucket is None:
            bucket = self._addresses[name, address] = bucket_of(per_minute)
            if len(self._addresses) > ADDRESSES:
                self._addresses.popitem(last=False)
        self._addresses.move_to_end((name, address))
        return bucket
