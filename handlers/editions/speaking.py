"""How people who make editions are spoken to: privately, in pieces their channel takes, buttons on the last."""

from __future__ import annotations

from handlers.events import Message
from handlers.faq.cards import pieces
from handlers.turn import Buttons, Turn
from store import people

KIND = "edition_step"


def reply(turn: Turn, text: str, buttons: Buttons = (), kind: str = KIND) -> None:
    """Answer the sender: their chat, or the page they clicked on."""
    event = turn.event
    if event.channel not in turn.office.channels:
        turn.answer_here = text
        return
    _post(turn, (event.channel, event.address), text, buttons, kind)


def tell(turn: Turn, person: str, text: str, buttons: Buttons = ()) -> bool:
    """Write to one person alone within the usual hours; False when no channel reaches them or they asked for quiet."""
    where = turn.office.private_address(person)
    if where is None or people.muted(turn.tx, person, turn.at):
        return False
    _post(turn, where, text, buttons, KIND, person, turn.allowed(None))
    return True


def _post(
    turn: Turn, where: tuple[str, str], text: str, buttons: Buttons, kind: str, person: str = "", due: int | None = None
) -> None:
    said = pieces(text, turn.office.channels[where[0]].text_bytes)
    for n, piece in enumerate(said, 1):
        shown = buttons if n == len(said) else ()
        turn.post(*where, kind, Message(piece, buttons=shown), person=person, not_before=due)
