"""The pipeline without a face: store, inbox, outbox and clock wired together. `serve`, `rehearse` and the tests share it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from bot.clock import BusinessClock, Clock
from bot.inbox import Inbox, Prepare, Rest
from bot.outbox import Outbox
from bot.platforms import Platform
from config.county import County
from config.errors import Busy, ConfigError
from config.faq.entries import shipped_entries
from config.faq.filing import Published, read_filing, shipped_filing
from handlers import Decision
from handlers.calendar import Calendar
from handlers.editions import timing
from handlers.events import Event
from handlers.faq import reminders
from handlers.faq.askers import bureau
from handlers.faq.filing import FilingCalendar
from handlers.faq.hall import OFFER, Hall
from handlers.office import Office, Rules, open_office
from handlers.reports.reading import Lesson
from store import Outcome, Store, Tx, county, faq, lessons, meta, questions, tasks

log = structlog.get_logger()
FIT = "fitted.bin"
FILING = "filing.toml"
T = TypeVar("T")
RELOAD_SECONDS = 1.0

Listener = Callable[[Event, Outcome[Decision]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What an engine is built from besides its store."""

    rules: Rules
    key: bytes
    demo: bool = False


class Engine:
    """`await Engine.start(...)`; then `inbox.accept`, `clock.tick`, `settle`, `close`."""

    def __init__(
        self,
        store: Store,
        business: BusinessClock,
        platforms: Mapping[str, Platform],
        prepare: Prepare,
        frame: Frame,
        erase_photo: Callable[[str], None] = lambda sha: None,
        bound: int = 2000,
    ) -> None:
        self.store = store
        self.business = business
        self.platforms = platforms
        self.frame = frame
        self.listeners: list[Listener] = []
        self.forgotten: dict[str, Listener] = {}  # by channel: told when a decision forgot what was kept
        self.moved: list[Callable[[Sequence[str]], None]] = []  # told of tasks that went a step, behind the commit
        self.relearned: list[Callable[[], None]] = []  # told when lessons changed and the reader knows it
        self._erase_photo = erase_photo
        self._office: Office | None = None
        self._reloading = asyncio.Lock()
        self.inbox = Inbox(store, lambda: self.office, prepare, self._settled, bound)
        self.outbox = Outbox(store, platforms, lambda due_at: self.clock.wake(due_at))
        self.clock = Clock(store, business, self.inbox, self.outbox, self.settle)

    @property
    def office(self) -> Office:
        """The current snapshot."""
        if self._office is None:
            raise RuntimeError("the engine has not started")
        return self._office

    async def start(self, shipped: County | None = None) -> None:
        """Load the county (writing `shipped` when there is none), then take up what the last process left."""
        if shipped is not None and await self.store.read(county.empty):
            await self.store.write(partial(_found, shipped, self.frame.demo))
        await self.reload({"county"})
        if self.office.hall is not None:
            await self.apply(partial(reminders.plan, office=self.office))
        await self.apply(partial(timing.plan, office=self.office))
        if self.frame.demo:  # a clock file lost with the power must not leave the demo waiting for days
            self.business.advance_to(self.store.now())
        await self.outbox.resume()  # first what is older, so that nothing decided now overtakes it
        await self.inbox.resume()
        await self.recompute()

    async def recompute(self, again: str = "") -> None:
        """A calendar loaded since: the deadlines called 预计 are computed anew, once for each calendar (and for each `again`)."""
        if await self.store.read(tasks.any_provisional):
            days = sorted(f"{day.date}{day.kind}" for day in self.office.county.calendar)
            mark = hashlib.sha256("".join(days).encode()).hexdigest()[:16]
            await self.inbox.accept((Event("clock", f"calendar/{mark}{again}", "calendar"),))

    async def reload(self, touched: set[str]) -> None:
        """Rebuild the office snapshot, one at a time so that the newest stands; the reader only when it must be."""
        async with self._reloading:
            found, learned = await self.store.read(lambda c: (county.load(c), lessons.standing(c)))
            keep = self._office.reader if self._office and not touched & {"county", "lessons"} else None
            hall = await self._open_hall(found, touched)
            self._office = await asyncio.to_thread(
                open_office,
                found,
                {name: platform.channel for name, platform in self.platforms.items()},
                self.frame.rules,
                self.frame.key,
                demo=self.frame.demo,
                lessons=tuple(Lesson(*row) for row in learned),
                reader=keep,
                hall=hall,
                kept=b"" if keep else await asyncio.to_thread(_kept_fit, self.store.folder),
            )
            if self._office.reader.to_keep:
                await asyncio.to_thread(_keep_fit, self.store.folder, self._office.reader.to_keep)
        if "lessons" in touched:
            for told in self.relearned:
                told()

    async def reword(self, texts: Mapping[str, str]) -> None:
        """The office's own words from now on; whoever asks has checked them (`handlers.wording`) and kept the file."""
        self.frame = replace(self.frame, rules=replace(self.frame.rules, texts=dict(texts)))
        await self._reload_surely({"people"})

    def kept_fit(self) -> bytes:
        """What an earlier fit of the reader left on disk, for whoever makes another reader of the same county."""
        return _kept_fit(self.store.folder)

    async def _open_hall(self, found: County, touched: set[str]) -> Hall | None:
        """What tax groups need in memory; changed entries alone are read in anew. None where nobody asks about taxes."""
        if not any(group.purpose == "tax" for group in found.groups):
            return None
        held = self._office.hall if self._office else None
        if held is not None and not touched & {"faq", "county"}:
            return held
        if await self.store.read(faq.empty):
            await self.store.write(lambda tx: faq.found(tx, shipped_entries()))
        entries = await self.store.read(faq.live)
        filing = FilingCalendar(Calendar(found.calendar, self.frame.rules.hours), published(self.store.folder))
        if held is None:
            hall = await asyncio.to_thread(Hall, filing, entries)
            hall.plan(filing, bureau(found))
            now = self.store.now()
            for asked in await self.store.read(lambda c: questions.since(c, now - OFFER)):
                hall.restore(asked)
            return hall
        held.plan(filing, bureau(found))
        held.sync(entries)
        return held

    async def settle(self) -> None:
        """Wait until nothing is undecided or under way; what waits for a later moment may remain."""
        while self.inbox.open or self.outbox.busy:
            await self.inbox.idle()
            await self.outbox.idle()

    async def apply(self, job: Callable[[Tx], T]) -> T:
        """Run one job beside the pipeline (a page's form), then take up what it touched, queued or set."""
        outcome: Outcome[T] = (await self.store.submit((job,), self._applied))[0]
        value = outcome.result()
        if outcome.tx.touched:
            await self._reload_surely(outcome.tx.touched)
        return value

    async def close(self) -> None:
        """Stop in order; everything unfinished is on disk."""
        await self.inbox.close()
        await self.outbox.close()
        self.store.close()

    def _settled(self, event: Event, outcome: Outcome[Decision]) -> Rest | None:
        """Behind the commit, in commit order; what takes time comes back to be awaited."""
        self._release(outcome.tx)
        erased = outcome.value.erase_photos if outcome.value is not None else ()
        forgot = outcome.value is not None and outcome.value.forgotten and event.channel in self.forgotten
        if not outcome.tx.touched and not erased and not self.listeners and not forgot:
            return None
        return partial(self._follow, event, outcome, erased)

    async def _follow(self, event: Event, outcome: Outcome[Decision], erased: Sequence[str]) -> None:
        if outcome.tx.touched:
            await self._reload_surely(outcome.tx.touched)
        for sha in erased:
            await asyncio.to_thread(self._erase_photo, sha)
        for listener in self.listeners:
            await listener(event, outcome)
        if outcome.value is not None and outcome.value.forgotten and event.channel in self.forgotten:
            await self.forgotten[event.channel](event, outcome)

    def _applied(self, outcomes: list[Outcome[T]] | None) -> None:
        for outcome in outcomes or ():
            if outcome.error is None:
                self._release(outcome.tx)

    def _release(self, tx: Tx) -> None:
        if tx.moved:
            for told in self.moved:
                told(tx.moved)
        if tx.withdrawn:
            self.outbox.drop(tx.withdrawn)
        if tx.outboxed:
            self.outbox.take(tx.outboxed)
        if tx.timer_due is not None:
            self.clock.wake(tx.timer_due)

    async def _reload_surely(self, touched: set[str]) -> None:
        """What changed on disk must not stay unknown because the disk could not be read once."""
        while True:
            try:
                await self.reload(touched)
                if touched & {"people", "county"}:  # somebody may edit from now on
                    await self.apply(partial(timing.plan, office=self.office))
                return
            except Busy:
                await asyncio.sleep(RELOAD_SECONDS)


