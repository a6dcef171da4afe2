"""Logins and sessions: passwords as argon2id hashes, sessions by the hash of an opaque id, both revocable here."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

from store.writer import Tx


@dataclass(frozen=True, slots=True)
class Login:
    """A person's password hash and how often it was missed lately."""

    person: str
    hash: str
    failures: int
    locked_until: int


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in; times in real epoch seconds."""

    person: str
    at: int
    seen_at: int


def seal(token: str) -> str:
    """What is stored of a session id: a dump of the database holds no usable cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(tx: Tx, token: str, person: str, now: int, address: str) -> None:
    """Sign a person in."""
    tx.execute(
        "insert into session (hash, person, at, seen_at, address) values (?, ?, ?, ?, ?)",
        (seal(token), person, now, now, address),
    )


def find(source: Tx | sqlite3.Connection, token: str) -> Session | None:
    """The session of a cookie."""
    row = source.execute("select person, at, seen_at from session where hash = ?", (seal(token),)).fetchone()
    return Session(*row) if row else None


def touch(tx: Tx, token: str, now: int) -> None:
    """The session was used."""
    tx.execute("update session set seen_at = ? where hash = ?", (now, seal(token)))


def become(tx: Tx, token: str, person: str) -> None:
    """Demo only: the same browser goes on as somebody else."""
    tx.execute("update session set person = ? where hash = ?", (person, seal(token)))


def end(tx: Tx, token: str) -> None:
    """Sign out."""
    tx.execute("delete from session where hash = ?", (seal(token),))


def end_all(tx: Tx, person: str) -> None:
    """Sign a person out everywhere."""
    tx.execute("delete from session where person = ?", (person,))


def count(source: Tx | sqlite3.Connection, person: str) -> int:
    """How many browsers a person is signed in on."""
    return int(source.execute("select count(*) from session where person = ?", (person,)).fetchone()[0])


def listing(source: Tx | sqlite3.Connection, person: str) -> list[tuple[str, int, int, str]]:
    """(hash, signed in, last seen, address) of a person's browsers, the last used first."""
    sql = "select hash, at, seen_at, address from session where person = ? order by seen_at desc, hash"
    return source.execute(sql, (person,)).fetchall()


def end_one(tx: Tx, person: str, hash_: str) -> bool:
    """Sign out one of a person's own browsers; False for another's."""
    return bool(tx.execute("delete from session where hash = ? and person = ?", (hash_, person)).rowcount)


def sweep(tx: Tx, idle_before: int, begun_before: int) -> int:
    """Remove sessions past their idle or absolute limit."""
    return tx.execute("delete from session where seen_at < ? or at < ?", (idle_before, begun_before)).rowcount


def login(source: Tx | sqlite3.Connection, person: str) -> Login | None:
    """A person's login."""
    row = source.execute(
        "select person, hash, failures, locked_until from login where person = ?", (person,)
    ).fetchone()
    return Login(*row) if row else None


def set_password(tx: Tx, person: str, hash_: str) -> None:
    """Set or replace a password; other sessions of the person end."""
    tx.execute(
        "insert into login (person, hash, at) values (?, ?, ?) on conflict (person) do update set"
        " hash = excluded.hash, at = excluded.at, failures = 0, locked_until = 0",
        (person, hash_, tx.at),
    )
    end_all(tx, person)


def missed(tx: Tx, person: str, limit: int, lock_until: int) -> None:
    """A wrong password; at the limit the login locks."""
    tx.execute("update login set failures = failures + 1 where person = ?", (person,))
    tx.execute(
        "update login set locked_until = ?, failures = 0 where person = ? and failures >= ?",
        (lock_until, person, limit),
    )


def passed(tx: Tx, person: str) -> None:
    """A right password clears the count."""
    tx.execute("update login set failures = 0, locked_until = 0 where person = ?", (person,))


def any_login(source: Tx | sqlite3.Connection) -> bool:
    """Whether anybody can sign in yet."""
    return source.execute("select 1 from login limit 1").fetchone() is not None
