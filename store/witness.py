"""A second witness to what was promised: the newest accepted event, kept outside the database file.

SQLite drops everything behind a damaged WAL frame without a word (security.md D.2: 400 damaged logs, none refused,
each a silent prefix). The witness is written after each commit, so on the next start a database that ends
earlier than the witness says has lost acknowledged rows, and the program refuses to go on as if nothing were.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

_FORMAT = struct.Struct("<8sqI")
_MAGIC = b"QUNBAN1\n"


class Witness:
    """`inbox` is the newest accepted sequence number. None as path keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self.inbox = 0
        self._written = -1
        self._map: mmap.mmap | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(handle).st_size < _FORMAT.size:
                os.ftruncate(handle, _FORMAT.size)
            self._map = mmap.mmap(handle, _FORMAT.size)
        finally:
            os.close(handle)
        magic, inbox, check = _FORMAT.unpack_from(self._map)
        if magic == _MAGIC and check == _sum(inbox):
            self.inbox = inbox

    def write(self) -> None:
        """Publish after a commit. Survives the process; a power cut may leave it behind, never ahead."""
        if self._map is not None and self.inbox != self._written:
            _FORMAT.pack_into(self._map, 0, _MAGIC, self.inbox, _sum(self.inbox))
            self._written = self.inbox

    def close(self) -> None:
        """Flush and let go."""
        if self._map is not None:
            self._map.flush()
            self._map.close()
            self._map = None


def _sum(inbox: int) -> int:
    return (inbox * 2654435761) & 0xFFFFFFFF
