"""What is said about a numbered thing (#问0017, #草0003, #推0001) or by quoting a line of ours; before all commands."""

from __future__ import annotations

import re
from collections.abc import Callable

from handlers import commands
from handlers.faq import handover, learning, policy, room, speaking
from handlers.faq.askers import asker, is_officer
from handlers.faq.hall import OFFER, PERSONAL
from handlers.faq.texts import say
from handlers.turn import Turn
from store import faq, questions, tax

NUMBER = re.compile(r"[#＃]\s*(问|草|推)\s*(\d{1,7})|^\s*(问|草|推)\s*(\d{4,7})|(?<=意)\s*(草|推)(\d{1,7})")
YES = re.compile(r"(?:同意|批准|通过|可以|好的?|行)(?:生效|收入|推送|发布)?")
NO = re.compile(r"(?:不同意|不通过|不批准|退回|驳回)[\s,，:：]*")
DROP = re.compile(r"(?:不收入|不收录|不用收|不入库).{0,4}")
USEFUL = re.compile(r"(?:很|挺|真|非常)?(?:有用|有帮助|有效|解决了)(?:的|了|谢谢)?[,，。!！]*(?:谢谢)?")
OPENS_USELESS = re.compile(r"(?:没有?用|没用处|无用|不对|答非所问|没帮助|没解决|不是这个)(?:啊|的|了)?[,，。!！ ]")
USELESS = re.compile(r"(?:没有?用|没用处|无用|不对|答非所问|没帮助|没解决|不是这个|看不懂)(?:啊|的|了)?[,，。!！]*")


def claims(turn: Turn) -> bool:
    """Settle a message that names or quotes something of tax questions; False when it does neither."""
    event = turn.event
    if event.kind == "click" and NUMBER.fullmatch(event.subject):  # a console page names the thing apart from the words
        return _claimed(turn, f"{event.action} {event.subject} {event.text}")
    if event.kind != "message" or turn.office.hall is None:
        return False
    words = commands.without_tag(event.text)
    done = _claimed(turn, words)
    if done and event.action == PERSONAL:
        room.tell_masked(turn)
    return done


def _claimed(turn: Turn, words: str) -> bool:
    event, found = turn.event, NUMBER.search(words)
    if found:
        sign, serial = next((a, b) for a, b in zip(found.groups()[::2], found.groups()[1::2], strict=True) if a)
        rest = (words[: found.start()] + " " + words[found.end() :]).strip(" ,，:：")
        return _BY_SIGN[sign](turn, int(serial), rest)
    if event.quote and (about := questions.about(turn.tx, event.channel, event.quote)):
        return _ABOUT[about[0]](turn, about, words)
    return _owed(turn, words) or _picked(turn, words)


def _picked(turn: Turn, words: str) -> bool:
    """A number said to the bot alone picks from the list it gave there."""
    picked = room.number(words) if turn.event.private else 0
    offer = questions.offer(turn.tx, "", asker(turn), turn.at) if picked else None
    if offer is not None:
        room.pick(turn, offer, picked)
    return offer is not None


def _owed(turn: Turn, words: str) -> bool:
    """依据 … said to the bot alone is about the draft it was asked for."""
    if not turn.event.private or turn.sender is None or not learning.BASIS.match(words):
        return False
    draft = faq.owed(turn.tx, turn.sender.id)
    if draft is None:
        return False
    learning.name_basis(turn, draft, learning.BASIS.sub("", words, count=1))
    return True


def _ticket(turn: Turn, serial: int, words: str) -> bool:
    ticket = questions.ticket_numbered(turn.tx, serial)
    if ticket is None:
        return _missing(turn, f"#问{serial:04d}")
    if not handover.quoted(turn, ticket, words):
        turn.refuse("not_allowed", say("only_officer", number=ticket.number))
    return True


def _quoted_ticket(turn: Turn, about: str, words: str) -> bool:
    ticket = questions.ticket(turn.tx, about)
    return ticket is not None and handover.quoted(turn, ticket, words)


def _draft(turn: Turn, serial: int, words: str) -> bool:
    draft = faq.draft_numbered(turn.tx, serial)
    return _missing(turn, f"#草{serial:04d}") if draft is None else _decide_draft(turn, draft, words)


def _quoted_draft(turn: Turn, about: str, words: str) -> bool:
    draft = faq.draft(turn.tx, about)
    return draft is not None and _decide_draft(turn, draft, words)


def _decide_draft(turn: Turn, draft: faq.Draft, words: str) -> bool:
    if learning.BASIS.match(words):
        learning.name_basis(turn, draft, learning.BASIS.sub("", words, count=1))
    elif DROP.fullmatch(words):
        learning.drop(turn, draft)
    elif NO.match(words):
        learning.reject(turn, draft, NO.sub("", words, count=1))
    elif YES.fullmatch(words):
        learning.approve(turn, draft)
    else:
        turn.refuse("unclear", say("review_how", number=draft.number))
    return True


def _push(turn: Turn, serial: int, words: str) -> bool:
    push = tax.push_numbered(turn.tx, serial)
    return _missing(turn, f"#推{serial:04d}") if push is None else _decide_push(turn, push, words)


def _quoted_push(turn: Turn, about: str, words: str) -> bool:
    push = tax.push(turn.tx, about)
    return push is not None and _decide_push(turn, push, words)


def _decide_push(turn: Turn, push: tax.Push, words: str) -> bool:
    if NO.match(words):
        policy.reject(turn, push, NO.sub("", words, count=1))
    elif YES.fullmatch(words):
        policy.approve(turn, push)
    else:
        turn.refuse("unclear", say("review_how", number=push.number))
    return True


def _missing(turn: Turn, number: str) -> bool:
    turn.refuse("unclear", say("no_ticket", number=number))
    return True


def _quoted_answer(turn: Turn, about: str, words: str) -> bool:
    """A quoted answer or list: a number of its asker, a vote, a push; anything else is a question like any other."""
    found = questions.of_line(turn.tx, about)
    if not found:
        return False
    picked = room.number(words)
    if picked and found[0].choices:
        _pick(turn, found[0], picked)
    elif USELESS.fullmatch(words) or USEFUL.fullmatch(words):
        _vote(turn, found, USEFUL.fullmatch(words) is not None)
    elif OPENS_USELESS.match(words):
        _vote(turn, found, False, silent=True)
        return False
    elif handover.CALL.match(words) and not handover.without_call(words):
        room.call_person(turn, found[0])
    elif words.startswith("推送") and is_officer(turn, turn.sender) and found[0].entry:
        policy.propose(turn, found[0].entry)
    else:
        return False
    return True


def _pick(turn: Turn, asked: questions.Asked, number: int) -> None:
    """Whoever quotes a list points at it plainly, as long as it is fresh; nobody's own list changes by it."""
    if turn.at - asked.at > OFFER:
        speaking.reply(turn, "help", say("offer_over"))
    else:
        room.pick(turn, asked, number)


def _vote(turn: Turn, found: list[questions.Asked], useful: bool, silent: bool = False) -> None:
    for asked in found:
        if asked.band == "answer":
            questions.vote(turn.tx, asked.id, asker(turn), useful)
    if not useful and not silent:
        speaking.reply(turn, "help", say("useless"), found[0].id)


_BY_SIGN: dict[str, Callable[[Turn, int, str], bool]] = {"问": _ticket, "草": _draft, "推": _push}
_ABOUT: dict[str, Callable[[Turn, str, str], bool]] = {
    "a": _quoted_answer,
    "q": _quoted_ticket,
    "d": _quoted_draft,
    "p": _quoted_push,
}
