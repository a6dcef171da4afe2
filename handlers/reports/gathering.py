"""One sender's pieces in one group become one report: photos first or words first, in one message or in five.

A draft takes the id its task will have, so photos and messages linked to it are already the task's.
"""

from __future__ import annotations

from dataclasses import replace

from handlers.commands import tagged, without_tag
from handlers.office import LEAD_ROLES
from handlers.reports.reading import Reading
from handlers.reports.texts import TEXTS
from handlers.tasks import finding, lifecycle, moving, opening, steps
from handlers.turn import Turn
from store import drafts, photos, tasks, timers
from store.drafts import Draft
from store.tasks import Task


def take(turn: Turn) -> None:
    """A message in a reports group that is no command."""
    event = turn.event
    words = without_tag(event.text)
    if found := finding.quoted(turn):
        return _quoting(turn, found[0], words)
    draft = drafts.find(turn.tx, event.group, event.sender)
    if draft is not None:
        return _piece(turn, draft, words)
    if event.photos and not words:
        return _photos_alone(turn)
    reading: Reading = turn.facts.reading or turn.office.reader.read(words, len(event.photos), turn.actor.unit)
    if reading.kind == "report":
        recent = _recent(turn, turn.office.rules.gather)
        if recent is not None and _same_problem(recent, reading):
            return _supplement(turn, recent, words)
        return _begin(turn, words, reading)
    if event.photos and (mine := _own_open_tasks(turn)):
        return steps.give_feedback(turn, mine[0], words) if len(mine) == 1 else _ask_which(turn, mine)
    if event.addressed or tagged(event.text):
        turn.refused = "unclear"
        return turn.reply("help", TEXTS["voice" if event.voice else "unclear"])
    _forget(turn)


def _begin(turn: Turn, words: str, reading: Reading) -> None:
    """Words that report a problem: open at once when the place is known, else ask for it once."""
    draft = drafts.open_draft(
        turn.tx, f"t{turn.event.seq}", turn.event.group, turn.event.sender, words, turn.event.addressed
    )
    _collect(turn, draft.id)
    _settle(turn, draft, reading)


def _settle(turn: Turn, draft: Draft, reading: Reading) -> None:
    """Open what a draft says, or ask for the place it lacks."""
    if not (reading.place or reading.place_text or reading.urgent) and draft.asked != "place":
        drafts.ask(turn.tx, draft, "place")
        timers.clear(turn.tx, draft.id, "words")
        timers.put(turn.tx, draft.id, "draft_end", turn.at + turn.office.rules.draft, turn.event.group)
        return turn.reply("ask_place", TEXTS["ask_place"])
    _open(turn, draft, reading)


def _open(turn: Turn, draft: Draft, reading: Reading) -> None:
    timers.clear(turn.tx, draft.id)
    reporter = turn.sender.id if turn.sender else draft.sender
    parts = reading.parts or (reading,)
    for n, part in enumerate(parts):
        task_id = draft.id if n == 0 else f"{draft.id}-{n + 1}"
        opening.open_task(turn, task_id, part.text or draft.text, part, reporter)
        tasks.link_message(turn.tx, task_id, turn.event.channel, turn.event.id)
    _share_photos(turn, draft.id, len(parts))
    drafts.close(turn.tx, draft, draft.id)


def _share_photos(turn: Turn, first: str, count: int) -> None:
    """Photo by photo to the problems in order; what is left over stays with the first (dispatch.md F4.4)."""
    for n, photo in enumerate(tasks.photos(turn.tx, first)[1:count], 2):
        turn.tx.execute("update task_photo set task = ? where task = ? and sha = ?", (f"{first}-{n}", first, photo.sha))


def _piece(turn: Turn, draft: Draft, words: str) -> None:
    """One more piece for an open draft."""
    draft = drafts.extend(turn.tx, draft, words, turn.event.addressed or tagged(turn.event.text))
    _collect(turn, draft.id)
    if not draft.text:
        return
    reading = turn.office.reader.read(draft.text, len(tasks.photos(turn.tx, draft.id)), turn.actor.unit)
    if reading.kind == "report" or draft.asked or draft.addressed:
        _settle(turn, draft, reading)


def _photos_alone(turn: Turn) -> None:
    """Photos with no words: evidence for the task just opened, an after-photo for one's own task, or a draft."""
    recent = _recent(turn, turn.office.rules.draft)
    if recent is not None:
        return _supplement(turn, recent, "")
    mine = _own_open_tasks(turn)
    if len(mine) == 1:
        return steps.give_feedback(turn, mine[0], "")
    if mine:
        return _ask_which(turn, mine)
    if turn.facts.bad_photos and not turn.facts.photos and not turn.facts.waiting:
        return turn.reply("help", turn.facts.bad_photos[0])
    event = turn.event
    draft = drafts.open_draft(
        turn.tx, f"t{event.seq}", event.group, event.sender, "", event.addressed or tagged(event.text)
    )
    _collect(turn, draft.id)
    timers.put(turn.tx, draft.id, "words", turn.at + turn.office.rules.gather, event.group)
    timers.put(turn.tx, draft.id, "draft_end", turn.at + turn.office.rules.draft, event.group)


