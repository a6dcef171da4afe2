"""How fast each platform may be written to: token buckets per channel and per address, in real time."""

from __future__ import annotations

from collections import OrderedDict

from aiolimiter import AsyncLimiter

from bot.platforms import Platform

ADDRESSES = 10_000  # buckets kept in memory


class Pacing:
    """`await slot(platform, address)` returns when one more message may go."""

    def __init__(self) -> None:
        self._channels: dict[str, AsyncLimiter] = {}
        self._addresses: OrderedDict[tuple[str, str], AsyncLimiter] = OrderedDict()

    async def slot(self, platform: Platform, address: str) -> None:
        """Wait for a token from the channel's bucket and from the address's."""
        pace, name = platform.pace, platform.channel.name
        if pace.channel_per_minute:
            await self._channels.setdefault(name, AsyncLimiter(pace.channel_per_minute, 60)).acquire()
        if pace.address_per_minute:
            await self._bucket(name, address, pace.address_per_minute).acquire()

    def _bucket(self, name: str, address: str, per_minute: int) -> AsyncLimiter:
        bucket = self._addresses.get((name, address))
        if bucket is None:
            bucket = self._addresses[name, address] = AsyncLimiter(per_minute, 60)
            if len(self._addresses) > ADDRESSES:
                self._addresses.popitem(last=False)
        self._addresses.move_to_end((name, address))
        return bucket
