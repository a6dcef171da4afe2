"""A message taken back on its platform: what it started is undone as far as it still can be (dispatch.md F4.11, design 6a.7)."""

from __future__ import annotations

import sqlite3

from handlers.tasks import moving, steps
from handlers.turn import Turn
from store import drafts, inbox, photos, tasks, timers


def take(turn: Turn) -> None:
    """Erase what the recalled message said and brought; withdraw its task when nobody has signed for it."""
    event = turn.event
    original = _original(turn.tx.connection, event.channel, event.subject)
    if original is None:
        return
    inbox.blank(turn.tx, original.seq)
    for task_id in tasks.of_message(turn.tx, event.channel, event.subject):
        draft = drafts.get(turn.tx, task_id)
        if draft is not None:
            _drop_draft(turn, draft)
            continue
        _take_back(turn, task_id, original.seq)


def _original(connection: sqlite3.Connection, channel: str, message: str) -> inbox.InboxRow | None:
    return inbox.find(connection, channel, message)


def _drop_draft(turn: Turn, draft: drafts.Draft) -> None:
    for photo in tasks.photos(turn.tx, draft.id):
        photos.drop(turn.tx, photo.sha)
    turn.tx.execute("delete from task_photo where task = ?", (draft.id,))
    timers.clear(turn.tx, draft.id)
    drafts.close(turn.tx, draft, None)


def _take_back(turn: Turn, task_id: str, seq: int) -> None:
    task = tasks.get(turn.tx, task_id)
    turn.erase_photos += tasks.hide_photos(turn.tx, task_id, seq)
    first = tasks.messages(turn.tx, task_id)
    is_opening = bool(first) and task.reporter == turn.actor.id and task_id == f"t{seq}"
    if is_opening and task.state in ("pending_confirmation", "dispatched"):
        steps.call_off(turn, task, "上报人撤回消息")
    else:
        moving.record(turn, task, "recall", task.state)
