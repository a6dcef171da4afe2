"""A real server on a bad day: a full disk, a held lock, a read-only place, a second process, rights taken away, a set clock."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.clock import BusinessClock
from bot.county_import import put_in
from bot.engine import Engine, Frame, read_key
from bot.rehearse import Stage
from config.files import read_county
from handlers.events import Event, Facts
from handlers.office import Office, Rules
from store import Store, timers
from tests.serving import ROOT, Server, Session, accepted, bot, serving, signed_in, tiny_county, until

ROOT_ONLY = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="只有 root 能挂载小盘、换用户")


def prepared(data: Path, tmp_path: Path, person: str = "li") -> Session:
    """A small office and somebody signed in."""
    asyncio.run(put_in(data, read_county(tiny_county(tmp_path / "tiny"))))
    read_key(data / "key")
    return signed_in(data, person)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few MB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("不能挂载小盘")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def flood(server: Server, session: Session, name: str, count: int) -> list[str]:
    """Send reports; those that were acknowledged."""
    texts = [f"{name}{n} 号垃圾桶满了没人收 {'垃' * 900}" for n in range(count)]
    return [text for n, text in enumerate(texts) if server.say(session, f"{name}{n:06d}", text) == 200]


@ROOT_ONLY
def test_a_full_disk_is_503_and_mends_itself_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    data = small_disk / "d"
    session = prepared(data, tmp_path)
    with serving(data, log=tmp_path / "log") as server:
        taken = flood(server, session, "before", 5)
        assert len(taken) == 5 and server.health() == 200
        fill(small_disk / "filler")
        taken += flood(server, session, "during", 40)
        assert server.say(session, "refused-1", "路边一堆垃圾 满盘") == 503
        until(lambda: server.health() == 503, 15)
        (small_disk / "filler").unlink()
        until(lambda: server.health() == 200, 15)
        assert server.say(session, "refused-1", "路边一堆垃圾 满盘") == 200, "the same message, sent again"
        taken += ["路边一堆垃圾 满盘", *flood(server, session, "after", 5)]
        server.kill()
    stored = accepted(data)
    assert [text for text in stored if text in set(taken)] == taken, "everything acknowledged, once, in order"
    assert len(stored) == len(set(stored))
    assert '"event": "commit_failed"' in (tmp_path / "log").read_text("utf-8")


def test_a_limit_on_file_size_refuses_whole_transactions_and_mends(tmp_path: Path) -> None:
    """Without root: the same with RLIMIT_FSIZE, which SQLite meets as a failed write."""
    script = """
import asyncio, json, resource, signal, sys
from pathlib import Path
from config.errors import Busy
from store import Store, inbox
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(Path(sys.argv[1]))
def job(n): return lambda tx: [inbox.add(tx, "t", f"{n}-{k}", "message", "g", "s", "x" * 3000, None) for k in range(5)]
async def main():
    taken, refused = [], 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    for n in range(60):
        if n == 50:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        try:
            await store.write(job(n)); taken.append(n)
        except Busy:
            refused += 1
    return taken, refused, await store.ready()
print(json.dumps(asyncio.run(main())))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    taken, refused, ready = json.loads(done.stdout.splitlines()[-1])
    assert refused and ready and set(range(50, 60)) <= set(taken)
    store = Store.open(tmp_path)
    stored = store.peek(lambda c: [row[0] for row in c.execute("select event_id from inbox order by seq")])
    store.close()
    assert stored == [f"{n}-{k}" for n in taken for k in range(5)]


def test_a_lock_held_elsewhere_is_503_then_everything_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "d"
    session = prepared(data, tmp_path)
    with serving(data) as server:
        assert server.say(session, "first-01", "垃圾桶满了没人收 一") == 200
        other = sqlite3.connect(data / "qunban.db", isolation_level=None)
        other.execute("begin exclusive")
        assert server.say(session, "second-2", "垃圾桶满了没人收 二") == 503
        assert server.health() == 503
        other.execute("rollback")
        other.close()
        until(lambda: server.health() == 200)
        assert server.say(session, "second-2", "垃圾桶满了没人收 二") == 200
        assert server.say(session, "third-03", "垃圾桶满了没人收 三") == 200
        server.kill()
    assert accepted(data) == [f"垃圾桶满了没人收 {n}" for n in "一二三"]


def test_a_second_server_is_refused_in_a_sentence_and_the_first_serves_on(tmp_path: Path) -> None:
    data = tmp_path / "d"
    session = prepared(data, tmp_path)
    with serving(data) as server:
        done = bot("serve", "--data", str(data), "--port", "0", "--no-browser")
        assert done.returncode == 1 and "正被另一个群办进程使用" in done.stderr and "Traceback" not in done.stderr
        assert server.say(session, "still-01", "垃圾桶满了没人收") == 200
        assert server.stop() == 0
    assert not list(data.glob("*-wal")), "an orderly end leaves one whole file"


