"""An after-photo that raises a question: seen before, taken before the report, or taken elsewhere (dispatch.md D4).

The question goes to one person, privately, and decides nothing: the better the rule "same angle" is kept, the more
honest photos look alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.coordinates import metres
from handlers.tasks import likeness, moving
from handlers.turn import Turn
from store import photo_text, photos, tasks
from store.photo_text import Watermark
from store.tasks import Task

FAR = 500  # metres
STALE = 3600  # seconds before dispatch: phones' clocks and watermarks set by hand
SLACK = 60  # seconds: two phones' clocks


def compare(turn: Turn, task: Task, shas: Sequence[str] = ()) -> None:
    """Tell a dispatcher outside the unit (else a verifier) what is odd about the photos just fed back."""
    sent = tuple(shas or turn.facts.photos)
    said = [said for said in (_seen(turn, task, sent), _early(turn, task, sent), _far(turn, task, sent)) if said]
    for sha in sent:
        prints = photos.prints(turn.tx, sha)
        photos.enter(turn.tx, sha, likeness.coarse(prints), likeness.keys(prints))
    _raise(turn, task, said)


def read_in(turn: Turn, task: Task, sha: str) -> None:
    """The same for what a photo's watermark says, read after it was shown (extra `ocr`)."""
    mark = photo_text.watermark(turn.tx, sha)
    _raise(turn, task, [said for said in (_stale(turn, task, mark), _elsewhere(turn, task, mark)) if said])


def _stale(turn: Turn, task: Task, mark: Watermark) -> str:
    """A demo's clock runs ahead of every camera."""
    old = mark.taken_at is not None and task.dispatched_at and mark.taken_at < task.dispatched_at - STALE
    return "反馈照片水印上的时间早于派单" if old and not turn.office.demo else ""


def _elsewhere(turn: Turn, task: Task, mark: Watermark) -> str:
    """Another town: within one, a watermark's address and a spoken place are too often two names of one spot."""
    there, here = turn.office.places.get(mark.place), turn.office.places.get(task.place)
    away = there is not None and here is not None and there.town and here.town and there.town != here.town
    return f"反馈照片水印上的地点是{there.name}" if away and there else ""


def _raise(turn: Turn, task: Task, said: Sequence[str]) -> None:
    if not said:
        return
    moving.record(turn, task, "suspect", task.state, code="photo")
    own = set(tasks.units(turn.tx, task.id))
    people = (*turn.office.with_role("dispatcher"), *turn.office.with_role("verifier"))
    person = next((p.id for p in people if p.unit not in own), "")
    if person:
        turn.tell(person, "verify_request", moving.say(turn, "suspect", task, doubts="；".join(said)), task=task)


def _seen(turn: Turn, task: Task, sent: Sequence[str]) -> str:
    other = next((found for sha in sent if (found := _used(turn, task, sha))), "")
    return f"反馈照片与{other}的照片几乎相同" if other else ""


def _used(turn: Turn, task: Task, sha: str) -> str:
    """Where a photo was used before: "上报" of this task, another task's number, or nothing."""
    for other, role in tasks.showing(turn.tx, sha):
        if other == task.id and role == "report":
            return "上报"
        if found := _number(turn, task, other):
            return found
    mine = photos.prints(turn.tx, sha)
    before = (photo.sha for photo in tasks.photos(turn.tx, task.id, "report") if photo.sha != sha)
    if any(likeness.alike(mine, photos.prints(turn.tx, old)) for old in before):
        return "上报"
    near = likeness.candidates(mine, photos.look(turn.tx, likeness.keys(mine, mirrored=True)))
    alike = (old for old in near if old != sha and likeness.alike(mine, photos.prints(turn.tx, old)))
    shown = (other for old in alike for other in tasks.using(turn.tx, old, "evidence"))
    return next((found for other in shown if (found := _number(turn, task, other))), "")


def _number(turn: Turn, task: Task, other: str) -> str:
    if other == task.id or not tasks.exists(turn.tx, other):
        return ""
    return f" #{tasks.get(turn.tx, other).number} "


def _early(turn: Turn, task: Task, sent: Sequence[str]) -> str:
    """Only two cameras' times are compared: ours may run ahead in a demo."""
    reported = [at for at in (photos.taken(turn.tx, sha).at for sha in _reported(turn, task)) if at is not None]
    after = [at for at in (photos.taken(turn.tx, sha).at for sha in sent) if at is not None]
    return "反馈照片的拍摄时间早于上报照片" if reported and after and min(after) < min(reported) - SLACK else ""


def _far(turn: Turn, task: Task, sent: Sequence[str]) -> str:
    reported = [point for sha in _reported(turn, task) if (point := photos.taken(turn.tx, sha).point)]
    after = [point for sha in sent if (point := photos.taken(turn.tx, sha).point)]
    if not reported or not after:
        return ""
    away = max(min(metres(here, there) for there in reported) for here in after)
    return f"反馈照片的拍摄地点距上报照片约{_distance(away)}" if away > FAR else ""


def _distance(away: float) -> str:
    return f"{away:.0f}米" if away < 1000 else f"{away / 1000:.1f}公里"


def _reported(turn: Turn, task: Task) -> list[str]:
    return [photo.sha for photo in tasks.photos(turn.tx, task.id, "report")]
