"""A message in a tax group that is no command: one right answer, three to choose from, a person, or silence.

What is said as an answer is read from the approved row in this very transaction, and only when it is effective now:
what was found a moment ago in memory merely says which row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from config.faq.entries import Entry
from handlers import commands
from handlers.events import CONSOLE
from handlers.faq import cards, handover, speaking
from handlers.faq.askers import asker
from handlers.faq.bands import Outcome
from handlers.faq.hall import LASTS, OFFER, PERSONAL, Hearing
from handlers.faq.knowledge import office_day, standing
from handlers.faq.texts import say
from handlers.turn import Turn
from store import faq, questions
from store.questions import Asked

ORDER = ("answer", "choose", "handoff")
MEMORABLE = 2 * 86400  # seconds after which nobody means that old list by a number
_DIGITS = re.compile(r"(?:选|第)?\s*(\d{1,2})\s*(?:号|个|项)?[.。!、]?")


def take(turn: Turn) -> None:
    """Decide one message of a tax group."""
    event, words = turn.event, commands.without_tag(turn.event.text)
    if event.action == PERSONAL:
        tell_masked(turn)
    if event.voice:
        return speaking.reply(turn, "help", say("voice")) if event.addressed else _forget(turn)
    if picked := number(words):
        return _number(turn, picked)
    hearing: Hearing | None = turn.facts.hearing
    outcomes = hearing.outcomes if hearing else (Outcome("handoff", reason="unknown", asked=words),)
    heard = [outcome for outcome in outcomes if outcome.band in ORDER]
    if handover.goes_on(turn, words, any(o.reason == "matter" for o in heard)):
        return None
    if not heard and event.addressed:
        return speaking.reply(turn, "help", say("silent"))
    if not heard:
        return None if event.action == PERSONAL else _forget(turn)
    return settle(turn, heard, hearing or Hearing(()))


def number(words: str) -> int:
    """The number a message consists of, 0 when it is none."""
    picked = _DIGITS.fullmatch(commands.folded(words))
    read = commands.parse(words)
    return int(picked[1]) if picked else int(read.rest) if read.verb == "choose" and read.rest.isdigit() else 0


def _number(turn: Turn, picked: int) -> None:
    """A bare number is for its sender's own open list; one that is over is said so, where it was the last thing offered."""
    event = turn.event
    offer = questions.offer(turn.tx, event.group, asker(turn), turn.at)
    if offer is not None:
        return pick(turn, offer, picked)
    last = questions.last(turn.tx, event.group, asker(turn), turn.at - MEMORABLE)
    if last is not None and last.choices:
        return speaking.reply(turn, "help", say("offer_over"))
    return _forget(turn)


def asks(turn: Turn) -> bool:
    """Whether a message to the bot alone asks about taxes."""
    hearing: Hearing | None = turn.facts.hearing
    return hearing is not None and any(outcome.band in ORDER for outcome in hearing.outcomes)


def settle(turn: Turn, outcomes: Sequence[Outcome], hearing: Hearing) -> None:
    """One question, or several: answers together in one message, then what needs more words."""
    said: list[tuple[Asked, Entry | str]] = []
    rest: list[tuple[Asked, Outcome]] = []
    for n, outcome in enumerate(outcomes, 1):
        asked = _asked(turn, outcome, n)
        entry = effective(turn, outcome.entry.id) if outcome.band == "answer" and outcome.entry else None
        if outcome.deadline is not None:
            said.append((asked, outcome.deadline.text))
        elif entry is not None:
            said.append((asked, entry))
        else:
            rest.append((asked, outcome))
    if said:
        answer(turn, said)
    for asked, outcome in rest:
        DOES[outcome.band](turn, asked, outcome, hearing)


def answer(turn: Turn, found: Sequence[tuple[Asked, Entry | str]]) -> None:
    """Approved texts, byte for byte, with basis and validity; none may arrive after its last day."""
    limit = speaking.limit(turn)
    ends = [end for _, said in found if isinstance(said, Entry) and (end := speaking.last_moment(said)) is not None]
    for asked, said in found:
        entry = said if isinstance(said, Entry) else None
        questions.add(turn.tx, _settled(asked, "answer", entry=entry))
    blocks = [cards.card(said, limit) if isinstance(said, Entry) else (said,) for _, said in found]
    pieces = cards.packed([p for block in blocks for p in block], limit) if len(blocks) > 1 else blocks[0]
    speaking.reply(turn, "answer", pieces, found[0][0].id, not_after=min(ends, default=None))


def choose(turn: Turn, asked: Asked, outcome: Outcome, hearing: Hearing) -> None:
    """Up to three entries to choose from by number, or the one question that settles it."""
    found = [entry for choice in outcome.choices if (entry := effective(turn, choice.id)) is not None]
    if not found:
        return handover.hand_over(turn, asked, outcome, hearing)
    labels = dict(hearing.labels)
    lines = [
        f"{n} {e.question}" if labels.get(e.id, "") in e.question else f"{n} {labels[e.id]}：{e.question}"
        for n, e in enumerate(found, 1)
    ]
    name = f"choose_{outcome.reason}" if outcome.reason in ("taxpayer", "tax", "period") else "choose"
    choices = "|".join(entry.id for entry in found)
    questions.add(turn.tx, _settled(asked, "choose", outcome.reason, choices=choices, until=turn.at + OFFER))
    speaking.reply(turn, "choose", "\n".join((say(name), *lines, say("none_of_these"))), asked.id)


