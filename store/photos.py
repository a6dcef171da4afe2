"""Photos by content hash: what they are and whether anything still shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.writer import Tx

PER_KEY = 40


@dataclass(frozen=True, slots=True)
class Taken:
    """When and where a photo was taken, as far as it said so (WGS-84)."""

    at: int | None = None
    lat: float | None = None
    lon: float | None = None

    @property
    def point(self) -> tuple[float, float] | None:
        """Latitude and longitude."""
        return None if self.lat is None or self.lon is None else (self.lat, self.lon)


NOWHERE = Taken()


def add(
    tx: Tx, sha: str, width: int, height: int, size: int, dhash: str, prints: str = "", taken: Taken = NOWHERE
) -> None:
    """Register a cleaned photo; the same picture twice is one row, and its age starts again."""
    tx.execute(
        "insert into photo (sha, width, height, size, dhash, at, taken_at, lat, lon) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict (sha) do update set at = excluded.at, taken_at = coalesce(taken_at, excluded.taken_at),"
        " lat = coalesce(lat, excluded.lat), lon = coalesce(lon, excluded.lon)",
        (sha, width, height, size, dhash, tx.at, taken.at, taken.lat, taken.lon),
    )
    if prints:
        tx.execute("insert into photo_print (sha, prints) values (?, ?) on conflict do nothing", (sha, prints))


def known(source: Tx | sqlite3.Connection, sha: str) -> bool:
    """Whether a photo was registered and not yet swept."""
    return source.execute("select 1 from photo where sha = ?", (sha,)).fetchone() is not None


def sweep(tx: Tx, before: int) -> list[str]:
    """Forget photos nothing shows and nobody sent since `before`; returns their files."""
    rows = tx.all("select sha from photo where kept = 0 and at < ? limit 500", (before,))
    for (sha,) in rows:
        tx.execute("delete from photo where sha = ?", (sha,))
        tx.execute("delete from photo_room where sha = ?", (sha,))
        tx.execute("delete from photo_print where sha = ?", (sha,))
        tx.execute("delete from photo_read where sha = ?", (sha,))
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


def taken(source: Tx | sqlite3.Connection, sha: str) -> Taken:
    """When and where a photo was taken."""
    row = source.execute("select taken_at, lat, lon from photo where sha = ?", (sha,)).fetchone()
    return Taken(*row) if row else NOWHERE


def prints(source: Tx | sqlite3.Connection, sha: str) -> str:
    """How a photo is recognised again (handlers.tasks.likeness); empty when it is not in the books."""
    row = source.execute("select prints from photo_print where sha = ?", (sha,)).fetchone()
    return str(row[0]) if row else ""


def enter(tx: Tx, sha: str, coarse: bytes, keys: Sequence[int]) -> None:
    """From now on `look` finds this photo by any of these keys."""
    row = tx.one("insert into print (sha, coarse) values (?, ?) on conflict do nothing returning id", (sha, coarse))
    if row is not None:
        sql = "insert into print_band (key, print) values (?, ?) on conflict do nothing"
        tx.connection.executemany(sql, [(key, row[0]) for key in keys])


def look(source: Tx | sqlite3.Connection, keys: Sequence[int]) -> list[tuple[str, bytes]]:
    """(sha, coarse) of photos sharing a key, for each key the newest `PER_KEY`: dull pictures share theirs with many."""
    sql = "select print from print_band where key = ? order by print desc limit ?"
    ids = sorted({row[0] for key in keys for row in source.execute(sql, (key, PER_KEY))})
    found: list[tuple[str, bytes]] = []
    for at in range(0, len(ids), 500):
        some = ids[at : at + 500]
        marks = ", ".join("?" * len(some))
        found += source.execute(f"select sha, coarse from print where id in ({marks})", some).fetchall()
    return found


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison picture: two photos and what is written to them."""

    before: str
    after: str
    title: str
    said_before: str
    said_after: str


def name_pair(tx: Tx, sha: str, task: str, pair: Pair) -> None:
    """Write down a picture that is made when it is first sent."""
    values = (sha, task, pair.before, pair.after, pair.title, pair.said_before, pair.said_after)
    sql = (
        "insert into photo_pair (sha, task, before, after, title, said_before, said_after) values (?, ?, ?, ?, ?, ?, ?)"
    )
    tx.execute(f"{sql} on conflict do nothing", values)


def pair(source: Tx | sqlite3.Connection, sha: str) -> Pair | None:
    """The comparison picture of this name."""
    sql = "select before, after, title, said_before, said_after from photo_pair where sha = ?"
    row = source.execute(sql, (sha,)).fetchone()
    return Pair(*row) if row else None


@dataclass(frozen=True, slots=True)
class Drawing:
    """An edition as a long picture: the sheet it is drawn from, and the words that stand in for it."""

    day: str
    sheet: str
    instead: str


def name_drawing(tx: Tx, sha: str, drawing: Drawing) -> None:
    """Write down an edition's picture, which is made when it is first sent."""
    values = (sha, drawing.day, drawing.sheet, drawing.instead, tx.at)
    tx.execute(
        "insert into photo_sheet (sha, day, sheet, instead, at) values (?, ?, ?, ?, ?) on conflict do nothing", values
    )


def drawing(source: Tx | sqlite3.Connection, sha: str) -> Drawing | None:
    """The edition's picture of this name."""
    row = source.execute("select day, sheet, instead from photo_sheet where sha = ?", (sha,)).fetchone()
    return Drawing(*row) if row else None


def retire_drawings(tx: Tx, before: int) -> list[str]:
    """Forget editions' pictures named before a time; returns their files."""
    rows = tx.all("delete from photo_sheet where at < ? returning sha", (before,))
    for (sha,) in rows:
        tx.execute("delete from photo_room where sha = ?", (sha,))
    return [row[0] for row in rows]


def forget(tx: Tx, shas: Sequence[str]) -> list[str]:
    """A recall: time and place go, and so do the pictures that show these photos; returns those pictures' names."""
    gone: list[str] = []
    for sha in shas:
        tx.execute("update photo set taken_at = null, lat = null, lon = null where sha = ?", (sha,))
        tx.execute("update photo_read set taken_at = null, place = '' where sha = ?", (sha,))
        rows = tx.all("delete from photo_pair where before = ? or after = ? returning sha", (sha, sha))
        gone += [row[0] for row in rows]
    return gone
