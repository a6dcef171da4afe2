"""What was read in photos: a watermark's time and place, never the text; and how a photo leaves the books at once."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store import photos
from store.writer import Tx

RECENT = 5000  # inbox rows looked through for a message that shows a photo


@dataclass(frozen=True, slots=True)
class Watermark:
    """`place` is a place's id."""

    taken_at: int | None = None
    place: str = ""


def add(tx: Tx, sha: str, mark: Watermark, unread: bool = False) -> None:
    """A photo was read, or given up on; it is not taken up again."""
    tx.execute(
        "insert into photo_read (sha, at, taken_at, place, unread) values (?, ?, ?, ?, ?) on conflict do nothing",
        (sha, tx.at, mark.taken_at, mark.place, int(unread)),
    )


def watermark(source: Tx | sqlite3.Connection, sha: str) -> Watermark:
    """What a photo's watermark says."""
    row = source.execute("select taken_at, place from photo_read where sha = ?", (sha,)).fetchone()
    return Watermark(*row) if row else Watermark()


def unread(source: sqlite3.Connection, before: int, limit: int = 32) -> list[tuple[str, int]]:
    """(sha, registered at) of photos nobody has read: those something shows, and loose ones older than `before`."""
    sql = (
        "select sha, at from photo where (kept > 0 or at < ?)"
        " and not exists (select 1 from photo_read r where r.sha = photo.sha) order by at, sha limit ?"
    )
    return source.execute(sql, (before, limit)).fetchall()


def loose(source: sqlite3.Connection) -> bool:
    """Whether a photo waits that nothing shows yet."""
    sql = (
        "select 1 from photo where kept = 0 and not exists (select 1 from photo_read r where r.sha = photo.sha) limit 1"
    )
    return source.execute(sql).fetchone() is not None


def bringers(tx: Tx, sha: str) -> list[int]:
    """Inbox rows of the messages that brought a photo."""
    brought = tx.all("select event_seq from task_photo where sha = ? and event_seq is not null", (sha,))
    newest = tx.one("select coalesce(max(seq), 0) from inbox")[0]
    named = tx.all(
        "select seq from inbox where seq > ? and kind <> 'read' and instr(body, ?) > 0", (newest - RECENT, sha)
    )
    return sorted({row[0] for row in (*brought, *named)})


def remove(tx: Tx, sha: str) -> tuple[list[str], list[str]]:
    """(tasks that showed it, files to erase): the photo is shown nowhere any more and no longer known."""
    shown = tx.all("select distinct task from task_photo where sha = ? and hidden = 0", (sha,))
    tx.execute("update task_photo set hidden = 1 where sha = ?", (sha,))
    files = [sha, *photos.forget(tx, [sha])]
    for table in ("photo", "photo_room", "photo_print", "photo_read"):
        tx.execute(f"delete from {table} where sha = ?", (sha,))
    return [row[0] for row in shown], files
