"""An edition or a correction to every group it is for: once per group and day, within the platform's limits and hours.

Two locks: the row of `delivery` and the outbox key; whoever comes second finds both taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from config.county import Group
from handlers.calendar import local
from handlers.editions import groups, picturing, timing
from handlers.editions.texts import say
from handlers.events import Message
from handlers.faq.cards import pieces
from handlers.office import Channel, Office
from handlers.turn import Turn
from store import Tx, edition_notes, editions
from store.editions import Edition, EditionItem

if TYPE_CHECKING:
    from digests.rendering import Sheet

Reader = Tx | sqlite3.Connection
NEEDED = {"three": ("edit", "review", "publish"), "two": ("edit", "publish")}
LOST = ("expired", "dead", "held")  # never left
FORMS = ("text", "markdown", "news", "picture")


def complete(source: Reader, edition: Edition) -> bool:
    """Whether the passed approvals of this very content are all there, by that many distinct persons."""
    passed = editions.passed(source, edition.day, edition.hash)
    needed = NEEDED[edition.mode]
    same = editions.content_hash(editions.items(source, edition.day)) == edition.hash
    return same and set(needed) <= set(passed) and len({passed[step] for step in needed}) == len(needed)


def send(turn: Turn, edition: Edition) -> int:
    """Queue an approved edition for every group that wants it; to how many it goes now. 0 where anything is missing."""
    if edition.state != "approved" or not complete(turn.tx, edition):
        return 0
    told = sum(_to_group(turn, edition, group) for group in turn.office.county.groups)
    if told and editions.move(turn.tx, edition.day, ("approved",), "sent"):
        for line in editions.items(turn.tx, edition.day):
            if line.card is not None:
                editions.use_card(turn.tx, line.card, edition.day)
    return told


def _to_group(turn: Turn, edition: Edition, group: Group) -> bool:
    where = turn.office.address_of(group.id)
    lines = printed(turn.tx, group, edition.day)
    if where is None or not lines:
        return False
    first = f"edition/{edition.day}/{group.id}/1"
    if not editions.deliver(turn.tx, edition.day, group.id, "edition", 0, first, edition.hash):
        return False
    channel = turn.office.channels[where[0]]
    shown = sheet(turn.office, edition.day, lines)
    until = _last_moment(turn.office, channel, edition.day)
    form = form_of(turn.tx, group.id, channel)
    if form == "picture":
        picturing.keep(turn.tx, group.id, edition.day, shown)
    for part, message in enumerate(messages(channel, shown, form), 1):
        key = f"edition/{edition.day}/{group.id}/{part}"
        turn.post(*where, "edition", message, not_before=turn.allowed(None), not_after=until, key=key)
    for line in lines:
        if line.item is not None:
            editions.count(turn.tx, line.item, "shown")
    return True


def _last_moment(office: Office, channel: Channel, day: str) -> int:
    """A channel that may only answer waits for somebody to write, until the office closes."""
    return timing.lapse_at(office, day) if channel.pushes else timing.moment(day, office.rules.hours[-1][1])


def printed(source: Reader, group: Group, day: str) -> list[EditionItem]:
    """A group's lines in order of print: what its owner turned off is left out. Line n of it is what "有用 n" means."""
    lines = editions.items(source, day)
    columns = groups.wanted(source, group, dict.fromkeys(line.column for line in lines))
    return [line for line in lines if line.column in columns]


def form_of(source: Reader, group: str, channel: Channel) -> str:
    """The group's own form where its channel can show it, else the channel's best."""
    own = edition_notes.form(source, group)
    return own if own in channel.forms else channel.forms[0]


def sheet(office: Office, day: str, lines: Sequence[EditionItem]) -> Sheet:
    """The lines as they are printed."""
    return headed(office.rules.county_name, day, lines)


def headed(county: str, day: str, lines: Sequence[EditionItem]) -> Sheet:
    """The same for whoever knows only the county's name."""
    from digests.rendering import Line, Sheet, title_line

    found = tuple(Line(one.column, one.title, one.text, one.url, one.source_name, one.also) for one in lines)
    return Sheet(title_line(day, county), found, say("foot"))


def messages(channel: Channel, shown: Sheet, form: str) -> list[Message]:
    """A sheet as this channel's messages, each within its limits."""
    from digests import rendering

    if form == "markdown":
        return [Message(text, form="markdown") for text in rendering.as_markdown(shown, channel.markdown_bytes)]
    if form == "picture":
        return picturing.messages(shown, channel)
    if form == "news" and rendering.linked(shown):
        return [_news(shown, cards) for cards in rendering.as_articles(shown, channel.articles)]
    return [Message(text) for text in rendering.as_text(shown, channel.text_bytes)]


def _news(shown: Sheet, cards: Sequence[tuple[str, str, str]]) -> Message:
    words = "\n".join([shown.title, *(card[0] for card in cards)])
    return Message(words, form="news", articles=tuple((title, about, url) for title, about, url in cards))


def received(source: Reader, day: str) -> list[str]:
    """Groups that got a day's edition, or still will."""
    sent = editions.deliveries(source, day)
    return [group for group, kind, _, _, _, state, _ in sent if kind == "edition" and state not in LOST]


def send_correction(turn: Turn, n: int) -> int:
    """An approved correction to every group that got its edition, once; how many."""
    found = edition_notes.correction(turn.tx, n)
    if found is None:
        return 0
    text, told = correction_text(turn.tx, turn.office, n), 0
    for group in received(turn.tx, found.day):
        where, first = turn.office.address_of(group), f"correction/{n}/{group}/1"
        if where is None or not editions.deliver(turn.tx, found.day, group, found.kind, n, first, found.hash):
            continue
        for part, piece in enumerate(pieces(text, turn.office.channels[where[0]].text_bytes), 1):
            key = f"correction/{n}/{group}/{part}"
            turn.post(*where, "correction", Message(piece), not_before=turn.allowed(None), key=key)
        told += 1
    editions.move_correction(turn.tx, n, "approved", "sent", hash_=found.hash)
    if found.kind == "recall" and found.item is None:
        editions.move(turn.tx, found.day, ("sent",), "recalled", found.text)
    return told


def correction_text(source: Reader, office: Office, n: int) -> str:
    """A correction as groups read it: whole, since it is short."""
    from digests.screening import inert

    found = edition_notes.correction(source, n)
    if found is None:
        return ""
    lines = editions.items(source, found.day)
    title = next((line.title for line in lines if about_of(line) == found.item), "")
    about = f"《{title[:60]}》" if title and found.item is not None else ""
    return inert(say(f"group_{found.kind}", day=timing.spoken(found.day), about=about, text=found.text))


def about_of(line: EditionItem) -> int:
    """What `correction.item` says of a line: an item's number, a card's below zero."""
    return line.item if line.item is not None else -(line.card or 0)


def when(turn: Turn) -> str:
    """At once, or when the office opens: what a publisher is told."""
    at = turn.allowed(None)
    return "现在" if at == turn.at else f"{local(at):%m月%d日 %H:%M}"
