"""An officer's reply becomes a draft; a second person approves; from then on the bot answers. Nobody approves himself.

A reply that says what an entry says is one more way to ask for that entry; anything else is a new entry, and needs the
document it rests on before anybody is asked to approve it.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import date

from config.faq.entries import Entry
from handlers.faq import askers, cards, speaking
from handlers.faq.knowledge import office_day, standing
from handlers.faq.texts import say
from handlers.turn import Turn
from store import Tx, audit, faq, questions, tax
from store.faq import Draft
from store.questions import Ticket
from store.tax import Push

SHORTEST = 6  # characters of a question that a reply may name
ALIKE = 0.72  # likeness of a reply to an approved answer from which on it says the same
BASIS_LIMIT = 400
SAYS_BASIS = re.compile(r"[\s,，。;；(（]*(?:政策|法律|文件)?依据(?:是|为|文件)?[:：\s]*([^\n]{2,400}?)[)）。\s]*$")
DOCUMENT = re.compile(
    r"(?:国家|财政部|国务院|税务总局|人民政府|[、和 ]){0,8}(?:公告|令|通知|财税|国发|税总[发函]|国税[发函])?\s*"
    r"(?:〔|\[|［)?(?:19|20)\d{2}(?:〕|\]|］)?年?第?\d{1,4}号|《[^》]{3,60}》(?:第[一二三四五六七八九十百零\d]{1,6}条)?"
)
BASIS = re.compile(r"(?:政策|法律|文件)?依据(?:是|为)?[\s:：,，]*")
KINDS = {"new": "新条目", "similar": "相似问"}


def learn(turn: Turn, ticket: Ticket, words: str, chosen: Entry | None) -> None:
    """Make a draft of a reply, and ask for what it lacks or for its approval; the officer reads one line."""
    same = chosen or _same(turn, ticket, words)
    text, basis = (same.answer, same.basis) if same else parted(words)
    draft = faq.add_draft(
        turn.tx,
        Draft(
            f"d{turn.event.seq}",
            0,
            "similar" if same else "new",
            same.id if same else "",
            ticket.text,
            text,
            basis,
            ticket.tax,
            ticket.taxpayer_type,
            turn.actor.id,
            "review" if basis else "basis",
            "",
            "",
            ticket.id,
            turn.at,
        ),
    )
    if not basis:
        said = say("draft_basis", ticket=ticket.number, number=draft.number)
        buttons = ((f"不收入 {draft.number}", f"不收入 {draft.number}"),)
        speaking.tell(turn, turn.actor.id, "draft", said, draft.id, now=True, buttons=buttons)
        return
    whom = send_for_review(turn, draft)
    name = "draft_sent" if whom else "draft_alone"
    said = say(name, ticket=ticket.number, number=draft.number, name=turn.office.person_name(whom))
    speaking.tell(turn, turn.actor.id, "draft", said, draft.id, now=True)


def answer_with(turn: Turn, ticket: Ticket, entry: Entry) -> None:
    """The officer picked an approved entry: its card goes to those who asked."""
    if standing(entry, office_day(max(turn.at, turn.tx.at))) != "live":
        return
    quote = next((message for _, message, _ in questions.askers(turn.tx, ticket.id)), "")
    where = (ticket.channel, ticket.address)
    pieces = cards.card(entry, speaking.limit(turn, ticket.channel))
    speaking.place(
        turn,
        where,
        "answer",
        pieces,
        ticket.id,
        quote=quote if ticket.group_id else "",
        not_after=speaking.last_moment(entry),
    )


def named(turn: Turn, words: str) -> Entry | None:
    """The approved entry whose question the reply names ("看这条：发票额度不够用怎么申请增加")."""
    plain = _plain(words)
    hits = [entry for entry in faq.live(turn.tx) if len(q := _plain(entry.question)) >= SHORTEST and q in plain]
    return max(hits, key=lambda entry: len(entry.question), default=None)


def parted(words: str) -> tuple[str, str]:
    """(answer, basis) of a reply: what stands behind 依据, else the documents it names."""
    if found := SAYS_BASIS.search(words):
        return words[: found.start()].strip(), found[1].strip()
    named = [match[0].strip(" 、和") for match in DOCUMENT.finditer(words)]
    return words, "；".join(dict.fromkeys(named))[:BASIS_LIMIT]


def _same(turn: Turn, ticket: Ticket, words: str) -> Entry | None:
    """The entry near the question whose approved answer the reply repeats."""
    from rapidfuzz.distance import Indel

    near = (faq.get(turn.tx, id) for id in ticket.near.split("|") if id)
    alike = [(Indel.normalized_similarity(_plain(words), _plain(entry.answer)), entry) for entry in near if entry]
    best = max(alike, key=lambda pair: pair[0], default=None)
    return best[1] if best and best[0] >= ALIKE else None


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", text)


def send_for_review(turn: Turn, draft: Draft) -> str:
    """Ask the first who may approve and can be reached; their id, or "" when nobody can."""
    author = turn.office.person_name(draft.author)
    head = say("review", number=draft.number, author=author, kind=KINDS[draft.kind])
    how = say("review_how", number=draft.number)
    body = (f"问：{draft.question}", f"答：{draft.answer}", say("basis", basis=draft.basis))
    buttons = (("同意", f"同意 {draft.number}"), ("不同意", f"不同意 {draft.number}:"))
    for person in askers.approvers(turn, draft.author):
        if speaking.tell(turn, person, "review", "\n".join((head, *body, how)), draft.id, buttons=buttons):
            return person
    return ""


def waits(connection: sqlite3.Connection, line: int) -> bool:
    """Whether what a line of the bot asks about taxes is still to be decided; true for lines about anything else."""
    about = questions.about_line(connection, line)
    found: Draft | Push | None = None
    if about.startswith("d"):
        found = faq.draft(connection, about)
    elif about.startswith("p"):
        found = tax.push(connection, about)
    return found is None or found.state in ("basis", "review")


def name_basis(turn: Turn, draft: Draft, basis: str) -> None:
    """依据 …: only its author, or whoever could approve it, names the document."""
    if draft.state not in ("basis", "review"):
        return turn.refuse("wrong_state", say("decided", number=draft.number))
    if not askers.is_officer(turn, turn.sender):
        return turn.refuse("not_allowed", say("not_approver", number=draft.number))
    if not basis.strip():
        return turn.refuse("unclear", say("basis_empty"))
    faq.give_basis(turn.tx, draft.id, basis.strip()[:BASIS_LIMIT])
    named = replace(draft, basis=basis.strip()[:BASIS_LIMIT], state="review", author=draft.author)
    whom = send_for_review(turn, named)
    speaking.reply(
        turn, "draft", say("basis_taken", number=draft.number, name=turn.office.person_name(whom) or "他人"), draft.id
    )


def drop(turn: Turn, draft: Draft) -> None:
    """不收入: its author, or another of the bureau, lets it go."""
    if not askers.is_officer(turn, turn.sender):
        return turn.refuse("not_allowed", say("not_approver", number=draft.number))
    done = faq.settle_draft(turn.tx, draft.id, "dropped", turn.actor.id)
    if not done:
        return turn.refuse("wrong_state", say("decided", number=draft.number))
    speaking.reply(turn, "draft", say("dropped", number=draft.number), draft.id)


def approve(turn: Turn, draft: Draft) -> None:
    """同意: the second person. The entry is live with this commit, and in memory right behind it."""
    if not _may(turn, draft):
        return
    author = turn.office.person_name(draft.author)
    entry = faq.publish(turn.tx, becoming(turn.tx, draft, office_day(turn.at), author), draft.author, turn.actor.id)
    faq.settle_draft(turn.tx, draft.id, "approved", turn.actor.id)
    audit.append(turn.tx, turn.actor.id, "|".join(turn.actor.roles), turn.event.channel, entry.id, "faq_approve", "ok")
    said = say("approved", number=draft.number)
    speaking.reply(turn, "approved", said, draft.id)
    speaking.tell(turn, draft.author, "approved", said, draft.id)
    return


def reject(turn: Turn, draft: Draft, reason: str) -> None:
    """不同意 with a reason."""
    if not _may(turn, draft, basis=False):
        return None
    if not reason.strip():
        return turn.refuse("unclear", say("reason", number=draft.number))
    faq.settle_draft(turn.tx, draft.id, "rejected", turn.actor.id, reason.strip())
    speaking.reply(
        turn, "draft", say("rejected_done", number=draft.number, author=turn.office.person_name(draft.author)), draft.id
    )
    speaking.tell(turn, draft.author, "draft", say("rejected", number=draft.number, reason=reason.strip()), draft.id)
    return None


def _may(turn: Turn, draft: Draft, basis: bool = True) -> bool:
    """Whether the sender is a second person who may decide this draft, now."""
    if not askers.is_officer(turn, turn.sender):
        turn.refuse("not_allowed", say("not_approver", number=draft.number))
    elif turn.actor.id == draft.author:
        turn.refuse("not_allowed", say("own_draft", number=draft.number))
    elif draft.state not in ("basis", "review"):
        turn.refuse("wrong_state", say("decided", number=draft.number))
    elif basis and not draft.basis.strip():
        turn.refuse("wrong_state", say("no_basis", number=draft.number))
    else:
        return True
    return False


def becoming(source: Tx | sqlite3.Connection, draft: Draft, day: date, maintainer: str) -> Entry:
    """What becomes live: the entry with one more way to ask for it, or a new one that holds from that day."""
    standing_one = faq.get(source, draft.entry)
    if standing_one is not None:
        similar = dict.fromkeys((*standing_one.similar, draft.question))
        return replace(standing_one, similar=tuple(similar))
    return Entry(
        draft.entry,
        draft.question,
        draft.answer,
        draft.basis,
        valid_from=day.isoformat(),
        taxpayer_type=tuple(filter(None, draft.taxpayer_type.split("|"))),
        tax=tuple(filter(None, draft.tax.split("|"))),
        maintainer=maintainer,
    )
