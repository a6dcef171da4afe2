"""The county's rows: written whole by an import, read whole into a frozen County."""

from __future__ import annotations

import sqlite3

from config.county import CalendarDay, Category, County, Duty, Group, Person, Phrase, Place, Standard, Unit
from store.writer import Tx


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)


def load(source: Tx | sqlite3.Connection) -> County:
    """The county as it stands now."""
    run = source.execute
    person_accounts: dict[str, list[str]] = {}
    for channel, user_id, person in run("select channel, user_id, person from account order by channel, user_id"):
        person_accounts.setdefault(person, []).append(f"{channel}:{user_id}")
    group_accounts: dict[str, list[str]] = {}
    for channel, address, group in run(
        "select channel, address, group_id from group_account order by channel, address"
    ):
        group_accounts.setdefault(group, []).append(f"{channel}:{address}")
    return County(
        units=tuple(
            Unit(i, n, _split(a), t, d)
            for i, n, a, t, d in run("select id, name, aliases, town, duty from unit order by pos")
        ),
        people=tuple(
            Person(i, n, u, _split(r), tuple(person_accounts.get(i, ())))
            for i, n, u, r in run("select id, name, unit, roles from person where erased_at is null order by pos")
        ),
        places=tuple(
            Place(i, n, _split(a), k, t)
            for i, n, a, k, t in run("select id, name, aliases, kind, town from place order by pos")
        ),
        groups=tuple(
            Group(i, n, p, _split(m), tuple(group_accounts.get(i, ())), o)
            for i, n, p, m, o in run("select id, name, purpose, members, owner from work_group order by pos")
        ),
        categories=tuple(
            Category(*row) for row in run("select code, name, kind, spoken_group from category order by pos")
        ),
        standards=tuple(
            Standard(*row) for row in run("select code, condition, limit_n, limit_unit from standard order by pos")
        ),
        duties=tuple(Duty(*row) for row in run("select code, place_or_town, unit, status from duty order by pos")),
        calendar=tuple(CalendarDay(*row) for row in run("select date, kind from calendar_day order by date")),
        phrases=tuple(Phrase(*row) for row in run("select code, text from phrase order by pos")),
    )


def save(tx: Tx, county: County) -> None:
    """Make the rows say what `county` says. People keep their mutes and logins; those no longer listed are removed."""
    for table in (
        "unit",
        "place",
        "category",
        "standard",
        "duty",
        "calendar_day",
        "phrase",
        "account",
        "group_account",
    ):
        tx.execute(f"delete from {table}")
    put = tx.connection.executemany
    put(
        "insert into unit values (?, ?, ?, ?, ?, ?)",
        ((u.id, u.name, "|".join(u.aliases), u.town, u.duty, n) for n, u in enumerate(county.units)),
    )
    put(
        "insert into place values (?, ?, ?, ?, ?, ?)",
        ((p.id, p.name, "|".join(p.aliases), p.kind, p.town, n) for n, p in enumerate(county.places)),
    )
    put(
        "insert into category values (?, ?, ?, ?, ?)",
        ((c.code, c.name, c.kind, c.spoken_group, n) for n, c in enumerate(county.categories)),
    )
    put(
        "insert into standard values (?, ?, ?, ?, ?)",
        ((n, s.code, s.condition, s.limit_n, s.limit_unit) for n, s in enumerate(county.standards)),
    )
    put(
        "insert into duty values (?, ?, ?, ?, ?)",
        ((n, d.code, d.place_or_town, d.unit, d.status) for n, d in enumerate(county.duties)),
    )
    put("insert into calendar_day values (?, ?)", ((d.date, d.kind) for d in county.calendar))
    put("insert into phrase values (?, ?, ?)", ((n, p.code, p.text) for n, p in enumerate(county.phrases)))
    _save_people(tx, county)
    _save_groups(tx, county)
    tx.touched.add("county")


def _save_people(tx: Tx, county: County) -> None:
    kept = {person.id for person in county.people}
    for (gone,) in tx.all("select id from person"):
        if gone not in kept:
            tx.execute("delete from person where id = ?", (gone,))
            tx.execute("delete from login where person = ?", (gone,))
            tx.execute("delete from session where person = ?", (gone,))
            tx.execute("delete from board_view where person = ?", (gone,))
    for pos, person in enumerate(county.people):
        tx.execute(
            "insert into person (id, name, unit, roles, pos) values (?, ?, ?, ?, ?) on conflict (id) do update set"
            " name = excluded.name, unit = excluded.unit, roles = excluded.roles, pos = excluded.pos, erased_at = null",
            (person.id, person.name, person.unit, "|".join(person.roles), pos),
        )
        for account in person.accounts:
            channel, _, user_id = account.partition(":")
            tx.execute(
                "insert into account (channel, user_id, person, at) values (?, ?, ?, ?)",
                (channel, user_id, person.id, tx.at),
            )


def _save_groups(tx: Tx, county: County) -> None:
    kept = {group.id for group in county.groups}
    for (gone,) in tx.all("select id from work_group"):
        if gone not in kept:
            tx.execute("delete from work_group where id = ?", (gone,))
    for pos, group in enumerate(county.groups):
        tx.execute(
            "insert into work_group (id, name, purpose, members, owner, pos) values (?, ?, ?, ?, ?, ?)"
            " on conflict (id) do update set name = excluded.name, purpose = excluded.purpose,"
            " members = excluded.members, owner = excluded.owner, pos = excluded.pos",
            (group.id, group.name, group.purpose, "|".join(group.members), group.owner, pos),
        )
        for account in group.accounts:
            channel, _, address = account.partition(":")
            bind_group(tx, channel, address, group.id)


def bind_group(tx: Tx, channel: str, address: str, group_id: str) -> None:
    """This platform group is that work group from now on."""
    tx.execute(
        "insert into group_account (channel, address, group_id) values (?, ?, ?)"
        " on conflict (channel, address) do update set group_id = excluded.group_id",
        (channel, address, group_id),
    )
    tx.touched.add("people")


def empty(source: Tx | sqlite3.Connection) -> bool:
    """Whether no county was ever loaded."""
    return source.execute("select 1 from unit limit 1").fetchone() is None


def welcome(tx: Tx, group_id: str) -> bool:
    """Mark that the privacy notice went to a group; True the first time."""
    return bool(
        tx.execute(
            "update work_group set welcomed_at = ? where id = ? and welcomed_at is null", (tx.at, group_id)
        ).rowcount
    )
