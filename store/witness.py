"""A second witness to what was promised: how many commits there were, kept outside the database file.

SQLite drops everything behind a damaged WAL frame without a word (security.md D.2: 400 damaged logs, none refused,
each a silent prefix). Every commit counts itself in the `ledger` row and then here, so on the next start a database
that counts fewer than the witness has lost acknowledged rows, and the program refuses to go on as if nothing were.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

_FORMAT = struct.Struct("<8sqI")
_MAGIC = b"QUNBAN2\n"


class Witness:
    """`commits` is the newest acknowledged commit. None as path keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self.commits = 0
        self._handle: int | None = None
        if path is not None:
            self.commits = read_witness(path)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)

    def write(self, commits: int) -> None:
        """Publish after a commit. Survives the process; a power cut or a full disk may leave it behind, never ahead."""
        self.commits = commits
        if self._handle is None:
            return
        try:
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, _FORMAT.pack(_MAGIC, commits, _sum(commits)))
        except OSError:
            return  # behind is harmless: it only notices less

    def close(self) -> None:
        """Flush and let go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def read_witness(path: Path) -> int:
    """The newest acknowledged commit; 0 when there is no whole witness."""
    try:
        magic, commits, check = _FORMAT.unpack_from(path.read_bytes())
    except (OSError, struct.error):
        return 0
    return int(commits) if magic == _MAGIC and check == _sum(commits) else 0


def _sum(commits: int) -> int:
    return (commits * 2654435761) & 0xFFFFFFFF