def hand_over(turn: Turn, asked: Asked, outcome: Outcome, hearing: Hearing) -> None:
    """To a person; what is over or not yet in force is said so, and its successor takes its place."""
    if outcome.reason == "person":
        return person(turn, asked)
    entry = outcome.entry
    if entry is None or outcome.reason not in ("expired", "not_yet"):
        return handover.hand_over(turn, asked, outcome, hearing)
    expired = outcome.reason == "expired"
    day = cards.spoken(entry.valid_to if expired else entry.valid_from)
    gone = say(outcome.reason, question=entry.question, day=day)
    successor = effective(turn, outcome.successor.id) if outcome.successor else None
    if successor is None:
        return handover.hand_over(turn, asked, outcome, hearing, gone)
    questions.add(turn.tx, _settled(asked, "answer", "expired", entry=successor))
    pieces = cards.card(successor, speaking.limit(turn))
    first = say("successor", gone=gone)
    whole = cards.packed((first, pieces[0]), speaking.limit(turn))
    speaking.reply(turn, "answer", (*whole, *pieces[1:]), asked.id, not_after=speaking.last_moment(successor))


def pick(turn: Turn, offer: Asked, number: int) -> None:
    """A number out of a list: that entry's card; the sender's own lists stand as they stood."""
    ids = offer.choices.split("|")
    if not 0 < number <= len(ids):
        return speaking.reply(turn, "help", say("no_such_number", last=len(ids)), offer.id)
    entry, own = effective(turn, ids[number - 1]), _asked(turn, Outcome("answer", asked=offer.text), 1)
    open_ = questions.offer(turn.tx, turn.event.group, asker(turn), turn.at)
    if entry is None:
        return handover.hand_over(turn, own, Outcome("handoff", reason="unknown", asked=offer.text), Hearing(()))
    answer(turn, [(own, entry)])
    if open_ is not None:
        questions.keep_open(turn.tx, open_)
    return None


def person(turn: Turn, asked: Asked, about: Asked | None = None) -> None:
    """人工: the question itself when it says one, else the one quoted, else the asker's last one."""
    words = handover.without_call(commands.without_tag(turn.event.text))
    before = about or questions.last(turn.tx, asked.group_id, asked.asker, turn.at - 2 * LASTS)
    text = words or (before.text if before else "")
    if not text:
        return speaking.reply(turn, "help", say("person_what"))
    near = (before.choices or before.entry).split("|") if before and not words else ()
    taxes = turn.facts.hearing.tax if turn.facts.hearing and words else ()
    outcome = Outcome("handoff", reason="person", asked=text, top=tuple(filter(None, near)))
    return handover.hand_over(turn, replace(asked, text=text), outcome, Hearing((), taxes))


def call_person(turn: Turn, about: Asked) -> None:
    """人工 in answer to a quoted card or list."""
    person(turn, _asked(turn, Outcome("handoff", reason="person", asked=about.text), 1), about)


def effective(turn: Turn, id: str) -> Entry | None:
    """The approved entry as it stands in the database, if it may be said now."""
    entry = faq.get(turn.tx, id)
    return entry if entry is not None and standing(entry, today(turn)) == "live" else None


def today(turn: Turn) -> date:
    """The day in Shanghai on which this is decided, which may be later than when it was asked."""
    return office_day(max(turn.at, turn.tx.at))


def _asked(turn: Turn, outcome: Outcome, n: int) -> Asked:
    event = turn.event
    id = f"a{event.seq}" if n == 1 else f"a{event.seq}-{n}"
    text = outcome.asked or commands.without_tag(event.text)
    where = (event.group, event.channel, event.address, event.id, asker(turn))
    return Asked(id, *where, text, outcome.band, outcome.reason, at=turn.at)


def _settled(
    asked: Asked, band: str, reason: str = "", *, entry: Entry | None = None, choices: str = "", until: int = 0
) -> Asked:
    where = (asked.id, asked.group_id, asked.channel, asked.address, asked.message, asked.asker, asked.text)
    of = (entry.id, entry.version) if entry else ("", 0)
    return Asked(*where, band, reason, *of, choices, until, "", asked.at)


def tell_masked(turn: Turn) -> None:
    """Personal numbers were starred out before anything was stored; the sender is told alone."""
    event = turn.event
    if event.channel == CONSOLE:
        return
    channel = turn.office.channels.get(event.channel)
    if turn.sender is not None and speaking.tell(turn, turn.sender.id, "mask", say("mask"), now=True):
        return
    if turn.sender is None and channel is not None and channel.can_private:
        return speaking.place(turn, (event.channel, event.sender), "mask", say("mask"))
    speaking.reply(turn, "mask", say("mask_group"))


def _forget(turn: Turn) -> None:
    turn.forget = True


DOES: dict[str, Callable[[Turn, Asked, Outcome, Hearing], None]] = {
    "answer": choose,  # what was to be answered is no longer in force: the others, or a person
    "choose": choose,
    "handoff": hand_over,
}
