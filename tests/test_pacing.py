"""No minute holds more messages than the platform allows, the first one included."""

from __future__ import annotations

import asyncio
import bisect

import pytest

from bot.pacing import ADDRESSES, Pacing, bucket_of
from bot.platforms import Pace
from tests.fakes import FakePlatform, LeapingLoop


def _run(work: object) -> list[float]:
    loop = LeapingLoop()
    try:
        return loop.run_until_complete(work)  # type: ignore[arg-type, return-value, no-any-return]
    finally:
        loop.close()


def _fullest_minute(times: list[float]) -> int:
    return max(bisect.bisect_left(times, t + 59.999) - i for i, t in enumerate(times))


@pytest.mark.parametrize("allowed", [1, 2, 3, 4, 5, 20, 30, 60, 500])
def test_no_minute_holds_more_than_allowed(allowed: int) -> None:
    async def drain() -> list[float]:
        bucket, loop, times = bucket_of(allowed), asyncio.get_running_loop(), []
        for _ in range(4 * allowed + 4):
            await bucket.acquire()
            times.append(loop.time())
        return times

    times = _run(drain())
    assert _fullest_minute(times) <= allowed
    if allowed >= 4:  # and the pace is used: at least half of what is allowed gets through in the long run
        assert len(times) / (times[-1] - times[0]) * 60 >= allowed / 2


def test_a_channel_shares_its_bucket_and_an_address_has_its_own() -> None:
    async def drain() -> list[float]:
        pacing, loop, times = Pacing(), asyncio.get_running_loop(), []
        web = FakePlatform(pace=Pace(address_per_minute=20, channel_per_minute=40))

        async def send(address: str) -> None:
            for _ in range(20):
                await pacing.slot(web, address)
                times.append(loop.time())

        await asyncio.gather(*(send(f"g{n}") for n in range(4)))
        return sorted(times)

    times = _run(drain())
    assert len(times) == 80 and _fullest_minute(times) <= 40


def test_an_unlimited_platform_waits_for_nothing() -> None:
    async def drain() -> list[float]:
        pacing, loop = Pacing(), asyncio.get_running_loop()
        began = loop.time()
        for _ in range(1000):
            await pacing.slot(FakePlatform(), "g")
        return [loop.time() - began]

    assert _run(drain())[0] < 1


def test_buckets_are_bounded() -> None:
    pacing = Pacing()
    for n in range(ADDRESSES + 10):
        pacing._bucket("web", f"g{n}", 20)
    assert len(pacing._addresses) == ADDRESSES
