"""One person's second factor: the sealed secret, whether it was confirmed, and the last time step used."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.writer import Tx

Reader = Tx | sqlite3.Connection


@dataclass(frozen=True, slots=True)
class Factor:
    """`sealed` is nonce and ciphertext; `confirmed_at` None until a first right code."""

    person: str
    sealed: bytes
    confirmed_at: int | None
    step: int


def get(source: Reader, person: str) -> Factor | None:
    """A person's factor."""
    row = source.execute("select person, sealed, confirmed_at, step from totp where person = ?", (person,)).fetchone()
    return Factor(*row) if row else None


def confirmed(source: Reader, person: str) -> bool:
    """Whether sign-in asks this person for a code."""
    sql = "select 1 from totp where person = ? and confirmed_at is not null"
    return source.execute(sql, (person,)).fetchone() is not None


def propose(tx: Tx, person: str, sealed: bytes) -> None:
    """A secret to be confirmed; a confirmed one stays."""
    tx.execute(
        "insert into totp (person, sealed) values (?, ?) on conflict (person) do update set sealed = excluded.sealed"
        " where confirmed_at is null",
        (person, sealed),
    )


def use(tx: Tx, person: str, step: int) -> bool:
    """Spend a time step; False when it, or a later one, was used already."""
    return bool(
        tx.execute(
            "update totp set step = ?, confirmed_at = coalesce(confirmed_at, ?) where person = ? and step < ?",
            (step, tx.at, person, step),
        ).rowcount
    )


def drop(tx: Tx, person: str) -> None:
    """The telephone is lost: sign in by password until a new one is confirmed."""
    tx.execute("delete from totp where person = ?", (person,))
