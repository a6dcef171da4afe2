"""The knowledge base: entries with every version kept, and the drafts that would change it.

Nothing becomes live but through `publish`, which keeps the old version as replaced. Reading the live rows is the only
way an answer's text is found when it is said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from config.faq.entries import Entry
from store.writer import Tx

_FIELDS = (
    "question, similar, answer, basis, source, valid_from, valid_to, taxpayer_type, tax, region, maintainer, successor"
)
_COLUMNS = f"entry, version, state, {_FIELDS}"
_LISTS = ("similar", "taxpayer_type", "tax")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an entry with who wrote it and who approved it."""

    entry: Entry
    state: str
    author: str
    approver: str
    at: int
    decided_at: int | None


def live(source: Tx | sqlite3.Connection) -> list[Entry]:
    """Every approved entry, effective or not."""
    return [
        _entry(row) for row in source.execute(f"select {_COLUMNS} from faq_version where state = 'live' order by entry")
    ]


def get(source: Tx | sqlite3.Connection, entry: str) -> Entry | None:
    """The approved version of an entry."""
    row = source.execute(f"select {_COLUMNS} from faq_version where entry = ? and state = 'live'", (entry,)).fetchone()
    return _entry(row) if row else None


def versions(source: Tx | sqlite3.Connection, entry: str) -> list[Version]:
    """An entry's whole life, newest first."""
    rows = source.execute(
        f"select {_COLUMNS}, author, approver, at, decided_at from faq_version where entry = ? order by version desc",
        (entry,),
    )
    return [Version(_entry(row), row[2], *row[-4:]) for row in rows]


def newest(source: Tx | sqlite3.Connection) -> list[Version]:
    """Each entry as it stands: its live version, else its newest."""
    rows = source.execute(
        f"select {_COLUMNS}, author, approver, at, decided_at from faq_version v where version = coalesce("
        "(select version from faq_version l where l.entry = v.entry and l.state = 'live'),"
        " (select max(version) from faq_version w where w.entry = v.entry)) order by entry"
    )
    return [Version(_entry(row), row[2], *row[-4:]) for row in rows]


def waiting(source: Tx | sqlite3.Connection) -> list[Version]:
    """Versions that wait for a second person, oldest first."""
    rows = source.execute(
        f"select {_COLUMNS}, author, approver, at, decided_at from faq_version where state = 'draft' order by at, entry"
    )
    return [Version(_entry(row), row[2], *row[-4:]) for row in rows]


def empty(source: Tx | sqlite3.Connection) -> bool:
    """Whether no entry was ever there."""
    return source.execute("select 1 from faq_version limit 1").fetchone() is None


def found(tx: Tx, entries: Iterable[Entry]) -> None:
    """The starter base: what two sources agree on is live, the rest waits for the bureau."""
    for entry in entries:
        _insert(tx, entry, 1, "live" if entry.status == "live" else "draft", "")
    tx.touched.add("faq")


def publish(tx: Tx, entry: Entry, author: str, approver: str) -> Entry:
    """Make this the approved version of its entry; what was approved before is kept as replaced."""
    version = _next(tx, entry.id)
    tx.execute(
        "update faq_version set state = 'replaced', decided_at = ? where entry = ? and state = 'live'",
        (tx.at, entry.id),
    )
    _insert(tx, entry, version, "live", author, approver)
    tx.touched.add("faq")
    return replace(entry, version=version, status="live")


def propose(tx: Tx, entry: Entry, author: str) -> int:
    """A version that waits for a second person; its number."""
    version = _next(tx, entry.id)
    _insert(tx, entry, version, "draft", author)
    return version


def approve(tx: Tx, entry: str, version: int, approver: str) -> Entry | None:
    """A waiting version becomes live; None when it does not wait, has no basis, or its own author asks."""
    row = tx.one(
        f"select {_COLUMNS}, author from faq_version where entry = ? and version = ? and state = 'draft'",
        (entry, version),
    )
    if row is None or row[-1] == approver or not row[6].strip():
        return None
    tx.execute(
        "update faq_version set state = 'replaced', decided_at = ? where entry = ? and state = 'live'", (tx.at, entry)
    )
    tx.execute(
        "update faq_version set state = 'live', approver = ?, decided_at = ? where entry = ? and version = ?",
        (approver, tx.at, entry, version),
    )
    tx.touched.add("faq")
    return _entry((*row[:2], "live", *row[3:-1]))


def decline(tx: Tx, entry: str, version: int, approver: str) -> bool:
    """A waiting version is turned down."""
    return bool(
        tx.execute(
            "update faq_version set state = 'declined', approver = ?, decided_at = ?"
            " where entry = ? and version = ? and state = 'draft'",
            (approver, tx.at, entry, version),
        ).rowcount
    )


