"""The child's side of `bot.child`: frames over its pipes, and the limits it lives under. Imports nothing heavy."""

from __future__ import annotations

import signal
import sys
import time
from typing import BinaryIO


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for frames alone: what is printed goes to standard error, Ctrl-C is the parent's."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return source, sink


def read(source: BinaryIO) -> bytes | None:
    """The next frame; None when the parent is gone."""
    head = source.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    frame = source.read(size)
    return frame if len(frame) == size else None


def write(sink: BinaryIO, frame: bytes) -> None:
    """Hand a frame over at once."""
    sink.write(len(frame).to_bytes(4, "big"))
    sink.write(frame)
    sink.flush()


def limit(memory: int, cpu_seconds: int, first: bool = False) -> None:
    """Low priority, so much memory (bytes), no files; and so much CPU for what comes next. Windows has no such limits."""
    if sys.platform == "win32":
        return
    import os
    import resource

    if first:
        os.nice(5)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
