"""Exchange a data directory's database for another one, whole or not at all: restore, and the end of a demo.

A note says what is being moved; a start that finds one finishes the move first, so a process killed midway neither
begins an empty office nor mixes two. What was there is set aside, never deleted.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.lock import FileLock

DATABASE = "qunban.db"
WITNESS = "witness"
NOTE = "switching"
MOVED = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", WITNESS, "clock", "key", "anchors.log")


@contextmanager
def own(data: Path) -> Iterator[None]:
    """Nobody else may use the directory meanwhile."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(data / "lock")
    try:
        finish(data)
        for left in data.glob(".fresh-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


def switch(data: Path, fresh: Path, also: tuple[str, ...] = ()) -> Path:
    """Set what is there aside and move in what `fresh` (a folder in `data`) holds; returns where the old now lies."""
    aside = _aside(data)
    new = sorted(path.name for path in fresh.iterdir())
    old = sorted({*MOVED, *also, *new})
    draft = data / f"{NOTE}.draft"
    draft.write_text(json.dumps({"aside": aside.name, "fresh": fresh.name, "old": old, "new": new}), "utf-8")
    sync_folder(fresh)
    os.replace(draft, data / NOTE)
    sync_folder(data)
    finish(data)
    return aside


def finish(data: Path) -> None:
    """Carry a noted move to its end; nothing when there is none. Safe to be killed in and run again."""
    note = data / NOTE
    if not note.exists():
        return
    plan = json.loads(note.read_text("utf-8"))
    aside, fresh, new = data / plan["aside"], data / plan["fresh"], set(plan["new"])
    for name in plan["old"]:
        is_old = (name not in new or (fresh / name).exists()) and (data / name).exists()
        if is_old and not (aside / name).exists():
            os.replace(data / name, aside / name)
    for name in new:
        if (fresh / name).exists():
            os.replace(fresh / name, data / name)
    sync_folder(aside)
    sync_folder(data)
    note.unlink()
    sync_folder(data)
    shutil.rmtree(fresh, ignore_errors=True)


def _aside(data: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for tail in ("", *(f"-{n}" for n in range(2, 100))):
        folder = data / f"replaced-{stamp}{tail}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(data / f"replaced-{stamp}")


def sync_folder(folder: Path) -> None:
    """Make renames durable; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
