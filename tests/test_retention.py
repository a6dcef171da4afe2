"""What an office says it keeps for so long, it keeps for so long."""

from __future__ import annotations

import datetime
import sqlite3

import pytest

from bot.app import rules_of
from config.county import County
from config.settings import Settings
from handlers.office import open_office
from store import Store, Tx, history, outbox, photos, retention, task_words, tasks
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


@pytest.mark.asyncio
async def test_words_leave_two_years_after_their_task_ended_and_what_happened_stays() -> None:
    store, before = Store.open(None, lambda: NOW), NOW - 730 * DAY

    def begin(tx: Tx) -> None:
        for name, state, ended in (
            ("old", "closed", before - 1),
            ("new", "closed", before + 1),
            ("open", "accepted", None),
        ):
            made = Task(
                name,
                None,
                None,
                state,
                "g",
                "p",
                "李四家门口",
                place_text="李四家",
                opened_at=before - DAY,
                closed_at=ended,
            )
            tasks.add(tx, made)
            tasks.note(tx, name, 1, "李四说马上来")
            history.append(tx, name, "open", "", state, actor="p")

    def words(connection: sqlite3.Connection) -> dict[str, tuple[str, str, int]]:
        found = {task: tasks.get(connection, task) for task in ("old", "new", "open")}
        return {name: (task.text, task.place_text, len(tasks.notes(connection, name))) for name, task in found.items()}

    try:
        await store.write(begin)
        old = await store.read(lambda c: retention.old_tasks(c, before))
        await store.write(lambda tx: retention.erase_tasks(tx, old))
        assert old == ["old"] and await store.read(lambda c: retention.old_tasks(c, before)) == []
        told = await store.read(words)
        assert told["old"] == (retention.GONE, "", 0)
        assert told["new"] == told["open"] == ("李四家门口", "李四家", 1)
        assert await store.read(lambda c: len(history.of(c, "old"))) == 1
        query = task_words.query_of("李四")
        found = await store.read(
            lambda c: c.execute("select count(*) from task_words where task_words match ?", (query,)).fetchone()[0]
        )
        assert found == 2
    finally:
        store.close()


@pytest.mark.asyncio
async def test_words_of_old_messages_leave_once_and_waiting_ones_stay() -> None:
    clock = [NOW - 800 * DAY]
    store = Store.open(None, lambda: clock[0])
    try:
        for n in range(3):
            await store.write(lambda tx, n=n: outbox.add(tx, f"k{n}", "web", "g", "help", '{"text":"电话里说的"}'))
        await store.write(lambda tx: (outbox.mark(tx, 1, "sent"), outbox.mark(tx, 2, "sent")))
        clock[0] = NOW
        await store.write(lambda tx: outbox.add(tx, "new", "web", "g", "help", '{"text":"新的"}'))
        before = NOW - 730 * DAY
        assert await store.write(lambda tx: retention.erase_messages(tx, "outbox", before)) == 3
        assert await store.write(lambda tx: retention.erase_messages(tx, "outbox", before)) == 0
        rows = await store.read(lambda c: c.execute("select body from outbox order by seq").fetchall())
        assert ["电话" in body for (body,) in rows] == [False, False, True, False]
    finally:
        store.close()
