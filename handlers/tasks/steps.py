"""What each command does to the task it means. Every function here is one row of the route table."""

from __future__ import annotations

from typing import Any

from handlers.commands import Command
from handlers.tasks import finding, moving, opening
from handlers.tasks.texts import lasted, text
from handlers.turn import Turn
from store import lessons, tasks, timers
from store.tasks import Task

DAY = 86400


def accept(turn: Turn, command: Command) -> None:
    """签收: the unit says the task is theirs."""
    task = finding.meant(turn, "accept", command)
    if task is None or moving.permitted(turn, "accept", task) is None:
        return
    task = moving.move(turn, task, "accept", "accepted", accepted_at=turn.at, handler=turn.actor.id)
    said = text(
        "accepted",
        **moving.about(turn, task),
        person=turn.actor.name,
        time=moving.clock_of(turn.at),
        used=lasted(turn.at - (task.dispatched_at or turn.at)),
    )
    if not command.number and not turn.event.quote and (others := finding.candidates(turn, "accept")):
        said = text("also_waiting", base=said, list="、".join(f"#{other.number}" for other in others[:5]))
    moving.announce(turn, "accepted", said, task)


def arrive(turn: Turn, command: Command) -> None:
    """到场: somebody of the unit is there."""
    task = finding.meant(turn, "arrive", command)
    if task is None or moving.permitted(turn, "arrive", task) is None:
        return
    task = moving.move(turn, task, "arrive", "in_progress", arrived_at=turn.at, handler=turn.actor.id)
    _attach(turn, task)
    used = lasted(turn.at - task.opened_at)
    said = text("arrived", number=task.number, person=turn.actor.name, time=moving.clock_of(turn.at), used=used)
    moving.announce(turn, "arrived", said, task)


def feed_back(turn: Turn, command: Command) -> None:
    """反馈: the unit says it is done, with or without a photo (design 6a.1)."""
    task = finding.meant(turn, "feed_back", command)
    if task is not None:
        give_feedback(turn, task, command.rest or command.word)


def give_feedback(turn: Turn, task: Task, words: str) -> None:
    """Take words and photos as the unit's answer and ask for the check."""
    if moving.permitted(turn, "feed_back", task) is None:
        return
    shown = len(turn.facts.photos)
    task = moving.move(
        turn, task, "feed_back", "feedback_given", words=words, amount=shown, feedback_at=turn.at, handler=turn.actor.id
    )
    _attach(turn, task)
    checker = _checker(turn, task)
    fields = {**moving.about(turn, task), "photos": f"{shown}张照片" if shown else "无照片"}
    name = turn.office.person_name(checker)
    said = text("feedback", **{**fields, "text": words or "已处理"}, verifier=f"@{name}" if name else "核查员")
    buttons = (("通过", f"通过 {task.number}"), ("返工", f"返工 {task.number} 原因:"))
    moving.announce(turn, "feedback", said, task, mention=checker, photos=turn.facts.photos, buttons=buttons)
    if checker and (turn.quiet(task) or not turn.office.member(task.group_id, checker)):
        turn.tell(checker, "verify_request", text("verify_request", **fields), task=task, buttons=buttons)
    start = turn.allowed(task)
    due = turn.office.worktime.resume(start, turn.office.rules.verify_hours * 3600, "work_hour")
    timers.put(turn.tx, task.id, "verify", due.at, task.group_id)


def _checker(turn: Turn, task: Task) -> str:
    """The reporter, unless he belongs to the handling unit; then a verifier of another unit (design 6a.6)."""
    own = set(tasks.units(turn.tx, task.id))
    people = turn.office.people
    reporters = [p for p in tasks.reporters(turn.tx, task.id) if p in people and people[p].unit not in own]
    others = [p.id for p in turn.office.with_role("verifier") if p.unit not in own]
    return next(iter((*reporters, *others)), "")


def _attach(turn: Turn, task: Task) -> None:
    for sha in turn.facts.photos:
        tasks.add_photo(turn.tx, task.id, sha, "evidence", turn.actor.id, turn.event.seq)
    tasks.link_message(turn.tx, task.id, turn.event.channel, turn.event.id)


