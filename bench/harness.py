"""What the benchmarks share: processes pinned to a core and their CPU time, a county with many groups, prepared tasks.

CPU is read from /proc/PID/stat (10 ms ticks), so a round should last some seconds.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from config.county import County, Group
from config.files import shipped_county
from store import Store, Tx, county, history

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
TOKEN = "bench-bench-bench-bench-bench-00"
PER_DAY = 9999  # the longest serial people can type
OFFICER, UNIT, USER = "zhangqiang", "cgj", "20002"
FIRST_GROUP = 700000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data directory with `fresh` tasks waiting for 签收, the newest of all; task i belongs to group i % groups."""

    folder: Path
    groups: int
    fresh: int

    def number(self, i: int) -> str:
        """The full number of a fresh task."""
        return f"{_day(i // PER_DAY)}-{i % PER_DAY + 1}"


def _day(index: int) -> str:
    return time.strftime("%Y%m%d", time.gmtime(time.time() - (index + 1) * 86400))


def many_groups(count: int, channel: str) -> County:
    """The shipped county with `count` report groups on a channel, and an officer who is in all of them."""
    shipped = shipped_county()
    mark = "g" if channel == "qq" else ""
    groups = tuple(
        Group(f"b{i}", f"测试群{i}", "reports", (), () if channel == "app" else (f"{channel}:{mark}{FIRST_GROUP + i}",))
        for i in range(count)
    )
    people = tuple(
        replace(p, accounts=(*p.accounts, f"{channel}:{USER}")) if p.id == OFFICER else p for p in shipped.people
    )
    return replace(shipped, groups=(*shipped.groups, *groups), people=people)


def prepare(folder: Path, channel: str, groups: int, fresh: int, others: int = 0, settings: str = "") -> Prepared:
    """Fill a data directory as weeks of use would."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text(settings, encoding="utf-8")
    asyncio.run(_fill(folder, channel, groups, fresh, others))
    return Prepared(folder, groups, fresh)


async def _fill(folder: Path, channel: str, groups: int, fresh: int, others: int) -> None:
    store = Store.open(folder)
    await store.write(lambda tx: county.save(tx, many_groups(groups, channel)))
    for start in range(0, fresh + others, 20000):
        indexes = range(start, min(start + 20000, fresh + others))
        await store.write(lambda tx, indexes=indexes: _insert(tx, indexes, groups, fresh))
    store.close()


def _insert(tx: Tx, indexes: range, groups: int, fresh: int) -> None:
    at, rows, steps, timers = tx.at, [], [], []
    for i in indexes:
        open_, rank = i < fresh, i if i < fresh else i + PER_DAY
        task, state = f"t{10**8 - i if not open_ else 10**8 + i}", "dispatched" if open_ else "closed"
        opened = at - 900 if open_ else at - 86400 * (i % 700 + 1)
        rows.append(
            (task, _day(rank // PER_DAY), rank % PER_DAY + 1, state, f"b{i % groups}", "limin", f"西环路{i}号门口垃圾堆放无人清理",
             "事件0201", "xihuanlu", UNIT, opened, opened, at + 432000, 5, "work_day")
        )  # fmt: skip
        values = (task, 1, opened, "dispatch", "", state, "", "", UNIT, "事件0201", None, at + 432000, "", "")
        steps.append((*values, history.digest(values)))
        timers += [
            (task, kind, at + 400000 + i, f"b{i % groups}") for kind in ("accept", "due_soon", "overdue")
        ] * open_
    many = tx.connection.executemany
    many(
        "insert into task (id, day, serial, state, group_id, reporter, text, category, place, unit, opened_at,"
        " dispatched_at, due_at, limit_n, limit_unit) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    many("insert into task_unit (task, unit, lead) values (?, ?, 1)", ((row[0], UNIT) for row in rows))
    many("insert into task_reporter (task, person, at) values (?, 'limin', ?)", ((row[0], row[10]) for row in rows))
    many(
        "insert into history (task, n, at, event, from_state, to_state, actor, role, unit, code, amount, due_at, mark,"
        " prev, hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        steps,
    )
    many("insert into timer (subject, kind, due_at, lane) values (?, ?, ?, ?)", timers)


@dataclass(slots=True)
class Process:
    """A running server."""

    name: str
    port: int
    popen: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rest(self, patience: float = 180.0) -> None:
        """Wait until it idles: a first start seals the history and makes a backup, which is not what is measured."""
        end, before = time.monotonic() + patience, -1.0
        while time.monotonic() < end and (now := self.cpu()) - before > 0.05:
            before = now
            time.sleep(2.0)

    def rss(self) -> float:
        """MiB resident."""
        for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0


def free_port() -> int:
    """A port nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, arguments: list[str], port: int, core: int = 0) -> Iterator[Process]:
    """Start a server pinned to a core, wait until it accepts, end it."""
    popen = subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=sys.stderr, preexec_fn=lambda: pin(core)
    )
    try:
        _await_port(popen, port)
        yield Process(name, port, popen)
    finally:
        popen.terminate()
        popen.wait(20)


def _await_port(popen: subprocess.Popen[bytes], port: int, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if popen.poll() is not None:
            raise SystemExit(f"server ended with {popen.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit("server did not come up")


def pin(core: int) -> None:
    """Keep this process on one core, where there are two."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > core:
        os.sched_setaffinity(0, {core})


def bot(prepared: Prepared, port: int) -> list[str]:
    """The command that serves a prepared directory."""
    return [sys.executable, "-m", "bot", "serve", "--data", str(prepared.folder), "--port", str(port), "--no-browser"]


def peer_python() -> str:
    """The interpreter of bench/.venv-nonebot, made from pinned requirements when absent."""
    folder = ROOT / "bench" / ".venv-nonebot"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        requirements = str(ROOT / "bench" / "requirements-nonebot.txt")
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", requirements], check=True)
    return str(python)


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory on a real disk (under the repository's bench folder unless BENCH_DIR says otherwise)."""
    folder = Path(tempfile.mkdtemp(prefix=".data-", dir=os.environ.get("BENCH_DIR", ROOT / "bench")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: list[float]) -> float:
    """The middle."""
    return statistics.median(values)
