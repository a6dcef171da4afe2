"""A newly published policy goes to the tax groups it concerns, once, after a second person approved it."""

from __future__ import annotations

import re

from config.faq.entries import Entry
from handlers.commands import Command
from handlers.faq import askers, cards, speaking
from handlers.faq.knowledge import office_day, standing
from handlers.faq.texts import say
from handlers.turn import Turn
from store import audit, faq, tax
from store.tax import Push

ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def command(turn: Turn, command: Command) -> None:
    """推送 条目编号."""
    found = ID.search(command.rest)
    if not askers.is_officer(turn, turn.sender):
        return turn.refuse("not_allowed", say("push_none"))
    return propose(turn, found[0] if found else "")


def propose(turn: Turn, id: str) -> None:
    """Ask a second person to let an approved entry go out."""
    entry = faq.get(turn.tx, id)
    if entry is None or standing(entry, office_day(turn.at)) != "live":
        return turn.refuse("unclear", say("push_none"))
    push = tax.add_push(turn.tx, Push(f"p{turn.event.seq}", 0, entry.id, entry.version, turn.actor.id))
    names = "、".join(turn.office.groups[group].name for group in concerned(turn, entry))
    head = say("push_review", number=push.number, groups=names, author=turn.actor.name)
    text = "\n".join(
        (head, entry.question, entry.answer, say("basis", basis=entry.basis), say("review_how", number=push.number))
    )
    buttons = (("同意", f"同意 {push.number}"), ("不同意", f"不同意 {push.number}:"))
    people = askers.approvers(turn, push.author)
    whom = next((p for p in people if speaking.tell(turn, p, "review", text, push.id, buttons=buttons)), "")
    return speaking.reply(
        turn, "push", say("push_sent", number=push.number, name=turn.office.person_name(whom) or "他人"), push.id
    )


def concerned(turn: Turn, entry: Entry) -> list[str]:
    """Tax groups whose profile names one of the entry's taxes; an entry for no tax in particular concerns all."""
    groups = [group.id for group in turn.office.county.groups if group.purpose == "tax"]
    if not entry.tax:
        return groups
    profiles = {group: tax.profile(turn.tx, group) for group in groups}
    named = {group: f"{p.monthly}、{p.quarterly}" for group, p in profiles.items()}
    return [group for group in groups if any(kind[:3] in named[group] for kind in entry.tax)] or groups


def approve(turn: Turn, push: Push) -> None:
    """同意: it goes out in working hours, to each group once for this version."""
    if not _may(turn, push):
        return None
    entry = faq.get(turn.tx, push.entry)
    if entry is None or entry.version != push.version or standing(entry, office_day(turn.at)) != "live":
        tax.settle_push(turn.tx, push.id, "rejected", turn.actor.id)
        return turn.refuse("wrong_state", say("push_none"))
    tax.settle_push(turn.tx, push.id, "approved", turn.actor.id)
    audit.append(turn.tx, turn.actor.id, "|".join(turn.actor.roles), turn.event.channel, push.entry, "faq_push", "ok")
    groups = [group for group in concerned(turn, entry) if tax.pushed(turn.tx, push, group)]
    sent = [group for group in groups if _send(turn, push, entry, group)]
    if not sent:
        return turn.refuse("duplicate", say("push_again"))
    names = "、".join(turn.office.groups[group].name for group in sent)
    return speaking.reply(turn, "push", say("pushed", number=push.number, groups=names), push.id)


def _send(turn: Turn, push: Push, entry: Entry, group: str) -> bool:
    where = turn.office.address_of(group)
    if where is None:
        return False
    text = card(entry, speaking.limit(turn, where[0]))
    ends = speaking.last_moment(entry)
    speaking.place(turn, where, "policy", text, push.id, not_before=turn.allowed(None), not_after=ends)
    return True


def card(entry: Entry, limit: int = 0) -> tuple[str, ...]:
    """What a group reads."""
    foot = "\n".join((say("basis", basis=entry.basis), say("valid", valid=cards.validity(entry))))
    return cards.fitted(say("push", question=entry.question), entry.answer, foot, limit)


def reject(turn: Turn, push: Push, reason: str) -> None:
    """不同意."""
    if _may(turn, push):
        tax.settle_push(turn.tx, push.id, "rejected", turn.actor.id)
        author = turn.office.person_name(push.author)
        speaking.reply(turn, "push", say("rejected_done", number=push.number, author=author), push.id)
        speaking.tell(
            turn, push.author, "push", say("rejected", number=push.number, reason=reason or "未写原因"), push.id
        )


def _may(turn: Turn, push: Push) -> bool:
    if not askers.is_officer(turn, turn.sender):
        turn.refuse("not_allowed", say("not_approver", number=push.number))
    elif turn.actor.id == push.author:
        turn.refuse("not_allowed", say("own_draft", number=push.number))
    elif push.state != "review":
        turn.refuse("wrong_state", say("decided", number=push.number))
    else:
        return True
    return False