def verify_ok(turn: Turn, command: Command) -> None:
    """核查通过: the task is closed and everybody who reported it learns so."""
    task = finding.meant(turn, "verify_ok", command)
    if task is None or moving.permitted(turn, "verify_ok", task) is None:
        return
    task = moving.move(turn, task, "verify_ok", "closed", words=command.rest, closed_at=turn.at)
    punctual = "按期" if task.due_at is None or (task.feedback_at or turn.at) <= task.due_at else "超时"
    said = text("closed", **moving.about(turn, task), used=lasted(turn.at - task.opened_at), punctual=punctual)
    moving.announce(turn, "closed", said, task)
    for person in tasks.reporters(turn.tx, task.id):
        if not turn.office.member(task.group_id, person):
            turn.tell(person, "closed", said, task=task)


def verify_fail(turn: Turn, command: Command) -> None:
    """核查不通过: rework with half the limit; the reasons go to the unit alone (design 6a.2). On a closed task it reopens."""
    task = finding.meant(turn, "verify_fail", command)
    if task is None:
        return None
    if task.state == "closed":
        return _reopen(turn, task, command.rest)
    if moving.permitted(turn, "verify_fail", task, command.rest) is None:
        return None
    task = rework(turn, task, "verify_fail", command.rest)
    moving.announce(turn, "rework", text("rework", **moving.about(turn, task)), task)


