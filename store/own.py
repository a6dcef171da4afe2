"""What the database holds about one person, for that person (个人信息保护法 第四十四、四十五条)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.people import Opinion
from store.writer import Tx

WAITING = 3  # requests of one person that may stand unanswered


@dataclass(frozen=True, slots=True)
class Report:
    """A task one reported or joined; `text` is empty where somebody else wrote it."""

    number: str
    state: str
    at: int
    text: str
    place: str
    place_text: str
    category: str
    unit: str
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class OwnStep:
    """Something one did to a task, with one's own words."""

    at: int
    number: str
    event: str
    words: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of each kind."""

    reports: int
    steps: int
    feedback: int
    photos: int
    said: int
    opinions: int
    audited: int


_NUMBER = (
    "case when t.day is null then '' else t.day || '-' || substr('000' || t.serial, -max(3, length(t.serial))) end"
)
_SAID = (
    "from inbox i join account a on a.channel = i.channel and a.user_id = i.sender"
    " where a.person = ? and i.kind = 'message' and i.body <> '{}'"
)
_COUNTS = (
    "select (select count(*) from task_reporter where person = :p), (select count(*) from history where actor = :p),"
    " (select count(*) from history where actor = :p and event = 'feed_back'),"
    " (select count(distinct sha) from task_photo where person = :p and hidden = 0),"
    f" (select count(*) {_SAID.replace('?', ':p')}), (select count(*) from opinion where person = :p),"
    " (select count(*) from audit where actor = :p)"
)


def counts(connection: sqlite3.Connection, person: str) -> Counts:
    """Counted from the rows themselves, so a large history takes a moment."""
    return Counts(*connection.execute(_COUNTS, {"p": person}).fetchone())


def reports(connection: sqlite3.Connection, person: str) -> list[Report]:
    """Newest first."""
    rows = connection.execute(
        f"select {_NUMBER}, t.state, t.opened_at, case when t.reporter = ? then t.text else '' end, t.place, t.place_text,"
        " t.category, t.unit, t.ended_at from task_reporter r join task t on t.id = r.task where r.person = ? order by r.at desc",
        (person, person),
    )
    return [Report(*row) for row in rows]


def steps(connection: sqlite3.Connection, person: str) -> list[OwnStep]:
    """In order."""
    rows = connection.execute(
        f"select h.at, {_NUMBER}, h.event, coalesce(n.text, '') from history h join task t on t.id = h.task"
        " left join task_note n on n.task = h.task and n.n = h.n where h.actor = ? order by h.seq",
        (person,),
    )
    return [OwnStep(*row) for row in rows]


def said(connection: sqlite3.Connection, person: str) -> list[tuple[int, str, str]]:
    """(at, channel, the event as JSON) of every kept message, in order."""
    return connection.execute(f"select i.at, i.channel, i.body {_SAID} order by i.seq", (person,)).fetchall()


def photos(connection: sqlite3.Connection, person: str, limit: int) -> list[str]:
    """Pictures one sent, the newest first."""
    sql = "select sha from task_photo where person = ? and hidden = 0 group by sha order by max(at) desc, sha limit ?"
    return [row[0] for row in connection.execute(sql, (person, limit))]


def opinions(source: Tx | sqlite3.Connection, person: str) -> list[Opinion]:
    """One's own opinions and requests, newest first."""
    sql = "select id, person, text, at, reply, replied_at from opinion where person = ? order by at desc, id desc"
    return [Opinion(*row) for row in source.execute(sql, (person,))]


def request(tx: Tx, person: str, text: str) -> str | None:
    """A request becomes an opinion, numbered W; the same words twice are one. None when too many wait for an answer."""
    waiting = [one for one in opinions(tx, person) if one.replied_at is None and one.id.startswith("W")]
    for one in waiting:
        if one.text == text:
            return one.id
    if len(waiting) >= WAITING:
        return None
    n = int(tx.one("select coalesce(max(cast(substr(id, 2) as integer)), 0) from opinion where id like 'W%'")[0]) + 1
    tx.execute("insert into opinion (id, person, text, at) values (?, ?, ?, ?)", (f"W{n}", person, text, tx.at))
    return f"W{n}"
