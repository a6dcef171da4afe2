"""The desk: what dispatchers, arbiters, leaders and reporters decide about a task besides the work and the check."""

from __future__ import annotations

import re
from typing import Any

from handlers.commands import Command
from handlers.tasks import asking, finding, limits, moving, opening
from handlers.tasks.texts import short, text
from handlers.turn import Turn
from store import drafts, tasks
from store.tasks import Task

ASSISTANTS = 5  # dispatch.md F2: one lead, 1–5 assistants


def reassign(turn: Turn, command: Command) -> None:
    """派 / 改派: a dispatcher or arbiter names the unit; what they chose is remembered as a lesson."""
    task = _to_assign(turn, command)
    if task is None:
        return
    named = units_in(turn, command.rest)
    if len(named) > 1 or "协办" in command.rest:
        return _joint(turn, task, command)
    event = "confirm" if task.state == "pending_confirmation" else "reassign"
    if moving.permitted(turn, event, task) is None:
        return
    if not named:
        return turn.refuse("unclear", moving.say(turn, "unit", task), task=task)
    opening.hand_to(turn, task, named[0], words=command.rest)


def _to_assign(turn: Turn, command: Command) -> Task | None:
    """Bare words answer the question that waits (待确认, 退单待裁); with several it is asked which."""
    if not command.numbers and not finding.quoted(turn):
        returned = [task for task in finding.candidates(turn, "reassign") if task.state == "returned"]
        waiting = [*finding.candidates(turn, "confirm"), *returned]
        if len(waiting) == 1:
            return waiting[0]
        if waiting:
            finding.ask_which(turn, "reassign", command.rest, waiting)
            return None
    return finding.meant(turn, "reassign", command)


def units_in(turn: Turn, words: str) -> list[str]:
    """Every unit named in words, in their order, the longest name first."""
    names = sorted((name for name in turn.office.unit_named if name in words), key=len, reverse=True)
    if not names:
        return _nearest(turn, words)
    found = re.findall("|".join(map(re.escape, names)), words)
    return list(dict.fromkeys(turn.office.unit_named[name] for name in found))


def _nearest(turn: Turn, words: str) -> list[str]:
    """A unit named by a piece of its name ("市政"), when only one unit has it."""
    said = words.strip(" ,。:、")
    if not 2 <= len(said) <= 6:
        return []
    found = {unit for name, unit in turn.office.unit_named.items() if said in name}
    return [found.pop()] if len(found) == 1 else []


def joint(turn: Turn, command: Command) -> None:
    """会办: one lead, one to five assistants; each reports its part."""
    task = finding.meant(turn, "joint", command)
    if task is not None:
        _joint(turn, task, command)


def _joint(turn: Turn, task: Task, command: Command) -> None:
    step = moving.permitted(turn, "joint", task)
    if step is None:
        return
    named = units_in(turn, command.rest)
    lead = _lead(turn, command.rest) or task.unit or (named[0] if named else "")
    assistants = [unit for unit in named if unit != lead][:ASSISTANTS]
    if not assistants:
        return turn.refuse("unclear", moving.say(turn, "unit", task), task=task)
    opening.learn(turn, task, lead)
    joining = assistants
    if step.to or lead != task.unit:
        final = opening.ruled(turn, task) or bool(task.final and lead == task.unit)
        fields = opening.handed(turn, task, lead, final)
        task = moving.move(turn, task, "joint", step.to or "dispatched", fields, words=command.rest)
        tasks.set_units(turn.tx, task.id, lead, assistants)
        opening.start_clocks(turn, task)
    else:
        joining = [unit for unit in assistants if unit not in tasks.units(turn.tx, task.id)]
        tasks.widen_units(turn.tx, task.id, lead, assistants)
        moving.record(turn, task, "joint", task.state, words=command.rest, amount=len(assistants))
    _say_joint(turn, task, assistants, joining)


