"""What stands beside editions: acknowledged warnings, a group's own form, and the verdicts on corrections."""

from __future__ import annotations

import hashlib
import sqlite3

from store.editions import Correction
from store.writer import Tx

Reader = Tx | sqlite3.Connection
_CORRECTION = "n, at, day, item, kind, text, state, proposed_by, hash, sent_at"


def acknowledge(tx: Tx, day: str, mark: str, person: str, why: str) -> None:
    """A person answers for a warning on exactly these words."""
    tx.execute(
        "insert into edition_ack (day, mark, person, why, at) values (?, ?, ?, ?, ?) on conflict (day, mark) do nothing",
        (day, mark, person, why, tx.at),
    )


def acknowledged(source: Reader, day: str) -> dict[str, tuple[str, str]]:
    """mark → (person, why)."""
    rows = source.execute("select mark, person, why from edition_ack where day = ?", (day,)).fetchall()
    return {mark: (person, why) for mark, person, why in rows}


def set_form(tx: Tx, group: str, form: str, person: str) -> None:
    """How a group wants to see editions; "" goes back to the best its channel can show."""
    tx.execute("delete from group_form where group_id = ?", (group,))
    if form:
        tx.execute(
            "insert into group_form (group_id, form, person, at) values (?, ?, ?, ?)", (group, form, person, tx.at)
        )


def form(source: Reader, group: str) -> str:
    """A group's own form, "" when it has none."""
    row = source.execute("select form from group_form where group_id = ?", (group,)).fetchone()
    return str(row[0]) if row else ""


def text_hash(text: str) -> str:
    """What a verdict on a correction is bound to."""
    return hashlib.sha256(text.encode()).hexdigest()


def correction(source: Reader, n: int) -> Correction | None:
    """One correction."""
    row = source.execute(f"select {_CORRECTION} from correction where n = ?", (n,)).fetchone()
    return Correction(*row) if row else None


def rewrite_correction(tx: Tx, n: int, text: str, person: str) -> bool:
    """Other words for a proposal; whoever wrote them answers for them and may not let them pass."""
    return bool(
        tx.execute(
            "update correction set text = ?, proposed_by = ? where n = ? and state = 'proposed'", (text, person, n)
        ).rowcount
    )


def correction_step(tx: Tx, n: int, person: str, hash_: str, verdict: str) -> None:
    """Record who wrote, passed or dropped exactly this text."""
    tx.execute(
        "insert into correction_step (at, n, person, hash, verdict) values (?, ?, ?, ?, ?)",
        (tx.at, n, person, hash_, verdict),
    )


def correction_steps(source: Reader, n: int) -> list[tuple[int, str, str, str]]:
    """(at, person, hash, verdict) in order."""
    return source.execute(
        "select at, person, hash, verdict from correction_step where n = ? order by seq", (n,)
    ).fetchall()
