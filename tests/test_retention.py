"""What an office says it keeps for so long, it keeps for so long."""

from __future__ import annotations

import datetime

import pytest

from bot.app import rules_of
from config.county import County
from config.settings import Settings
from handlers.office import open_office
from store import Store, Tx, photos, tasks
from store.tasks import Task

DAY = 86400
NOW = 1_795_400_000


def _task(task_id: str, state: str, closed_at: int | None) -> Task:
    return Task(task_id, None, None, state, "g", "p", "words", opened_at=NOW - 400 * DAY, closed_at=closed_at)


@pytest.mark.asyncio
async def test_photos_leave_180_days_after_their_task_ended_and_stay_where_another_task_shows_them() -> None:
    store = Store.open(None, lambda: NOW)
    old, fresh, shared = ("a" * 64, "b" * 64, "c" * 64)

    def begin(tx: Tx) -> None:
        for sha in (old, fresh, shared):
            photos.add(tx, sha, 10, 10, 100, "0" * 64)
        tasks.add(tx, _task("ended", "closed", NOW - 181 * DAY))
        tasks.add(tx, _task("lately", "closed", NOW - 179 * DAY))
        tasks.add(tx, _task("open", "accepted", None))
        for task, sha in (("ended", old), ("ended", shared), ("lately", fresh), ("open", shared)):
            tasks.add_photo(tx, task, sha, "report", "p", 1)

    try:
        await store.write(begin)
        assert await store.write(lambda tx: tasks.retire_photos(tx, NOW - 180 * DAY)) == (2, [old])
        assert await store.write(lambda tx: tasks.retire_photos(tx, NOW - 180 * DAY)) == (0, [])
        assert await store.write(lambda tx: photos.sweep(tx, NOW + 1)) == [old]
        assert await store.read(lambda c: photos.known(c, shared) and photos.known(c, fresh))
    finally:
        store.close()


def test_the_hours_an_office_sets_are_its_quiet_hours() -> None:
    lunch = int(datetime.datetime.fromisoformat("2026-11-24T13:00:00+08:00").timestamp())
    for hours, quiet in (("09:00-12:00, 14:00-17:00", True), ("08:30-18:00", False)):
        rules = rules_of(Settings(office_hours=hours))
        worktime = open_office(County(), {}, rules, b"k" * 32).worktime
        assert worktime.is_quiet(lunch) is quiet
        assert worktime.next_open(lunch) - lunch == (3600 if quiet else 0)