def rework(turn: Turn, task: Task, event: str, words: str) -> Task:
    """Send a task back to its unit with half its limit, at least one unit of it (dispatch.md F1 S11)."""
    n = max(1, (task.limit_n or 2) // 2)
    deadline = turn.office.worktime.due(turn.at, n, task.limit_unit or "work_day")
    task = moving.move(
        turn,
        task,
        event,
        "rework",
        words=words,
        due_at=deadline.at,
        reworks=task.reworks + 1,
        closed_at=None,
        feedback_at=None,
    )
    moving.start_limit_timers(turn, task, turn.at)
    if task.handler:
        turn.tell(task.handler, "rework", text("rework_unit", **{**moving.about(turn, task), "text": words}), task=task)
    return task


def reopen(turn: Turn, command: Command) -> None:
    """重开: within seven days of closing."""
    task = finding.meant(turn, "reopen", command)
    if task is not None:
        _reopen(turn, task, command.rest)


def _reopen(turn: Turn, task: Task, words: str) -> None:
    if moving.permitted(turn, "reopen", task, words) is None:
        return
    days = turn.office.rules.reopen_days
    if task.closed_at is not None and turn.at - task.closed_at > days * DAY:
        turn.refuse("too_late", text("too_late", number=task.number, days=days), task=task)
        return
    task = rework(turn, task, "reopen", words)
    fields = {**moving.about(turn, task), "text": words}
    moving.announce(turn, "rework", text("reopened", **fields, person=turn.actor.name), task)


def return_(turn: Turn, command: Command) -> None:
    """退单: not ours, with a reason; limits go on running until somebody decides."""
    task = finding.meant(turn, "return_", command)
    if task is None or moving.permitted(turn, "return_", task, command.rest) is None:
        return
    if task.returns >= turn.office.rules.returns:
        turn.refuse("too_late", text("returns", number=task.number, count=task.returns), task=task)
        return
    task = moving.move(turn, task, "return_", "returned", words=command.rest, returns=task.returns + 1)
    said = text("returned", **{**moving.about(turn, task), "text": command.rest})
    judges = (*turn.office.with_role("dispatcher"), *turn.office.with_role("arbiter"))
    here = next((p for p in judges if turn.office.member(task.group_id, p.id)), None)
    moving.announce(turn, "returned", said, task, mention=here.id if here else "")
    if here is None and judges:
        turn.tell(judges[0].id, "returned", said, task=task)
    timers.put(
        turn.tx,
        task.id,
        "arbitrate",
        turn.office.worktime.resume(turn.allowed(task), 600, "work_hour").at,
        task.group_id,
    )


def reassign(turn: Turn, command: Command) -> None:
    """派 / 改派: a dispatcher or arbiter names the unit; what they chose is remembered as a lesson."""
    task = finding.meant(turn, "reassign", command)
    if task is None or moving.permitted(turn, "reassign", task) is None:
        return
    unit = turn.office.find_unit(command.rest)
    if unit is None:
        turn.refuse("unclear", text("unit", number=task.number), task=task)
        return
    hand_to(turn, task, unit, "confirm" if task.state == "pending_confirmation" else "reassign")


def choose(turn: Turn, command: Command) -> None:
    """A number answers the list of choices; 确认 takes the first."""
    task = finding.meant(turn, "confirm", command)
    if task is None or moving.permitted(turn, "confirm", task) is None:
        return
    choices = [unit for unit in task.choices.split("|") if unit]
    digits = command.rest[:1] or "1"
    unit = turn.office.find_unit(command.rest) or (
        choices[int(digits) - 1] if digits.isdigit() and 0 < int(digits) <= len(choices) else None
    )
    if unit is None:
        turn.refuse("unclear", text("choice", count=max(1, len(choices))), task=task)
        return
    hand_to(turn, task, unit, "confirm")


def hand_to(turn: Turn, task: Task, unit: str, event: str) -> Task:
    """Dispatch by a person's word and learn from it."""
    lessons.add(turn.tx, task.id, task.text, task.category, unit, task.place, turn.actor.id)
    return opening.dispatch(turn, task, unit, event)


def correct(turn: Turn, command: Command) -> None:
    """改类别 / 改地点 / 改单位: the reporter or dispatcher puts a wrong guess right before it is signed for."""
    task = finding.meant(turn, "correct", command)
    if task is None or moving.permitted(turn, "correct", task) is None:
        return
    what = command.word.removeprefix("改")
    wanted = command.rest.removeprefix("类别").removeprefix("地点").removeprefix("单位").strip(" 为:：成")
    unit = turn.office.find_unit(wanted) if what in ("", "单位") else None
    if unit is not None:
        if moving.permitted(turn, "reassign", task) is not None:
            hand_to(turn, task, unit, "confirm" if task.state == "pending_confirmation" else "reassign")
        return
    fields = _correction(turn, what, wanted)
    if not fields:
        turn.refuse("unclear", text("unit", number=task.number), task=task)
        return
    task = moving.move(turn, task, "correct", task.state, code=str(fields.get("category", "")), **fields)
    lessons.add(turn.tx, task.id, task.text, task.category, task.unit, task.place, turn.actor.id)
    moving.announce(turn, "dispatched", text("corrected", **moving.about(turn, task)), task)


def _correction(turn: Turn, what: str, wanted: str) -> dict[str, Any]:
    by_name = {category.name: category.code for category in turn.office.county.categories}
    if what in ("", "类别") and wanted in by_name:
        return {"category": by_name[wanted]}
    if what in ("", "地点") and wanted:
        found = next((p for p in turn.office.county.places if wanted in (p.name, *p.aliases)), None)
        return {"place": found.id if found else "", "place_text": wanted}
    return {}


def withdraw(turn: Turn, command: Command) -> None:
    """撤回: by its reporter until it is signed for, by a dispatcher with a reason afterwards."""
    task = finding.meant(turn, "withdraw", command)
    if task is None or moving.permitted(turn, "withdraw", task, command.rest) is None:
        return
    call_off(turn, task, command.rest)


def call_off(turn: Turn, task: Task, words: str = "") -> Task:
    """End a task as withdrawn and say so once."""
    task = moving.move(turn, task, "withdraw", "withdrawn", words=words)
    moving.announce(turn, "withdrawn", text("withdrawn", **moving.about(turn, task)), task, mention=task.handler)
    return task


def reject(turn: Turn, command: Command) -> None:
    """不予受理: a dispatcher, with a reason."""
    task = finding.meant(turn, "reject", command)
    if task is None or moving.permitted(turn, "reject", task, command.rest) is None:
        return
    task = moving.move(turn, task, "reject", "rejected", words=command.rest)
    moving.announce(turn, "closed", text("rejected", number=task.number, text=command.rest), task)


def force_close(turn: Turn, command: Command) -> None:
    """强制办结: a leader, with a reason that stays visible."""
    task = finding.meant(turn, "force_close", command)
    if task is None or moving.permitted(turn, "force_close", task, command.rest) is None:
        return
    task = moving.move(turn, task, "force_close", "closed", words=command.rest, closed_at=turn.at)
    moving.announce(
        turn, "closed", text("force_closed", number=task.number, person=turn.actor.name, text=command.rest), task
    )


def look_up(turn: Turn, command: Command) -> None:
    """查: where a task stands."""
    task = finding.numbered(turn, command.number) if command.number else next(iter(finding.quoted(turn)), None)
    if task is None:
        if command.number or turn.event.addressed or turn.event.private:
            turn.refuse("unclear", text("nothing", number=command.number))
        else:
            turn.forget = True
        return
    turn.reply("help", text("status", **moving.about(turn, task)), task=task)