def _lead(turn: Turn, words: str) -> str:
    names = (name for name in turn.office.unit_named if f"{name}牵头" in words or f"{name}主办" in words)
    longest = max(names, key=len, default="")
    return turn.office.unit_named[longest] if longest else ""


def _say_joint(turn: Turn, task: Task, assistants: list[str], joining: list[str]) -> None:
    names = "、".join(turn.office.unit_name(unit) for unit in assistants)
    called = moving.at_name(turn, task, task.handler)
    said = moving.say(turn, "joint", task, assistants=short(names, 30), officer=called)
    moving.announce(turn, "dispatched", said, task, mention=task.handler if called else "")
    for unit in joining:
        for officer in turn.office.staff(unit)[:1]:
            turn.tell(officer.id, "dispatched", moving.say(turn, "joint_unit", task), task=task)
    moving.reach(turn, task, task.handler, "dispatched", moving.say(turn, "dispatched_unit", task))


def choose(turn: Turn, command: Command) -> None:
    """A number answers the list of choices; 确认 takes the first."""
    task = finding.meant(turn, "confirm", command)
    if task is None or moving.permitted(turn, "confirm", task) is None:
        return
    offered, digit = opening.choices(task), command.rest[:1] or "1"
    named = units_in(turn, command.rest)
    picked = offered[int(digit) - 1] if digit.isdigit() and 0 < int(digit) <= len(offered) else ""
    unit = named[0] if named else picked
    if not unit:
        said = moving.say(turn, "choice" if offered else "unit", task, count=len(offered))
        return turn.refuse("unclear", said, task=task)
    opening.hand_to(turn, task, unit)


def correct(turn: Turn, command: Command) -> None:
    """改类别 / 改地点 / 改单位: the reporter or dispatcher puts a wrong guess right before it is signed for."""
    task = finding.meant(turn, "correct", command)
    if task is None:
        return None
    what = re.sub(r"^改|错$|不对$", "", command.word).replace("位置", "地点")
    wanted = re.sub(r"^(?:类别|地点|位置|单位)?[\s,:]*(?:应该?)?[是为成:]*", "", command.rest).strip(" 为:成")
    named = units_in(turn, wanted) if what in ("", "单位") else []
    if named or what == "单位":
        return reassign(turn, Command("reassign", "改派", (task.number,), wanted))
    if moving.permitted(turn, "correct", task) is None:
        return None
    fields = _correction(turn, what, wanted)
    if not fields:
        return turn.refuse("unclear", moving.say(turn, "correction", task), task=task)
    return _corrected(turn, task, fields)


def _corrected(turn: Turn, task: Task, fields: dict[str, Any]) -> None:
    """The unit follows the county's table where that names one; the limit follows the class."""
    before = task
    task = moving.move(turn, task, "correct", task.state, fields)
    unit = opening.on_duty(turn, task.category, task.place)
    opening.learn(turn, task, unit or task.unit, before)
    if unit and unit != task.unit:
        event = "confirm" if task.state == "pending_confirmation" else "reassign"
        task = tasks.change(turn.tx, task, due_at=None)
        opening.dispatch(turn, task, unit, event)
        return
    if "category" in fields and task.due_at is not None:
        task = tasks.change(turn.tx, task, **limits.begin(turn, task))
        moving.record(turn, task, "recompute", task.state)
        limits.set_timers(turn, task)
    moving.announce(turn, "dispatched", moving.say(turn, "corrected", task), task)


def _correction(turn: Turn, what: str, wanted: str) -> dict[str, Any]:
    categories = turn.office.county.categories
    code = next((c.code for c in categories if wanted == c.name), "") or next(
        (c.code for c in categories if wanted and (wanted in c.name or c.name in wanted)), ""
    )
    if what in ("", "类别") and code:
        n, unit = limits.standard(turn, code)
        return {"category": code, "limit_n": n, "limit_unit": unit}
    if what in ("", "地点") and wanted:
        places = turn.office.county.places
        near = [p for p in places if any(name in wanted for name in (p.name, *p.aliases))]
        found = max(near, key=lambda p: len(p.name), default=None)
        if found or what:
            return {"place": found.id if found else "", "place_text": wanted}
    return {}


