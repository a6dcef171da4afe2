"""A data directory opened for use: start gates, the writer, the readers, backup.

The gates refuse clearly instead of running on a doubtful database: another process holds it, a newer program
wrote it, it is damaged or gone, or it ends before what was already promised.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from config.errors import Busy, ConfigError
from store.lock import FileLock
from store.migrations import migrate
from store.sqlite import engine_fault, open_reader, open_writer
from store.switching import DATABASE, WITNESS, finish
from store.witness import Witness, read_witness
from store.writer import Job, Outcome, Then, Writer

__all__ = ["DATABASE", "Store", "ledger"]

T = TypeVar("T")
CHECKED_AT_START = 64 << 20  # bytes; a larger file is checked on its backup copies instead (start <= 3 s)
PROOF_SECONDS = 5.0  # a commit younger than this proves that the disk takes writes
PROBE_PATIENCE = 2.0


def real_clock() -> int:
    """Epoch seconds now."""
    return int(time.time())


class Store:
    """`await Store.open(folder)`; folder None keeps everything in memory."""

    def __init__(
        self, folder: Path | None, writer: Writer, memory: sqlite3.Connection | None, lock: FileLock | None
    ) -> None:
        self.folder = folder
        self._writer = writer
        self._memory = memory
        self._lock = lock
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="reader")
        self._local = threading.local()
        self._open_readers: list[sqlite3.Connection] = []

    @classmethod
    def open(cls, folder: Path | None, clock: Callable[[], int] = real_clock) -> Store:
        """Pass the start gates and begin. Raises ConfigError with what to do."""
        if folder is None:
            connection = open_writer(None)
            migrate(connection)
            store = cls(None, Writer(connection, clock, Witness(None)), connection, None)
            store._writer.start(0)
            return store
        return cls._open_folder(folder, clock)

    @classmethod
    def _open_folder(cls, folder: Path, clock: Callable[[], int]) -> Store:
        _prepare_folder(folder)
        lock = FileLock(folder / "lock")
        try:
            finish(folder)
            _refuse_lost(folder)
            connection, last_at = _open_checked(folder / DATABASE, read_witness(folder / WITNESS))
            writer = Writer(connection, clock, _witness(connection, folder), intact=_watch(folder / DATABASE))
        except BaseException:
            lock.release()
            raise
        store = cls(folder, writer, None, lock)
        writer.start(last_at)
        return store

    async def write(self, job: Job[T]) -> T:
        """Run one job in its own transaction; returns after the commit is on disk. Raises the job's error, or Busy."""
        outcome: Outcome[T] = (await self._writer.submit((job,)))[0]
        return outcome.result()

    async def submit(self, jobs: Sequence[Job[Any]], then: Then | None = None) -> list[Outcome[Any]]:
        """Run several jobs in order under one commit, each rolled back alone; `then` as in `Writer.submit`."""
        return await self._writer.submit(jobs, then)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query beside the writer, seeing only what is committed."""
        if self._memory is not None:
            return await self.write(lambda tx: query(tx.connection))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, query)

    def peek(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a short query where no event loop runs yet: wiring and commands."""
        return self._readers.submit(self._read, query).result()

    def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return query(self._reader())
        except sqlite3.Error as error:
            if engine_fault(error):
                raise Busy("数据暂时读不出来，请稍后再试。") from error
            raise

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(Path(self.folder or "") / DATABASE)
            self._open_readers.append(connection)
        return connection

    async def ready(self) -> bool:
        """Whether an event could be stored now; asks the disk itself when the last commit was long ago."""
        if self._writer.healthy and time.monotonic() - self._writer.proved_at < PROOF_SECONDS:
            return True
        try:
            async with asyncio.timeout(PROBE_PATIENCE):
                await self.write(lambda tx: None)
        except (Busy, TimeoutError):
            return False
        return True

    def now(self) -> int:
        """Business time, never decreasing."""
        return self._writer.now()

    @property
    def healthy(self) -> bool:
        """Whether the last commit reached the disk."""
        return self._writer.healthy

    @property
    def fault(self) -> str:
        """What the last commit failed of, empty when healthy."""
        return self._writer.fault

    def close(self) -> None:
        """Finish, checkpoint, let go of the directory."""
        self._readers.shutdown(wait=True)
        for connection in self._open_readers:
            connection.close()
        self._writer.close()
        if self._lock is not None:
            self._lock.release()


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not folder.stat().st_mode & stat.S_ISVTX:  # never close a shared /tmp to others
            os.chmod(folder, 0o700)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"数据目录不能写入:{folder}({error.strerror})。请换一个目录(--data)或检查磁盘和权限。"
        ) from error


def _refuse_lost(folder: Path) -> None:
    missing = not (folder / DATABASE).exists() or not (folder / DATABASE).stat().st_size
    if missing and read_witness(folder / WITNESS):
        raise ConfigError(f"数据库文件不见了:{folder / DATABASE}。请找回原文件，或用 bot restore 从备份恢复。")


def _open_checked(path: Path, witnessed: int) -> tuple[sqlite3.Connection, int]:
    """The writing connection and the newest accept time."""
    connection: sqlite3.Connection | None = None
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)  # SQLite gives its log the same rights
        connection = open_writer(path)
        _check_pages(connection, path)
        _agree(connection, witnessed)
        migrate(connection)
        return connection, int(connection.execute("select at from ledger").fetchone()[0])
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, OSError | sqlite3.Error | UnicodeDecodeError):
            raise ConfigError(f"数据库打不开({error})。请检查磁盘和权限，或用 bot restore 从备份恢复。") from error
        raise


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size > CHECKED_AT_START:
        return
    verdict = connection.execute("pragma quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise ConfigError(f"数据库已损坏({verdict})。请用 bot restore 从备份恢复。")


def _agree(connection: sqlite3.Connection, witnessed: int) -> None:
    missing = witnessed - ledger(connection)
    if missing > 0:
        raise ConfigError(
            f"数据库比已确认的少 {missing} 次写入，文件可能损坏或被旧的覆盖。为免丢失未启动，"
            "请用 bot restore 从备份恢复，或联系维护人员。"
        )


def ledger(connection: sqlite3.Connection) -> int:
    """How many commits a database counts; 0 before its first schema."""
    if connection.execute("select 1 from sqlite_master where name = 'ledger'").fetchone() is None:
        return 0
    row = connection.execute("select commits from ledger").fetchone()
    return int(row[0]) if row else 0


def _witness(connection: sqlite3.Connection, folder: Path) -> Witness:
    witness = Witness(folder / WITNESS)
    witness.commits = ledger(connection)
    return witness


def _watch(path: Path) -> Callable[[], bool]:
    """Whether the file behind the connection is still the one that the next start will find."""
    own = path.stat()

    def intact() -> bool:
        try:
            found = os.stat(path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    return intact