def published(folder: Path | None) -> dict[tuple[int, int], Published]:
    """The shipped filing deadlines under the office's own, filing.toml in the data folder."""
    own = folder / FILING if folder is not None else None
    return {**shipped_filing(), **(read_filing(own) if own is not None and own.is_file() else {})}


def _found(shipped: County, demo: bool, tx: Tx) -> None:
    county.save(tx, shipped)
    meta.put(tx, "demo", "1" if demo else "")


def read_key(path: Path) -> bytes:
    """The data directory's own key, made at first start; refuses a file others can read."""
    if not path.exists():
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)  # a process killed here leaves a whole key or none
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(f"密钥文件 {path} 其他用户可读，请执行:chmod 600 {path}")
    key = path.read_bytes()
    if len(key) < 32:
        raise ConfigError(f"密钥文件 {path} 不完整，请从备份恢复。")
    return key


def _kept_fit(folder: Path | None) -> bytes:
    """The reader's fit for a county with classes or phrases of its own: only a cache, so it may be missing."""
    file = folder / FIT if folder is not None else None
    return file.read_bytes() if file is not None and file.exists() else b""


def _keep_fit(folder: Path | None, fit: bytes) -> None:
    if folder is not None:
        part = folder / f"{FIT}.part"
        part.write_bytes(fit)
        os.replace(part, folder / FIT)
