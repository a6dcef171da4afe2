"""A question the bot put to one person (which task? why?) and the command that waits for the answer.

It is kept as a draft of that sender in that group: words and photos sent with the question are not lost, and it expires
silently like any draft.
"""

from __future__ import annotations

from dataclasses import replace

from handlers import saying
from handlers.commands import Command, as_written
from handlers.turn import Turn
from store import drafts, photos, tasks, timers
from store.drafts import Draft

QUESTIONS = ("which", "why")


def ask(turn: Turn, what: str, verb: str, number: str, words: str = "") -> None:
    """Remember the command that lacks something; the caller puts the question."""
    event = turn.event
    if old := drafts.find(turn.tx, event.group, event.sender):
        take_photos(turn, old)
    draft = drafts.open_draft(turn.tx, f"q{event.seq}", event.group, event.sender, words, False)
    drafts.ask(turn.tx, draft, what, verb, number)
    for sha in turn.facts.photos:
        tasks.add_photo(turn.tx, draft.id, sha, "report", turn.actor.id, event.seq)
    timers.put(turn.tx, draft.id, "draft_end", turn.at + turn.office.rules.draft, event.group)


def answered(turn: Turn, command: Command) -> Command | None:
    """The command made whole by this message; None when nothing was asked or this is no answer to it."""
    draft = drafts.find(turn.tx, turn.event.group, turn.event.sender)
    if draft is None or draft.asked not in QUESTIONS:
        return None
    whole = _whole(draft, command, turn)
    if whole is not None or command.verb:
        take_photos(turn, draft)
    return whole


def _whole(draft: Draft, command: Command, turn: Turn) -> Command | None:
    if draft.asked == "why":
        if command.verb or command.numbers or saying.noise(turn.event.text) or turn.event.quote:
            return None
        return Command(draft.verb, numbers=(draft.number,), rest=as_written(turn.event.text, command.rest))
    if command.verb and command.verb not in (draft.verb, "choose"):
        return None
    numbers = command.numbers or ((command.rest,) if command.rest.isdigit() else ())
    if not numbers and not turn.event.quote:
        return None
    words = "\n".join(part for part in (draft.text, "" if command.rest.isdigit() else command.rest) if part)
    return Command(draft.verb, numbers=numbers, rest=words)


def take_photos(turn: Turn, draft: Draft) -> None:
    """Close a draft; the photos it held go with the message being decided."""
    held = tuple(photo.sha for photo in tasks.photos(turn.tx, draft.id))
    drop(turn, draft)
    turn.facts = replace(turn.facts, photos=tuple(dict.fromkeys((*held, *turn.facts.photos))))


def drop(turn: Turn, draft: Draft) -> None:
    """Close a draft without a trace of what it held."""
    for photo in tasks.photos(turn.tx, draft.id):
        photos.drop(turn.tx, photo.sha)
    turn.tx.execute("delete from task_photo where task = ?", (draft.id,))
    turn.tx.execute("delete from task_message where task = ?", (draft.id,))
    timers.clear(turn.tx, draft.id)
    drafts.close(turn.tx, draft, None)
