"""How tax answers leave: in pieces the platform takes, each line noted with what it is about, so that it can be quoted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from config.faq.entries import Entry
from handlers.calendar import DAY, OFFSET
from handlers.events import Message
from handlers.faq import cards
from handlers.turn import Buttons, Turn
from store import people, questions

EPOCH = date(1970, 1, 1)


def limit(turn: Turn, channel: str = "") -> int:
    """How many bytes a message there may have."""
    found = turn.office.channels.get(channel or turn.event.channel)
    return found.text_bytes if found else 0


def reply(turn: Turn, kind: str, said: str | Sequence[str], about: str = "", *, not_after: int | None = None) -> None:
    """Answer where the event came from, quoting it, at once: it is the reply to the sender's own message."""
    event = turn.event
    said = cards.pieces(said, limit(turn)) if isinstance(said, str) else said
    if event.channel not in turn.office.channels:
        turn.answer_here = "\n".join(said)
        return
    for text in said:
        message = Message(text, quote=event.id if event.group else "")
        _post(turn, event.channel, event.address, kind, message, about, not_after=not_after)


def place(
    turn: Turn,
    where: tuple[str, str],
    kind: str,
    said: str | Sequence[str],
    about: str = "",
    *,
    quote: str = "",
    not_before: int | None = None,
    not_after: int | None = None,
) -> None:
    """Speak at (channel, address)."""
    said = cards.pieces(said, limit(turn, where[0])) if isinstance(said, str) else said
    for text in said:
        message = Message(text, quote=quote)
        _post(turn, *where, kind, message, about, not_before=not_before, not_after=not_after)


def tell(
    turn: Turn, person: str, kind: str, text: str, about: str = "", *, now: bool = False, buttons: Buttons = ()
) -> bool:
    """Write to one person alone; False when no channel reaches them or they asked for quiet."""
    where = turn.office.private_address(person)
    if where is None or people.muted(turn.tx, person, turn.at):
        return False
    due = turn.at if now else turn.allowed(None)
    said = cards.pieces(text, limit(turn, where[0]))
    for n, piece in enumerate(said, 1):
        message = Message(piece, buttons=buttons if n == len(said) else ())
        _post(turn, *where, kind, message, about, person=person, not_before=due)
    return True


def last_moment(entry: Entry) -> int | None:
    """The last second in Shanghai at which an entry may still be said; None when it has no end."""
    if not entry.valid_to:
        return None
    after = date.fromisoformat(entry.valid_to) + timedelta(days=1)
    return (after - EPOCH).days * DAY - OFFSET - 1


def _post(
    turn: Turn,
    channel: str,
    address: str,
    kind: str,
    message: Message,
    about: str,
    *,
    person: str = "",
    not_before: int | None = None,
    not_after: int | None = None,
) -> None:
    row = turn.post(channel, address, kind, message, person=person, not_before=not_before, not_after=not_after)
    if row is not None and about:
        questions.link(turn.tx, row.seq, about)
