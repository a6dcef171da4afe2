"""How the digest's sources fare, what each fetch brought, and what people handed in.

Which sources there are is a file (config/digest/sources.toml); a row here exists once one was asked.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from store.writer import Tx

Reader = Tx | sqlite3.Connection
_STATE = "source, next_at, etag, modified, body_hash, ok_at, item_at, failures, error, manual, told_on, wanted"
_SUBMISSION = "n, at, person, group_id, url, title, text, state, why, item, done_at"


@dataclass(frozen=True, slots=True)
class SourceState:
    """`error` is Chinese and empty when well; `manual` 1 when the site challenged us; `next_at` is real time."""

    source: str
    next_at: int = 0
    etag: str = ""
    modified: str = ""
    body_hash: str = ""
    ok_at: int | None = None
    item_at: int | None = None
    failures: int = 0
    error: str = ""
    manual: int = 0
    told_on: str = ""
    wanted: int | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to a source: kind list, page or robots; `note` Chinese when something was wrong."""

    seq: int
    at: int
    source: str
    kind: str
    status: int
    bytes: int
    ms: int
    entries: int
    new: int
    note: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person handed in. state: open, taken (`item`), unreadable or refused (`why`, Chinese)."""

    n: int
    at: int
    person: str
    group_id: str = ""
    url: str = ""
    title: str = ""
    text: str = ""
    state: str = "open"
    why: str = ""
    item: int | None = None
    done_at: int | None = None


def states(source: Reader) -> dict[str, SourceState]:
    """Every source that was ever asked."""
    return {row[0]: SourceState(*row) for row in source.execute(f"select {_STATE} from source_state").fetchall()}


def state(source: Reader, name: str) -> SourceState:
    """One source's state; a fresh one when it was never asked."""
    row = source.execute(f"select {_STATE} from source_state where source = ?", (name,)).fetchone()
    return SourceState(*row) if row else SourceState(name)


def put_state(tx: Tx, new: SourceState) -> None:
    """Remember how a source fares."""
    values = tuple(getattr(new, name.strip()) for name in _STATE.split(","))
    tx.execute(f"insert or replace into source_state ({_STATE}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def wake(tx: Tx, name: str) -> None:
    """A person says that a manual or resting source may be asked again now."""
    tx.execute("update source_state set manual = 0, failures = 0, next_at = 0 where source = ?", (name,))


def turn(tx: Tx, name: str, on: bool) -> None:
    """A person turns a source on or off, whatever the file says."""
    put_state(tx, replace(state(tx, name), wanted=int(on), next_at=0))


def log_fetch(tx: Tx, fetch: Fetch) -> None:
    """One line of the fetch log; `seq` and `at` are given here."""
    tx.execute(
        "insert into source_fetch (at, source, kind, status, bytes, ms, entries, new, note) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (tx.at, fetch.source, fetch.kind, fetch.status, fetch.bytes, fetch.ms, fetch.entries, fetch.new, fetch.note),
    )


def fetches(source: Reader, name: str, limit: int = 50) -> list[Fetch]:
    """The newest requests to a source."""
    rows = source.execute(
        "select seq, at, source, kind, status, bytes, ms, entries, new, note from source_fetch where source = ?"
        " order by seq desc limit ?",
        (name, limit),
    )
    return [Fetch(*row) for row in rows.fetchall()]


def purge_fetches(tx: Tx, before: int) -> None:
    """The log is for the last weeks."""
    tx.execute("delete from source_fetch where at < ?", (before,))


def submit(tx: Tx, person: str, group: str, url: str, title: str, text: str) -> int:
    """A person hands something in; its number."""
    cursor = tx.execute(
        "insert into submission (at, person, group_id, url, title, text) values (?, ?, ?, ?, ?, ?)",
        (tx.at, person, group, url, title, text),
    )
    return int(cursor.lastrowid or 0)


def open_submissions(source: Reader, limit: int = 50) -> list[Submission]:
    """What still waits to be read, in order."""
    rows = source.execute(f"select {_SUBMISSION} from submission where state = 'open' order by n limit ?", (limit,))
    return [Submission(*row) for row in rows.fetchall()]


def submissions(source: Reader, limit: int = 100) -> list[Submission]:
    """The newest ones."""
    rows = source.execute(f"select {_SUBMISSION} from submission order by n desc limit ?", (limit,))
    return [Submission(*row) for row in rows.fetchall()]


def submission(source: Reader, n: int) -> Submission | None:
    """One piece."""
    row = source.execute(f"select {_SUBMISSION} from submission where n = ?", (n,)).fetchone()
    return Submission(*row) if row else None


def settle_submission(tx: Tx, n: int, state: str, why: str = "", item: int | None = None) -> None:
    """What became of it; its words are the item's now, or go."""
    tx.execute(
        "update submission set state = ?, why = ?, item = ?, text = case when ? = 'unreadable' then text else '' end,"
        " done_at = ? where n = ?",
        (state, why, item, state, tx.at, n),
    )
    tx.erased = True
