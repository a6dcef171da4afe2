"""Logins and sessions as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from store import Store, Tx, sessions


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    found = Store.open(None)
    yield found
    found.close()


@pytest.mark.asyncio
async def test_a_dump_of_the_database_holds_no_usable_cookie(store: Store) -> None:
    await store.write(lambda tx: sessions.begin(tx, "the-cookie", "limin", 100, "10.0.0.1"))
    rows = await store.read(lambda c: c.execute("select * from session").fetchall())
    assert "the-cookie" not in str(rows)
    found = await store.read(lambda c: sessions.find(c, "the-cookie"))
    assert found == sessions.Session("limin", 100, 100)
    assert await store.read(lambda c: sessions.find(c, rows[0][0])) is None, "the stored hash opens nothing"


@pytest.mark.asyncio
async def test_the_fifth_miss_locks_and_a_hit_clears(store: Store) -> None:
    def job(tx: Tx) -> list[tuple[int, int]]:
        sessions.set_password(tx, "limin", "hash")
        seen = []
        for _ in range(5):
            sessions.missed(tx, "limin", 5, 1000)
            login = sessions.login(tx, "limin")
            assert login is not None
            seen.append((login.failures, login.locked_until))
        sessions.passed(tx, "limin")
        return seen

    assert await store.write(job) == [(1, 0), (2, 0), (3, 0), (4, 0), (0, 1000)]
    login = await store.read(lambda c: sessions.login(c, "limin"))
    assert login is not None and login.locked_until == 0


@pytest.mark.asyncio
async def test_old_sessions_are_swept_and_others_stay(store: Store) -> None:
    def job(tx: Tx) -> int:
        sessions.begin(tx, "quiet", "a", 100, "")
        sessions.begin(tx, "long", "b", 10, "")
        sessions.touch(tx, "long", 900)
        sessions.begin(tx, "fresh", "c", 900, "")
        return sessions.sweep(tx, 500, 50)

    assert await store.write(job) == 2
    assert await store.read(lambda c: sessions.find(c, "fresh")) is not None
    assert await store.read(lambda c: sessions.count(c, "a")) == 0
