"""What a unit does: sign, arrive, feed back, return. With several units each does its part (会办)."""

from __future__ import annotations

from handlers import saying
from handlers.commands import Command
from handlers.tasks import asking, comparing, doubts, finding, moving
from handlers.tasks.texts import lasted, short
from handlers.turn import Turn
from store import drafts, tasks, timers
from store.tasks import Task


def accept(turn: Turn, command: Command) -> None:
    """签收: the unit says the task is theirs."""
    task = finding.meant(turn, "accept", command)
    step = moving.permitted(turn, "accept", task) if task else None
    if task is None or step is None:
        return
    tasks.report_part(turn.tx, task.id, turn.actor.unit, "accepted_at", turn.at)
    if not step.to:
        moving.record(turn, task, "part_accept", task.state)
        return moving.announce(turn, "accepted", moving.say(turn, "part_accepted", task), task)
    fields = {"accepted_at": turn.at, "handler": turn.actor.id}
    task = moving.move(turn, task, "accept", step.to, fields)
    said = moving.say(turn, "accepted", task, used=lasted(turn.at - (task.dispatched_at or turn.at)))
    if not command.numbers and not turn.event.quote and (others := finding.candidates(turn, "accept")):
        said += moving.say(turn, "also_waiting", task, list="、".join(f"#{other.number}" for other in others[:3]))
    moving.announce(turn, "accepted", said, task)


def arrive(turn: Turn, command: Command) -> None:
    """到场: somebody of the unit is there."""
    task = finding.meant(turn, "arrive", command)
    step = moving.permitted(turn, "arrive", task) if task else None
    if task is None or step is None:
        return
    if step.to:
        fields = {"accepted_at": task.accepted_at or turn.at, "arrived_at": turn.at, "handler": turn.actor.id}
        task = moving.move(turn, task, "arrive", step.to, fields)
    else:
        moving.record(turn, task, "part_arrive", task.state)
    _attach(turn, task)
    moving.announce(turn, "arrived", moving.say(turn, "arrived", task, used=lasted(turn.at - task.opened_at)), task)


def feed_back(turn: Turn, command: Command) -> None:
    """反馈: the unit says it is done, with or without a photo (design 6a.1)."""
    draft = drafts.find(turn.tx, turn.event.group, turn.event.sender)
    if draft is not None and not draft.text:
        asking.take_photos(turn, draft)
    task = finding.meant(turn, "feed_back", command)
    if task is not None:
        give_feedback(turn, task, command.rest)


def give_feedback(turn: Turn, task: Task, words: str) -> None:
    """Take words and photos as a unit's answer; when every unit has answered, ask for the check."""
    more = turn.facts.photos or turn.facts.waiting
    if more and task.state == "feedback_given" and moving.relations(turn, task).intersection({"lead", "assistant"}):
        return add_to_answer(turn, task, words)
    if moving.permitted(turn, "feed_back", task) is None:
        return
    count = len(turn.facts.photos) + len(turn.facts.waiting)
    tasks.report_part(turn.tx, task.id, turn.actor.unit, "reported_at", turn.at)
    _attach(turn, task)
    shown = {"words": short(words) or "已处理", "photos": f"{count}张照片" if count else "无照片"}
    if missing := tasks.unreported(turn.tx, task.id):
        moving.record(turn, task, "part_feedback", task.state, words=words, amount=count)
        names = "、".join(turn.office.unit_name(unit) for unit in missing)
        said = moving.say(turn, "part_reported", task, **shown, missing=names)
        return moving.announce(turn, "feedback", said, task, photos=turn.facts.photos)
    fields: dict[str, int | str] = {"feedback_at": turn.at, "accepted_at": task.accepted_at or turn.at, "asked": ""}
    if turn.actor.unit == task.unit:
        fields["handler"] = turn.actor.id
    task = moving.move(turn, task, "feed_back", "feedback_given", fields, words=words, amount=count)
    parts = _of_all_parts(turn, task)
    if len(parts) > count:
        shown["photos"] = f"{len(parts)}张照片"
    shown["unit"] = turn.office.unit_name(turn.actor.unit)
    _ask_check(turn, task, shown, parts)
    doubts.compare(turn, task)


def _of_all_parts(turn: Turn, task: Task) -> tuple[str, ...]:
    """The after-photos of this round, whichever unit sent them."""
    since = tasks.round_began(turn.tx, task.id) or turn.at
    found = (p.sha for p in tasks.photos(turn.tx, task.id, "evidence") if not p.hidden and p.at >= since)
    return tuple(dict.fromkeys((*turn.facts.photos, *found)))


def add_to_answer(turn: Turn, task: Task, words: str) -> None:
    """More of an answer already given, said in words: it joins, and whoever checks sees the new comparison."""
    _attach(turn, task)
    moving.record(turn, task, "supplement", task.state, words=words, amount=len(turn.facts.photos))
    count = len(turn.facts.photos) + len(turn.facts.waiting)
    said = moving.say(
        turn, "feedback_more", task, words=short(words) or "补充", photos=f"{count}张照片" if count else "无照片"
    )
    moving.announce(turn, "feedback", said, task, photos=comparing.shown(turn, task))
    if turn.facts.photos:
        doubts.compare(turn, task)


