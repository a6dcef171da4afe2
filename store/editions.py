"""The edition of a day, who let it pass, where it went, and what came back. One row a day in `edition`.

    edition (state, version, hash) ── edition_item (order, words as printed)
            ├─ approval   append-only; counts only while its hash is the edition's: any edit voids it
            ├─ delivery   unique (day, group, kind, n): beside the outbox key the second lock against sending twice
            └─ correction (proposed by the machine on a retraction, or by a person)
    subscription (per group and column) · card (micro-class, micro-warning) · item_reaction (per item, never per person)

States of an edition: draft → edited → reviewed → approved → sent → recalled; or none, decided by a person.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from store.writer import Tx

Reader = Tx | sqlite3.Connection
STATES = ("draft", "edited", "reviewed", "approved", "none", "sent", "recalled")
STEPS = ("edit", "review", "publish")
REACTIONS = ("shown", "quote", "like", "useful")
_EDITION = "day, state, version, hash, mode, due_at, made_at, sent_at, why"
_ITEM = "pos, item, card, column_name, title, text, url, source_name, quotes, why, also"
_CARD = (
    "n, kind, title, text, basis, url, source_name, plan_on, valid_from, valid_to, used_on, uses, state, made_by, at"
)
_CORRECTION = "n, at, day, item, kind, text, state, proposed_by, hash, sent_at"


@dataclass(frozen=True, slots=True)
class Edition:
    """One day's edition. `hash` is `content_hash` of its items; `mode` three or two persons."""

    day: str
    state: str = "draft"
    version: int = 1
    hash: str = ""
    mode: str = "three"
    due_at: int | None = None
    made_at: int = 0
    sent_at: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class EditionItem:
    """One line as it will be printed: an item's or a card's. `quotes` are offsets "start-end|…" into the item's body."""

    pos: int
    item: int | None
    card: int | None
    column: str
    title: str
    text: str
    url: str = ""
    source_name: str = ""
    quotes: str = ""
    why: str = ""
    also: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's verdict (pass, back) on one content at one step."""

    seq: int
    at: int
    day: str
    step: str
    person: str
    hash: str
    verdict: str
    why: str


@dataclass(frozen=True, slots=True)
class Card:
    """A micro-class (class) or micro-warning (warning) of the office's own."""

    n: int
    kind: str
    title: str
    text: str
    basis: str = ""
    url: str = ""
    source_name: str = ""
    plan_on: str = ""
    valid_from: str = ""
    valid_to: str = ""
    used_on: str = ""
    uses: int = 0
    state: str = "ready"
    made_by: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction or recall. state: proposed, approved, sent, dropped; `proposed_by` "" is the machine."""

    n: int
    at: int
    day: str
    item: int | None
    kind: str
    text: str
    state: str = "proposed"
    proposed_by: str = ""
    hash: str = ""
    sent_at: int | None = None


def content_hash(items: Sequence[EditionItem]) -> str:
    """What an approval is bound to: every word, link and the order."""
    printed = "\x1e".join("\x1f".join(map(str, astuple(item)[:8])) for item in items)
    return hashlib.sha256(printed.encode()).hexdigest()


def get(source: Reader, day: str) -> Edition | None:
    """A day's edition."""
    row = source.execute(f"select {_EDITION} from edition where day = ?", (day,)).fetchone()
    return Edition(*row) if row else None


def listing(source: Reader, limit: int = 60) -> list[Edition]:
    """The newest editions."""
    rows = source.execute(f"select {_EDITION} from edition order by day desc limit ?", (limit,))
    return [Edition(*row) for row in rows.fetchall()]


def open_(tx: Tx, day: str, mode: str, due_at: int | None) -> bool:
    """Begin a day's draft; False when the day has one."""
    return bool(
        tx.execute(
            "insert into edition (day, state, mode, due_at, made_at) values (?, 'draft', ?, ?, ?) on conflict (day) do nothing",
            (day, mode, due_at, tx.at),
        ).rowcount
    )


def write(tx: Tx, day: str, items: Sequence[EditionItem]) -> str:
    """Put a day's items in place of what stood there; the new hash. The state goes back to draft: approvals are void.

    "" when the edition went out already: then nothing changes, and a correction is the way.
    """
    found = get(tx, day)
    if found is None or found.state in ("sent", "recalled"):
        return ""
    tx.execute("delete from edition_item where day = ?", (day,))
    tx.connection.executemany(
        f"insert into edition_item (day, {_ITEM}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(day, *astuple(item)) for item in items],
    )
    new = content_hash(items)
    tx.execute("update edition set hash = ?, version = version + 1, state = 'draft' where day = ?", (new, day))
    return new


def move(tx: Tx, day: str, states: Sequence[str], to: str, why: str = "") -> bool:
    """From one of `states` to another; False when it stands elsewhere by now."""
    marks = ", ".join("?" * len(states))
    sent = ", sent_at = coalesce(sent_at, ?)" if to == "sent" else ""
    values = [to, why, *([tx.at] if sent else []), day, *states]
    return bool(
        tx.execute(f"update edition set state = ?, why = ?{sent} where day = ? and state in ({marks})", values).rowcount
    )


