"""A data directory is opened whole or refused in words; what was acknowledged is there or the start says it is not."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import Busy, ConfigError
from store import Store, Tx, inbox, writer
from store.sqlite import open_reader
from store.store import DATABASE, WITNESS, ledger
from store.switching import own, switch
from store.witness import Witness, read_witness
from tests.serving import until

ROOT = Path(__file__).resolve().parents[1]
FRAME = 4096 + 24  # a page and its header in the WAL


def add(n: int, text: str = "") -> writer.Job[object]:
    def job(tx: Tx) -> object:
        return inbox.add(tx, "t", f"m{n}", "message", "g", "s", f'{{"text": "{text or n}"}}', None)

    return job


def events(store: Store) -> list[str]:
    return store.peek(lambda c: [row[0] for row in c.execute("select event_id from inbox order by seq")])


def crash_image(tmp_path: Path, writes: int) -> Path:
    """What kill -9 leaves behind: database, WAL and witness as they stand between two commits, nothing checkpointed."""
    live, image = tmp_path / "live", tmp_path / "image"
    store = Store.open(live)

    async def write() -> None:
        for n in range(writes):
            await store.write(add(n))

    asyncio.run(write())
    image.mkdir(mode=0o700)
    for name in (DATABASE, f"{DATABASE}-wal", WITNESS):
        shutil.copy2(live / name, image / name)
    store.close()
    return image


def reopened(folder: Path) -> list[str] | str:
    """The events found, or why the start was refused."""
    try:
        store = Store.open(folder)
    except ConfigError as error:
        return str(error)
    found = events(store)
    store.close()
    return found


# start gates


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "d")
    with pytest.raises(ConfigError, match="正被另一个群办进程使用"):
        Store.open(tmp_path / "d")
    asyncio.run(store.write(add(1)))
    store.close()
    assert reopened(tmp_path / "d") == ["m1"]


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("")
    with pytest.raises(ConfigError, match="数据目录不能写入"):
        Store.open(tmp_path / "d")


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"%PDF-1.7 nothing of ours" * 400)
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(ConfigError, match="打不开"):
        Store.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == before


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('qunban', '9999_future', '')"
        )
    connection.close()
    with pytest.raises(ConfigError, match="更新版本"):
        Store.open(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_database_is_refused(tmp_path: Path, share: float) -> None:
    store = Store.open(tmp_path)
    asyncio.run(store.submit([add(n, "x" * 500) for n in range(300)]))
    store.close()
    path = tmp_path / DATABASE
    os.truncate(path, int(path.stat().st_size * share))
    assert "restore" in str(reopened(tmp_path))


def test_a_missing_database_is_refused_and_not_begun_anew(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    store = Store.open(tmp_path)
    asyncio.run(store.write(add(1)))
    store.close()
    (tmp_path / DATABASE).unlink()
    assert "数据库文件不见了" in str(reopened(tmp_path))
    assert not (tmp_path / DATABASE).exists()


def test_an_old_copy_put_over_the_database_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "d")
    asyncio.run(store.write(add(1)))
    store.close()
    shutil.copy2(tmp_path / "d" / DATABASE, tmp_path / "old")
    store = Store.open(tmp_path / "d")
    asyncio.run(store.write(add(2)))
    store.close()
    shutil.copy2(tmp_path / "old", tmp_path / "d" / DATABASE)
    assert "比已确认的少 1 次写入" in str(reopened(tmp_path / "d"))


def test_flipped_bits_are_refused_or_lose_no_row(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "d")
    asyncio.run(store.submit([add(n, "x" * 200) for n in range(200)]))
    store.close()
    whole, dice = (tmp_path / "d" / DATABASE).read_bytes(), random.Random(7)
    outcomes = {"refused": 0, "whole": 0}
    for n in range(60):
        damaged = bytearray(whole)
        at = dice.randrange(len(damaged))
        damaged[at] ^= 1 << dice.randrange(8)
        folder = tmp_path / f"f{n}"
        folder.mkdir(mode=0o700)
        (folder / DATABASE).write_bytes(damaged)
        shutil.copy2(tmp_path / "d" / WITNESS, folder / WITNESS)
        found = reopened(folder)
        if isinstance(found, list):
            assert len(found) == 200, f"bit at {at} lost rows without a word"
        outcomes["refused" if isinstance(found, str) else "whole"] += 1
    assert outcomes["whole"], outcomes


# the log of writes


@pytest.mark.parametrize("where", ["header", "first", "middle", "last", "cut", "cut-frame", "gone"])
def test_a_damaged_log_of_writes_never_loses_silently(tmp_path: Path, where: str) -> None:
    image = crash_image(tmp_path, 40)
    wal = image / f"{DATABASE}-wal"
    data = bytearray(wal.read_bytes())
    frames = (len(data) - 32) // FRAME
    places = {
        "header": 17,
        "first": 32 + 40,
        "middle": 32 + frames // 2 * FRAME + 900,
        "last": 32 + (frames - 1) * FRAME + 900,
    }
    if where in places:
        data[places[where]] ^= 4
        wal.write_bytes(data)
    elif where == "gone":
        wal.unlink()
    else:
        os.truncate(wal, len(data) - (FRAME if where == "cut-frame" else 100))
    found = reopened(image)
    assert isinstance(found, str), "a lost end must be refused"
    assert "比已确认的少" in found or "不见了" in found


def test_every_frame_of_the_log_damaged_is_refused_or_whole(tmp_path: Path) -> None:
    image = crash_image(tmp_path, 12)
    whole = (image / f"{DATABASE}-wal").read_bytes()
    frames = (len(whole) - 32) // FRAME
    for frame in range(0, frames, 2):
        folder = tmp_path / f"w{frame}"
        shutil.copytree(image, folder)
        data = bytearray(whole)
        data[32 + frame * FRAME + 24 + 100] ^= 1
        (folder / f"{DATABASE}-wal").write_bytes(data)
        found = reopened(folder)
        assert isinstance(found, str) or len(found) == 12


def test_a_crash_between_commit_and_witness_starts_and_keeps_the_commit(tmp_path: Path) -> None:
    image = crash_image(tmp_path, 5)
    witness = Witness(image / WITNESS)
    witness.write(witness.commits - 1)
    witness.close()
    assert reopened(image) == [f"m{n}" for n in range(5)]
    assert read_witness(image / WITNESS) == 4  # nothing written since


def test_kill_between_commit_and_witness_in_a_real_process(tmp_path: Path) -> None:
    script = """
