"""A look at a data directory without owning it: read-only, beside a running server or with none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from store import county, meta
from store.sqlite import open_reader
from store.switching import DATABASE


@dataclass(frozen=True, slots=True)
class Glance:
    """Whether a county is loaded, and whether this is a demo."""

    loaded: bool
    demo: bool


@contextmanager
def reading(data: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection. Raises ConfigError when there is no database, or none that can be read."""
    if not (data / DATABASE).is_file():
        raise ConfigError(f"{data} 里没有数据库。请检查 --data，或先启动一次。")
    try:
        connection = open_reader(data / DATABASE)
    except sqlite3.Error as error:
        raise ConfigError(f"数据库打不开:{data / DATABASE}({error})") from error
    try:
        yield connection
    except sqlite3.Error as error:
        raise ConfigError(f"数据库读不出来:{data / DATABASE}({error})") from error
    finally:
        connection.close()


def glance(data: Path) -> Glance | None:
    """None when nothing was ever started there."""
    if not (data / DATABASE).is_file() or not (data / DATABASE).stat().st_size:
        return None
    with reading(data) as connection:
        if connection.execute("select 1 from sqlite_master where name = 'meta'").fetchone() is None:
            return Glance(False, False)
        return Glance(not county.empty(connection), bool(meta.get(connection, "demo")))