@ROOT_ONLY
def test_a_read_only_place_is_refused_in_a_sentence(small_disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = bot("serve", "--data", str(small_disk / "d"), "--port", "0", "--no-browser")
    assert done.returncode == 1 and "数据目录不能写入" in done.stderr and "Traceback" not in done.stderr


@ROOT_ONLY
def test_rights_taken_away_while_running_are_503_until_given_back() -> None:
    """As an ordinary user, in a place that user may reach."""
    with tempfile.TemporaryDirectory() as scratch:
        home, nobody = Path(scratch), pwd.getpwnam("nobody").pw_uid
        home.chmod(0o755)
        session = prepared(home / "d", home)
        for path in (home / "d", *(home / "d").rglob("*")):
            shutil.chown(path, nobody)
        try:
            readable = bot("--version", user=nobody).returncode == 0
        except OSError:
            readable = False
        if not readable:
            pytest.skip("普通用户读不到程序目录")
        with serving(home / "d", log=home / "log", user=nobody, HOME=scratch) as server:
            assert server.say(session, "before-1", "垃圾桶满了没人收 一") == 200
            (home / "d").chmod(0)
            assert server.say(session, "during-1", "垃圾桶满了没人收 二") == 503
            until(lambda: server.health() == 503)
            (home / "d").chmod(0o700)
            until(lambda: server.health() == 200)
            assert server.say(session, "during-1", "垃圾桶满了没人收 二") == 200
            server.kill()
        assert accepted(home / "d") == ["垃圾桶满了没人收 一", "垃圾桶满了没人收 二"]


def test_a_killed_server_accepts_again_with_everything(tmp_path: Path) -> None:
    data = tmp_path / "d"
    session = prepared(data, tmp_path)
    for n in range(2):
        with serving(data) as server:
            assert server.say(session, f"round-{n:02d}", f"垃圾桶满了没人收 {n}") == 200
            server.kill()
    assert accepted(data) == ["垃圾桶满了没人收 0", "垃圾桶满了没人收 1"]


class SetClock(BusinessClock):
    """A machine's clock that somebody sets."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1_795_402_800  # a Tuesday, 11:00 in Shanghai

    def __call__(self) -> int:
        return self.at


async def no_facts(event: Event, office: Office) -> Facts:
    return Facts()


async def engine_on(clock: SetClock, tmp_path: Path) -> tuple[Engine, Stage]:
    stage = Stage("web")
    store = Store.open(None, clock)
    engine = Engine(store, clock, {"web": stage}, no_facts, Frame(Rules(), b"k" * 32))
    await engine.start(read_county(tiny_county(tmp_path / "tiny")))
    return engine, stage


@pytest.mark.asyncio
@pytest.mark.parametrize("jumps", [(3600,), (-3600,), (86400,), (-300,), (3600, -3600), (86400, -86400, 300)], ids=str)
async def test_a_set_clock_fires_every_timer_once_and_time_never_falls(tmp_path: Path, jumps: tuple[int, ...]) -> None:
    clock = SetClock()
    engine, _ = await engine_on(clock, tmp_path)
    for n in range(5):
        due = clock.at + 600 * (n + 1)
        await engine.store.write(partial(_set, f"x{n}", due))
    for jump in (0, *jumps):
        clock.at += jump
        await engine.clock.tick()
        await engine.settle()
    clock.at += 90_000
    for _ in range(3):
        await engine.clock.tick()
        await engine.settle()
    fired, times = await engine.store.read(
        lambda c: (
            c.execute("select event_id from inbox where channel = 'clock' and event_id like 'x%'").fetchall(),
            [row[0] for row in c.execute("select at from inbox order by seq")],
        )
    )
    assert len(fired) == len(set(fired)) == 5
    assert times == sorted(times)
    await engine.close()


def _set(subject: str, due: int, tx) -> None:  # type: ignore[no-untyped-def]
    timers.put(tx, subject, "gather", due, "g")


@pytest.mark.asyncio
async def test_the_heartbeat_ticks_without_the_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due fires though the scheduler's dates lie an hour ahead, as after a clock set back."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    monkeypatch.setattr("bot.clock.LONGEST_SLEEP", 0.01)
    clock = SetClock()
    engine, _ = await engine_on(clock, tmp_path)
    scheduler = AsyncIOScheduler()  # never started: it wakes nobody
    engine.clock.start(scheduler)
    await engine.store.write(partial(_set, "x", clock.at))
    async with asyncio.timeout(10):
        while await engine.store.read(timers.next_due) is not None:
            await engine.store.read(lambda c: None)
    await engine.clock.close()
    await engine.close()
