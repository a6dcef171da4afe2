"""What comes back of an edition, counted per item and never per person: quotes, 👍 and 有用.

Nobody is answered and nothing is kept: the words are erased in the transaction that counts them, and no row says who.
"""

from __future__ import annotations

import sqlite3

from handlers import listening
from handlers.editions import sending
from handlers.editions.reactions import Reaction, against, read
from handlers.listening import Heard
from handlers.turn import Turn
from store import Tx, editions, outbox

Reader = Tx | sqlite3.Connection
QUOTE = Reaction("quote")
KIND = "edition"


def heard(turn: Turn) -> bool:
    """Whether a message was no more than a reaction to an edition; counted and forgotten then."""
    event = turn.event
    group = turn.office.groups.get(event.group)
    if event.kind != "message" or group is None or event.photos or not (event.quote or event.addressed):
        return False
    said, day = read(event.text), edition_quoted(turn.tx, event.channel, event.quote, event.group)
    if day and said is None and not listening.keep(event, turn.office, Heard(now=event.at)):
        said = QUOTE
    if not day and said is not None and event.addressed and not event.quote and group.purpose == "notices":
        day = editions.newest_delivery(turn.tx, event.group)
    if said is None or not day:
        return False
    turn.forget = True
    if not (said is QUOTE and against(event.text)):
        _count(turn, day, said)
    return True


def edition_quoted(source: Reader, channel: str, quote: str, group: str) -> str:
    """The day of the edition a message of this group quotes, or ""."""
    key = outbox.key_of_receipt(source, channel, quote, KIND) if quote else ""
    kind, _, rest = key.partition("/")
    day, _, rest = rest.partition("/")
    return day if kind == KIND and rest.rpartition("/")[0] == group else ""


def _count(turn: Turn, day: str, said: Reaction) -> None:
    group = turn.office.groups[turn.event.group]
    lines = sending.printed(turn.tx, group, day)
    for place, line in enumerate(lines, 1):
        if line.item is not None and (not said.places or place in said.places):
            editions.count(turn.tx, line.item, said.kind)
