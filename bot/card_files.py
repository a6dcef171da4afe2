"""The card library and the table of leaders, out of and into a data directory; refused while a server holds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TypeVar

from config.digest.cards import CardRow, read_cards
from config.digest.leaders import LeaderRow, read_leaders
from config.errors import ConfigError
from handlers.editions import cards
from store import Store, Tx, audit, digest
from store.peeking import glance, reading

T = TypeVar("T")


def standing_cards(data: Path) -> tuple[CardRow, ...]:
    """The library as it stands; a running server does not mind."""
    _started(data)
    with reading(data) as connection:
        return cards.give(connection)


async def put_cards(data: Path, path: Path) -> Counter[str]:
    """Take a file's cards. ConfigError names every row and column to mend; then nothing was changed."""
    leaders = _leaders(data)
    rows = read_cards(path, lambda row: cards.wrong(row, leaders))
    return await _written(data, lambda tx: cards.take(tx, rows))


def standing_leaders(data: Path) -> tuple[LeaderRow, ...]:
    """Who holds which post, as it stands."""
    return tuple(LeaderRow(*row) for row in _leaders(data))


async def put_leaders(data: Path, path: Path) -> int:
    """The file's table in place of the one that stands; how many rows."""
    _started(data)
    rows = read_leaders(path)
    await _written(data, lambda tx: replace_leaders(tx, rows))
    return len(rows)


def replace_leaders(tx: Tx, rows: Sequence[LeaderRow], person: str = "", roles: Sequence[str] = ()) -> None:
    """The whole table anew, written into the audit."""
    digest.replace_leaders(tx, [astuple(row) for row in rows])
    where = "console" if person else "cli"
    audit.append(tx, person, "|".join(roles), where, "leaders", "leaders", str(len(rows)))


def _leaders(data: Path) -> Sequence[tuple[str, str, str, str]]:
    _started(data)
    with reading(data) as connection:
        return digest.leaders(connection)


def _started(data: Path) -> None:
    seen = glance(data)
    if seen is None or not seen.loaded:
        raise ConfigError(f"{data} 里还没有数据，请先启动一次。")


async def _written(data: Path, job: Callable[[Tx], T]) -> T:
    store = Store.open(data)
    try:
        return await store.write(job)
    finally:
        store.close()
