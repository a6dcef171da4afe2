"""One sender's pieces in one group become one report: photos first or words first, in one message or in five.

A draft takes the id its task will have, so photos and messages linked to it are already the task's.
"""

from __future__ import annotations

from dataclasses import replace

from handlers import commands, saying
from handlers.office import LEAD_ROLES
from handlers.reports import adding, waiting
from handlers.reports.reading import Reading
from handlers.tasks import asking, desk, finding, joining, opening, talk, work
from handlers.turn import Turn
from store import drafts, tasks, timers
from store.drafts import Draft

PLACE_LENGTH = 24  # characters: longer words that name a place and no problem are talk


def take(turn: Turn) -> None:
    """A message in a reports group that is no command."""
    words = commands.without_tag(turn.event.text)
    if found := finding.quoted(turn):
        return adding.quoting(turn, found, words)
    if turn.event.photos and (named := talk.named(turn)):
        return adding.quoting(turn, [named], words)
    draft = drafts.find(turn.tx, turn.event.group, turn.event.sender)
    if draft is not None and draft.asked not in asking.QUESTIONS:
        return _piece(turn, draft, words)
    if turn.event.photos and saying.noise(words):
        return _photos_alone(turn)
    reading = read(turn, words)
    if _is_feedback(turn, reading, words):
        return None
    if reading.kind == "report" or (commands.tagged(turn.event.text) and words):
        return _report(turn, words, reading)
    return _unclear(turn, words, reading)


def read(turn: Turn, words: str) -> Reading:
    """What `prepare` understood, or the same thing now."""
    found: Reading | None = turn.facts.reading
    if found is not None and found.text == words:
        return found
    return turn.office.reader.read(words, len(turn.event.photos), turn.actor.unit)


def _is_feedback(turn: Turn, reading: Reading, words: str) -> bool:
    """Words or a photo from a unit with open work, saying that it is done: answered here. A new problem is none."""
    if not set(LEAD_ROLES).intersection(turn.actor.roles):
        return False
    finished = saying.done(words) or (reading.kind == "feedback" and not saying.unfinished(words))
    if not finished and (reading.kind != "none" or not turn.facts.photos):
        return False
    mine = work.says_done(turn, words if saying.done(words) else "")
    if not mine and turn.facts.photos and (late := work.fed_back_lately(turn)):
        adding.supplement(turn, late, words)
        return True
    elsewhere = finished and reading.kind == "report" and reading.place_id not in ("", None, *(t.place for t in mine))
    if not mine or elsewhere:
        return False
    if len(mine) == 1 and finished:
        work.give_feedback(turn, mine[0], words)
    else:
        finding.ask_which(turn, "feed_back", words, mine)
    return True


def _report(turn: Turn, words: str, reading: Reading) -> None:
    recent = adding.recent(turn, turn.office.rules.gather)
    if recent is not None and adding.same_problem(recent, reading):
        return adding.supplement(turn, recent, words, reading)
    draft = _new_draft(turn, words)
    _collect(turn, draft.id)
    if recent := adding.recent(turn, turn.office.rules.draft):
        for sha in tasks.arrived_since(turn.tx, recent.id, turn.actor.id, turn.at - turn.office.rules.gather):
            tasks.move_photo(turn.tx, sha, recent.id, draft.id)
    return _settle(turn, draft, reading)


def _unclear(turn: Turn, words: str, reading: Reading) -> None:
    """Not understood as a report: a photo or a place alone waits for more, who spoke to the bot is told, chatter goes."""
    event = turn.event
    marked = event.addressed or commands.tagged(event.text)
    if event.voice and (marked or event.photos):
        return turn.reply("help", waiting.said(turn, "voice"))
    if event.photos and (marked or reading.place_id or reading.kind == "none"):
        draft = _new_draft(turn, words)
        _collect(turn, draft.id)
        return waiting.wait(turn, draft) if not marked else _settle(turn, draft, reading)
    if marked and saying.asks_progress(words):
        return desk.look_up(turn, commands.parse(words))
    if marked:
        turn.refused = "unclear"
        return turn.reply("help", waiting.said(turn, "unclear"))
    if reading.place_id and reading.kind == "none" and len(words) <= PLACE_LENGTH and not event.photos:
        draft = _new_draft(turn, words)
        _collect(turn, draft.id)
        return timers.put(turn.tx, draft.id, "draft_end", turn.at + turn.office.rules.gather, event.group)
    turn.forget = not talk.stands(turn, commands.parse(event.text, turn.office.unit_named))


def _new_draft(turn: Turn, words: str) -> Draft:
    event = turn.event
    marked = event.addressed or commands.tagged(event.text)
    return drafts.open_draft(turn.tx, f"t{event.seq}", event.group, event.sender, words, marked)


def _settle(turn: Turn, draft: Draft, reading: Reading) -> None:
    """Open what a draft says, or ask once for the place it lacks."""
    if reading.place or reading.place_text or reading.urgent or reading.parts or draft.asked == "place":
        return _open(turn, draft, reading)
    drafts.ask(turn.tx, draft, "place")
    timers.clear(turn.tx, draft.id, "words")
    timers.put(turn.tx, draft.id, "draft_end", turn.at + turn.office.rules.draft, turn.event.group)
    turn.reply("ask_place", waiting.said(turn, "ask_place"))


