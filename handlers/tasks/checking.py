"""The check: passed, failed, reopened, and what a person may forgive afterwards without changing the fact."""

from __future__ import annotations

from handlers.commands import Command
from handlers.tasks import finding, guards, limits, moving
from handlers.tasks.texts import lasted, short
from handlers.turn import Turn
from store import tasks
from store.tasks import Task


def verify_ok(turn: Turn, command: Command) -> None:
    """核查通过: the task is closed and everybody who reported it learns so."""
    task = finding.meant(turn, "verify_ok", command)
    if task is None or moving.permitted(turn, "verify_ok", task) is None:
        return
    task = moving.move(turn, task, "verify_ok", "closed", {"closed_at": turn.at}, words=command.rest)
    punctual = "超时" if guards.overran(task) else "按期"
    tell_end(turn, task, moving.say(turn, "closed", task, used=lasted(turn.at - task.opened_at), punctual=punctual))


def tell_end(turn: Turn, task: Task, said: str) -> None:
    """One message in the group; reporters who are not there, or joined from elsewhere, privately."""
    moving.announce(turn, "closed", said, task)
    for person in tasks.reporters(turn.tx, task.id):
        here = moving.called(turn, task, person) or (turn.sender is not None and turn.sender.id == person)
        if person != task.reporter or not here:
            turn.tell(person, "closed", said, task=task)


def verify_fail(turn: Turn, command: Command) -> None:
    """核查不通过: rework with half the limit; the reasons go to the unit alone (design 6a.2). On a closed task: reopen."""
    task = finding.meant(turn, "verify_fail", command)
    if task is None:
        return None
    if task.state == "closed":
        return _reopen(turn, task, command.rest)
    if moving.permitted(turn, "verify_fail", task, command.rest) is None:
        return None
    task = _rework(turn, task, "verify_fail", command.rest)
    moving.announce(turn, "rework", moving.say(turn, "rework", task), task)


def reopen(turn: Turn, command: Command) -> None:
    """重开: within seven days of closing."""
    task = finding.meant(turn, "reopen", command)
    if task is not None:
        _reopen(turn, task, command.rest)


def _reopen(turn: Turn, task: Task, words: str) -> None:
    if moving.permitted(turn, "reopen", task, words) is None:
        return
    task = _rework(turn, task, "reopen", words)
    moving.announce(turn, "rework", moving.say(turn, "reopened", task), task)


def _rework(turn: Turn, task: Task, event: str, words: str) -> Task:
    fields = {"reworks": task.reworks + 1, "closed_at": None, "feedback_at": None, "ended_at": None, "exempt": 0}
    late = {"overran": int(guards.overran(task))}
    task = moving.move(turn, task, event, "rework", {**fields, **late, **limits.half(turn, task)}, words=words)
    tasks.report_part(turn.tx, task.id, "", "reported_at", None)
    limits.set_timers(turn, task)
    if task.handler:
        said = moving.say(turn, "rework_unit", task, words=short(words) or "上报人反映未解决")
        turn.tell(task.handler, "rework", said, task=task)
    return task


def exempt(turn: Turn, command: Command) -> None:
    """豁免: a dispatcher proposes that an overrun not count; the fact stays in the history."""
    task = finding.meant(turn, "exempt", command)
    if task is None or moving.permitted(turn, "exempt", task, command.rest) is None:
        return
    task = moving.move(turn, task, "exempt", task.state, {"exempt": 1}, words=command.rest)
    said = moving.say(turn, "exempt_asked", task, words=short(command.rest))
    turn.reply("help", said, task=task)
    for judge in turn.office.with_role("arbiter")[:1]:
        turn.tell(judge.id, "ask_choice", said, task=task)


def exempt_ok(turn: Turn, command: Command) -> None:
    """同意豁免: the arbiter agrees."""
    task = finding.meant(turn, "exempt_ok", command)
    if task is None or moving.permitted(turn, "exempt_ok", task) is None:
        return
    task = moving.move(turn, task, "exempt_ok", task.state, {"exempt": 2})
    turn.reply("help", moving.say(turn, "exempted", task), task=task)


def exempt_no(turn: Turn, command: Command) -> None:
    """不同意豁免: the overrun counts; it may be asked for again."""
    task = finding.meant(turn, "exempt_no", command)
    if task is None or moving.permitted(turn, "exempt_no", task) is None:
        return
    task = moving.move(turn, task, "exempt_no", task.state, {"exempt": 0}, words=command.rest)
    turn.reply("help", moving.say(turn, "exempt_denied", task), task=task)
