"""Before and after in one picture: the decision names it and what is written on it; it is made when the message leaves."""

from __future__ import annotations

import hashlib

from handlers.calendar import local
from handlers.tasks import moving
from handlers.tasks.texts import short
from handlers.turn import Turn
from store import photos, tasks
from store.photos import Pair
from store.tasks import Task


def shown(turn: Turn, task: Task, photos_sent: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What a feedback message shows: the comparison with the first after-photo, then the other after-photos."""
    sent = photos_sent or turn.facts.photos
    before = next((p for p in tasks.photos(turn.tx, task.id, "report") if not p.hidden and p.sha not in sent), None)
    if not sent or before is None:
        return sent
    name = hashlib.sha256(f"pair/{task.id}/{turn.event.seq}/{before.sha}/{sent[0]}".encode()).hexdigest()
    title = f"#{task.number} {place(turn, task)}"
    pair = Pair(before.sha, sent[0], title.strip(), f"处理前 {_moment(before.at)}", f"处理后 {_moment(turn.at)}")
    photos.name_pair(turn.tx, name, task.id, pair)
    return (name, *sent[1:])


def place(turn: Turn, task: Task) -> str:
    """Where and what, as the picture's title says it."""
    fields = moving.about(turn, task)
    return short(f"{fields['where']}{fields['category']}", 40)


def _moment(at: int) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"
