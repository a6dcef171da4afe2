"""Who a platform identity is: accounts, check-in codes, strangers waiting, mutes. A nickname is never an identity."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

from config.county import Person
from store.writer import Tx

_PERSON = "p.id, p.name, p.unit, p.roles"


def by_account(source: Tx | sqlite3.Connection, channel: str, user_id: str) -> Person | None:
    """The person bound to (channel, user id), without accounts."""
    row = source.execute(
        f"select {_PERSON} from account a join person p on p.id = a.person where a.channel = ? and a.user_id = ? and p.erased_at is null",
        (channel, user_id),
    ).fetchone()
    return _person(row) if row else None


def get(source: Tx | sqlite3.Connection, person_id: str) -> Person | None:
    """A person by id, without accounts."""
    row = source.execute(
        f"select {_PERSON} from person p where p.id = ? and p.erased_at is null", (person_id,)
    ).fetchone()
    return _person(row) if row else None


def _person(row: tuple[str, str, str, str]) -> Person:
    return Person(row[0], row[1], row[2], tuple(filter(None, row[3].split("|"))))


def of_unit(source: Tx | sqlite3.Connection, unit: str) -> list[Person]:
    """A unit's people in the county's order."""
    rows = source.execute(
        f"select {_PERSON} from person p where p.unit = ? and p.erased_at is null order by p.pos", (unit,)
    )
    return [_person(row) for row in rows]


def with_role(source: Tx | sqlite3.Connection, role: str) -> list[Person]:
    """Everyone who holds a role, in the county's order."""
    rows = source.execute(
        f"select {_PERSON} from person p where p.roles like ? and p.erased_at is null order by p.pos", (f"%{role}%",)
    )
    return [person for person in map(_person, rows) if role in person.roles]


def accounts(source: Tx | sqlite3.Connection, person: str) -> list[tuple[str, str]]:
    """(channel, user id) pairs of a person."""
    return source.execute(
        "select channel, user_id from account where person = ? order by channel, user_id", (person,)
    ).fetchall()


def bind(tx: Tx, channel: str, user_id: str, person: str) -> None:
    """报到: this platform identity is that person from now on."""
    tx.execute(
        "insert into account (channel, user_id, person, at) values (?, ?, ?, ?)"
        " on conflict (channel, user_id) do update set person = excluded.person, at = excluded.at",
        (channel, user_id, person, tx.at),
    )
    tx.execute("delete from stranger where channel = ? and user_id = ?", (channel, user_id))
    tx.touched.add("people")


def mute(tx: Tx, person: str, until: int | None) -> None:
    """静音 until a moment, or 恢复 with None."""
    tx.execute("update person set muted_until = ? where id = ?", (until, person))


def muted(source: Tx | sqlite3.Connection, person: str, at: int) -> bool:
    """Whether a person asked not to be written to now."""
    row = source.execute("select muted_until from person where id = ?", (person,)).fetchone()
    return bool(row and row[0] and row[0] > at)


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody a platform showed us whom nobody registered; `name` is only what the platform displays."""

    channel: str
    user_id: str
    name: str
    address: str
    at: int
    state: str


def hold_stranger(tx: Tx, channel: str, user_id: str, name: str, address: str) -> bool:
    """Put an unknown sender in the waiting list; True the first time."""
    return bool(
        tx.execute(
            "insert into stranger (channel, user_id, name, address, at) values (?, ?, ?, ?, ?) on conflict (channel, user_id) do nothing",
            (channel, user_id, name, address, tx.at),
        ).rowcount
    )


def strangers(source: Tx | sqlite3.Connection) -> list[Stranger]:
    """Who waits for admission, newest first."""
    rows = source.execute(
        "select channel, user_id, name, address, at, state from stranger where state = 'waiting' order by at desc limit 200"
    )
    return [Stranger(*row) for row in rows]


def turn_away(tx: Tx, channel: str, user_id: str) -> None:
    """An administrator declined a stranger."""
    tx.execute("update stranger set state = 'declined' where channel = ? and user_id = ?", (channel, user_id))


def make_code(tx: Tx, code: str, kind: str, subject: str, made_by: str, lasts: int) -> None:
    """Store a one-time code by its hash; kind is person, group or login."""
    tx.execute(
        "insert into code (hash, kind, subject, made_by, at, expires_at) values (?, ?, ?, ?, ?, ?)",
        (_hash(code), kind, subject, made_by, tx.at, tx.at + lasts),
    )


def spend_code(tx: Tx, code: str, kind: str) -> str | None:
    """Use a code up; its subject, or None when it is unknown, used or expired."""
    row = tx.one(
        "select subject from code where hash = ? and kind = ? and used_at is null and expires_at >= ?",
        (_hash(code), kind, tx.at),
    )
    if row is None:
        return None
    tx.execute("update code set used_at = ? where hash = ?", (tx.at, _hash(code)))
    return str(row[0])


def _hash(code: str) -> str:
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()


def add_opinion(tx: Tx, opinion: str, person: str, text: str) -> None:
    """意见: what a member wants changed."""
    tx.execute("insert into opinion (id, person, text, at) values (?, ?, ?, ?)", (opinion, person, text, tx.at))


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a member wants changed, and what they were told."""

    id: str
    person: str
    text: str
    at: int
    reply: str
    replied_at: int | None


