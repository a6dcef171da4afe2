"""A new task that looks like an open one: a dispatcher is told why, privately, and nothing is joined without a person.

Silence teaches nothing and changes nothing; whoever reported is told only what happens to their report.
"""

from __future__ import annotations

from collections import defaultdict

from handlers.reports.reading import Trace, similar
from handlers.reports.reading_similar import WINDOW
from handlers.tasks import likeness, moving
from handlers.turn import Turn
from store import photos, tasks, twins
from store.tasks import Task

MOST = 3  # suggestions kept for one task
SAME_PHOTO_SECONDS = 7 * 86400
SAME_PHOTO = "same"


def suggest(turn: Turn, task: Task) -> None:
    """Keep what the new task may be one with, and tell one dispatcher about the likeliest."""
    found = sorted(_alike(turn, task), key=lambda pair: (-len(pair[1]), -pair[0].opened_at))[:MOST]
    for other, reasons in found:
        twins.suggest(turn.tx, task.id, other.id, reasons)
    if found:
        _tell(turn, task, *found[0])


def _tell(turn: Turn, task: Task, other: Task, reasons: tuple[str, ...]) -> None:
    person = moving.first_here(turn, task, turn.office.with_role("dispatcher"))
    if person:
        said = moving.say(turn, "twins", task, twin=other.number, reasons="、".join(reasons))
        buttons = (("并案", f"并案 {task.number} 到 {other.number}"),)
        turn.tell(person, "help", said, task=task, buttons=buttons)


def _alike(turn: Turn, task: Task) -> list[tuple[Task, tuple[str, ...]]]:
    shown = _same_photos(turn, task)
    near = {other.id: other for other in twins.at_place(turn.tx, task, turn.at - WINDOW)}
    near |= {other.id: other for other in shown.values()}
    mine = _trace(task, bool(shown))
    found = []
    for other in near.values():
        if _another(turn, task, other):
            continue
        if reasons := similar(mine, _trace(other, other.id in shown)):
            found.append((other, reasons))
    return found


def _another(turn: Turn, task: Task, other: Task) -> bool:
    """Its own sender said so: several problems in one message, or a report just taken out of the other."""
    together = other.opened_at == task.opened_at and other.reporter == task.reporter
    return together or not other.number or twins.left_just_now(turn.tx, other.id)


def _trace(task: Task, same_photo: bool) -> Trace:
    photo = (SAME_PHOTO,) if same_photo else ()
    return Trace(task.text, task.category, task.place, task.place_text, task.opened_at, photo)


def _same_photos(turn: Turn, task: Task) -> dict[str, Task]:
    """Tasks reported lately with a photo that shows what one of this task's photos shows."""
    mine = {photo.sha: photos.prints(turn.tx, photo.sha) for photo in tasks.photos(turn.tx, task.id, "report")}
    if not mine:
        return {}
    theirs: dict[str, list[Task]] = defaultdict(list)
    for other, sha in twins.with_photos(turn.tx, task, turn.at - SAME_PHOTO_SECONDS):
        theirs[sha].append(other)
    same = (sha for sha in theirs if sha in mine or _looks_like(photos.prints(turn.tx, sha), mine))
    return {other.id: other for sha in same for other in theirs[sha]}


def _looks_like(prints: str, mine: dict[str, str]) -> bool:
    return any(likeness.alike(own, prints) for own in mine.values())
