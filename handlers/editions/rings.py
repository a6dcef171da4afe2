"""What an edition's timers do: compose and tell, remind, send, give up. Late rings follow the same rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from handlers.editions import corrections, desk, sending, speaking, steps, timing, wording
from handlers.editions.texts import say
from handlers.turn import Turn
from store import editions
from store.editions import Edition


def ring(turn: Turn) -> None:
    """A moment of an edition's day, or a correction the machine proposed."""
    if turn.event.action == "correction_told":
        return corrections.told(turn)
    timing.plan(turn.tx, turn.office)
    day = turn.event.subject.split("/")[1]
    if timing.staffed(turn.office) and turn.office.worktime.is_workday(date.fromisoformat(day)):
        RINGS[turn.event.action](turn, day)


def compose(turn: Turn, day: str) -> None:
    """The draft is made and its editors hear of it, when there is anything to read."""
    if turn.at < timing.lapse_at(turn.office, day):
        _offer(turn, desk.begin(turn.tx, turn.office, day))


def fill(turn: Turn, day: str) -> None:
    """Candidates came after the draft's moment: told now, if it was empty until then."""
    if not timing.open_at(turn.office, day) <= turn.at < timing.lapse_at(turn.office, day):
        return
    if not editions.items(turn.tx, day):
        _offer(turn, desk.begin(turn.tx, turn.office, day))


def _offer(turn: Turn, edition: Edition) -> None:
    lines = editions.items(turn.tx, edition.day)
    if edition.state == "draft" and any(line.item is not None for line in lines):
        for person in steps.pending(turn, edition):
            steps.ask(turn, edition, person)


def remind(turn: Turn, day: str) -> None:
    """Privately, whoever's step is missing; of several missed reminders only the newest speaks."""
    n, edition = int(turn.event.subject.rpartition("/")[2]), _unsent(turn, day)
    late = [m for m, due in timing.reminders(turn.office, day).items() if m > n and due <= turn.at]
    if edition is None or late or turn.at >= timing.send_at(turn.office, day):
        return
    _press(turn, edition, "remind")


def send(turn: Turn, day: str) -> None:
    """The minute: out it goes when it is signed; else whoever is missing hears that it waits for them."""
    edition = _unsent(turn, day)
    if edition is None or turn.at >= timing.lapse_at(turn.office, day):
        return
    if edition.state == "approved" and sending.complete(turn.tx, edition) and not wording.standing(turn.tx, day):
        if not sending.send(turn, edition):
            for editor in turn.office.with_role("editor"):
                speaking.tell(turn, editor.id, say("no_groups"))
        return
    _press(turn, edition, "waits")


def lapse(turn: Turn, day: str) -> None:
    """Noon: it is over for today, and the editors hear it once."""
    edition = _unsent(turn, day)
    if edition is None:
        return
    for editor in turn.office.with_role("editor"):
        until = timing.clock(turn.office.rules.digest_until)
        speaking.tell(turn, editor.id, say("lapsed", day=timing.spoken(day), until=until))


def _press(turn: Turn, edition: Edition, name: str) -> None:
    """One line to everybody whose step is missing, with the words to answer with."""
    if edition.state == "approved":  # signed, but an alarm came up since
        return _alarm(turn, edition)
    passed = editions.passed(turn.tx, edition.day, edition.hash)
    state, until = steps.state_words(turn, edition), timing.clock(turn.office.rules.digest_until)
    for person in steps.pending(turn, edition):
        roles = turn.office.people[person].roles
        offered = steps.buttons_for(person, roles, edition, passed)
        words = say(name, day=timing.spoken(edition.day), state=state, until=until, words=offered[0][1])
        speaking.tell(turn, person, words, offered)


def _alarm(turn: Turn, edition: Edition) -> None:
    for one in wording.standing(turn.tx, edition.day)[:1]:
        for editor in turn.office.with_role("editor"):
            words = say("held_up", day=timing.spoken(edition.day), pos=one.pos, why=one.why)
            speaking.tell(turn, editor.id, words)


def _unsent(turn: Turn, day: str) -> Edition | None:
    """An edition neither sent nor decided against that has something to say: a draft of cards alone disturbs nobody."""
    edition, lines = editions.get(turn.tx, day), editions.items(turn.tx, day)
    if edition is None or edition.state in timing.CLOSED or not lines:
        return None
    worth = edition.state != "draft" or any(line.item is not None for line in lines)
    return edition if worth else None


RINGS: dict[str, Callable[[Turn, str], None]] = {
    "edition_open": compose,
    "edition_fill": fill,
    "edition_remind": remind,
    "edition_send": send,
    "edition_lapse": lapse,
}
TIMERS = (*RINGS, "correction_told")
