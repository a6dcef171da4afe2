"""What a printed line may say, and what about it asks for a person's look: nothing invented, nothing secret, nobody misnamed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from config.county import Person
from config.errors import Rejected
from handlers.editions import timing
from handlers.editions.texts import say
from handlers.events import CONSOLE
from store import Tx, audit, digest, edition_notes, editions, timers
from store.editions import EditionItem

DISCIPLINE = "微警示"  # discipline notices are quoted, never rephrased (issue 6)
ENDS = "。！？!?”」』）)…"
SHOWN = 4
ROLES = ("editor", "reviewer", "publisher")


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm on the line at `pos`; `by` acknowledged it, saying `reason` ("" = nobody yet: 签发 is blocked)."""

    pos: int
    rule: str
    why: str
    mark: str
    by: str = ""
    reason: str = ""


def check(line: EditionItem, title: str, text: str, source: tuple[str, str]) -> None:
    """Raises Rejected when words may not be printed for a line that rests on `source` (title, body)."""
    from digests.summaries import unsupported

    refuse_secret(f"{title}\n{text}")
    if line.column == DISCIPLINE and line.item is not None:
        changed = [one for one in _sentences(text) if _bare(one) not in _bare(source[1])]
        if _bare(title) not in _bare(source[0]) or changed:
            raise Rejected(say("verbatim", words=(changed or [title])[0][:30]))
    if new := unsupported(f"{title}\n{text}", "\n".join(source)):
        raise Rejected(say("invented", words="、".join(new[:SHOWN])))


def refuse_secret(text: str) -> None:
    """Raises Rejected on a mark of secrecy."""
    from digests.checks import secrecy
    from digests.items import Item

    if secrecy(Item("", "", text)):
        raise Rejected(say("secret"))


def warnings(source: Tx | sqlite3.Connection, day: str) -> list[Alarm]:
    """Every alarm on a day's lines, acknowledged or not, in order of print."""
    from digests.checks import Leader, misprints
    from digests.items import Item

    leaders = [Leader(*row) for row in digest.leaders(source)]
    known, found = edition_notes.acknowledged(source, day), []
    for line in editions.items(source, day):
        row = digest.get(source, line.item) if line.item else None
        printed = Item("", line.title, line.text, day, published_at=row.published_at if row else "")
        why = [(one.rule, one.why) for one in misprints(printed, leaders)]
        if row is not None and row.state == "pulled":
            why.append(("pulled", row.why))
        for rule, reason in dict.fromkeys(why):
            mark = _mark(line, rule, reason)
            found.append(Alarm(line.pos, rule, reason, mark, *known.get(mark, ("", ""))))
    return found


def standing(source: Tx | sqlite3.Connection, day: str) -> list[Alarm]:
    """Alarms nobody answered for: they hold up 签发."""
    return [one for one in warnings(source, day) if not one.by]


def acknowledge(tx: Tx, person: Person, day: str, pos: int, why: str, *, seen: str = "") -> int:
    """Answer for every alarm on a line, with a reason; how many. A line its publisher took back can only be dropped."""
    if not set(ROLES).intersection(person.roles):
        raise Rejected(say("not_editor"), "not_allowed")
    edition = editions.get(tx, day)
    if edition is None or (seen and not edition.hash.startswith(seen)):
        raise Rejected(say("changed"), "wrong_state")
    found = [one for one in standing(tx, day) if one.pos == pos]
    if not found:
        raise Rejected(say("no_warning", pos=pos))
    if any(one.rule == "pulled" for one in found):
        raise Rejected(say("drop_it", pos=pos))
    if not why.strip():
        raise Rejected(say("why_ack"))
    for one in found:
        edition_notes.acknowledge(tx, day, one.mark, person.id, why.strip()[:200])
    if edition.state == "approved" and not standing(tx, day):  # it may be what held up the minute
        due = max(tx.at, edition.due_at or tx.at)
        timers.put(tx, f"edition/{day}/ack", "edition_send", due, timing.LANE)
    audit.append(tx, person.id, "|".join(person.roles), CONSOLE, day, "edition_ack", "done")
    return len(found)


def quotes(text: str, body: str) -> str:
    """Offsets "start-end|…" when every sentence stands in the body as it is, else ""."""
    spans = []
    for sentence in _sentences(text):
        start = body.find(sentence)
        if start < 0:
            return ""
        spans.append(f"{start}-{start + len(sentence)}")
    return "|".join(spans)


def joined(sentences: Sequence[str]) -> str:
    """Sentences side by side, apart where one has no end of its own."""
    return "".join(one if not one or one[-1] in ENDS else f"{one} " for one in sentences).strip()


def _sentences(text: str) -> list[str]:
    from digests.summaries import SENTENCE

    return [found for match in SENTENCE.finditer(text) if (found := match[0].strip())]


def _bare(text: str) -> str:
    return "".join(text.split())


def _mark(line: EditionItem, rule: str, why: str) -> str:
    words = "\x1f".join((rule, why, line.title, line.text))
    return hashlib.sha256(words.encode()).hexdigest()[:32]