def opinions(source: Tx | sqlite3.Connection) -> list[Opinion]:
    """Unanswered ones first, oldest of them on top; then the newest answered."""
    rows = source.execute(
        "select id, person, text, at, reply, replied_at from opinion"
        " order by replied_at is not null, case when replied_at is null then at else -at end limit 200"
    )
    return [Opinion(*row) for row in rows]


def unanswered(source: Tx | sqlite3.Connection) -> int:
    """How many opinions nobody answered yet."""
    return int(source.execute("select count(*) from opinion where replied_at is null").fetchone()[0])


def answer_opinion(tx: Tx, opinion: str, reply: str) -> str | None:
    """Record the answer, once; the person to tell, or None when it is answered or unknown."""
    row = tx.one("select person from opinion where id = ? and replied_at is null", (opinion,))
    if row is None:
        return None
    tx.execute("update opinion set reply = ?, replied_at = ? where id = ?", (reply, tx.at, opinion))
    return str(row[0])


def add(tx: Tx, person: Person) -> None:
    """Register somebody by hand, last in the county's order. Raises sqlite3.IntegrityError when the id is taken."""
    tx.execute(
        "insert into person (id, name, unit, roles, pos) values (?, ?, ?, ?, (select coalesce(max(pos), 0) + 1 from person))",
        (person.id, person.name, person.unit, "|".join(person.roles)),
    )
    tx.touched.add("people")


def set_roles(tx: Tx, person: str, roles: tuple[str, ...]) -> None:
    """Replace a person's roles; their sessions end, so that nobody goes on with rights they lost."""
    tx.execute("update person set roles = ? where id = ?", ("|".join(roles), person))
    tx.execute("delete from session where person = ?", (person,))
    tx.touched.add("people")


def waiting(source: Tx | sqlite3.Connection, channel: str, user_id: str) -> Stranger | None:
    """A stranger who still waits for admission."""
    row = source.execute(
        "select channel, user_id, name, address, at, state from stranger where channel = ? and user_id = ? and state = 'waiting'",
        (channel, user_id),
    ).fetchone()
    return Stranger(*row) if row else None


def with_login(source: Tx | sqlite3.Connection) -> frozenset[str]:
    """Everybody who has a password."""
    return frozenset(row[0] for row in source.execute("select person from login"))


def code_subject(source: Tx | sqlite3.Connection, code: str, kind: str, at: int) -> str | None:
    """Whose a usable code is, without using it up."""
    row = source.execute(
        "select subject from code where hash = ? and kind = ? and used_at is null and expires_at >= ?",
        (_hash(code), kind, at),
    ).fetchone()
    return str(row[0]) if row else None


def void_codes(tx: Tx, kind: str, subject: str) -> None:
    """Unused codes of this kind for this subject are worth nothing from now on: a new one replaces them."""
    tx.execute("delete from code where kind = ? and subject = ? and used_at is null", (kind, subject))
