"""Finding tasks by what was reported: each Chinese character a token, so that any piece of a sentence is found as it stands.

No word list is needed and none can be wrong; a query of several words wants all of them. Fed by `store.tasks` in the same
transaction; older tasks are entered behind the start, a few hundred at a time.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata

from store.writer import Tx

Reader = Tx | sqlite3.Connection
LONGEST = 2000  # characters of a report that are indexed
NEWEST = 2000  # hits that are looked through
_PIECE = re.compile(r"[a-z0-9]+|[^\W_]")


def enter(tx: Tx, task: str, text: str) -> None:
    """Index a task's words; does nothing when it is entered."""
    found = tx.execute("insert into task_entry (task) values (?) on conflict (task) do nothing", (task,))
    if found.rowcount:
        tx.execute("insert into task_words (rowid, text) values (?, ?)", (found.lastrowid, _apart(text)))


def change(tx: Tx, task: str, old: str, new: str) -> None:
    """The words changed; what stood there is taken out word by word, since the index keeps no text to look it up in."""
    row = tx.one("select n from task_entry where task = ?", (task,))
    if row is not None and old != new:
        tx.execute("insert into task_words (task_words, rowid, text) values ('delete', ?, ?)", (row[0], _apart(old)))
        tx.execute("insert into task_words (rowid, text) values (?, ?)", (row[0], _apart(new)))


def catch_up(tx: Tx, limit: int = 300) -> int:
    """Enter tasks older than the index; how many."""
    rows = tx.all(
        "select id, text from task where not exists (select 1 from task_entry where task = task.id) limit ?", (limit,)
    )
    for task, text in rows:
        enter(tx, task, text)
    return len(rows)


def query_of(typed: str) -> str:
    """What a person typed as a query of the index; "" when nothing in it can be looked for."""
    words = (_PIECE.findall(_folded(word)) for word in typed[:100].split())
    return " AND ".join('"' + " ".join(pieces) + '"' for pieces in words if pieces)


def _apart(text: str) -> str:
    return " ".join(_PIECE.findall(_folded(text[:LONGEST])))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
