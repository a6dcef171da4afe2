"""One problem, several reports: 并案 by a dispatcher or on arrival, always with a way back (dispatch.md F3, G6)."""

from __future__ import annotations

from handlers.commands import Command
from handlers.reports.reading import Reading
from handlers.tasks import finding, guards, lifecycle, moving, opening
from handlers.tasks.texts import text
from handlers.turn import Turn
from store import tasks
from store.tasks import Task

SAME_SECONDS = 2 * 3600  # dispatch.md F3: same class, same spot, within two hours
SAME_PHOTO_SECONDS = 7 * 86400


def merge(turn: Turn, command: Command) -> None:
    """并案 A 到 B: A ends as merged, its reporters and photos count for B; B may be quoted."""
    quoted = finding.quoted(turn)
    numbers = command.numbers
    named = [finding.numbered(turn, number) for number in (*numbers, "", "")[:2]]
    task, master = (quoted[0], named[0]) if len(numbers) == 1 and len(quoted) == 1 else (named[0], named[1])
    if task is None:
        return turn.refuse("unclear", text("nothing", turn.office.rules.texts, number=command.number))
    if master is None or master.id == task.id or master.state in lifecycle.ENDED:
        return turn.refuse("unclear", moving.say(turn, "merge_two", task), task=task)
    if moving.permitted(turn, "merge", task) is None:
        return None
    fields = {"merged_into": master.id, "before_state": task.state}
    task = moving.move(turn, task, "merge", "merged", fields, code=master.id)
    for person in tasks.reporters(turn.tx, task.id):
        tasks.add_reporter(turn.tx, master.id, person)
    moving.record(turn, master, "absorb", master.state, code=task.id)
    said = moving.say(turn, "merged", task, master=master.number)
    moving.announce(turn, "merged", said, task, mention=task.reporter)


def split(turn: Turn, command: Command) -> None:
    """拆分: a merged task stands alone again, or a report that joined another becomes a task of its own."""
    task = finding.numbered(turn, command.number) if command.numbers else None
    task = task or next(iter(finding.quoted(turn)), None) or _joined_lately(turn)
    if task is None:
        finding.meant(turn, "split", command)
        return
    if task.state != "merged" and (step := _join_step(turn, task)):
        return _leave(turn, task, *step)
    if moving.permitted(turn, "split", task) is None:
        return
    master = tasks.get(turn.tx, task.merged_into) if task.merged_into else None
    fields = {"merged_into": None, "before_state": "", "ended_at": None}
    task = moving.move(turn, task, "split", task.before_state, fields)
    for person in tasks.reporters(turn.tx, task.id):
        if master and person != master.reporter:
            tasks.remove_reporter(turn.tx, master.id, person)
    if task.state == "dispatched":
        opening.start_clocks(turn, task)
    else:
        opening.confirm_timer(turn, task)
    moving.announce(turn, "dispatched", moving.say(turn, "split", task), task)


def _joined_lately(turn: Turn) -> Task | None:
    """The task the sender's last report joined, while it can be taken out again."""
    found = tasks.reported_lately(turn.tx, turn.actor.id, turn.at - guards.SPLIT_SECONDS)
    return next((task for task in found if _join_step(turn, task)), None)


def _join_step(turn: Turn, task: Task) -> tuple[int, str] | None:
    """(step, id the report would have had) of the sender's last report that joined this task within a day."""
    row = turn.tx.one(
        "select n, code from history where task = ? and event = 'join' and actor = ? and at >= ? order by n desc limit 1",
        (task.id, turn.actor.id, turn.at - guards.SPLIT_SECONDS),
    )
    return (row[0], row[1]) if row and not tasks.exists(turn.tx, row[1]) else None


def _leave(turn: Turn, task: Task, step: int, task_id: str) -> None:
    """The report that joined becomes a task: its words were kept with the step that joined it."""
    words = tasks.notes(turn.tx, task.id).get(step, "")
    reading = turn.office.reader.read(words, 1, turn.actor.unit)
    if turn.actor.id != task.reporter:
        tasks.remove_reporter(turn.tx, task.id, turn.actor.id)
    moving.record(turn, task, "leave", task.state)
    new = opening.open_task(turn, task_id, words, reading, turn.actor.id, task.group_id)
    for sha in tasks.arrived_since(turn.tx, task.id, turn.actor.id, turn.at - guards.SPLIT_SECONDS):
        tasks.move_photo(turn.tx, sha, task.id, new.id)


def same(turn: Turn, reading: Reading, words: str, shas: tuple[str, ...]) -> Task | None:
    """An open task that is the same problem beyond doubt: same photo, same words, or same class and spot."""
    for sha in shas:
        for task_id, role in tasks.showing(turn.tx, sha):
            if role == "report" and (task := _open(turn, task_id, SAME_PHOTO_SECONDS)):
                return task
    if not (reading.category and reading.place_id):
        return None
    since = turn.at - SAME_SECONDS
    for task in tasks.recent_at(turn.tx, lifecycle.OPEN, reading.category, reading.place_id, since):
        if _open(turn, task.id, SAME_SECONDS) and (task.text == words or _one_spot(turn, task, reading)):
            return task
    return None


def _open(turn: Turn, task_id: str, within: int) -> Task | None:
    if not tasks.exists(turn.tx, task_id):
        return None
    task = tasks.get(turn.tx, task_id)
    return task if task.state not in lifecycle.ENDED and turn.at - task.opened_at <= within else None


def _one_spot(turn: Turn, task: Task, reading: Reading) -> bool:
    """A landmark is one spot; along a road only the very same words for the place are."""
    place = turn.office.places.get(task.place)
    if place is None or reading.urgent != bool(task.urgent):
        return False
    detailed = len(reading.place_text) > len(place.name)
    same_words = reading.place_text == task.place_text
    return same_words if place.kind != "landmark" or detailed else True


def join(turn: Turn, task: Task, task_id: str, words: str, person: str, photos: tuple[str, ...]) -> None:
    """One more reporter for a task, one message to him; `task_id` is kept for the day he says it was another problem."""
    tasks.add_reporter(turn.tx, task.id, person)
    for sha in photos:
        tasks.add_photo(turn.tx, task.id, sha, "report", person, turn.event.seq)
    moving.record(turn, task, "join", task.state, words=words, code=task_id)
    said = moving.say(turn, "joined", task)
    if turn.event.kind == "message":
        turn.reply("merged", said, task=task, buttons=(("拆分", f"拆分 {task.number}"),))