def withdraw(turn: Turn, command: Command) -> None:
    """撤回: by its reporter until it is signed for, by a dispatcher with a reason afterwards; a draft just goes."""
    draft = drafts.find(turn.tx, turn.event.group, turn.event.sender)
    if draft is not None and draft.asked not in asking.QUESTIONS and not command.numbers and not turn.event.quote:
        asking.drop(turn, draft)
        return turn.reply("withdrawn", text("draft_withdrawn", turn.office.rules.texts))
    task = finding.meant(turn, "withdraw", command)
    if task is not None and moving.permitted(turn, "withdraw", task, command.rest) is not None:
        call_off(turn, task, command.rest)


def call_off(turn: Turn, task: Task, words: str = "") -> Task:
    """End a task as withdrawn; the unit hears of it unless its own notice had not left yet."""
    told = task.state != "pending_confirmation" and not turn.quiet(task)
    task = moving.move(turn, task, "withdraw", "withdrawn", words=words)
    said = moving.say(turn, "withdrawn", task)
    here = turn.office.member(task.group_id, task.handler)
    if turn.event.kind != "recall" or not turn.quiet(task):
        moving.announce(turn, "withdrawn", said, task, mention=task.handler if told and here else "")
    if told and not here:
        turn.tell(task.handler, "withdrawn", said, task=task)
    return task


def reject(turn: Turn, command: Command) -> None:
    """不予受理: a dispatcher, with a reason; the reporter may appeal for a day."""
    task = finding.meant(turn, "reject", command)
    if task is None or moving.permitted(turn, "reject", task, command.rest) is None:
        return
    task = moving.move(turn, task, "reject", "rejected", words=command.rest)
    said = moving.say(turn, "rejected", task, words=short(command.rest))
    moving.announce(turn, "refused", said, task, mention=task.reporter)


def appeal(turn: Turn, command: Command) -> None:
    """申诉: back to the dispatcher, within a day."""
    task = finding.meant(turn, "appeal", command)
    if task is None or moving.permitted(turn, "appeal", task, command.rest) is None:
        return
    fields = {"ended_at": None, "due_at": None, "began": None}
    task = moving.move(turn, task, "appeal", "pending_confirmation", fields, words=command.rest)
    said = moving.say(turn, "appealed", task, words=short(command.rest))
    person = moving.first_here(turn, task, turn.office.with_role("dispatcher"))
    moving.announce(turn, "ask_choice", said, task, mention=person)
    moving.reach(turn, task, person, "ask_choice", said)
    opening.confirm_timer(turn, task)


def force_close(turn: Turn, command: Command) -> None:
    """强制办结: a leader, with a reason that stays visible."""
    task = finding.meant(turn, "force_close", command)
    if task is None or moving.permitted(turn, "force_close", task, command.rest) is None:
        return
    fields = {"closed_at": turn.at, "asked": ""}
    task = moving.move(turn, task, "force_close", "closed", fields, words=command.rest)
    said = moving.say(turn, "force_closed", task, words=short(command.rest))
    moving.announce(turn, "closed", said, task)


def look_up(turn: Turn, command: Command) -> None:
    """查: where a task stands."""
    found = finding.numbered(turn, command.number) if command.number else next(iter(finding.quoted(turn)), None)
    if found is not None:
        return turn.reply("help", moving.say(turn, "status", found), task=found)
    if command.number:
        return turn.refuse("unclear", text("nothing", turn.office.rules.texts, number=command.number))
    if turn.event.addressed or turn.event.private:
        return _own_open(turn)
    turn.forget = True


def _own_open(turn: Turn) -> None:
    mine = [*finding.of_sender(turn)][: finding.SHOWN]
    lines = "\n".join(moving.say(turn, "task_line", task) for task in mine)
    turn.reply("help", lines or text("nothing_meant", turn.office.rules.texts, label="查看"))
