"""The editors' desk: a draft composed of the day's candidates and cards, then changed by hand.

Nothing here tells anybody anything. Every change makes a new hash, and whatever was approved before is void. `seen` is
the hash (or its beginning) of what the person was looking at: if somebody changed it meanwhile, nothing is done.
Raises Rejected with what to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from config.county import Person
from config.digest.cards import KINDS
from config.errors import Rejected
from handlers.editions import cards as library
from handlers.editions import timing, wording
from handlers.editions.texts import say
from handlers.events import CONSOLE
from handlers.office import Office
from store import Tx, audit, digest, editions
from store.digest import CandidateRow, ItemRow
from store.editions import Card, Edition, EditionItem

Reader = Tx | sqlite3.Connection
COLUMNS = ("政策速递", "微课堂", "微警示", "税务", "本地工作")  # issue 6, in order of print
MOST = 10
HANDED_IN = "submitted"
REASONS = 3  # terms of its score an item is shown with
TITLE, TEXT, WHY = 100, 500, 200  # characters
SIGNED = ("editor", "reviewer", "publisher")


def begin(tx: Tx, office: Office, day: str) -> Edition:
    """The day's edition, composed when it has nothing yet; what hands made is kept."""
    mode = "two" if office.rules.digest_persons == 2 else "three"
    editions.open_(tx, day, mode, timing.send_at(office, day))
    found = _found(tx, day)
    if found.version == 1 and found.state not in timing.CLOSED and (lines := compose(tx, office, day)):
        editions.write(tx, day, lines)
    return _found(tx, day)


def compose(source: Reader, office: Office, day: str) -> list[EditionItem]:
    """What the candidates and the cards' plan make of a day; writes nothing."""
    picked = [row for row in digest.candidates(source, day) if row.picked]
    cards = _cards_for(source, office, day, picked)
    found = [(row, digest.get(source, row.item)) for row in picked[: MOST - len(cards)]]
    lines = [
        _of_item(source, item, row.column, _reasons(source, row))
        for row, item in found
        if item and item.state == "kept"
    ]
    lines += [_of_card(card) for card in cards]
    places = {column: place for place, column in enumerate(COLUMNS)}
    return _numbered(sorted(lines, key=lambda line: places.get(line.column, len(places))))


def keep(
    tx: Tx, office: Office, person: Person, day: str, item: int, column: str = "", why: str = "", *, seen: str = ""
) -> str:
    """Take an item in, at the end of its column; teaches. One held back needs a word on what was looked into."""
    lines = _open_for(tx, person, day, seen)
    row = digest.get(tx, item)
    if row is None or row.state == "erased":
        raise Rejected(say("gone"))
    if row.state == "pulled" or (row.state == "held" and not why.strip()):
        raise Rejected(say(row.state, why=row.why))
    if any(line.item == item for line in lines):
        raise Rejected(say("in_already"), "duplicate")
    weighed = next((c for c in digest.candidates(tx, day) if c.item == item), None)
    column = column or (weighed.column if weighed else COLUMNS[0])
    if column not in COLUMNS:
        raise Rejected(say("no_column", columns="、".join(COLUMNS)))
    reasons = why or (_reasons(tx, weighed) if weighed else "编辑选用")
    new = _write(tx, person, day, _placed(lines, _of_item(tx, row, column, reasons)), "edition_keep")
    if row.state == "held":
        digest.release(tx, item, why[:WHY])
    digest.choose(tx, day, item, column, row.source, keep=True, person=person.id, why=why[:WHY])
    return new


def drop(tx: Tx, office: Office, person: Person, day: str, pos: int, why: str = "", *, seen: str = "") -> str:
    """Take a line out; an item's teaches."""
    lines = _open_for(tx, person, day, seen)
    line = _at(lines, pos)
    new = _write(tx, person, day, [one for one in lines if one.pos != pos], "edition_drop")
    row = digest.get(tx, line.item) if line.item else None
    if row is not None:
        digest.choose(tx, day, row.n, line.column, row.source, keep=False, person=person.id, why=why[:WHY])
    return new


def order(tx: Tx, office: Office, person: Person, day: str, positions: Sequence[int], *, seen: str = "") -> str:
    """Print the lines in this order of their present numbers."""
    lines = _open_for(tx, person, day, seen)
    if sorted(positions) != [line.pos for line in lines]:
        raise Rejected(say("bad_order", n=len(lines)))
    return _write(tx, person, day, [_at(lines, pos) for pos in positions], "edition_order")


def reword(tx: Tx, office: Office, person: Person, day: str, pos: int, title: str, text: str, *, seen: str = "") -> str:
    """Other words for a line: nothing its source does not say; a discipline notice only in its own sentences."""
    lines = _open_for(tx, person, day, seen)
    line, title, text = _at(lines, pos), " ".join(title.split()), text.strip()
    if not title or len(title) > TITLE or len(text) > TEXT:
        raise Rejected(say("length", title=TITLE, text=TEXT))
    source = _source(tx, line)
    wording.check(line, title, text, source)
    new = replace(line, title=title, text=text, quotes=wording.quotes(text, source[1]))
    return _write(tx, person, day, [new if one.pos == pos else one for one in lines], "edition_reword")


