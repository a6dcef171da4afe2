"""Photos by content hash: what they are and whether anything still shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from store.writer import Tx


def add(tx: Tx, sha: str, width: int, height: int, size: int, dhash: str) -> None:
    """Register a cleaned photo; the same picture twice is one row, and its age starts again."""
    tx.execute(
        "insert into photo (sha, width, height, size, dhash, at) values (?, ?, ?, ?, ?, ?)"
        " on conflict (sha) do update set at = excluded.at",
        (sha, width, height, size, dhash, tx.at),
    )


def known(source: Tx | sqlite3.Connection, sha: str) -> bool:
    """Whether a photo was registered and not yet swept."""
    return source.execute("select 1 from photo where sha = ?", (sha,)).fetchone() is not None


def sweep(tx: Tx, before: int) -> list[str]:
    """Forget photos nothing shows and nobody sent since `before`; returns their files."""
    rows = tx.all("select sha from photo where kept = 0 and at < ? limit 500", (before,))
    for (sha,) in rows:
        tx.execute("delete from photo where sha = ?", (sha,))
        tx.execute("delete from photo_room where sha = ?", (sha,))
    return [row[0] for row in rows]


def keep(tx: Tx, sha: str) -> None:
    """One more thing shows it (a draft's piece, a chat line)."""
    tx.execute("update photo set kept = kept + 1 where sha = ?", (sha,))


def drop(tx: Tx, sha: str) -> None:
    """One thing fewer shows it."""
    tx.execute("update photo set kept = kept - 1 where sha = ? and kept > 0", (sha,))


def show_in(tx: Tx, sha: str, room: str) -> None:
    """A room of the built-in work group shows it: whoever is in there may see it."""
    tx.execute("insert into photo_room (sha, room) values (?, ?) on conflict do nothing", (sha, room))


def rooms(source: Tx | sqlite3.Connection, sha: str) -> set[str]:
    """The rooms that show it."""
    return {row[0] for row in source.execute("select room from photo_room where sha = ?", (sha,))}


def wait(tx: Tx, channel: str, refs: Sequence[str], event_seq: int) -> None:
    """These photos of a message have not arrived; a start takes up waiting for them again."""
    tx.connection.executemany(
        "insert into photo_wait (channel, ref, event_seq, at) values (?, ?, ?, ?) on conflict do nothing",
        [(channel, ref, event_seq, tx.at) for ref in refs],
    )


def waited_for(source: Tx | sqlite3.Connection) -> list[tuple[str, str, int]]:
    """(channel, ref, inbox row) of every photo that has not arrived."""
    return source.execute("select channel, ref, event_seq from photo_wait order by event_seq, ref").fetchall()


def dhash(source: Tx | sqlite3.Connection, sha: str) -> str:
    """The 256-bit likeness hash of a photo, in hex; empty when it is not in the books."""
    row = source.execute("select dhash from photo where sha = ?", (sha,)).fetchone()
    return str(row[0]) if row else ""
