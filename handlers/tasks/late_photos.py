"""A photo that was slow to arrive joins the task its message opened (design 3)."""

from __future__ import annotations

from handlers.tasks import moving
from handlers.turn import Turn
from store import drafts, tasks


def take(turn: Turn) -> None:
    """`subject` is the message that brought the photo, `due_at` its inbox row."""
    event = turn.event
    turn.tx.execute("delete from photo_wait where channel = ? and ref = ?", (event.channel, event.action))
    for task_id in tasks.of_message(turn.tx, event.channel, event.subject)[:1]:
        for photo in event.photos:
            if drafts.get(turn.tx, task_id) is not None:
                tasks.add_photo(turn.tx, task_id, photo.sha, "report", turn.actor.id, event.due_at)
                continue
            task = tasks.get(turn.tx, task_id)
            role = "report" if task.state in ("pending_confirmation", "dispatched") else "evidence"
            tasks.add_photo(turn.tx, task.id, photo.sha, role, turn.actor.id, event.due_at)
            moving.record(turn, task, "photo", task.state, code=photo.sha)
