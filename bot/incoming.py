"""A county handed in through the browser: laid down beside the data, checked, and taken over by a person's word.

DATA/incoming/…csv|xlsx   what was uploaded last, read again by whoever confirms it
DATA/incoming/READY       a demo's: the next start puts the county in and the demo is over (design 6b)
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.county import County, Person
from config.errors import ConfigError, Rejected
from config.files import TITLES, Examined, examine
from config.sheets import SHEETS

FOLDER = "incoming"
READY = "READY"
MOST_FILES = len(SHEETS)


@dataclass(frozen=True, slots=True)
class Handed:
    """What lies there: file names, and what reading them found."""

    files: tuple[str, ...]
    found: Examined


def lay(data: Path, files: Mapping[str, bytes]) -> None:
    """Keep what was uploaded in place of what lay there. Raises Rejected for what is no county file."""
    kept = {name: body for name, body in ((_name(name), body) for name, body in files.items()) if body}
    books = [name for name in kept if name.endswith(".xlsx")]
    if not kept or len(kept) > MOST_FILES or (books and len(kept) > 1):
        raise Rejected("请选一个 .xlsx 文件，或者若干个 .csv 文件（一张表一个文件）。")
    folder, fresh = data / FOLDER, data / f".{FOLDER}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, body in kept.items():
        (fresh / name).write_bytes(body)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def _name(given: str) -> str:
    """A name of our own for an uploaded file: whatever path or trick was sent, only a known sheet's name is written."""
    stem, _, ending = given.replace("\\", "/").rpartition("/")[2].rpartition(".")
    if ending.lower() == "xlsx":
        return "county.xlsx"
    sheet = TITLES.get(stem.strip().lower())
    if ending.lower() != "csv" or sheet is None:
        known = "、".join(sheet.titles[0] for sheet in SHEETS)
        raise Rejected(f"“{given[:40]}”看不出是哪张表。CSV 请用表名作文件名，例如 单位.csv；可用：{known}。")
    return f"{sheet}.csv"


def look(data: Path) -> Handed | None:
    """Read what lies there; None when nothing does."""
    folder = data / FOLDER
    if not folder.is_dir():
        return None
    files = tuple(sorted(path.name for path in folder.iterdir() if path.name != READY))
    book = folder / "county.xlsx"
    return Handed(files, examine(book if book.is_file() else folder)) if files else None


def clear(data: Path) -> None:
    """Take it away."""
    shutil.rmtree(data / FOLDER, ignore_errors=True)


def promise(data: Path) -> None:
    """A demo's: put it in at the next start."""
    (data / FOLDER / READY).touch()


def keep_promise(data: Path) -> str | None:
    """At start: put in what a demo's user confirmed; where the demo went. None when nothing was promised.

    Raises ConfigError when the files no longer pass.
    """
    if not (data / FOLDER / READY).is_file():
        return None
    from bot.county_import import put_in

    handed = look(data)
    if handed is None or handed.found.county is None:
        clear(data)
        raise ConfigError([*handed.found.faults] if handed else "上传的县资料不见了，请重新上传。")
    aside = asyncio.run(put_in(data, handed.found.county))
    clear(data)
    return str(aside or data)


def raised(before: County, after: County, ordinary: Sequence[str]) -> list[str]:
    """Roles beyond the ordinary that the files would give or take: those are the security administrator's business."""
    held = {person.id: frozenset(person.roles) - set(ordinary) for person in before.people}
    told = []
    for person in (*after.people, *_gone(before, after)):
        now = frozenset() if person.id not in {p.id for p in after.people} else frozenset(person.roles) - set(ordinary)
        if now != held.get(person.id, frozenset()):
            told.append(person.name)
    return told


def _gone(before: County, after: County) -> list[Person]:
    kept = {person.id for person in after.people}
    return [person for person in before.people if person.id not in kept]
