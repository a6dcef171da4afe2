"""职责 as rows, and who made each of them what it is: confirmed, changed, withdrawn, or kept beside a confirmed one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.county import Duty
from store.writer import Tx

CONFIRMED, CHANGED, WITHDRAWN, KEPT = "confirmed", "changed", "withdrawn", "kept"
Key = tuple[str, str, str]  # code, place or town, unit


@dataclass(frozen=True, slots=True)
class DutyStep:
    """What somebody did about a duty, with the words of prose it rested on then."""

    at: int
    actor: str
    event: str
    code: str
    scope: str
    unit: str
    words: str

    @property
    def key(self) -> Key:
        """Which duty."""
        return self.code, self.scope, self.unit


def table(source: Tx | sqlite3.Connection) -> tuple[Duty, ...]:
    """The rows as they stand."""
    return tuple(
        Duty(*row) for row in source.execute("select code, place_or_town, unit, status from duty order by pos")
    )


def put(tx: Tx, duties: Sequence[Duty], actor: str, steps: Iterable[tuple[str, Key, str]]) -> None:
    """Make the table these rows; `steps` are (event, key, words) for the record."""
    tx.execute("delete from duty")
    tx.connection.executemany(
        "insert into duty values (?, ?, ?, ?, ?)",
        ((n, d.code, d.place_or_town, d.unit, d.status) for n, d in enumerate(duties)),
    )
    tx.connection.executemany(
        "insert into duty_step (at, actor, event, code, scope, unit, words) values (?, ?, ?, ?, ?, ?, ?)",
        ((tx.at, actor, event, *key, words) for event, key, words in steps),
    )
    tx.touched.add("county")


def latest(source: Tx | sqlite3.Connection) -> dict[Key, DutyStep]:
    """The last step of every duty anybody touched."""
    rows = source.execute(
        "select at, actor, event, code, scope, unit, words from duty_step"
        " where seq in (select max(seq) from duty_step group by code, scope, unit)"
    )
    return {step.key: step for step in (DutyStep(*row) for row in rows)}