def _open(turn: Turn, draft: Draft, reading: Reading) -> None:
    timers.clear(turn.tx, draft.id)
    parts = reading.parts or (reading,)
    reporter, shas = turn.actor.id, tuple(photo.sha for photo in tasks.photos(turn.tx, draft.id))
    if len(parts) == 1 and (twin := joining.same(turn, reading, draft.text, shas)):
        asking.drop(turn, draft)
        tasks.link_message(turn.tx, twin.id, turn.event.channel, turn.event.id)
        return joining.join(turn, twin, draft.id, draft.text, reporter, shas)
    for n, part in enumerate(parts):
        task_id = draft.id if n == 0 else f"{draft.id}-{n + 1}"
        words = part.text if len(parts) > 1 and part.text else draft.text
        opening.open_task(turn, task_id, words, part, reporter, draft.group_id)
        tasks.link_message(turn.tx, task_id, turn.event.channel, turn.event.id)
    _share_photos(turn, draft.id, len(parts))
    drafts.close(turn.tx, draft, draft.id)


def _share_photos(turn: Turn, first: str, count: int) -> None:
    """Photo by photo to the problems in order; what is left over stays with the first (dispatch.md F4.4)."""
    for n, photo in enumerate(tasks.photos(turn.tx, first)[1:count], 2):
        tasks.move_photo(turn.tx, photo.sha, first, f"{first}-{n}")


def _piece(turn: Turn, draft: Draft, words: str) -> None:
    """One more piece for an open draft. Words that are neither report, place nor answer do not enter it."""
    marked = turn.event.addressed or commands.tagged(turn.event.text)
    if saying.noise(words):
        words = ""
    reading = _read_with(turn, draft, words)
    if words and not draft.text and not draft.asked and saying.done(words) and work.says_done(turn, words):
        asking.take_photos(turn, draft)
        _is_feedback(turn, reading, words)
        return
    if draft.text and not draft.asked and reading.kind != "report" and (alone := read(turn, words)).kind == "report":
        asking.take_photos(turn, draft)  # another problem, not more of what was said before
        return _report(turn, words, alone)
    if draft.asked == "place" and saying.greets(words):
        turn.forget = True
        return
    if words and not (draft.asked or marked or reading.kind == "report" or _names_place(turn, words)):
        turn.forget = True
        return
    draft = drafts.extend(turn.tx, draft, words, marked or (bool(words) and draft.asked == "words"))
    _collect(turn, draft.id)
    if not words:
        return waiting.wait(turn, draft) if turn.event.photos and not draft.asked else None
    if draft.asked == "place" and (len(words) <= PLACE_LENGTH or not (reading.place or reading.place_text)):
        reading = replace(reading, place_text=words[:PLACE_LENGTH])
    if reading.kind == "report" or draft.asked or marked:
        _settle(turn, draft, reading)


def _read_with(turn: Turn, draft: Draft, words: str) -> Reading:
    """The draft with one more piece: an answer to "where" goes first, as people say it; later pieces split nothing."""
    pieces = (words, draft.text) if draft.asked == "place" else (draft.text, words)
    text = "，".join(part for part in (piece.replace("\n", "，") for piece in pieces) if part)
    count = max(1, len(tasks.photos(turn.tx, draft.id)))
    reading = turn.office.reader.read(text, count, turn.actor.unit)
    return replace(reading, parts=()) if draft.text else reading


def _names_place(turn: Turn, words: str) -> bool:
    return bool(turn.office.reader.read(words, 1, turn.actor.unit).place_id) and len(words) <= PLACE_LENGTH


def _photos_alone(turn: Turn) -> None:
    """Photos with no words: evidence for the task just opened, an after-photo for one's own task, or a draft."""
    recent = adding.recent(turn, turn.office.rules.draft)
    if recent is not None and not tasks.photos(turn.tx, recent.id):
        return adding.supplement(turn, recent, "")
    if turn.facts.bad_photos and not turn.facts.photos and not turn.facts.waiting:
        return turn.reply("help", turn.facts.bad_photos[0])
    mine = work.says_done(turn, "") if set(LEAD_ROLES).intersection(turn.actor.roles) else []
    if len(mine) == 1 and mine[0].state != "dispatched":
        return work.give_feedback(turn, mine[0], "")
    if not mine and (late := work.fed_back_lately(turn)):
        return adding.supplement(turn, late, "")
    if mine:
        return finding.ask_which(turn, "feed_back", "", mine)
    if recent is not None:
        return adding.supplement(turn, recent, "")
    draft = _new_draft(turn, "")
    _collect(turn, draft.id)
    return waiting.wait(turn, draft)


def _collect(turn: Turn, subject: str) -> None:
    for sha in turn.facts.photos:
        tasks.add_photo(turn.tx, subject, sha, "report", turn.actor.id, turn.event.seq)
    tasks.link_message(turn.tx, subject, turn.event.channel, turn.event.id)
    if turn.facts.bad_photos:
        turn.reply("help", turn.facts.bad_photos[0])
