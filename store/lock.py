"""One process per data directory: an exclusive lock on a file, released by the system when the process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.errors import ConfigError


class FileLock:
    """Held from construction to `release`. Raises ConfigError when another process holds it."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._handle)
        except OSError as error:
            os.close(self._handle)
            raise ConfigError(
                f"数据目录正被另一个群办进程使用:{path.parent}。请先关闭它，或用 --data 换一个目录。"
            ) from error

    def release(self) -> None:
        """Let another process in."""
        os.close(self._handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