def withdraw(tx: Tx, entry: str, by: str) -> bool:
    """An entry answers no more; its versions stay."""
    done = tx.execute(
        "update faq_version set state = 'withdrawn', approver = ?, decided_at = ? where entry = ? and state = 'live'",
        (by, tx.at, entry),
    ).rowcount
    tx.touched.add("faq")
    return bool(done)


def _next(tx: Tx, entry: str) -> int:
    return int(tx.one("select coalesce(max(version), 0) + 1 from faq_version where entry = ?", (entry,))[0])


def _insert(tx: Tx, entry: Entry, version: int, state: str, author: str, approver: str = "") -> None:
    values = [getattr(entry, name) for name in _FIELDS.split(", ")]
    cells = ["|".join(value) if isinstance(value, tuple) else value for value in values]
    tx.execute(
        f"insert into faq_version (entry, version, state, {_FIELDS}, author, approver, at, decided_at)"
        f" values ({', '.join('?' * 19)})",
        (entry.id, version, state, *cells, author, approver, tx.at, tx.at if state == "live" else None),
    )


def _entry(row: Sequence[str | int]) -> Entry:
    cell = dict(zip(_FIELDS.split(", "), map(str, row[3:15]), strict=True))
    similar, taxpayer_type, tax = (tuple(filter(None, cell.pop(name).split("|"))) for name in _LISTS)
    status = {"live": "live", "draft": "draft"}.get(str(row[2]), "retired")
    entry = Entry(str(row[0]), similar=similar, taxpayer_type=taxpayer_type, tax=tax, status=status, **cell)  # type: ignore[arg-type]
    return replace(entry, version=int(row[1]))


# --- drafts learned from officers' replies --------------------------------------------------------------------------

_DRAFT = (
    "id, serial, kind, entry, question, answer, basis, tax, taxpayer_type, author, state, approver, reason, ticket, at"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """state: basis (its author still owes the document), review, approved, rejected, dropped."""

    id: str
    serial: int
    kind: str
    entry: str
    question: str
    answer: str
    basis: str
    tax: str
    taxpayer_type: str
    author: str
    state: str
    approver: str
    reason: str
    ticket: str
    at: int

    @property
    def number(self) -> str:
        """As people write it."""
        return f"#草{self.serial:04d}"


def add_draft(tx: Tx, draft: Draft) -> Draft:
    """Keep a draft under the next serial."""
    serial = int(tx.one("select coalesce(max(serial), 0) + 1 from faq_draft")[0])
    entry = draft.entry or f"learned-{serial:04d}"
    numbered = replace(draft, serial=serial, entry=entry, at=tx.at)
    tx.execute(
        f"insert into faq_draft ({_DRAFT}) values ({', '.join('?' * 15)})",
        tuple(getattr(numbered, name) for name in _DRAFT.split(", ")),
    )
    return numbered


def draft(source: Tx | sqlite3.Connection, id: str) -> Draft | None:
    """A draft by id."""
    row = source.execute(f"select {_DRAFT} from faq_draft where id = ?", (id,)).fetchone()
    return Draft(*row) if row else None


def draft_of(source: Tx | sqlite3.Connection, ticket: str) -> Draft | None:
    """The draft a ticket's answer became."""
    row = source.execute(
        f"select {_DRAFT} from faq_draft where ticket = ? order by serial desc limit 1", (ticket,)
    ).fetchone()
    return Draft(*row) if row else None


def draft_numbered(source: Tx | sqlite3.Connection, serial: int) -> Draft | None:
    """#草0003."""
    row = source.execute(f"select {_DRAFT} from faq_draft where serial = ?", (serial,)).fetchone()
    return Draft(*row) if row else None


def drafts(source: Tx | sqlite3.Connection, *states: str) -> list[Draft]:
    """Drafts in these states, oldest first."""
    marks = ", ".join("?" * len(states))
    rows = source.execute(f"select {_DRAFT} from faq_draft where state in ({marks}) order by at, serial", states)
    return [Draft(*row) for row in rows]


def owed(source: Tx | sqlite3.Connection, author: str) -> Draft | None:
    """The newest draft of this author that waits for its basis."""
    row = source.execute(
        f"select {_DRAFT} from faq_draft where state = 'basis' and author = ? order by serial desc limit 1", (author,)
    ).fetchone()
    return Draft(*row) if row else None


def give_basis(tx: Tx, id: str, basis: str) -> None:
    """Its author named the document: now it can be looked at."""
    tx.execute("update faq_draft set basis = ?, state = 'review' where id = ?", (basis, id))


def settle_draft(tx: Tx, id: str, state: str, by: str, reason: str = "") -> bool:
    """Approved, rejected or dropped, once."""
    return bool(
        tx.execute(
            "update faq_draft set state = ?, approver = ?, reason = ?, decided_at = ?"
            " where id = ? and state in ('basis', 'review')",
            (state, by, reason, tx.at, id),
        ).rowcount
    )