def show_later(turn: Turn, task: Task, shas: tuple[str, ...]) -> None:
    """After-photos that came later without a word: examined at once, shown together when no more follow."""
    if not shas or task.state != "feedback_given":
        return
    doubts.compare(turn, task, shas)
    timers.put(turn.tx, task.id, "compare", turn.at + turn.office.rules.gather, task.group_id)


def show_more(turn: Turn, task: Task) -> None:
    """The timer of `show_later`: one message with the comparison and the photos not shown yet."""
    since = task.feedback_at or 0
    new = [p for p in tasks.photos(turn.tx, task.id, "evidence") if not p.hidden and p.at > since]
    if not new:
        return
    said = moving.say(turn, "feedback_photos", task, photos=f"{len(new)}张")
    shas = comparing.shown(turn, task, tuple(p.sha for p in new))
    moving.announce(turn, "feedback", said, task, photos=shas)


def _ask_check(turn: Turn, task: Task, shown: dict[str, str], parts: tuple[str, ...]) -> None:
    person = checker(turn, task)
    name = turn.office.person_name(person)
    said = moving.say(turn, "feedback", task, **shown, verifier=f"@{name}" if name else "核查员")
    buttons = (("通过", f"通过 {task.number}"), ("返工", f"返工 {task.number}"))
    shas = comparing.shown(turn, task, parts)
    moving.announce(turn, "feedback", said, task, mention=person, photos=shas, buttons=buttons)
    asked = moving.say(turn, "verify_request", task, **shown)
    moving.reach(turn, task, person, "verify_request", asked, buttons)
    due = turn.office.worktime.resume(turn.allowed(task), turn.office.rules.verify_hours * 3600, "work_hour")
    timers.put(turn.tx, task.id, "verify", due.at, task.group_id)


def checker(turn: Turn, task: Task) -> str:
    """The reporter, unless he belongs to a handling unit; then a verifier of another unit (design 6a.6)."""
    own = set(tasks.units(turn.tx, task.id))
    people = turn.office.people
    reporters = [p for p in tasks.reporters(turn.tx, task.id) if p in people and people[p].unit not in own]
    others = [p.id for p in turn.office.with_role("verifier") if p.unit not in own]
    return next(iter((*reporters, *others)), "")


def _attach(turn: Turn, task: Task) -> None:
    for sha in turn.facts.photos:
        tasks.add_photo(turn.tx, task.id, sha, "evidence", turn.actor.id, turn.event.seq)
    tasks.link_message(turn.tx, task.id, turn.event.channel, turn.event.id)


def return_(turn: Turn, command: Command) -> None:
    """退单: not ours, with a reason; the limit goes on running until somebody decides."""
    task = finding.meant(turn, "return_", command)
    if task is None or moving.permitted(turn, "return_", task, command.rest) is None:
        return
    fields = {"returns": task.returns + 1, "asked": ""}
    task = moving.move(turn, task, "return_", "returned", fields, words=command.rest)
    again = task.returns >= turn.office.rules.returns
    office = turn.office
    judges = office.with_role("arbiter") if again else office.with_role("dispatcher")
    judge = moving.first_here(turn, task, judges or office.with_role("dispatcher") or office.with_role("arbiter"))
    name = "returned_again" if again else "returned"
    said = moving.say(turn, name, task, words=short(command.rest), count=task.returns)
    mention = judge if office.member(task.group_id, judge) else ""
    moving.announce(turn, "returned", said, task, mention=mention)
    moving.reach(turn, task, judge, "returned", said)
    wait = 1800 if again else 600  # dispatch.md F1 S7: 10 min first, 30 min second
    due = office.worktime.resume(turn.allowed(task), wait, "work_hour").at
    timers.put(turn.tx, task.id, "arbitrate", due, task.group_id)


def says_done(turn: Turn, words: str) -> list[Task]:
    """The sender's unit's open tasks that words or an after-photo without a number could answer, newest first."""
    mine = finding.candidates(turn, "feed_back")
    signed = [task for task in mine if task.state != "dispatched"]
    if words:
        near = [task for task in signed or mine if _speaks_of(turn, task, words)]
        return near or (signed or mine if saying.done(words) else [])
    return signed or mine


def fed_back_lately(turn: Turn) -> Task | None:
    """The task the sender has just answered: one more photo belongs to that answer."""
    found = tasks.of_unit(turn.tx, turn.actor.unit, ("feedback_given",)) if turn.actor.unit else []
    since = turn.at - turn.office.rules.draft
    return next((t for t in found if t.handler == turn.actor.id and (t.feedback_at or 0) >= since), None)


def _speaks_of(turn: Turn, task: Task, words: str) -> bool:
    place = turn.office.places.get(task.place)
    names = {task.place_text, *((place.name, *place.aliases) if place else ())} - {""}
    return saying.done(words) and any(name in words for name in names)
