"""Items of the digest: what came in, its story and threads, what was found in it, and each day's weighed candidates.

    item ─┬─ item_text (words apart by WORD, for the archive: store/archive.py; use `words`/`read` to see plain text)
          ├─ item_finding · item_thread · item_title · item_print (same story) · item_reaction (store/editions.py)
          ├─ candidate ── candidate_term (every term of its score)      one row per (day, item), rewritten by a run
          └─ editor_choice (keep/drop, teaches the weights, revocable)
    source_state, source_fetch, submission: store/sources.py · edition…correction: store/editions.py

An item whose screening says "block" has no row here, only a keyed mark in item_blocked.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from store import archive
from store.writer import Tx

Reader = Tx | sqlite3.Connection
_COLUMNS = (
    "n, at, day, source, source_name, url, key, published_at, doc_number, issuer, written_on, validity, attachments,"
    " submitted_by, story, same_as, same_why, similarity, state, why, pulled_by, length"
)
LIVE = ("kept", "held")


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One notice without its words. `story` is the first item of its story; `attachments` one address a line."""

    n: int
    at: int
    day: str
    source: str
    source_name: str
    url: str
    key: str
    published_at: str = ""
    doc_number: str = ""
    issuer: str = ""
    written_on: str = ""
    validity: str = ""
    attachments: str = ""
    submitted_by: str = ""
    story: int = 0
    same_as: int | None = None
    same_why: str = ""
    similarity: float = 0.0
    state: str = "kept"
    why: str = ""
    pulled_by: int | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """What a new item is found again by: sampled shingles, hashes of its bare title."""

    prints: Sequence[int] = ()
    titles: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class FindingRow:
    """`level`: hold or flag (a block is never stored)."""

    rule: str
    level: str
    why: str


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """An item weighed for a day. `picked` is its proposed place from 1, 0 when `left_out` or `barred` says why not."""

    day: str
    item: int
    column: str
    score: float
    picked: int
    barred: str = ""
    left_out: str = ""
    units: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class TermRow:
    """One line of a score's sum."""

    name: str
    points: float
    why: str


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """An editor kept or dropped an item."""

    seq: int
    at: int
    day: str
    item: int
    column: str
    source: str
    keep: int
    person: str
    why: str
    revoked_at: int | None


def add(
    tx: Tx, row: ItemRow, title: str, body: str, marks: Marks, findings: Sequence[FindingRow], about: Sequence[int]
) -> int | None:
    """Store an item once per key; `row.n` is ignored, `row.story` 0 means its own. None when the key is known.

    `title` and `body` come with their words apart (`archive.WORD`).
    """
    values = (tx.at, *(getattr(row, name.strip()) for name in _COLUMNS.split(",")[2:]))
    places = ", ".join("?" * len(values))
    cursor = tx.execute(
        f"insert into item ({_COLUMNS.removeprefix('n, ')}) values ({places}) on conflict (key) do nothing", values
    )
    if not cursor.rowcount:
        return None
    n = int(cursor.lastrowid or 0)
    if not row.story:
        tx.execute("update item set story = n where n = ?", (n,))
    archive.add(tx, n, title, body)
    tx.connection.executemany("insert or ignore into item_print values (?, ?)", [(mark, n) for mark in marks.prints])
    tx.connection.executemany("insert or ignore into item_title values (?, ?)", [(mark, n) for mark in marks.titles])
    _add_findings(tx, n, findings)
    tx.connection.executemany("insert or ignore into item_thread values (?, ?)", [(n, other) for other in about])
    return n


def _add_findings(tx: Tx, item: int, findings: Iterable[FindingRow]) -> None:
    rows = [(item, at, found.rule, found.level, found.why) for at, found in enumerate(findings)]
    tx.connection.executemany("insert into item_finding values (?, ?, ?, ?, ?)", rows)


def get(source: Reader, n: int) -> ItemRow | None:
    """One item."""
    row = source.execute(f"select {_COLUMNS} from item where n = ?", (n,)).fetchone()
    return ItemRow(*row) if row else None


