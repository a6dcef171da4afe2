"""What was read in a photo afterwards: a mark of secrecy erases it, a watermark is a fact about it (design 3 and 4)."""

from __future__ import annotations

from handlers import recall, secrecy
from handlers.events import CONSOLE, restored
from handlers.tasks import doubts, moving
from handlers.turn import Turn
from store import drafts, inbox, people, photo_text, photos, tasks
from store.inbox import InboxRow
from store.photo_text import Watermark

NOTE = "照片疑似涉密，照片和原文已删除"


def take(turn: Turn) -> None:
    """`subject` is the photo; `action` read (`due_at` and `text`: when and where), unread or secret (`name`: the rule)."""
    event, sha = turn.event, turn.event.subject
    if not photos.known(turn.tx, sha):
        return
    if event.action == "secret":
        return _erase(turn, sha)
    photo_text.add(turn.tx, sha, Watermark(event.due_at or None, event.text), event.action == "unread")
    for task_id, role in tasks.showing(turn.tx, sha):
        if role == "evidence" and tasks.exists(turn.tx, task_id):
            doubts.read_in(turn, tasks.get(turn.tx, task_id), sha)


def _erase(turn: Turn, sha: str) -> None:
    brought = inbox.bodies(turn.tx.connection, seqs) if (seqs := photo_text.bringers(turn.tx, sha)) else {}
    for task_id in [found for found, _ in tasks.showing(turn.tx, sha)]:
        for row in brought.values():
            if draft := drafts.get(turn.tx, task_id):
                recall.shorten(turn, draft, row)
    shown, files = photo_text.remove(turn.tx, sha)
    turn.erase_photos += files
    for task_id in shown:
        if not tasks.exists(turn.tx, task_id):
            continue
        task = tasks.get(turn.tx, task_id)
        if any(row.at <= task.opened_at for row in brought.values()):
            task = tasks.change(turn.tx, task, text=NOTE)
        moving.record(turn, task, "secret", task.state, words=NOTE)
    told: set[tuple[str, str]] = set()
    for row in brought.values():
        if (row.channel, row.sender) not in told:
            told.add((row.channel, row.sender))
            _tell(turn, row)
        inbox.blank(turn.tx, row.seq)
    if not told:
        secrecy.in_photo(turn, None, "", "")


def _tell(turn: Turn, row: InboxRow) -> None:
    said = restored(row.channel, row.event_id, row.kind, row.sender, row.body, None, row.seq, row.at)
    known = people.get if row.channel == CONSOLE else None
    person = known(turn.tx, row.sender) if known else people.by_account(turn.tx, row.channel, row.sender)
    secrecy.in_photo(turn, person, row.sender, said.group)
