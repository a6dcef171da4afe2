"""The digest's daily work behind the scenes: sources asked when due, candidates weighed anew, troubles told to the editors.

Started with the program; nothing leaves the building until a person turned a source on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.arrivals import day_of
from bot.candidates import run_day
from bot.clock import ZONE
from bot.fetcher import Fetcher
from bot.inbox import Inbox
from bot.intake import Intake, is_on
from bot.polite import Polite
from config.digest.sources import Source, known_host, load_sources
from config.errors import QunbanError
from handlers.editions import timing
from handlers.events import Event
from handlers.office import Office
from store import Store, Tx, archive, digest, meta, sources
from store.sources import SourceState

log = structlog.get_logger()
INTAKE_SECONDS = 60
WEIGH_MINUTES = 2  # a look at two rows unless something is new
KEEP_LOG = 30 * 86400
COMPARED = 400 * 86400  # how far back a new item is compared (digest.md C2)
FAILED = 2  # times in a row before a source's trouble is told
RUN = "digest:run"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source of which the editors should hear."""

    source: str
    name: str
    error: str


class Newsroom:
    """`intake` for pages and commands that want it now; `weigh` for a day's candidates."""

    def __init__(self, store: Store, table: tuple[Source, ...], key: bytes, inbox: Inbox) -> None:
        self._fetcher = Fetcher(inside_of(table))
        self.table = table
        self.intake = Intake(store, table, Polite(self._fetcher, lambda host: known_host(table, host)), key)
        self._store = store
        self._inbox = inbox
        self._office: Callable[[], Office] | None = None

    def start(self, scheduler: AsyncIOScheduler, office: Callable[[], Office]) -> None:
        """Register the jobs."""
        self._office = office
        jobs = (
            ("intake", self.take, IntervalTrigger(seconds=INTAKE_SECONDS, timezone=ZONE)),
            ("candidates", self.weigh_if_new, IntervalTrigger(minutes=WEIGH_MINUTES, timezone=ZONE)),
            ("troubles", self.tell_troubles, CronTrigger(minute=7, timezone=ZONE)),
            ("digest-tidy", self.tidy, CronTrigger(hour=4, minute=41, timezone=ZONE)),
        )
        for name, job, trigger in jobs:
            scheduler.add_job(job, trigger, id=name, misfire_grace_time=None, coalesce=True, max_instances=1)

    async def close(self) -> None:
        """No further request."""
        await self.intake.close()
        await self._fetcher.close()

    async def take(self) -> None:
        """Ask what is due."""
        try:
            taken = await self.intake.run_due()
        except (QunbanError, sqlite3.Error, OSError) as error:
            log.error("intake_failed", error=type(error).__name__)
            return
        if any(one.new for one in taken):
            await self.weigh_if_new()

    async def weigh_if_new(self) -> None:
        """The candidates of the edition in the making, when an item came since the last run or the day is new."""
        newest = await self._store.read(lambda c: c.execute("select coalesce(max(n), 0) from item").fetchone()[0])
        if not newest or self._office is None:
            return
        office, now = self._office(), self._store.now()
        day = await self._store.read(lambda c: timing.edition_day(c, office, now))
        if await self._store.read(lambda c: meta.get(c, RUN)) == f"{day}/{newest}":
            return
        await run_day(self._store, office.county, day)
        await self._store.write(lambda tx: meta.put(tx, RUN, f"{day}/{newest}"))
        subject = f"edition/{day}"
        filled = Event(
            "clock", f"{subject}/fill/{newest}", "timer", group=timing.LANE, subject=subject, action="edition_fill"
        )
        await self._inbox.accept((filled,))

    async def tidy(self) -> None:
        """The fetch log of the last weeks, prints of the last year, an index without what was erased."""
        try:
            await self._store.write(_tidied)
        except (QunbanError, sqlite3.Error) as error:
            log.error("digest_tidy_failed", error=type(error).__name__)

    async def tell_troubles(self) -> None:
        """What broke or went quiet, once each, privately to the editors."""
        day = day_of(self._store.now())
        states = await self._store.read(lambda connection: sources.states(connection))
        found = troubles(self.table, states)
        if not found:
            return
        lines = "\n".join(f"{one.name}：{one.error}" for one in found)
        names = "+".join(one.source for one in found)
        await self._inbox.accept((Event("clock", f"sources/{day}/{names}", "sources", text=lines),))
        await self._store.write(lambda tx: _told(tx, found, day))


def _tidied(tx: Tx) -> None:
    sources.purge_fetches(tx, tx.at - KEEP_LOG)
    digest.forget_prints(tx, day_of(tx.at - COMPARED))
    archive.tidy(tx)


def newsroom(store: Store, data: Path, key: bytes, inbox: Inbox) -> Newsroom:
    """Built from the data folder's sources.toml over the shipped table. Raises ConfigError."""
    return Newsroom(store, load_sources(data), key, inbox)


def troubles(table: tuple[Source, ...], states: dict[str, SourceState]) -> list[Trouble]:
    """Sources that are on, or that challenged us, whose trouble was not told yet."""
    found = []
    for source in table:
        state = states.get(source.id)
        if state is None or not state.error or state.told_on:
            continue
        wanted = is_on(source, replace(state, manual=0))
        if wanted and (state.manual or state.failures == 0 or state.failures >= FAILED):
            found.append(Trouble(source.id, source.name, state.error))
    return found


def _told(tx: Tx, found: list[Trouble], day: str) -> None:
    for one in found:
        sources.put_state(tx, replace(sources.state(tx, one.source), told_on=day))


def inside_of(table: tuple[Source, ...]) -> list[str]:
    """host:port of the sources an office says lie in its own network."""
    places = [urlsplit(source.list) for source in table if source.inside and source.list]
    return [f"{place.hostname}:{place.port or (443 if place.scheme == 'https' else 80)}" for place in places]