def put_card(tx: Tx, office: Office, person: Person, day: str, card: int, *, seen: str = "") -> str:
    """Take a micro-class or micro-warning in that has rested long enough."""
    lines = _open_for(tx, person, day, seen)
    found = editions.card(tx, card)
    if found is None or found.state != "ready":
        raise Rejected(say("no_card"))
    if any(line.card == card for line in lines):
        raise Rejected(say("in_already"), "duplicate")
    if found.used_on and found.used_on >= library.rest_from(day, office.rules.digest_rest_days):
        raise Rejected(say("card_rests", day=found.used_on, days=office.rules.digest_rest_days))
    if not (found.valid_from or day) <= day <= (found.valid_to or day):
        raise Rejected(say("card_invalid"))
    return _write(tx, person, day, _placed(lines, _of_card(found)), "edition_card")


def recompose(tx: Tx, office: Office, person: Person, day: str, *, seen: str = "") -> str:
    """Start again from today's candidates: what was changed by hand is gone."""
    _open_for(tx, person, day, seen)
    return _write(tx, person, day, compose(tx, office, day), "edition_recompose")


def _open_for(tx: Tx, person: Person, day: str, seen: str) -> list[EditionItem]:
    """The lines, when this person may change them now."""
    if "editor" not in person.roles:
        audit.append(tx, person.id, "|".join(person.roles), CONSOLE, day, "edition_edit", "not_allowed")
        raise Rejected(say("not_editor"), "not_allowed")
    found = editions.get(tx, day)
    if found is None:
        raise Rejected(say("not_begun"), "wrong_state")
    if found.state in timing.CLOSED:
        raise Rejected(say("none_stands" if found.state == "none" else "sent_stands"), "wrong_state")
    if seen and not found.hash.startswith(seen):
        raise Rejected(say("changed"), "wrong_state")
    return editions.items(tx, day)


def _write(tx: Tx, person: Person, day: str, lines: Sequence[EditionItem], action: str) -> str:
    if len(lines) > MOST:
        raise Rejected(say("full", most=MOST))
    lines, standing = _numbered(lines), _found(tx, day)
    audit.append(tx, person.id, "|".join(person.roles), CONSOLE, day, action, "done")
    if standing.hash and editions.content_hash(lines) == standing.hash:
        return standing.hash
    new = editions.write(tx, day, lines)
    if editions.passed(tx, day, new):  # the words of an earlier draft again: its verdicts are void all the same
        editions.approve(tx, day, "edit", person.id, new, "void")
    return new


def _found(tx: Tx, day: str) -> Edition:
    return editions.get(tx, day) or Edition(day)


def _at(lines: Sequence[EditionItem], pos: int) -> EditionItem:
    found = next((line for line in lines if line.pos == pos), None)
    if found is None:
        raise Rejected(say("no_line", pos=pos))
    return found


def _placed(lines: Sequence[EditionItem], new: EditionItem) -> list[EditionItem]:
    """Behind the last line of its column, else at the end."""
    same = [at for at, line in enumerate(lines, 1) if line.column == new.column]
    at = same[-1] if same else len(lines)
    return [*lines[:at], new, *lines[at:]]


def _numbered(lines: Sequence[EditionItem]) -> list[EditionItem]:
    return [replace(line, pos=pos) for pos, line in enumerate(lines, 1)]


def _of_item(source: Reader, row: ItemRow, column: str, why: str) -> EditionItem:
    from digests.summaries import summarise

    title, body = digest.read(source, row.n)
    quotes = summarise(body)
    names = {other.source_name for other in digest.of_story(source, row.story)} - {row.source_name}
    spans = "|".join(f"{quote.start}-{quote.end}" for quote in quotes)
    text = wording.joined([quote.text for quote in quotes])
    whose = row.issuer if row.source == HANDED_IN else row.source_name  # who handed it in is no source to readers
    return EditionItem(0, row.n, None, column, title, text, row.url, whose, spans, why, len(names))


def _of_card(card: Card) -> EditionItem:
    why = f"{KINDS[card.kind]}排期" if card.plan_on else f"{KINDS[card.kind]}轮换"
    shown = "，".join(filter(None, (card.source_name, card.basis)))
    return EditionItem(0, None, card.n, KINDS[card.kind], card.title, card.text, card.url, shown, "", why)


def _source(tx: Tx, line: EditionItem) -> tuple[str, str]:
    """Title and text of what a line rests on."""
    if line.item is not None:
        return digest.read(tx, line.item)
    card = editions.card(tx, line.card) if line.card is not None else None
    return (card.title, f"{card.text}\n{card.basis}") if card else (line.title, line.text)


def _reasons(source: Reader, row: CandidateRow) -> str:
    terms = sorted(digest.terms(source, row.day, row.item), key=lambda term: -term.points)
    return "；".join(term.why for term in terms[:REASONS] if term.points > 0)


def _cards_for(source: Reader, office: Office, day: str, picked: Sequence[CandidateRow]) -> list[Card]:
    """The day's cards; one that is only next in line gives way where its column has an item."""
    taken = {row.column for row in picked}
    turns = library.todays(source, day, office.rules.digest_rest_days)
    return [card for card in turns if card.plan_on == day or KINDS[card.kind] not in taken]
