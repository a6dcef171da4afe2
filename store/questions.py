"""Questions asked in tax groups, the choices offered, votes, and the tickets of those handed over to a person."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from store.writer import Tx

_ASKED = (
    "id, group_id, channel, address, message, asker, text, band, reason, entry, version, choices, until, ticket, at"
)
_TICKET = (
    "id, serial, kind, state, group_id, channel, address, text, tax, taxpayer_type, near, officer, told, at,"
    " answered_by, answered_at, answer"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `asker` is channel:user; `choices` entry ids joined by |, good for a number until `until`."""

    id: str
    group_id: str
    channel: str
    address: str
    message: str
    asker: str
    text: str
    band: str
    reason: str = ""
    entry: str = ""
    version: int = 0
    choices: str = ""
    until: int = 0
    ticket: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question or matter a person answers. `told` are the officers told so far, `near` entry ids, joined by |."""

    id: str
    serial: int
    kind: str
    state: str
    group_id: str
    channel: str
    address: str
    text: str
    tax: str
    taxpayer_type: str
    near: str
    officer: str
    told: str = ""
    at: int = 0
    answered_by: str = ""
    answered_at: int | None = None
    answer: str = ""

    @property
    def number(self) -> str:
        """As people write it."""
        return f"#问{self.serial:04d}"

    @property
    def lane(self) -> str:
        """Whose order its timers join."""
        return self.group_id or f"{self.channel}:{self.address}"


def add(tx: Tx, asked: Asked) -> None:
    """Keep what was asked and what was done with it; an asker's earlier list of choices ends here."""
    tx.execute(
        "update faq_asked set until = 0 where group_id = ? and asker = ? and until > 0", (asked.group_id, asked.asker)
    )
    tx.execute(
        f"insert into faq_asked ({_ASKED}) values ({', '.join('?' * 15)})",
        tuple(getattr(asked, name) for name in _ASKED.split(", ")),
    )


def get(source: Tx | sqlite3.Connection, id: str) -> Asked | None:
    """One question."""
    row = source.execute(f"select {_ASKED} from faq_asked where id = ?", (id,)).fetchone()
    return Asked(*row) if row else None


def of_line(source: Tx | sqlite3.Connection, id: str) -> list[Asked]:
    """All questions one bot line answered."""
    rows = source.execute(f"select {_ASKED} from faq_asked where id = ? or id like ? || '-%' order by id", (id, id))
    return [Asked(*row) for row in rows]


def last(source: Tx | sqlite3.Connection, group: str, asker: str, since: int) -> Asked | None:
    """The asker's latest question since a moment."""
    row = source.execute(
        f"select {_ASKED} from faq_asked where group_id = ? and asker = ? and at >= ? order by at desc, id desc limit 1",
        (group, asker, since),
    ).fetchone()
    return Asked(*row) if row else None


def offer(source: Tx | sqlite3.Connection, group: str, asker: str, now: int) -> Asked | None:
    """The list of choices that still answers to a number of this asker."""
    row = source.execute(
        f"select {_ASKED} from faq_asked where group_id = ? and asker = ? and until >= ? order by at desc limit 1",
        (group, asker, now),
    ).fetchone()
    return Asked(*row) if row else None


def keep_open(tx: Tx, offer: Asked) -> None:
    """A list goes on answering to numbers though something else was said meanwhile."""
    tx.execute("update faq_asked set until = ? where id = ?", (offer.until, offer.id))


def since(source: Tx | sqlite3.Connection, at: int, group: str = "") -> list[Asked]:
    """Questions since a moment, oldest first."""
    rows = source.execute(
        f"select {_ASKED} from faq_asked where at >= ? and (? = '' or group_id = ?) order by at, id", (at, group, group)
    )
    return [Asked(*row) for row in rows]


def link(tx: Tx, outbox: int, about: str) -> None:
    """This line of the bot is about that."""
    tx.execute("insert or replace into faq_line (outbox, about) values (?, ?)", (outbox, about))