import asyncio, os, signal, sys
from pathlib import Path
from store import Store, inbox
from store.witness import Witness
store = Store.open(Path(sys.argv[1]))
job = lambda tx: inbox.add(tx, "t", "m1", "message", "g", "s", "{}", None)
Witness.write = lambda self, commits: os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(store.write(job))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert reopened(tmp_path) == ["m1"]


def test_a_damaged_witness_does_not_stop_a_whole_database(tmp_path: Path) -> None:
    image = crash_image(tmp_path, 3)
    (image / WITNESS).write_bytes(b"\xff" * 20)
    assert reopened(image) == ["m0", "m1", "m2"]


def test_power_cut_states_hold_every_commit_the_log_had_synced(tmp_path: Path) -> None:
    """Any prefix of the log that ends with a whole commit, with the witness as it was then, starts with all of it."""
    live, image = tmp_path / "live", tmp_path / "image"
    store = Store.open(live)
    states: list[tuple[bytes, bytes]] = []

    async def write() -> None:
        for n in range(6):
            await store.write(add(n))
            states.append(((live / f"{DATABASE}-wal").read_bytes(), (live / WITNESS).read_bytes()))

    asyncio.run(write())
    database = (live / DATABASE).read_bytes()
    store.close()
    for n, (wal, witness) in enumerate(states):
        torn = states[min(n + 1, 5)][0][: len(wal) + 777]  # the next commit only partly written
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir(mode=0o700)
        (image / DATABASE).write_bytes(database)
        (image / f"{DATABASE}-wal").write_bytes(torn)
        (image / WITNESS).write_bytes(witness)
        assert reopened(image) == [f"m{k}" for k in range(n + 1)]


def test_closing_leaves_one_whole_file(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    asyncio.run(store.write(add(1)))
    assert events(store) == ["m1"]
    store.close()
    assert not list(tmp_path.glob("*-wal")) and not list(tmp_path.glob("*-shm"))


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "d")
    asyncio.run(store.write(add(1)))
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "d").iterdir()}
    store.close()
    assert not any(modes.values()), modes
    assert not (tmp_path / "d").stat().st_mode & 0o077


