"""Housekeeping by cron: anchors, backups, purges. Each run claims its slot in the database, so a missed one is caught up once."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot import backup, failpoints
from bot.clock import ZONE
from bot.media import SHA, PhotoShop
from config.errors import QunbanError
from store import Store, audit, history, meta, photos, questions, retention, sessions, task_words, tasks

log = structlog.get_logger()
WORDS = "task_words"
SESSION_IDLE, SESSION_AGE = 86400, 30 * 86400  # seconds; the real limits hold when a session is used, this only tidies
ASKER_SECONDS = 86400  # who asked which tax question is forgotten after a day; the question stays for the clusters
_WITNESSED = re.compile(r"^(\d+) ([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept: days, minutes between backups, copies kept."""

    audit_days: int = 400
    photo_days: int = 180
    text_days: int = 730
    loose_photo_hours: int = 24
    backup_minutes: int = 15
    backup_keep: int = 14


class Maintenance:
    """Registers the jobs; `run` does one now if its slot is free."""

    def __init__(self, store: Store, shop: PhotoShop, retention: Retention) -> None:
        self._store = store
        self._shop = shop
        self._retention = retention
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        minutes = retention.backup_minutes
        self._jobs: dict[str, tuple[int, BaseTrigger, Callable[[], Awaitable[None]]]] = {
            "anchor": (3600, CronTrigger(minute=2, timezone=ZONE), self._anchor),
            "backup": (minutes * 60, IntervalTrigger(minutes=minutes, timezone=ZONE), self._backup),
            "purge": (86400, CronTrigger(hour=3, minute=17, timezone=ZONE), self._purge),
        }

    def start(self, scheduler: AsyncIOScheduler) -> None:
        """Schedule everything, and catch up what was missed while the program was off."""
        for name, (_, trigger, _) in self._jobs.items():
            scheduler.add_job(
                self.run, trigger, args=(name,), id=name, misfire_grace_time=None, coalesce=True, max_instances=1
            )
            scheduler.add_job(self.run, args=(name,), id=f"{name}-catch-up", misfire_grace_time=None)
        scheduler.add_job(self.enter_words, id=WORDS, misfire_grace_time=None)

    async def enter_words(self) -> None:
        """Tasks older than the index of their words, a few hundred at a time so that nothing waits for it; once for good."""
        try:
            while not await self._store.read(lambda c: meta.get(c, WORDS)):
                if not await self._store.write(task_words.catch_up):
                    await self._store.write(lambda tx: meta.put(tx, WORDS, "1"))
        except (QunbanError, sqlite3.Error) as error:
            log.error("maintenance_failed", job=WORDS, error=type(error).__name__)

    async def run(self, name: str) -> bool:
        """Do a job unless its slot is done; True when it ran. One that failed or was killed halfway is done again."""
        period, _, job = self._jobs[name]
        try:
            async with self._turns[name]:
                slot = self._store.now() // period
                if await self._store.read(lambda c: int(meta.get(c, f"job:{name}", "-1"))) >= slot:
                    return False
                await job()
                await self._store.write(lambda tx: meta.put(tx, f"job:{name}", str(slot)))
        except (QunbanError, sqlite3.Error, OSError) as error:
            log.error("maintenance_failed", job=name, error=type(error).__name__)
            return False
        return True

    async def _anchor(self) -> None:
        sealed = await self._store.write(history.anchor)
        if failpoints.ARMED:
            failpoints.reach("anchor.after_commit")
        if sealed is not None and self._store.folder is not None:
            await asyncio.to_thread(_witness_anchor, self._store.folder / "anchors.log", sealed[0], sealed[3])

    async def _backup(self) -> None:
        if self._store.folder is not None:
            await asyncio.to_thread(backup.take, self._store.folder, self._retention.backup_keep)

    async def _purge(self) -> None:
        now, loose = self._store.now(), self._retention.loose_photo_hours * 3600
        await self._store.write(lambda tx: audit.purge(tx, now - self._retention.audit_days * 86400))
        real = int(time.time())
        await self._store.write(lambda tx: sessions.sweep(tx, real - SESSION_IDLE, real - SESSION_AGE))
        await self._retire_photos(now - self._retention.photo_days * 86400)
        old = now - self._retention.text_days * 86400
        for sha in await self._store.write(lambda tx: photos.retire_drawings(tx, old)):
            await self._erase(sha)
        await self._erase_words(old)
        await self._store.write(lambda tx: questions.purge(tx, old, now - ASKER_SECONDS))
        while shas := await self._store.write(lambda tx: photos.sweep(tx, now - loose)):
            for sha in shas:
                await self._erase(sha)
        if self._store.folder is not None:
            for sha in await asyncio.to_thread(_old_files, self._store.folder / "photos", time.time() - loose):
                await self._erase(sha)  # unless it has a row: a process may die between a file and its row

    async def _erase_words(self, before: int) -> None:
        """Texts past their time, a piece at a time."""
        while ids := await self._store.read(lambda c: retention.old_tasks(c, before)):
            await self._store.write(lambda tx, ids=ids: retention.erase_tasks(tx, ids))  # type: ignore[misc]
        for table in retention.KINDS:
            while await self._store.write(lambda tx, table=table: retention.erase_messages(tx, table, before)):  # type: ignore[misc]
                pass

    async def _retire_photos(self, before: int) -> None:
        """Photos of tasks long ended: their rows go here, their files with the sweep that follows."""
        while True:
            count, pictures = await self._store.write(lambda tx: tasks.retire_photos(tx, before))
            for picture in pictures:
                await self._erase(picture)
            if not count:
                return

    async def _erase(self, sha: str) -> None:
        """In the writer's turn: who enters the same photo comes before, and it stays, or behind, and sees it gone."""
        await self._store.write(lambda tx: None if photos.known(tx, sha) else self._shop.erase(sha))


def _old_files(folder: Path, before: float) -> list[str]:
    return [path.stem for path in folder.glob("??/*.jpg") if SHA.fullmatch(path.stem) and path.stat().st_mtime < before]


def _witness_anchor(path: Path, n: int, sealed: str) -> None:
    with path.open("a", encoding="ascii") as file:
        file.write(f"{n} {sealed}\n")
        file.flush()
        os.fsync(file.fileno())


def witnessed_anchors(path: Path) -> dict[int, str]:
    """The anchors kept outside the database; a line the power cut short counts for nothing."""
    if not path.exists():
        return {}
    return {int(n): sealed for n, sealed in _WITNESSED.findall(path.read_text("ascii", errors="replace"))}