def by_key(source: Reader, key: str) -> ItemRow | None:
    """The item of an address."""
    row = source.execute(f"select {_COLUMNS} from item where key = ?", (key,)).fetchone()
    return ItemRow(*row) if row else None


def known_keys(source: Reader, keys: Sequence[str]) -> set[str]:
    """Which of these addresses are here already."""
    return {key for key in keys if source.execute("select 1 from item where key = ?", (key,)).fetchone()}


def of_days(source: Reader, first: str, last: str) -> list[ItemRow]:
    """Items of these edition days, in order of arrival."""
    rows = source.execute(f"select {_COLUMNS} from item where day between ? and ? order by n", (first, last))
    return [ItemRow(*row) for row in rows.fetchall()]


def per_source(source: Reader) -> dict[str, int]:
    """How many items each source brought."""
    return dict(source.execute("select source, count(*) from item group by source").fetchall())


def of_story(source: Reader, story: int) -> list[ItemRow]:
    """Every item of a story, the first one first."""
    return [
        ItemRow(*row)
        for row in source.execute(f"select {_COLUMNS} from item where story = ? order by n", (story,)).fetchall()
    ]


def read(source: Reader, n: int) -> tuple[str, str]:
    """Title and body as their publisher wrote them; empty when erased."""
    return archive.read(source, n)


def findings(source: Reader, n: int) -> list[FindingRow]:
    """What screening found, gravest first."""
    rows = source.execute("select rule, level, why from item_finding where item = ? order by n", (n,))
    return [FindingRow(*row) for row in rows.fetchall()]


def thread(source: Reader, n: int) -> list[int]:
    """Items this one cites or is about, and items that cite it."""
    rows = source.execute(
        "select about from item_thread where item = ? union select item from item_thread where about = ?", (n, n)
    )
    return [int(other) for (other,) in rows.fetchall()]


def pull(tx: Tx, n: int, by: int | None, why: str) -> None:
    """Its publisher took it back or corrected it: it may not be chosen any more."""
    tx.execute(
        "update item set state = 'pulled', pulled_by = ?, why = ? where n = ? and state <> 'erased'", (by, why, n)
    )


def release(tx: Tx, n: int, why: str) -> None:
    """A person looked at a held item and lets it be a candidate."""
    tx.execute("update item set state = 'kept', why = ? where n = ? and state = 'held'", (why, n))


def erase(tx: Tx, n: int, why: str) -> None:
    """Its words go; that it was here stays."""
    archive.erase(tx, n)
    tx.execute("update item set state = 'erased', why = ? where n = ?", (why, n))
    for name in ("item_print", "item_title", "item_finding"):
        tx.execute(f"delete from {name} where item = ?", (n,))
    tx.erased = True


def block(tx: Tx, mark: str, source: str, rule: str) -> None:
    """An address whose text carried a secrecy mark: only a keyed hash stays, so that it is not fetched again."""
    tx.execute(
        "insert into item_blocked values (?, ?, ?, ?) on conflict (mark) do nothing", (mark, tx.at, source, rule)
    )


def is_blocked(source: Reader, mark: str) -> bool:
    """Whether this address was blocked before."""
    return source.execute("select 1 from item_blocked where mark = ?", (mark,)).fetchone() is not None


def blocked_since(source: Reader, at: int) -> list[tuple[str, str, int]]:
    """(source, rule, how many) blocked since a moment, for the health page."""
    return source.execute(
        "select source, rule, count(*) from item_blocked where at >= ? group by source, rule order by 3 desc", (at,)
    ).fetchall()


# --- same story ----------------------------------------------------------------------------------------------------


def holders(source: Reader, prints: Sequence[int], newest: int, since: int = 0) -> Counter[int]:
    """Items that hold these shingles and how many of them, looking at each shingle's newest holders only."""
    sql = "select item from item_print where print = ? and item >= ? order by item desc limit ?"
    rows = chain.from_iterable(source.execute(sql, (mark, since, newest)) for mark in prints)
    return Counter(chain.from_iterable(rows))


def forget_prints(tx: Tx, before: str) -> None:
    """Items of days before this are compared no more; they stay in the archive."""
    tx.execute("delete from item_print where item in (select n from item where day < ?)", (before,))