# the writer under a failing disk


def test_a_full_disk_midway_leaves_nothing_half_done_and_heals(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    full = store._writer._connection

    async def story() -> None:
        await store.write(add(0))
        pages = full.execute("pragma page_count").fetchone()[0]
        full.execute(f"pragma max_page_count={pages + 3}")
        outcomes = await asyncio.gather(
            *(store.write(add(n, "x" * 20000)) for n in range(1, 6)), return_exceptions=True
        )
        assert all(isinstance(outcome, Busy) for outcome in outcomes)
        assert not store.healthy and "full" in store.fault
        full.execute("pragma max_page_count=100000")
        assert await store.ready() and store.healthy
        await store.write(add(9))

    asyncio.run(story())
    assert events(store) == ["m0", "m9"]
    store.close()
    assert reopened(tmp_path) == ["m0", "m9"]


def test_a_locked_database_answers_busy_then_resumes_in_order(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store._writer._connection.execute("pragma busy_timeout=50")
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)

    async def story() -> None:
        await store.write(add(0))
        other.execute("begin exclusive")
        with pytest.raises(Busy):
            await store.write(add(1))
        assert not await store.ready()
        assert await store.read(lambda c: c.execute("select count(*) from inbox").fetchone()[0]) == 1
        other.execute("rollback")
        assert await store.ready()
        for n in (1, 2, 3):
            await store.write(add(n))

    asyncio.run(story())
    other.close()
    assert events(store) == ["m0", "m1", "m2", "m3"]
    store.close()


def test_a_database_moved_away_takes_no_further_promise(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    async def story() -> None:
        await store.write(add(0))
        os.rename(tmp_path / DATABASE, tmp_path / "elsewhere")
        with pytest.raises(Busy):
            await store.write(add(1))
        assert not await store.ready()
        os.rename(tmp_path / "elsewhere", tmp_path / DATABASE)
        await store.write(add(1))
        assert await store.ready()

    asyncio.run(story())
    store.close()
    assert reopened(tmp_path) == ["m0", "m1"]


def test_a_bad_transaction_falls_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    def bad(tx: Tx) -> None:
        add(7)(tx)
        raise ValueError("a bug")

    async def story() -> None:
        outcomes = await store.submit([add(1), bad, add(2)])
        assert [type(outcome.error) for outcome in outcomes] == [type(None), ValueError, type(None)]

    asyncio.run(story())
    assert events(store) == ["m1", "m2"]
    store.close()


@pytest.mark.asyncio
async def test_readiness_asks_the_disk_only_when_the_last_commit_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path)
    await store.write(add(1))
    before = read_witness(tmp_path / WITNESS)
    assert await store.ready() and read_witness(tmp_path / WITNESS) == before
    monkeypatch.setattr("store.store.PROOF_SECONDS", 0.0)
    assert await store.ready() and read_witness(tmp_path / WITNESS) == before + 1
    store.close()


# time


class Wall:
    """A machine's clock that somebody sets."""

    def __init__(self) -> None:
        self.at = 1_800_000_000

    def __call__(self) -> int:
        return self.at


@pytest.mark.asyncio
async def test_accept_time_never_falls_and_never_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wall, mono = Wall(), [0.0]
    monkeypatch.setattr("store.writer.time.monotonic", lambda: mono[0])
    store = Store.open(None, wall)
    seen: list[int] = []
    for jump in (0, 3600, -300, 0, 0, -3600, 0, 86400, -86400, 0, 0):
        wall.at += jump
        for _ in range(5):
            wall.at += 10
            mono[0] += 10
            seen.append(await store.write(lambda tx: tx.at))
    assert seen == sorted(seen)
    assert len(set(seen)) > 50, "time must go on while the clock is behind"
    store.close()


@pytest.mark.asyncio
async def test_a_clock_set_back_is_caught_up_with(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, mono = Wall(), [0.0]
    monkeypatch.setattr("store.writer.time.monotonic", lambda: mono[0])
    store = Store.open(None, wall)
    await store.write(lambda tx: None)
    wall.at -= 300
    for _ in range(70):
        wall.at += 10
        mono[0] += 10
        last = await store.write(lambda tx: tx.at)
    assert last == wall.at
    store.close()


def test_accept_time_does_not_fall_over_a_restart(tmp_path: Path) -> None:
    wall = Wall()
    store = Store.open(tmp_path, wall)
    first = asyncio.run(store.write(lambda tx: tx.at))
    store.close()
    wall.at -= 3600
    store = Store.open(tmp_path, wall)
    assert asyncio.run(store.write(lambda tx: tx.at)) >= first
    store.close()


# what was erased


def test_erased_words_are_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot import backup

    monkeypatch.setattr("store.writer.ERASE_SECONDS", 0.0)
    marker = "擦除标记甲乙丙丁" * 40
    store = Store.open(tmp_path)

    async def story() -> None:
        row = await store.write(lambda tx: inbox.add(tx, "t", "m1", "message", "g", "s", marker, None))
        assert row is not None
        for n in range(50):
            await store.write(add(n + 10, "y" * 100))
        await store.write(lambda tx: inbox.blank(tx, row.seq))

    asyncio.run(story())
    until(lambda: not (tmp_path / f"{DATABASE}-wal").stat().st_size)
    backup.take(tmp_path, 3)
    piece = marker.encode()[:24]
    holders = [str(path) for path in tmp_path.rglob("*") if path.is_file() and piece in path.read_bytes()]
    store.close()
    assert not holders


def test_the_log_of_writes_stays_bounded(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    async def story() -> None:
        for batch in range(60):
            await store.submit([add(batch * 100 + n, "z" * 1000) for n in range(100)])
            await store.read(lambda c: c.execute("select count(*) from inbox").fetchone())

    asyncio.run(story())
    size = (tmp_path / f"{DATABASE}-wal").stat().st_size
    store.close()
    assert size < 16 << 20


def test_a_reader_can_neither_write_nor_checkpoint(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    asyncio.run(store.write(add(1)))
    reader = open_reader(tmp_path / DATABASE)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("delete from inbox")
    before = (tmp_path / f"{DATABASE}-wal").stat().st_size
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("pragma wal_checkpoint(truncate)").fetchone()
    reader.close()
    assert (tmp_path / f"{DATABASE}-wal").stat().st_size == before
    store.close()


# upgrades and exchanges cut off


@pytest.mark.parametrize("after", [0, 1, 7, 30, 60])
def test_a_migration_killed_midway_completes_on_the_next_start(tmp_path: Path, after: int) -> None:
    script = f"""
import os, signal, sys
from pathlib import Path
from store import Store, migrations
whole = migrations._statements
def killing(sql):
    for n, statement in enumerate(whole(sql)):
        if n == {after}:
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
migrations._statements = killing
Store.open(Path(sys.argv[1]))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    store = Store.open(tmp_path)
    asyncio.run(store.write(add(1)))
    assert events(store) == ["m1"]
    store.close()


@pytest.mark.parametrize("at", range(1, 9))
def test_an_exchange_killed_midway_is_finished_by_the_next_start(tmp_path: Path, at: int) -> None:
    data, fresh = tmp_path / "d", tmp_path / "d" / "incoming"
    for folder, n in ((data, 1), (fresh, 2)):
        store = Store.open(folder)
        asyncio.run(store.write(add(n)))
        store.close()
        (folder / "key").write_bytes(bytes([n]) * 32)
    (fresh / "lock").unlink()
    pid = os.fork()
    if not pid:
        real, calls = os.replace, [0]

        def killing(source: object, target: object) -> None:
            calls[0] += 1
            if calls[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            real(source, target)  # type: ignore[arg-type]

        os.replace = killing  # type: ignore[assignment]
        with own(data):
            switch(data, fresh)
        os._exit(0)
    os.waitpid(pid, 0)
    found, key = reopened(data), (data / "key").read_bytes()[0]
    assert (found, key) in ((["m1"], 1), (["m2"], 2)), "one office or the other, never a mixture"
    if at > 1:
        assert (found, key) == (["m2"], 2)


def test_the_ledger_counts_every_commit(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for n in range(4):
        asyncio.run(store.write(add(n)))
    assert store.peek(ledger) == 4 == read_witness(tmp_path / WITNESS)
    store.close()
