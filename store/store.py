"""A data directory opened for use: start gates, the writer, the readers, backup.

The gates refuse clearly instead of running on a doubtful database: another process holds it, a newer program
wrote it, it is damaged, or it ends before what was already promised.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
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
from store.witness import Witness
from store.writer import Job, Outcome, Writer

T = TypeVar("T")
DATABASE = "qunban.db"
CHECKED_AT_START = 64 << 20  # bytes; a larger file is checked nightly on its backup copy instead (start <= 3 s)


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
            connection = _open_checked(folder / DATABASE)
            witness = Witness(folder / "witness")
            last_at = _agree(connection, witness)
        except BaseException:
            lock.release()
            raise
        store = cls(folder, Writer(connection, clock, witness), None, lock)
        store._writer.start(last_at)
        return store

    async def write(self, job: Job[T]) -> T:
        """Run one job in its own transaction; returns after the commit is on disk. Raises the job's error, or Busy."""
        outcome: Outcome[T] = (await self._writer.submit((job,)))[0]
        return outcome.result()

    async def submit(self, jobs: Sequence[Job[Any]]) -> list[Outcome[Any]]:
        """Run several jobs in order under one commit, each rolled back alone."""
        return await self._writer.submit(jobs)

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
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(Path(self.folder or "") / DATABASE)
            self._open_readers.append(connection)
        try:
            return query(connection)
        except sqlite3.Error as error:
            if engine_fault(error):
                raise Busy("数据暂时读不出来，请稍后再试。") from error
            raise

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
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"数据目录不能写入:{folder}({error.strerror})。请换一个目录(--data)或检查磁盘和权限。"
        ) from error


def _open_checked(path: Path) -> sqlite3.Connection:
    try:
        connection = open_writer(path)
        if path.stat().st_size <= CHECKED_AT_START:
            verdict = connection.execute("pragma quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise ConfigError(f"数据库已损坏({verdict})。原文件未改动，请用 bot restore 从备份恢复。")
        migrate(connection)
    except sqlite3.Error as error:
        raise ConfigError(f"数据库打不开({error})。原文件未改动，请检查磁盘，或用 bot restore 从备份恢复。") from error
    os.chmod(path, 0o600)
    return connection


def _agree(connection: sqlite3.Connection, witness: Witness) -> int:
    newest, last_at = connection.execute("select coalesce(max(seq), 0), coalesce(max(at), 0) from inbox").fetchone()
    if newest < witness.inbox:
        raise ConfigError(
            f"数据库比已受理的记录少 {witness.inbox - newest} 条，日志文件可能损坏。为免丢失未启动，"
            "请用 bot restore 从备份恢复，或联系维护人员。"
        )
    witness.inbox = newest
    return int(last_at)