def set_due(tx: Tx, day: str, due_at: int | None) -> None:
    """When it is to go out."""
    tx.execute("update edition set due_at = ? where day = ?", (due_at, day))


def set_mode(tx: Tx, day: str, mode: str) -> None:
    """How many persons it takes: three or two."""
    tx.execute("update edition set mode = ? where day = ?", (mode, day))


def items(source: Reader, day: str) -> list[EditionItem]:
    """In order of print."""
    rows = source.execute(f"select {_ITEM} from edition_item where day = ? order by pos", (day,))
    return [EditionItem(*row) for row in rows.fetchall()]


def sent_days_of(source: Reader, item: int) -> list[str]:
    """Editions that carried an item and went out."""
    rows = source.execute(
        "select distinct e.day from edition_item i join edition e on e.day = i.day where i.item = ? and e.state = 'sent'"
        " order by e.day",
        (item,),
    )
    return [str(day) for (day,) in rows.fetchall()]


def sent_stories(source: Reader, since: str) -> dict[int, str]:
    """Stories that went out from a day on, with the newest day."""
    rows = source.execute(
        "select n.story, max(e.day) from edition e join edition_item i on i.day = e.day join item n on n.n = i.item"
        " where e.day >= ? and e.state = 'sent' group by n.story",
        (since,),
    )
    return dict(rows.fetchall())


# --- approvals -------------------------------------------------------------------------------------------------------


def approve(tx: Tx, day: str, step: str, person: str, hash_: str, verdict: str = "pass", why: str = "") -> None:
    """Record a verdict on exactly this content. Who may and in which order is the handlers' business."""
    tx.execute(
        "insert into approval (at, day, step, person, hash, verdict, why) values (?, ?, ?, ?, ?, ?, ?)",
        (tx.at, day, step, person, hash_, verdict, why),
    )


def approvals(source: Reader, day: str, hash_: str = "") -> list[Approval]:
    """A day's verdicts in order; with `hash_` only those on that content."""
    rows = source.execute(
        "select seq, at, day, step, person, hash, verdict, why from approval where day = ? and (? = '' or hash = ?) order by seq",
        (day, hash_, hash_),
    )
    return [Approval(*row) for row in rows.fetchall()]


def passed(source: Reader, day: str, hash_: str) -> dict[str, str]:
    """step → person, of what stands for this content: a later "back" voids the step and those behind it."""
    standing: dict[str, str] = {}
    for verdict in approvals(source, day, hash_):
        if verdict.verdict == "pass":
            standing[verdict.step] = verdict.person
        else:
            for step in STEPS[STEPS.index(verdict.step) - 1 if verdict.step != "edit" else 0 :]:
                standing.pop(step, None)
    return standing


# --- delivery, corrections -------------------------------------------------------------------------------------------


def deliver(tx: Tx, day: str, group: str, kind: str, n: int, outbox_key: str, hash_: str) -> bool:
    """Claim the one delivery of this kind to a group; False when it was claimed before."""
    return bool(
        tx.execute(
            "insert into delivery (day, group_id, kind, n, outbox_key, at, hash) values (?, ?, ?, ?, ?, ?, ?)"
            " on conflict (day, group_id, kind, n) do nothing",
            (day, group, kind, n, outbox_key, tx.at, hash_),
        ).rowcount
    )


def deliveries(source: Reader, day: str) -> list[tuple[str, str, int, str, int, str, str]]:
    """(group, kind, n, outbox key, at, state of the outbox row, its reason)."""
    return source.execute(
        "select d.group_id, d.kind, d.n, d.outbox_key, d.at, coalesce(o.state, ''), coalesce(o.reason, '') from delivery d"
        " left join outbox o on o.key = d.outbox_key where d.day = ? order by d.group_id, d.kind, d.n",
        (day,),
    ).fetchall()


def newest_delivery(source: Reader, group: str) -> str:
    """The day of the last edition a group was sent, or ""."""
    row = source.execute("select max(day) from delivery where group_id = ? and kind = 'edition'", (group,)).fetchone()
    return str(row[0] or "")


def propose_correction(tx: Tx, day: str, item: int | None, kind: str, text: str, person: str = "") -> int:
    """A correction or recall waiting for approval; one open proposal per (day, item, kind)."""
    known = tx.one(
        "select n from correction where day = ? and item is ? and kind = ? and state in ('proposed', 'approved')",
        (day, item, kind),
    )
    if known is not None:
        return int(known[0])
    cursor = tx.execute(
        "insert into correction (at, day, item, kind, text, proposed_by) values (?, ?, ?, ?, ?, ?)",
        (tx.at, day, item, kind, text, person),
    )
    return int(cursor.lastrowid or 0)


