"""A photo that was slow to arrive joins the task its message spoke of (design 3)."""

from __future__ import annotations

from handlers.office import LEAD_ROLES
from handlers.tasks import doubts, moving, work
from handlers.turn import Turn
from store import tasks
from store.tasks import Task


def take(turn: Turn) -> None:
    """`subject` is the message that brought the photo, `due_at` its inbox row."""
    event = turn.event
    turn.tx.execute("delete from photo_wait where channel = ? and ref = ?", (event.channel, event.action))
    for task_id in tasks.of_message(turn.tx, event.channel, event.subject)[:1]:
        task = tasks.get(turn.tx, task_id) if tasks.exists(turn.tx, task_id) else None
        role = "evidence" if task is not None and _answers(turn, task) else "report"
        for photo in event.photos:
            tasks.add_photo(turn.tx, task_id, photo.sha, role, turn.actor.id, event.due_at)
            if task is not None:
                moving.record(turn, task, "photo", task.state, code=photo.sha)
        if task is not None and role == "evidence" and event.photos:
            shas = tuple(photo.sha for photo in event.photos)
            if task.state == "feedback_given":
                work.show_later(turn, task, shas)
            else:
                doubts.compare(turn, task, shas)


def _answers(turn: Turn, task: Task) -> bool:
    """Whether a photo from this sender shows the work done rather than the problem."""
    staff = bool(set(LEAD_ROLES).intersection(turn.actor.roles))
    return staff and turn.actor.unit in tasks.units(turn.tx, task.id) and turn.actor.id != task.reporter