def about(source: Tx | sqlite3.Connection, channel: str, message: str) -> str:
    """What a quoted message is about: a line of ours, or the message with which somebody asked; "" otherwise."""
    row = source.execute(
        "select l.about from outbox o join faq_line l on l.outbox = o.seq where o.channel = ? and o.receipt = ?",
        (channel, message),
    ).fetchone()
    if row is None:
        row = source.execute(
            "select ticket from faq_ticket_asker where channel = ? and message = ? order by at desc limit 1",
            (channel, message),
        ).fetchone()
    return str(row[0]) if row else ""


def about_line(source: Tx | sqlite3.Connection, outbox: int) -> str:
    """What a line of the bot is about, "" when it is no tax matter."""
    row = source.execute("select about from faq_line where outbox = ?", (outbox,)).fetchone()
    return str(row[0]) if row else ""


def vote(tx: Tx, asked: str, asker: str, useful: bool) -> None:
    """有用 or 没用; the last word counts."""
    tx.execute(
        "insert into faq_vote (asked, asker, vote, at) values (?, ?, ?, ?)"
        " on conflict (asked, asker) do update set vote = excluded.vote, at = excluded.at",
        (asked, asker, "useful" if useful else "useless", tx.at),
    )


def useless(source: Tx | sqlite3.Connection, since_: int) -> list[Asked]:
    """Answers somebody called 没用 since a moment."""
    columns = ", ".join(f"a.{name}" for name in _ASKED.split(", "))
    rows = source.execute(
        f"select distinct {columns} from faq_vote v join faq_asked a on a.id = v.asked"
        " where v.vote = 'useless' and v.at >= ? order by a.at",
        (since_,),
    )
    return [Asked(*row) for row in rows]


def votes(source: Tx | sqlite3.Connection, entry: str) -> dict[str, int]:
    """How often an entry's answers were called useful and useless."""
    rows = source.execute(
        "select v.vote, count(*) from faq_vote v join faq_asked a on a.id = v.asked where a.entry = ? group by v.vote",
        (entry,),
    )
    return dict(rows.fetchall())


def hot(source: Tx | sqlite3.Connection, group: str, since_: int, limit: int = 10) -> list[tuple[str, int]]:
    """(entry, times asked) of a group since a moment, most asked first."""
    rows = source.execute(
        "select entry, count(*) n from faq_asked where group_id = ? and at >= ? and entry <> '' and band = 'answer'"
        " group by entry order by n desc, entry limit ?",
        (group, since_, limit),
    )
    return [(str(entry), int(n)) for entry, n in rows]


def recall(tx: Tx, channel: str, message: str) -> list[Ticket]:
    """A message was taken back: its words go; open tickets that nobody else asked end. Returns those."""
    tx.execute("update faq_asked set text = '', until = 0 where channel = ? and message = ?", (channel, message))
    ids = tx.all("select ticket from faq_ticket_asker where channel = ? and message = ?", (channel, message))
    tx.execute("delete from faq_ticket_asker where channel = ? and message = ?", (channel, message))
    gone = []
    for (id,) in ids:
        found = ticket(tx, id)
        left = tx.one("select 1 from faq_ticket_asker where ticket = ?", (id,))
        if found is not None and not left:
            tx.execute("update faq_ticket set text = '' where id = ?", (id,))
            if found.state == "open":
                settle(tx, id, "withdrawn", "", "")
                gone.append(found)
    tx.erased = True
    return gone


def purge(tx: Tx, before: int, named_before: int) -> None:
    """Old questions go; who asked is forgotten much earlier."""
    tx.execute("update faq_asked set asker = '', message = '' where at < ? and asker <> ''", (named_before,))
    tx.execute(
        "update faq_ticket_asker set asker = '' where asker <> '' and ticket in"
        " (select id from faq_ticket where state <> 'open' and at < ?)",
        (named_before,),
    )
    tx.execute("update faq_ticket set text = '', answer = '' where state <> 'open' and at < ?", (before,))
    tx.execute("delete from faq_vote where at < ?", (before,))
    tx.execute("delete from faq_asked where at < ?", (before,))
    tx.erased = True


