"""What the desk shows: the edition's lines with their alarms, who let it pass and who is missing, the candidates with their sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.county import Person
from handlers.editions import steps, timing, wording
from handlers.editions.wording import Alarm
from handlers.office import Office
from store import digest, editions
from store.digest import CandidateRow, ItemRow, TermRow
from store.editions import Card, Edition, EditionItem

SHOWN = 40
MOST = 400
SEEN = 12  # letters of the hash a form carries
LABELS = {"通过": "审核通过", "不发": "今日不发"}  # where a button says more than the word typed in a chat
REASONED = ("退回", "不发")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the edition, what asks for a look, and the item behind it."""

    item: EditionItem
    alarms: list[Alarm]
    row: ItemRow | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate with its sum; `place` in the edition, 0 outside."""

    row: CandidateRow
    item: ItemRow
    title: str
    terms: list[TermRow]
    place: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A step this viewer may take: the word a chat would hear, the button's words, whether it wants a reason."""

    word: str
    label: str
    reason: bool = False
    ending: bool = False


def look(source: sqlite3.Connection, office: Office, day: str, person: Person, everything: bool) -> dict[str, Any]:
    """All the page needs of a day."""
    edition = editions.get(source, day)
    lines = _lines(source, day)
    places = {line.item.item: line.item.pos for line in lines if line.item.item}
    weighed = digest.candidates(source, day)
    passed = editions.passed(source, day, edition.hash) if edition else {}
    return {
        "edition": edition,
        "lines": lines,
        "open": edition is not None and edition.state not in timing.CLOSED,
        "candidates": _weighed(source, day, weighed[: MOST if everything else SHOWN], places),
        "unshown": max(0, len(weighed) - (MOST if everything else SHOWN)),
        "unplaced": sum(bool(row.picked) and row.item not in places for row in weighed),
        "weighed_at": weighed[0].at if weighed else None,
        "cards": _cards(source, day, lines),
        "passed": passed,
        "missing": missing(office, edition, passed) if edition else None,
        "offers": offers(edition, person, passed) if edition else [],
        "alarms": sum(not alarm.by for line in lines for alarm in line.alarms),
    }


def _lines(source: sqlite3.Connection, day: str) -> list[Line]:
    alarms = wording.warnings(source, day)
    return [
        Line(
            item,
            [one for one in alarms if one.pos == item.pos],
            digest.get(source, item.item) if item.item else None,
        )
        for item in editions.items(source, day)
    ]


def _weighed(
    source: sqlite3.Connection, day: str, rows: Sequence[CandidateRow], places: dict[int, int]
) -> list[Weighed]:
    found = ((row, digest.get(source, row.item)) for row in rows)
    return [
        Weighed(
            row, item, digest.read(source, row.item)[0], digest.terms(source, day, row.item), places.get(row.item, 0)
        )
        for row, item in found
        if item is not None
    ]


def _cards(source: sqlite3.Connection, day: str, lines: Sequence[Line]) -> list[Card]:
    inside = {line.item.card for line in lines}
    return [card for card in editions.cards(source) if card.state == "ready" and card.n not in inside]


def missing(office: Office, edition: Edition, passed: Mapping[str, str]) -> tuple[str, list[str]] | None:
    """(step, names of whoever may take it), None when nobody's turn it is."""
    step = next((one for one in steps.STEPS[edition.mode] if one.before == edition.state), None)
    if step is None:
        return None
    able = {one.id: one.name for role in step.roles for one in office.with_role(role)}
    return step.name, [name for id, name in able.items() if id not in passed.values()]


def offers(edition: Edition, person: Person, passed: dict[str, str]) -> list[Offer]:
    """The steps a person is shown; whether they are allowed, the decision says."""
    found = steps.buttons_for(person.id, person.roles, edition, passed)
    return [Offer(word, LABELS.get(word, word), word in REASONED, word == "不发") for word, _ in found]
