"""How this program opens SQLite: one writer with fsync on every commit, read-only readers.

Pragmas from security.md E. Readers are opened read-only, so only the writer can checkpoint and the
WAL-reset race of SQLite before 3.51.3 has no second party (design 4).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

LOCK_MS = (
    2000  # nobody else should hold the lock; a platform that waits 5 s for us must get its 503 before (security.md D.2)
)
SAFE_VERSION = (3, 51, 3)  # security.md 0.7: the WAL-reset race is fixed from here on
_WRITER = (
    "pragma synchronous=full",
    "pragma fullfsync=1",
    "pragma checkpoint_fullfsync=1",
    "pragma secure_delete=on",
    "pragma foreign_keys=on",
    "pragma trusted_schema=off",
    "pragma cell_size_check=on",
    f"pragma busy_timeout={LOCK_MS}",
    "pragma wal_autocheckpoint=1000",
    "pragma journal_size_limit=67108864",
    "pragma mmap_size=0",
    "pragma cache_size=-65536",  # KiB at most: with 400,000 tasks the default 2 MiB tripled the cost of a statement
    "pragma temp_store=memory",
)


def open_writer(path: Path | None) -> sqlite3.Connection:
    """The only connection that may write; None opens a database in memory (rehearsal)."""
    connection = sqlite3.connect(
        ":memory:" if path is None else path, isolation_level=None, cached_statements=512, check_same_thread=False
    )
    try:
        mode = connection.execute("pragma journal_mode=wal").fetchone()[0]
        if path is not None and mode != "wal":
            raise sqlite3.OperationalError(f"journal_mode {mode}")
        for pragma in _WRITER:
            connection.execute(pragma)
    except (sqlite3.Error, UnicodeDecodeError):  # the complaint about a damaged schema quotes its bytes
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        cached_statements=256,
        check_same_thread=False,
    )
    connection.execute("pragma query_only=on")
    connection.execute("pragma busy_timeout=5000")
    return connection


def version_is_safe() -> bool:
    """Whether the linked SQLite has the WAL-reset race mended."""
    return sqlite3.sqlite_version_info >= SAFE_VERSION


def engine_fault(error: sqlite3.Error) -> bool:
    """Whether an error comes from the disk or the lock rather than from the statement."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _ENGINE_CODES


_ENGINE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
