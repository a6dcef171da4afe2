"""Who is on duty for which tax, which documents are repealed, what each group files, which reminders went out, pushes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from store.writer import Tx

MONTHLY, QUARTERLY = "增值税、消费税、个人所得税代扣代缴", "企业所得税预缴"  # 税总办征科函〔2025〕64号
_PUSH = "id, serial, entry, version, author, state, approver, at"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a group files each month, what besides after a quarter; `off` when it wants no reminders."""

    group_id: str
    monthly: str = MONTHLY
    quarterly: str = QUARTERLY
    off: int = 0


@dataclass(frozen=True, slots=True)
class Push:
    """An entry on its way to the groups it concerns. state: review, approved, rejected."""

    id: str
    serial: int
    entry: str
    version: int
    author: str
    state: str = "review"
    approver: str = ""
    at: int = 0

    @property
    def number(self) -> str:
        """As people write it."""
        return f"#推{self.serial:04d}"


def duty(source: Tx | sqlite3.Connection, taxes: Sequence[str] = ()) -> list[str]:
    """Person ids on duty: for these taxes first, then for any."""
    rows = source.execute("select tax, person from faq_duty order by pos, person").fetchall()
    own = [person for tax, person in rows if tax in taxes]
    return list(dict.fromkeys((*own, *(person for tax, person in rows if not tax))))


def roster(source: Tx | sqlite3.Connection) -> list[tuple[str, str]]:
    """(tax, person) in order."""
    return [(str(t), str(p)) for t, p in source.execute("select tax, person from faq_duty order by tax, pos, person")]


def set_roster(tx: Tx, rows: Sequence[tuple[str, str]]) -> None:
    """Replace the roster by (tax, person) rows in order."""
    tx.execute("delete from faq_duty")
    for pos, (tax, person) in enumerate(dict.fromkeys(rows)):
        tx.execute("insert into faq_duty (tax, person, pos) values (?, ?, ?)", (tax, person, pos))


def repealed(source: Tx | sqlite3.Connection) -> list[str]:
    """Documents the bureau marked as repealed."""
    return [str(document) for (document,) in source.execute("select document from faq_repealed order by document")]


def set_repealed(tx: Tx, documents: Sequence[str], person: str) -> None:
    """Make the list this; who put a document there first stays noted."""
    gone = set(repealed(tx)) - set(documents)
    for document in gone:
        tx.execute("delete from faq_repealed where document = ?", (document,))
    for document in documents:
        tx.execute(
            "insert or ignore into faq_repealed (document, person, at) values (?, ?, ?)", (document, person, tx.at)
        )


def profile(source: Tx | sqlite3.Connection, group: str) -> Profile:
    """A group's, or the usual one."""
    row = source.execute(
        "select group_id, monthly, quarterly, off from faq_profile where group_id = ?", (group,)
    ).fetchone()
    return Profile(*row) if row else Profile(group)


def set_profile(tx: Tx, profile: Profile) -> None:
    """Keep what a group files."""
    tx.execute(
        "insert into faq_profile (group_id, monthly, quarterly, off) values (?, ?, ?, ?) on conflict (group_id) do update"
        " set monthly = excluded.monthly, quarterly = excluded.quarterly, off = excluded.off",
        (profile.group_id, profile.monthly, profile.quarterly, profile.off),
    )


def reminded(tx: Tx, group: str, month: str, n: int) -> bool:
    """Note a reminder; False when it went out before."""
    return bool(
        tx.execute(
            "insert or ignore into faq_reminder (group_id, month, n, at) values (?, ?, ?, ?)", (group, month, n, tx.at)
        ).rowcount
    )


def reminders(source: Tx | sqlite3.Connection, group: str, month: str) -> set[int]:
    """Which reminders of a month a group had."""
    rows = source.execute("select n from faq_reminder where group_id = ? and month = ?", (group, month))
    return {int(n) for (n,) in rows}


def add_push(tx: Tx, push: Push) -> Push:
    """Propose a push, under the next serial."""
    serial = int(tx.one("select coalesce(max(serial), 0) + 1 from faq_push")[0])
    made = replace(push, serial=serial, at=tx.at)
    tx.execute(
        f"insert into faq_push ({_PUSH}) values ({', '.join('?' * 8)})",
        tuple(getattr(made, name) for name in _PUSH.split(", ")),
    )
    return made


def push(source: Tx | sqlite3.Connection, id: str) -> Push | None:
    """A push by id."""
    row = source.execute(f"select {_PUSH} from faq_push where id = ?", (id,)).fetchone()
    return Push(*row) if row else None


def push_numbered(source: Tx | sqlite3.Connection, serial: int) -> Push | None:
    """#推0002."""
    row = source.execute(f"select {_PUSH} from faq_push where serial = ?", (serial,)).fetchone()
    return Push(*row) if row else None


def pushes(source: Tx | sqlite3.Connection, state: str) -> list[Push]:
    """Pushes in a state, oldest first."""
    return [
        Push(*row) for row in source.execute(f"select {_PUSH} from faq_push where state = ? order by serial", (state,))
    ]


def settle_push(tx: Tx, id: str, state: str, by: str) -> bool:
    """Approved or rejected, once."""
    return bool(
        tx.execute(
            "update faq_push set state = ?, approver = ?, decided_at = ? where id = ? and state = 'review'",
            (state, by, tx.at, id),
        ).rowcount
    )


def pushed(tx: Tx, push: Push, group: str) -> bool:
    """Note that a group gets this version of an entry; False when it had it before."""
    return bool(
        tx.execute(
            "insert or ignore into faq_push_group (entry, version, group_id, push, at) values (?, ?, ?, ?, ?)",
            (push.entry, push.version, group, push.id, tx.at),
        ).rowcount
    )
