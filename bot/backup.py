"""Online backup, restore and the drill that proves a backup can be restored.

A backup folder holds the database (SQLite's own backup API, checked after copying), the few files that travel with it
and the photos, and `backup.json`, which says when it was taken and the hash of each file. Photos are content-addressed
and never change, so on the same disk they are links. A backup is not encrypted: it holds the key of the data.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.errors import ConfigError
from store.sqlite import open_reader
from store.store import DATABASE, Store, ledger
from store.switching import own, switch

TABLES = ("inbox", "outbox", "task", "history", "audit", "person", "unit", "timer", "task_photo", "lesson")
TRAVELS = ("clock", "key", "anchors.log", "settings.toml", "texts.toml", "filing.toml")
MANIFEST = "backup.json"
DRILL = "drill.json"
READ_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: real time it was taken, the commits it holds, the hash of each file."""

    at: int
    commits: int
    photos: int
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Drill:
    """What reading a backup found: seconds it took, rows by table, photos missing or damaged."""

    at: int
    commits: int
    seconds: float
    bytes: int
    rows: dict[str, int]
    missing_photos: int
    damaged_photos: int


def take(data: Path, keep: int, into: Path | None = None) -> Path:
    """Back up a data directory that may be in use; keeps the newest `keep`. Raises ConfigError when the copy is not sound."""
    if not (data / DATABASE).exists():
        raise ConfigError(f"没有可备份的数据:{data}")
    home = into if into is not None else data / "backups"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=home))
    try:
        commits = _copy_database(data / DATABASE, partial / DATABASE)
        for name in TRAVELS:
            if (data / name).exists():
                shutil.copy2(data / name, partial / name)
        photos = _link_photos(data / "photos", partial / "photos")
        files = {path.name: _hash(path) for path in sorted(partial.iterdir()) if path.is_file()}
        manifest = Manifest(int(time.time()), commits, photos, files)
        (partial / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
        _sync(partial)
        folder = _publish(partial, home)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    for old in listing(home)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _copy_database(source: Path, target: Path) -> int:
    """One snapshot in one step: copied piecewise, a busy writer would make SQLite begin again and again."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    reader, copy = open_reader(source), sqlite3.connect(target)
    try:
        copy.execute("pragma synchronous=off")
        reader.backup(copy, pages=-1)
        copy.execute("pragma journal_mode=delete")
        verdict = copy.execute("pragma integrity_check(1)").fetchone()[0]
        commits = ledger(copy)
    except sqlite3.Error as error:
        raise ConfigError(f"备份没有完成({error})，请检查磁盘空间和权限。") from error
    finally:
        copy.close()
        reader.close()
    if verdict != "ok":
        raise ConfigError(f"备份出的数据库未通过检查({verdict})，请检查磁盘。")
    return commits


def _link_photos(photos: Path, target: Path) -> int:
    count = 0
    for source in photos.glob("??/*.jpg"):
        place = target / source.parent.name / source.name
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.link(source, place)
        except FileNotFoundError:
            continue  # erased meanwhile
        except OSError:
            shutil.copy2(source, place)
        count += 1
    return count


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())


def _publish(partial: Path, home: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for folder in (home / f"{stamp}{tail}" for tail in ("", *(f"-{n}" for n in range(2, 100)))):
        try:
            os.rename(partial, folder)
        except OSError:
            if folder.exists():
                continue
            raise
        return folder
    raise ConfigError("同一秒内备份太多次，请稍后再试。")


def listing(home: Path) -> list[Path]:
    """Complete backups, oldest first by how much they hold."""
    found = [(read_manifest(path), path) for path in home.glob("[0-9]*-*")] if home.is_dir() else []
    return [path for _, path in sorted((m.commits, p) for m, p in found if m is not None)]


def read_manifest(folder: Path) -> Manifest | None:
    """What a backup says of itself; None when it is no backup."""
    try:
        row: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        return Manifest(int(row["at"]), int(row["commits"]), int(row["photos"]), dict(row["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def newest(data: Path) -> Path | None:
    """The latest complete backup in a data directory."""
    found = listing(data / "backups")
    return found[-1] if found else None


def find(folder: Path) -> Path:
    """The backup a person means: the folder itself, or the newest in a data or backups folder."""
    if (folder / MANIFEST).exists():
        return folder
    found = listing(folder / "backups") or listing(folder)
    if not found:
        raise ConfigError(f"这里没有备份:{folder}")
    return found[-1]


def verify(folder: Path) -> Drill:
    """Read a backup as a restore would. Raises ConfigError when it is damaged."""
    started = time.monotonic()
    manifest = read_manifest(folder)
    if manifest is None:
        raise ConfigError(f"不是完整的备份:{folder}(缺少或读不出 {MANIFEST})")
    for name, expected in manifest.files.items():
        if not (folder / name).is_file() or _hash(folder / name) != expected:
            raise ConfigError(f"备份已损坏:{folder / name} 与备份时不同，请换一个备份。")
    rows, shas = _rows(folder / DATABASE)
    states = [_photo(folder / "photos" / sha[:2] / f"{sha}.jpg", sha) for sha in shas]
    size = (folder / DATABASE).stat().st_size
    seconds = time.monotonic() - started
    return Drill(manifest.at, manifest.commits, seconds, size, rows, states.count("missing"), states.count("damaged"))


def _rows(path: Path) -> tuple[dict[str, int], list[str]]:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            verdict = connection.execute("pragma integrity_check(1)").fetchone()[0]
            counts = {t: int(connection.execute(f"select count(*) from {t}").fetchone()[0]) for t in TABLES}  # noqa: S608 - constants
            shas = [row[0] for row in connection.execute("select sha from photo where kept > 0")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ConfigError(f"备份已损坏:{path}({error})，请换一个备份。") from error
    if verdict != "ok":
        raise ConfigError(f"备份已损坏:{path}({verdict})，请换一个备份。")
    return counts, shas


def _photo(path: Path, sha: str) -> str:
    if not path.exists():
        return "missing"
    found = _hash(path)
    return "whole" if found == sha else "erased" if _blank(path) else "damaged"


def _blank(path: Path) -> bool:
    """An erased photo was overwritten with zeros, in every backup that links to it."""
    return not path.read_bytes().strip(b"\0")


def restore(folder: Path, data: Path) -> tuple[Drill, Path]:
    """Put a backup in place of a data directory that nothing uses; what was there is set aside, never deleted."""
    drill = verify(folder)
    with own(data):
        fresh = Path(tempfile.mkdtemp(prefix=".fresh-", dir=data))
        for name in (DATABASE, *TRAVELS):
            if (folder / name).exists():
                shutil.copy2(folder / name, fresh / name)
        _merge_photos(folder / "photos", data / "photos")
        _sync(fresh)
        aside = switch(data, fresh)
    return drill, aside


def _merge_photos(source: Path, target: Path) -> None:
    for photo in source.glob("??/*.jpg"):
        place = target / photo.parent.name / photo.name
        if not place.exists() and not _blank(photo):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(photo, place)


async def drill(folder: Path) -> tuple[Drill, list[str]]:
    """Restore a backup into a scratch directory, start on it, verify its history; what contradicts itself, in Chinese."""
    from bot.maintenance import witnessed_anchors
    from store import audit, history

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="qunban-drill-") as scratch:
        data = Path(scratch) / "data"
        found, _ = restore(folder, data)
        same = fingerprint(data / DATABASE) == fingerprint(folder / DATABASE, immutable=True)
        store = Store.open(data)
        try:
            anchors = witnessed_anchors(data / "anchors.log")
            wrong = await store.read(lambda c: [*history.verify(c, anchors), *audit.verify(c)])
        finally:
            store.close()
    if not same:
        wrong.insert(0, "恢复出的数据与备份不一致")
    return Drill(**(asdict(found) | {"seconds": time.monotonic() - started})), wrong


def note_drill(data: Path, folder: Path, found: Drill, passed: bool) -> None:
    """Remember beside the data when a drill last ran and how it went."""
    row = {"at": int(time.time()), "backup": folder.name, "seconds": round(found.seconds, 2), "passed": passed}
    (data / DRILL).write_text(json.dumps(row), "utf-8")


def last_drill(data: Path) -> dict[str, Any] | None:
    """The last drill's note."""
    try:
        row: dict[str, Any] = json.loads((data / DRILL).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return row


def fingerprint(path: Path, immutable: bool = False) -> str:
    """A hash over every row of the tables that matter, to compare a restored database with its source."""
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True) if immutable else open_reader(path)
    seal = hashlib.sha256()
    try:
        for row in _everything(connection):
            seal.update(repr(row).encode())
    finally:
        connection.close()
    return seal.hexdigest()


def _everything(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    for table in TABLES:
        yield from connection.execute(f"select * from {table} order by 1, 2")  # noqa: S608 - constants


def _hash(path: Path) -> str:
    seal = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_PIECE):
            seal.update(piece)
    return seal.hexdigest()
