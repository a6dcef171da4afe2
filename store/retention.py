"""Words leave when the office's time for them is over; what happened, when and by whom stays in the history.

Of a task its text and notes go, counted from its end; of messages their words, counted from when they came or left. Each
function does a piece and says how much, so that nothing waits long; the sign of erasure is what people then read.
"""

from __future__ import annotations

import json
import sqlite3

from store import meta, tasks
from store.writer import Tx

GONE = "（文字已按保存期限删除）"
_BODY = json.dumps({"text": GONE}, ensure_ascii=False, separators=(",", ":"))
_ENDED = "state in ('closed', 'rejected', 'merged', 'withdrawn')"
PIECE = 500
KINDS = {"inbox": "state = 'done'", "outbox": "state in ('sent', 'dead', 'expired', 'unknown')"}


def old_tasks(source: Tx | sqlite3.Connection, before: int, limit: int = PIECE) -> list[str]:
    """Tasks that ended before then and still have words."""
    rows = source.execute(
        f"select id from task where opened_at < ? and {_ENDED} and coalesce(ended_at, closed_at, opened_at) < ?"
        " and text <> ? limit ?",
        (before, before, GONE, limit),
    )
    return [str(task) for (task,) in rows.fetchall()]


def erase_tasks(tx: Tx, ids: list[str]) -> None:
    """Their texts, the places in people's own words, and the notes of their steps."""
    for task in ids:
        tasks.change(tx, tasks.get(tx, task), text=GONE, place_text="")
        tx.execute("delete from task_note where task = ?", (task,))


def erase_messages(tx: Tx, table: str, before: int) -> int:
    """The next piece of what came in or went out; how many rows it went through. `table`: a key of KINDS."""
    cursor = int(meta.get(tx, f"words:{table}", "0"))
    upto, count = tx.one(
        f"select max(seq), count(*) from (select seq from {table} where seq > ? and at < ? order by seq limit ?)",
        (cursor, before, PIECE),
    )
    if count:
        tx.execute(f"update {table} set body = ? where seq > ? and seq <= ? and {KINDS[table]}", (_BODY, cursor, upto))
        meta.put(tx, f"words:{table}", str(upto))
    return int(count)
