"""A running bot with configured channels, an office that imported its county, and one work group bound on each channel."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from bot.app import Parts, application, assemble
from config.county import County
from config.files import shipped_county
from config.settings import Settings
from store import Store

KEY = "k" * 32
GROUP = "suishoupai"


@dataclass(slots=True)
class House:
    """`client` speaks HTTP to it; `sql` asks its database."""

    client: TestClient[Any, Any]
    parts: Parts

    async def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return await self.parts.engine.store.read(lambda c: c.execute(query, values).fetchall())

    async def settle(self) -> None:
        """Until all is decided and sent."""
        await self.parts.engine.settle()


def bound(channel: str, group: str, users: dict[str, str]) -> County:
    """The shipped county with its report group and some people on a channel."""
    county = shipped_county()
    return replace(
        county,
        groups=tuple(
            replace(g, accounts=(*g.accounts, f"{channel}:{group}"), members=()) if g.id == GROUP else g
            for g in county.groups
        ),
        people=tuple(
            replace(p, accounts=(*p.accounts, f"{channel}:{users[p.id]}")) if p.id in users else p
            for p in county.people
        ),
    )


def settings(**channels: dict[str, Any]) -> Settings:
    """Settings with these channels."""
    return Settings.model_validate({"channels": channels, "office_hours": "00:00-23:59"})


@contextlib.asynccontextmanager
async def open_house(
    folder: Path, county: County, setup: Settings, before: Callable[[Store], None] = lambda store: None
) -> AsyncIterator[House]:
    """Serve until the test is over."""
    parts = assemble(folder, setup, county)
    before(parts.engine.store)
    async with TestClient(TestServer(application(parts, county))) as client:
        yield House(client, parts)