def by_number(source: Reader, number: str, limit: int = 20) -> list[int]:
    """Items that carry a document number."""
    rows = source.execute("select n from item where doc_number = ? order by n limit ?", (number, limit))
    return [int(n) for (n,) in rows.fetchall()]


def length(source: Reader, n: int) -> int:
    """Characters of an item's body."""
    row = source.execute("select length from item where n = ?", (n,)).fetchone()
    return int(row[0]) if row else 0


def members(source: Reader, story: int, limit: int = 50) -> list[int]:
    """A story's items, the first one first."""
    rows = source.execute("select n from item where story = ? order by n limit ?", (story, limit))
    return [int(n) for (n,) in rows.fetchall()]


def newest_titles(source: Reader, limit: int) -> list[tuple[int, str]]:
    """(item, title) of the newest items."""
    rows = source.execute("select item, title from item_text order by item desc limit ?", (limit,))
    return [(n, archive.plain(title)) for n, title in rows.fetchall()]


def by_title(source: Reader, mark: int) -> int | None:
    """The first item with this bare title."""
    row = source.execute("select min(item) from item_title where hash = ?", (mark,)).fetchone()
    return int(row[0]) if row[0] is not None else None


# --- a day's candidates ----------------------------------------------------------------------------------------------


def save_candidates(tx: Tx, day: str, rows: Sequence[CandidateRow], terms: dict[int, Sequence[TermRow]]) -> None:
    """The day's run in place of an earlier one."""
    tx.execute("delete from candidate where day = ?", (day,))
    tx.execute("delete from candidate_term where day = ?", (day,))
    tx.connection.executemany(
        "insert into candidate (day, item, column_name, score, picked, barred, left_out, units, at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(day, r.item, r.column, r.score, r.picked, r.barred, r.left_out, r.units, tx.at) for r in rows],
    )
    tx.connection.executemany(
        "insert into candidate_term values (?, ?, ?, ?, ?, ?)",
        [(day, item, n, t.name, t.points, t.why) for item, found in terms.items() for n, t in enumerate(found)],
    )


def candidates(source: Reader, day: str) -> list[CandidateRow]:
    """Proposed ones in order of print, then the rest by score."""
    rows = source.execute(
        "select day, item, column_name, score, picked, barred, left_out, units, at from candidate where day = ?"
        " order by picked = 0, picked, score desc, item",
        (day,),
    )
    return [CandidateRow(*row) for row in rows.fetchall()]


def terms(source: Reader, day: str, item: int) -> list[TermRow]:
    """How a score came about."""
    rows = source.execute(
        "select name, points, why from candidate_term where day = ? and item = ? order by n", (day, item)
    )
    return [TermRow(*row) for row in rows.fetchall()]


def choose(tx: Tx, day: str, item: int, column: str, source: str, *, keep: bool, person: str, why: str = "") -> None:
    """An editor's decision; the newest standing one on an item counts."""
    tx.execute(
        "insert into editor_choice (at, day, item, column_name, source, keep, person, why) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (tx.at, day, item, column, source, int(keep), person, why),
    )


def revoke_choice(tx: Tx, seq: int) -> None:
    """It teaches nothing any more."""
    tx.execute("update editor_choice set revoked_at = ? where seq = ? and revoked_at is null", (tx.at, seq))


def choices(source: Reader, since: str = "") -> list[ChoiceRow]:
    """Every decision from a day on, in order, revoked ones included."""
    rows = source.execute(
        "select seq, at, day, item, column_name, source, keep, person, why, revoked_at from editor_choice"
        " where day >= ? order by seq",
        (since,),
    )
    return [ChoiceRow(*row) for row in rows.fetchall()]


# --- leaders ---------------------------------------------------------------------------------------------------------


def leaders(source: Reader) -> list[tuple[str, str, str, str]]:
    """(name, title, valid_from, valid_to) in the office's order."""
    return source.execute("select name, title, valid_from, valid_to from leader order by pos").fetchall()


def replace_leaders(tx: Tx, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """The whole table anew."""
    tx.execute("delete from leader")
    tx.connection.executemany("insert into leader (name, title, valid_from, valid_to) values (?, ?, ?, ?)", rows)
