"""An after-photo that was seen before is a question to the person who checks, privately; it decides nothing (dispatch.md D4)."""

from __future__ import annotations

from handlers.tasks import moving
from handlers.turn import Turn
from store import photos, tasks
from store.tasks import Task

NEAR = 31  # bits of 256 (dispatch.md D4: dHash-256)


def compare(turn: Turn, task: Task) -> None:
    """Tell a dispatcher outside the unit (else a verifier) when the photos just fed back were used before."""
    other = next((found for sha in turn.facts.photos if (found := _used(turn, task, sha))), "")
    if not other:
        return
    moving.record(turn, task, "suspect", task.state, code="photo")
    own = set(tasks.units(turn.tx, task.id))
    people = (*turn.office.with_role("dispatcher"), *turn.office.with_role("verifier"))
    person = next((p.id for p in people if p.unit not in own), "")
    if person:
        turn.tell(person, "verify_request", moving.say(turn, "suspect", task, other=other), task=task)


def _used(turn: Turn, task: Task, sha: str) -> str:
    """Where a photo was used before: "上报" of this task, another task's number, or nothing."""
    for other, role in tasks.showing(turn.tx, sha):
        if other != task.id and tasks.exists(turn.tx, other):
            return f" #{tasks.get(turn.tx, other).number} "
        if other == task.id and role == "report":
            return "上报"
    mine = photos.dhash(turn.tx, sha)
    before = (photo.sha for photo in tasks.photos(turn.tx, task.id, "report") if photo.sha != sha)
    return "上报" if mine and any(_near(mine, photos.dhash(turn.tx, old)) for old in before) else ""


def _near(one: str, other: str) -> bool:
    return bool(other) and (int(one, 16) ^ int(other, 16)).bit_count() <= NEAR
