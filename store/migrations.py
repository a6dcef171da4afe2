"""The schema's history: append-only. Each step is one SQL file under schema/, applied and recorded by sqlite-utils.

sqlite-utils (and the numpy it finds) is imported only when a step is due: 0.4 s of CPU and memory for good at a start.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ConfigError

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

SCHEMA = Path(__file__).parent / "schema"
STEPS = tuple(sorted(path.stem for path in SCHEMA.glob("*.sql")))
SET = "qunban"


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to this program's schema. Raises ConfigError when a newer program wrote it."""
    done = _applied(connection)
    if unknown := done - set(STEPS):
        raise ConfigError(
            f"数据目录由更新版本的群办写入({'、'.join(sorted(unknown))})，请升级程序后再启动，数据未改动。"
        )
    if done != set(STEPS):
        from sqlite_utils import Database

        _migrations().apply(Database(connection))


def _applied(connection: sqlite3.Connection) -> set[str]:
    if connection.execute("select 1 from sqlite_master where name = '_sqlite_migrations'").fetchone() is None:
        return set()
    rows = connection.execute("select name from _sqlite_migrations where migration_set = ?", (SET,))
    return {str(name) for (name,) in rows}


def _migrations() -> Migrations:
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(SET)
    for name in STEPS:
        _register(migrations, name)
    return migrations


def _register(migrations: Migrations, name: str) -> None:
    sql = (SCHEMA / f"{name}.sql").read_text("utf-8")

    @migrations(name=name)
    def step(db: Database) -> None:
        for statement in _statements(sql):
            db.execute(statement)


def _statements(sql: str) -> list[str]:
    """Split a script without `executescript`, which would commit the step's transaction half-way."""
    found, piece = [], ""
    for line in sql.splitlines(keepends=True):
        piece += line
        if sqlite3.complete_statement(piece):
            found.append(piece)
            piece = ""
    return found
