"""More about a problem that is a task already: photos and words that join it, by quoting or because they follow closely."""

from __future__ import annotations

from typing import Any

from handlers import commands, saying
from handlers.reports.reading import Reading
from handlers.tasks import checking, desk, finding, lifecycle, moving, opening, talk, work
from handlers.turn import Turn
from store import tasks
from store.tasks import Task


def quoting(turn: Turn, found: list[Task], words: str) -> None:
    """Quoting a task: the unit's feedback, a dispatcher's choice, else more about the problem (dispatch.md F4.6)."""
    able = [task for task in found if finding.can(turn, "feed_back", task)]
    if able and (turn.facts.photos or turn.facts.waiting or saying.done(words)):
        if len(able) > 1:
            return finding.ask_which(turn, "feed_back", words, able)
        return work.give_feedback(turn, able[0], words)
    task = found[0]
    if task.state == "feedback_given" and finding.can(turn, "verify_ok", task) and (said := saying.verdict(words)):
        does = checking.verify_ok if said == "verify_ok" else checking.verify_fail
        return does(turn, commands.Command(said, numbers=(task.number,), rest=words if said == "verify_fail" else ""))
    named = desk.units_in(turn, words)
    if len(named) == 1 and task.state == "pending_confirmation" and finding.can(turn, "confirm", task):
        opening.hand_to(turn, task, named[0], words=words)
        return None
    if turn.facts.photos or (
        not saying.noise(words) and moving.relations(turn, task).intersection({"opener", "reporter"})
    ):
        return supplement(turn, task, words)
    turn.forget = (
        not able or saying.noise(words) or not talk.stands(turn, commands.Command(numbers=(task.number,), rest=words))
    )


def supplement(turn: Turn, task: Task, words: str, reading: Reading | None = None) -> None:
    """More photos or words for a task on its way; nobody is told anything new (ux.md F2.1), unless it is now urgent."""
    role = "evidence" if moving.relations(turn, task).intersection({"lead", "assistant"}) else "report"
    new = [
        sha for sha in turn.facts.photos if tasks.add_photo(turn.tx, task.id, sha, role, turn.actor.id, turn.event.seq)
    ]
    tasks.link_message(turn.tx, task.id, turn.event.channel, turn.event.id)
    fields: dict[str, Any] = {}
    if reading and not (task.place or task.place_text) and (reading.place_id or reading.place_text):
        fields = {"place": reading.place_id or "", "place_text": reading.place_text}
    alarm = bool(reading and reading.urgent and not task.urgent and task.state in lifecycle.UNSIGNED)
    if alarm:
        fields["urgent"] = 1
    if fields:
        task = tasks.change(turn.tx, task, **fields)
    moving.record(turn, task, "supplement", task.state, words=words, amount=len(new))
    if alarm and task.state == "dispatched":
        opening.alert(turn, task)
    if role == "evidence":
        work.show_later(turn, task, tuple(new))


def recent(turn: Turn, within: int) -> Task | None:
    """The sender's newest task here that is open and was opened so lately that more about it may follow."""
    found = tasks.reported_by(turn.tx, turn.actor.id, turn.event.group, turn.at - within)
    return next((task for task in found if task.state not in lifecycle.ENDED), None)


def same_problem(task: Task, reading: Reading) -> bool:
    """Whether words that follow a task within the gathering time add to it rather than report another problem."""
    if reading.parts or (reading.place_id and task.place and reading.place_id != task.place):
        return False
    if reading.matter and task.category:
        return False  # what no class fits is not more of what one does
    return not reading.category or reading.category == task.category
