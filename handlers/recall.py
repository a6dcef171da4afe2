"""A message taken back on its platform: what it started is undone as far as it still can be (dispatch.md F4.11, design 6a.7)."""

from __future__ import annotations

from handlers.commands import without_tag
from handlers.events import restored
from handlers.faq import handover
from handlers.tasks import asking, desk, lifecycle, moving
from handlers.turn import Turn
from store import drafts, inbox, tasks
from store.drafts import Draft
from store.inbox import InboxRow
from store.tasks import Task


def take(turn: Turn) -> None:
    """Erase what the recalled message said and brought; withdraw its task when nobody has signed for it."""
    event = turn.event
    original = inbox.find(turn.tx.connection, event.channel, event.subject)
    if original is None:
        return
    words = _words(original)
    inbox.blank(turn.tx, original.seq)
    handover.recalled(turn, event.channel, event.subject)
    for task_id in tasks.of_message(turn.tx, event.channel, event.subject):
        draft = drafts.get(turn.tx, task_id)
        if draft is not None:
            shorten(turn, draft, original)
        elif tasks.exists(turn.tx, task_id):
            _take_back(turn, tasks.get(turn.tx, task_id), original, words)


def _words(row: InboxRow) -> str:
    if row.kind != "message" or row.body == "{}":
        return ""
    return without_tag(restored(row.channel, row.event_id, row.kind, row.sender, row.body, None, row.seq, row.at).text)


def shorten(turn: Turn, draft: Draft, original: InboxRow) -> None:
    """A draft loses the piece; without any other piece it is gone."""
    turn.erase_photos += tasks.hide_photos(turn.tx, draft.id, original.seq)
    turn.tx.execute("delete from task_photo where task = ? and event_seq = ?", (draft.id, original.seq))
    tasks.unlink_message(turn.tx, draft.id, original.channel, original.event_id)
    left = (inbox.find(turn.tx.connection, c, m) for c, m in tasks.messages(turn.tx, draft.id))
    rows = sorted((row for row in left if row is not None), key=lambda row: row.seq)
    if not rows:
        return asking.drop(turn, draft)
    drafts.rewrite(turn.tx, draft, "\n".join(words for row in rows if (words := _words(row))))


def _take_back(turn: Turn, task: Task, original: InboxRow, words: str) -> None:
    """The words a task was opened with, or its only message, end an unsigned task; anything else is only hidden."""
    turn.erase_photos += tasks.hide_photos(turn.tx, task.id, original.seq)
    opened_it = original.at <= task.opened_at and bool(
        words or len(tasks.messages(turn.tx, task.id)) == 1 or not tasks.shown_photos(turn.tx, task.id)
    )
    if opened_it and task.state in lifecycle.UNSIGNED:
        desk.call_off(turn, task, "上报人撤回消息")
    else:
        moving.record(turn, task, "recall", task.state)
