"""A draft: one sender's pieces in one group on their way to becoming a report. A draft is no task."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from store.writer import Tx

_COLUMNS = "id, group_id, sender, text, addressed, asked, verb, number, task, at, last_at"


@dataclass(frozen=True, slots=True)
class Draft:
    """`asked` is what the bot asked last (words, place, which, why or nothing); `task` the task it became.

    After "which" and "why" the draft holds a command that lacked its task or its reason: `verb`, `number`, words, photos.
    """

    id: str
    group_id: str
    sender: str
    text: str
    addressed: int
    asked: str
    verb: str
    number: str
    task: str | None
    at: int
    last_at: int


def open_draft(tx: Tx, draft_id: str, group_id: str, sender: str, text: str, addressed: bool) -> Draft:
    """Begin gathering."""
    tx.execute(
        "insert into draft (id, group_id, sender, text, addressed, at, last_at) values (?, ?, ?, ?, ?, ?, ?)",
        (draft_id, group_id, sender, text, addressed, tx.at, tx.at),
    )
    return Draft(draft_id, group_id, sender, text, int(addressed), "", "", "", None, tx.at, tx.at)


def find(source: Tx | sqlite3.Connection, group_id: str, sender: str) -> Draft | None:
    """The sender's open draft in a group."""
    row = source.execute(
        f"select {_COLUMNS} from draft where group_id = ? and sender = ? and open = 1 order by at desc limit 1",
        (group_id, sender),
    ).fetchone()
    return Draft(*row) if row else None


def get(source: Tx | sqlite3.Connection, draft_id: str) -> Draft | None:
    """An open draft by id."""
    row = source.execute(f"select {_COLUMNS} from draft where id = ? and open = 1", (draft_id,)).fetchone()
    return Draft(*row) if row else None


def all_open(source: Tx | sqlite3.Connection) -> list[Draft]:
    """Every open draft; at start they reopen their gathering windows."""
    return [Draft(*row) for row in source.execute(f"select {_COLUMNS} from draft where open = 1")]


def extend(tx: Tx, draft: Draft, text: str, addressed: bool) -> Draft:
    """One more piece came."""
    joined = "\n".join(part for part in (draft.text, text) if part)
    tx.execute(
        "update draft set text = ?, addressed = max(addressed, ?), last_at = ? where id = ?",
        (joined, addressed, tx.at, draft.id),
    )
    return replace(draft, text=joined, addressed=max(draft.addressed, int(addressed)), last_at=tx.at)


def rewrite(tx: Tx, draft: Draft, text: str) -> None:
    """A piece was taken back: what is left of the words."""
    tx.execute("update draft set text = ? where id = ?", (text, draft.id))


def ask(tx: Tx, draft: Draft, what: str, verb: str = "", number: str = "") -> Draft:
    """Remember what was asked, so that it is asked once and the answer is understood."""
    tx.execute("update draft set asked = ?, verb = ?, number = ? where id = ?", (what, verb, number, draft.id))
    return replace(draft, asked=what, verb=verb, number=number)


def close(tx: Tx, draft: Draft, task: str | None) -> None:
    """The draft became a task, or nothing. What it said goes with it."""
    tx.execute("update draft set open = 0, text = '', task = ? where id = ?", (task, draft.id))
