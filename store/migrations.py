"""The schema's history: append-only. Each step is one SQL file under schema/, recorded by sqlite-utils."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from config.errors import ConfigError

SCHEMA = Path(__file__).parent / "schema"
STEPS = tuple(sorted(path.stem for path in SCHEMA.glob("*.sql")))

migrations = Migrations("qunban")


def _register(name: str) -> None:
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


for _name in STEPS:
    _register(_name)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to this program's schema. Raises ConfigError when a newer program wrote it."""
    db = Database(connection)
    unknown = {m.name for m in migrations.applied(db)} - set(STEPS)
    if unknown:
        raise ConfigError(
            f"数据目录由更新版本的群办写入({'、'.join(sorted(unknown))})，请升级程序后再启动，数据未改动。"
        )
    migrations.apply(db)