# --- tickets --------------------------------------------------------------------------------------------------------


def open_ticket(tx: Tx, ticket: Ticket, message: str, asker: str) -> Ticket:
    """Hand over, under the next serial."""
    serial = int(tx.one("select coalesce(max(serial), 0) + 1 from faq_ticket")[0])
    made = replace(ticket, serial=serial, at=tx.at)
    tx.execute(
        f"insert into faq_ticket ({_TICKET}) values ({', '.join('?' * 17)})",
        tuple(getattr(made, name) for name in _TICKET.replace("\n", "").split(", ")),
    )
    join(tx, made.id, made.channel, message, asker)
    return made


def join(tx: Tx, ticket: str, channel: str, message: str, asker: str) -> None:
    """One more message that asks the same."""
    tx.execute(
        "insert or ignore into faq_ticket_asker (ticket, channel, message, asker, at) values (?, ?, ?, ?, ?)",
        (ticket, channel, message, asker, tx.at),
    )


def ticket(source: Tx | sqlite3.Connection, id: str) -> Ticket | None:
    """A ticket by id."""
    row = source.execute(f"select {_TICKET} from faq_ticket where id = ?", (id,)).fetchone()
    return Ticket(*row) if row else None


def ticket_numbered(source: Tx | sqlite3.Connection, serial: int) -> Ticket | None:
    """#问0017."""
    row = source.execute(f"select {_TICKET} from faq_ticket where serial = ?", (serial,)).fetchone()
    return Ticket(*row) if row else None


def open_of(source: Tx | sqlite3.Connection, group: str, asker: str, since_: int) -> Ticket | None:
    """The newest open ticket of an asker in a group."""
    row = source.execute(
        f"select {_TICKET} from faq_ticket where state = 'open' and group_id = ? and at >= ? and id in"
        " (select ticket from faq_ticket_asker where asker = ?) order by at desc, serial desc limit 1",
        (group, since_, asker),
    ).fetchone()
    return Ticket(*row) if row else None


def open_tickets(source: Tx | sqlite3.Connection, group: str = "") -> list[Ticket]:
    """What waits for a person, oldest first."""
    rows = source.execute(
        f"select {_TICKET} from faq_ticket where state = 'open' and (? = '' or group_id = ?) order by at, serial",
        (group, group),
    )
    return [Ticket(*row) for row in rows]


def tickets(source: Tx | sqlite3.Connection, limit: int = 200) -> list[Ticket]:
    """Newest first."""
    rows = source.execute(f"select {_TICKET} from faq_ticket order by serial desc limit ?", (limit,))
    return [Ticket(*row) for row in rows]


def askers(source: Tx | sqlite3.Connection, ticket: str) -> list[tuple[str, str, str]]:
    """(channel, message, asker) of everybody who asked, first come first."""
    rows = source.execute(
        "select channel, message, asker from faq_ticket_asker where ticket = ? order by at, message", (ticket,)
    )
    return [(str(c), str(m), str(a)) for c, m, a in rows]


def tell_officer(tx: Tx, ticket: Ticket, officer: str) -> Ticket:
    """The ticket is this officer's now."""
    told = "|".join(dict.fromkeys((*filter(None, ticket.told.split("|")), officer)))
    tx.execute("update faq_ticket set officer = ?, told = ? where id = ?", (officer, told, ticket.id))
    return replace(ticket, officer=officer, told=told)


def settle(tx: Tx, id: str, state: str, by: str, answer: str) -> bool:
    """End an open ticket, once."""
    return bool(
        tx.execute(
            "update faq_ticket set state = ?, answered_by = ?, answered_at = ?, answer = ? where id = ? and state = 'open'",
            (state, by, tx.at, answer, id),
        ).rowcount
    )
