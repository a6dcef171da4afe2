"""A running bot with one channel to a simulated platform: the shipped county, its report group and its tax group bound."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from bot.app import application, assemble
from bot.simulators.frame import SentLine, Simulator
from config.county import County
from config.files import shipped_county
from config.settings import Settings
from tests.channel_house import House
from tests.photo_scenes import photo

REPORTS, TAX = "suishoupai", "shuiwu"


@dataclass(slots=True)
class Scene:
    """The bot and the platform it lives on."""

    house: House
    simulator: Simulator

    async def hears(self, text: str, *more: str) -> SentLine:
        """The first line with these words, now or later."""
        return await self.simulator.expect(lambda line: all(word in line.text for word in (text, *more)))


def picture(seed: int) -> bytes:
    """A street as a JPEG."""
    held = io.BytesIO()
    photo(seed).save(held, "JPEG", quality=85)
    return held.getvalue()


def county_on(channel: str, groups: Mapping[str, str], users: Mapping[str, str]) -> County:
    """The shipped county with groups (our id → address) and people (person id → user id) on a channel."""
    county = shipped_county()
    return replace(
        county,
        groups=tuple(
            replace(g, accounts=(f"{channel}:{groups[g.id]}",), members=()) if g.id in groups else g
            for g in county.groups
        ),
        people=tuple(replace(p, accounts=(f"{channel}:{users[p.id]}",)) if p.id in users else p for p in county.people),
    )


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    simulator: Simulator,
    groups: Mapping[str, str],
    users: Mapping[str, str],
    change: Callable[[dict[str, Any]], None] = lambda channel: None,
    **more: Any,
) -> AsyncIterator[Scene]:
    """Bot and simulator, both running. `change` may alter the channel's settings."""
    await simulator.start()
    try:
        with socket.socket() as plug:
            plug.bind(("127.0.0.1", 0))
            port = int(plug.getsockname()[1])
        channel = simulator.channel(f"http://127.0.0.1:{port}")
        change(channel)
        county = county_on(simulator.name, groups, users)
        given = {"channels": {simulator.name: channel}, "office_hours": "00:00-23:59", **more}
        parts = assemble(folder, Settings.model_validate(given), county)
        async with TestClient(TestServer(application(parts, county), port=port)) as client:
            yield Scene(House(client, parts), simulator)
    finally:
        await simulator.close()