def corrections(source: Reader, day: str = "", state: str = "") -> list[Correction]:
    """Newest first."""
    rows = source.execute(
        f"select {_CORRECTION} from correction where (? = '' or day = ?) and (? = '' or state = ?) order by n desc",
        (day, day, state, state),
    )
    return [Correction(*row) for row in rows.fetchall()]


def move_correction(tx: Tx, n: int, state: str, to: str, text: str | None = None, hash_: str = "") -> bool:
    """From `state` to another, perhaps with other words; False when it stands elsewhere."""
    sent = tx.at if to == "sent" else None
    return bool(
        tx.execute(
            "update correction set state = ?, text = coalesce(?, text), hash = ?, sent_at = coalesce(?, sent_at)"
            " where n = ? and state = ?",
            (to, text, hash_, sent, n, state),
        ).rowcount
    )


# --- groups and their columns ----------------------------------------------------------------------------------------


def subscribe(tx: Tx, group: str, column: str, person: str, *, wanted: bool) -> None:
    """A group's owner turns a column on or off."""
    tx.execute(
        "insert or replace into subscription (group_id, column_name, wanted, person, at) values (?, ?, ?, ?, ?)",
        (group, column, int(wanted), person, tx.at),
    )


def subscriptions(source: Reader, group: str) -> dict[str, bool]:
    """What a group's owner said of each column, turned on (True) or off."""
    rows = source.execute("select column_name, wanted from subscription where group_id = ?", (group,))
    return {str(name): bool(on) for name, on in rows.fetchall()}


# --- cards -----------------------------------------------------------------------------------------------------------


def add_card(tx: Tx, card: Card) -> int:
    """A new card; its number. `n`, `at`, `uses` and `used_on` are given here."""
    names = "kind, title, text, basis, url, source_name, plan_on, valid_from, valid_to, state, made_by"
    values = [getattr(card, name) for name in names.split(", ")]
    cursor = tx.execute(f"insert into card ({names}, at) values ({'?, ' * len(values)}?)", (*values, tx.at))
    return int(cursor.lastrowid or 0)


def change_card(tx: Tx, card: Card) -> None:
    """The same card with other words, plan or state."""
    names = "kind, title, text, basis, url, source_name, plan_on, valid_from, valid_to, state"
    sets = ", ".join(f"{name} = ?" for name in names.split(", "))
    tx.execute(f"update card set {sets} where n = ?", (*(getattr(card, name) for name in names.split(", ")), card.n))


def cards(source: Reader, kind: str = "") -> list[Card]:
    """All cards, newest first."""
    rows = source.execute(f"select {_CARD} from card where (? = '' or kind = ?) order by n desc", (kind, kind))
    return [Card(*row) for row in rows.fetchall()]


def card(source: Reader, n: int) -> Card | None:
    """One card."""
    row = source.execute(f"select {_CARD} from card where n = ?", (n,)).fetchone()
    return Card(*row) if row else None


def next_card(source: Reader, kind: str, day: str, rest_from: str) -> Card | None:
    """Whose turn it is on a day: one planned for it, else the longest unused; none used on or after `rest_from`.

    A card whose planned day went by without an edition waits for its turn again.
    """
    row = source.execute(
        f"select {_CARD} from card where kind = ? and state = 'ready' and used_on < ? and plan_on <= ?"
        " and (valid_from = '' or valid_from <= ?) and (valid_to = '' or valid_to >= ?)"
        " order by plan_on <> ?, used_on, n limit 1",
        (kind, rest_from, day, day, day, day),
    ).fetchone()
    return Card(*row) if row else None


def use_card(tx: Tx, n: int, day: str) -> None:
    """It went out."""
    tx.execute("update card set used_on = ?, uses = uses + 1, plan_on = '' where n = ?", (day, n))


# --- what is read, per item ------------------------------------------------------------------------------------------


def count(tx: Tx, item: int, kind: str, by: int = 1) -> None:
    """One more of REACTIONS; nobody's name stands anywhere."""
    tx.execute(
        "insert into item_reaction (item, kind, count) values (?, ?, ?)"
        " on conflict (item, kind) do update set count = max(0, count + excluded.count)",
        (item, kind, by),
    )


def reactions(source: Reader, item: int) -> dict[str, int]:
    """Counts by kind."""
    return dict(source.execute("select kind, count from item_reaction where item = ?", (item,)).fetchall())


def heat(source: Reader, since: str) -> dict[tuple[str, str], tuple[int, int]]:
    """(column, source) → (good reactions, times shown), of editions from a day on: what the heat term is shrunk from."""
    rows = source.execute(
        "select i.column_name, n.source, sum(case when r.kind = 'shown' then 0 else r.count end),"
        " sum(case when r.kind = 'shown' then r.count else 0 end)"
        " from edition_item i join item n on n.n = i.item join item_reaction r on r.item = i.item"
        " where i.day >= ? group by i.column_name, n.source",
        (since,),
    )
    return {(column, source_): (good, shown) for column, source_, good, shown in rows.fetchall()}
