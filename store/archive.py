"""The archive of the digest and its search: words cut before storing, kept apart by a sign no text contains.

The text stands once, packed; the index holds words and their places and nothing to read. Who asks gets the newest
first, items with the words in their title before the others. The index is fed here, since a database that trusts no
schema lets no trigger do it; to take an item out, its words are given to it once more.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence

from store.writer import Tx

WORD = "\x1f"
FTS = "item_text_fts"


def add(tx: Tx, item: int, title: str, body: str) -> None:
    """Keep an item's words, already apart."""
    tx.execute("insert into item_text (item, title, body) values (?, ?, ?)", (item, title, _packed(body)))
    tx.execute(f"insert into {FTS} (rowid, title, body) values (?, ?, ?)", (item, title, body))


def read(source: Tx | sqlite3.Connection, item: int) -> tuple[str, str]:
    """Title and body as they were written."""
    row = source.execute("select title, body from item_text where item = ?", (item,)).fetchone()
    return (plain(row[0]), plain(_unpacked(row[1]))) if row else ("", "")


def plain(words: str) -> str:
    """The text without the signs between its words."""
    return words.replace(WORD, "")


def erase(tx: Tx, item: int) -> None:
    """The words and their places in the index."""
    row = tx.one("select title, body from item_text where item = ?", (item,))
    if row is not None:
        words = row[0], _unpacked(row[1])
        tx.execute(f"insert into {FTS} ({FTS}, rowid, title, body) values ('delete', ?, ?, ?)", (item, *words))
        tx.execute("delete from item_text where item = ?", (item,))


def search(
    source: Tx | sqlite3.Connection, terms: Sequence[Sequence[str]], limit: int = 20, before: int = 1 << 62
) -> list[int]:
    """Items that hold every term (a term is its words in a row, the last of them perhaps unfinished)."""
    wanted = [phrase for term in terms if (phrase := _phrase(term))]
    if not wanted:
        return []
    found = _matching(source, "title", wanted, limit, before)
    if len(found) < limit:
        found += [n for n in _matching(source, "", wanted, 2 * limit, before) if n not in found]
    return found[:limit]


def _matching(
    source: Tx | sqlite3.Connection, column: str, wanted: Sequence[str], limit: int, before: int
) -> list[int]:
    query = " AND ".join(f"{column} : {phrase}" if column else phrase for phrase in wanted)
    rows = source.execute(
        f"select rowid from {FTS} where {FTS} match ? and rowid < ? order by rowid desc limit ?", (query, before, limit)
    )
    return [int(n) for (n,) in rows.fetchall()]


def _phrase(words: Sequence[str]) -> str:
    """Quoted, so that nothing a person types is query syntax."""
    clean = ["".join(sign if sign.isalnum() else " " for sign in word).strip() for word in words]
    clean = [word for word in clean if word]
    return f'"{" ".join(clean)}" *' if clean else ""


def tidy(tx: Tx) -> None:
    """Merge the index into one piece, in which nothing erased is left."""
    tx.execute(f"insert into {FTS} ({FTS}) values ('optimize')")


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode())


def _unpacked(packed: bytes) -> str:
    return zlib.decompress(packed).decode()
