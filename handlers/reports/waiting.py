"""A draft that waits: asked once for words, and at its end opened, or let go without a word (design 3)."""

from __future__ import annotations

import json
from dataclasses import replace

from handlers.reports.texts import TEXTS
from handlers.tasks import asking, opening
from handlers.turn import Turn
from store import drafts, inbox, tasks, timers
from store.drafts import Draft

ONLY_PHOTOS = "(只有照片)"


def wait(turn: Turn, draft: Draft) -> None:
    """Ask once for words if none follow; the end comes ten minutes after the first piece (design 3)."""
    rules = turn.office.rules
    timers.put(turn.tx, draft.id, "words", turn.at + rules.ask, draft.group_id)
    timers.put(turn.tx, draft.id, "draft_end", draft.at + rules.draft, draft.group_id)


def said(turn: Turn, name: str, **fields: str) -> str:
    """A text in the office's own words where it has some."""
    template = turn.office.rules.texts.get(name) or TEXTS[name]
    for field, value in fields.items():
        template = template.replace(f"{{{field}}}", value)
    return template


def ring(turn: Turn) -> None:
    """A draft's timers: ask once for words; at the end open it, or let it go without a word (design 3)."""
    draft = drafts.get(turn.tx, turn.event.subject)
    if draft is None:
        return None
    if turn.event.action == "words":
        if not draft.asked:
            drafts.ask(turn.tx, draft, "words")
            _answer(turn, draft, "ask_words", said(turn, "ask_words"))
        return None
    if draft.asked in asking.QUESTIONS or not (draft.addressed or draft.asked == "place"):
        return asking.drop(turn, draft)
    return _end(turn, draft)


def _end(turn: Turn, draft: Draft) -> None:
    """What was addressed to the bot, or known to be a report, is never dropped: a dispatcher looks at it."""
    reading = replace(turn.office.reader.read(draft.text, 1), sure=False, parts=(), urgent=False)
    person = turn.office.person_at.get((_channel(turn, draft), draft.sender))
    reporter = person.id if person else draft.sender
    opening.open_task(turn, draft.id, draft.text or ONLY_PHOTOS, reading, reporter, draft.group_id)
    drafts.close(turn.tx, draft, draft.id)


def _channel(turn: Turn, draft: Draft) -> str:
    messages = tasks.messages(turn.tx, draft.id)
    return messages[0][0] if messages else ""


def _answer(turn: Turn, draft: Draft, kind: str, words: str) -> None:
    said = tasks.messages(turn.tx, draft.id)
    where = _alone(turn, draft, *said[0]) if said else None
    where = where or turn.office.address_of(draft.group_id, _channel(turn, draft))
    if where is not None:
        quote = next((m for c, m in said if c == where[0]), "")
        turn.answer(*where, kind, words, quote=quote)


def _alone(turn: Turn, draft: Draft, channel: str, message: str) -> tuple[str, str] | None:
    """Where its sender is answered, when it was begun to the bot alone."""
    row = inbox.find(turn.tx.connection, channel, message)
    alone = row is not None and json.loads(row.body).get("address") == draft.sender
    return (channel, draft.sender) if alone and channel in turn.office.channels else None
