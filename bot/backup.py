"""Online backup, restore and the drill that proves a backup can be restored.

A backup folder holds the database (SQLite's own backup API, checked after copying) and the photos it names.
Photos are content-addressed and never change, so they are linked or copied once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from store.lock import FileLock
from store.sqlite import open_reader
from store.store import DATABASE

TABLES = ("inbox", "outbox", "task", "history", "audit", "person", "unit", "timer", "task_photo", "lesson")
KEPT_FILES = ("clock", "key", "anchors.log", "settings.toml")


@dataclass(frozen=True, slots=True)
class Drill:
    """What a restore drill found: seconds it took, rows by table, photos missing from the backup."""

    seconds: float
    rows: dict[str, int]
    missing_photos: int


def take(data: Path, keep: int) -> Path:
    """Back up a data directory that may be in use; keeps the newest `keep`. Raises ConfigError when the copy is not sound."""
    folder = data / "backups" / time.strftime("%Y%m%d-%H%M%S")
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    _copy_database(data / DATABASE, partial / DATABASE)
    for name in KEPT_FILES:
        if (data / name).exists():
            shutil.copy2(data / name, partial / name)
    _link_photos(data / "photos", partial)
    os.replace(partial, folder)
    for old in sorted((data / "backups").glob("*-*"))[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _copy_database(source: Path, target: Path) -> None:
    reader, copy = open_reader(source), sqlite3.connect(target)
    try:
        reader.backup(copy, pages=2000)
        verdict = copy.execute("pragma integrity_check(1)").fetchone()[0]
    finally:
        copy.close()
        reader.close()
    os.chmod(target, 0o600)
    if verdict != "ok":
        raise ConfigError(f"备份出的数据库未通过检查({verdict})，请检查磁盘。")


def _link_photos(photos: Path, target: Path) -> None:
    for source in photos.glob("??/*.jpg"):
        place = target / "photos" / source.parent.name / source.name
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, place)
        except OSError:
            shutil.copy2(source, place)


def newest(data: Path) -> Path | None:
    """The latest complete backup."""
    found = sorted(
        path for path in (data / "backups").glob("*-*") if path.is_dir() and not path.name.endswith(".partial")
    )
    return found[-1] if found else None


def verify(folder: Path) -> Drill:
    """Read a backup as a restore would. Raises ConfigError when it is damaged."""
    started = time.monotonic()
    path = folder / DATABASE
    if not path.exists():
        raise ConfigError(f"不是备份目录:{folder}(缺少 {DATABASE})")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        verdict = connection.execute("pragma integrity_check(1)").fetchone()[0]
        rows = {table: int(connection.execute(f"select count(*) from {table}").fetchone()[0]) for table in TABLES}  # noqa: S608 - constants
        shas = [row[0] for row in connection.execute("select sha from photo where kept > 0")]
        connection.close()
    except sqlite3.Error as error:
        raise ConfigError(f"备份已损坏:{folder}({error})，请换一个备份。") from error
    if verdict != "ok":
        raise ConfigError(f"备份已损坏:{folder}({verdict})，请换一个备份。")
    missing = sum(not (folder / "photos" / sha[:2] / f"{sha}.jpg").exists() for sha in shas)
    return Drill(time.monotonic() - started, rows, missing)


def restore(folder: Path, data: Path) -> Drill:
    """Put a backup in place of a data directory that nothing uses; what was there is set aside, never deleted."""
    drill = verify(folder)
    data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data / "lock")
    try:
        aside = data / f"replaced-{time.strftime('%Y%m%d-%H%M%S')}"
        aside.mkdir(mode=0o700)
        for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "witness", *KEPT_FILES):
            if (data / name).exists():
                os.replace(data / name, aside / name)
        for name in (DATABASE, *KEPT_FILES):
            if (folder / name).exists():
                shutil.copy2(folder / name, data / name)
        _merge_photos(folder / "photos", data / "photos")
    finally:
        lock.release()
    return drill


def _merge_photos(source: Path, target: Path) -> None:
    for photo in source.glob("??/*.jpg"):
        place = target / photo.parent.name / photo.name
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(photo, place)


def fingerprint(path: Path) -> str:
    """A hash over every row of the tables that matter, to compare a restored database with its source."""
    connection, seal = open_reader(path), hashlib.sha256()
    try:
        for table in TABLES:
            for row in connection.execute(f"select * from {table} order by 1, 2"):  # noqa: S608 - constants
                seal.update(repr(row).encode())
    finally:
        connection.close()
    return seal.hexdigest()