def _quoting(turn: Turn, task: Task, words: str) -> None:
    """Quoting a task with a photo or words: the unit's feedback, else more about the problem (dispatch.md F4.6)."""
    relations = moving.relations(turn, task)
    if "unit" in relations and task.state in ("dispatched", *lifecycle.WORKING) and (turn.event.photos or words):
        return steps.give_feedback(turn, task, words)
    if turn.event.photos or relations.intersection({"opener", "reporter"}):
        return _supplement(turn, task, words)
    _forget(turn)


def _supplement(turn: Turn, task: Task, words: str) -> None:
    """More photos or words for a task that is already on its way; nobody is told anything new (ux.md F2.1)."""
    added = 0
    for sha in turn.facts.photos:
        added += tasks.add_photo(turn.tx, task.id, sha, "report", turn.actor.id, turn.event.seq)
    tasks.link_message(turn.tx, task.id, turn.event.channel, turn.event.id)
    moving.record(turn, task, "supplement", task.state, words=words, amount=added)


def _collect(turn: Turn, subject: str) -> None:
    for sha in turn.facts.photos:
        tasks.add_photo(turn.tx, subject, sha, "report", turn.actor.id, turn.event.seq)
    tasks.link_message(turn.tx, subject, turn.event.channel, turn.event.id)
    if turn.facts.bad_photos:
        turn.reply("help", turn.facts.bad_photos[0])


def _recent(turn: Turn, within: int) -> Task | None:
    found = tasks.reported_by(turn.tx, turn.actor.id, turn.event.group, turn.at - within)
    return next((task for task in found if task.state not in lifecycle.ENDED), None)


def _same_problem(task: Task, reading: Reading) -> bool:
    """Whether words that follow a task within the gathering time add to it rather than report another problem."""
    if reading.place_id and reading.place_id != task.place:
        return False
    return not reading.category or reading.category == task.category


def _own_open_tasks(turn: Turn) -> list[Task]:
    person = turn.sender
    if person is None or not set(LEAD_ROLES).intersection(person.roles):
        return []
    return tasks.open_of_units(turn.tx, (person.unit,), ("accepted", "in_progress", "rework"))


def _ask_which(turn: Turn, mine: list[Task]) -> None:
    turn.refused = "unclear"
    lines = "\n".join(_line(turn, task) for task in mine[:5])
    turn.reply("ask_which", f"这张照片是哪一单的?请带单号再发，例如“反馈 {mine[0].number}”\n{lines}")


def _line(turn: Turn, task: Task) -> str:
    """One task on one line."""
    fields = moving.about(turn, task)
    return f"#{fields['number']} {fields['where']}{fields['category']}"


def _forget(turn: Turn) -> None:
    turn.forget = True


def ring(turn: Turn) -> None:
    """A draft's timers: ask once for words; at the end open it, or let it go without a word (design 3)."""
    draft = drafts.get(turn.tx, turn.event.subject)
    if draft is None:
        return None
    if turn.event.action == "words":
        if not draft.text and not draft.asked:
            drafts.ask(turn.tx, draft, "words")
            _answer(turn, draft, "ask_words", TEXTS["ask_words"])
        return None
    if not draft.text and not draft.addressed:
        return _let_go(turn, draft)
    reading = turn.office.reader.read(draft.text, 1)
    person = turn.office.person_at.get((_channel(turn, draft), draft.sender))
    opening.open_task(
        turn, draft.id, draft.text or "(只有照片)", _unsure(reading), person.id if person else draft.sender
    )
    drafts.close(turn.tx, draft, draft.id)


def _unsure(reading: Reading) -> Reading:
    return replace(reading, sure=False, parts=())


def _channel(turn: Turn, draft: Draft) -> str:
    messages = tasks.messages(turn.tx, draft.id)
    return messages[0][0] if messages else ""


def _answer(turn: Turn, draft: Draft, kind: str, said: str) -> None:
    where = turn.office.address_of(draft.group_id, _channel(turn, draft))
    if where is not None:
        quote = next((m for c, m in tasks.messages(turn.tx, draft.id) if c == where[0]), "")
        turn.answer(*where, kind, said, quote=quote)


def _let_go(turn: Turn, draft: Draft) -> None:
    for photo in tasks.photos(turn.tx, draft.id):
        photos.drop(turn.tx, photo.sha)
    turn.tx.execute("delete from task_photo where task = ?", (draft.id,))
    turn.tx.execute("delete from task_message where task = ?", (draft.id,))
    timers.clear(turn.tx, draft.id)
    drafts.close(turn.tx, draft, None)
