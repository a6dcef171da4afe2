"""The verb 摘要: see the edition in the making, pass it, return it, decide against it. Chat and console are one path.

    摘要 · 摘要 送审 3fa2c1 · 摘要 通过 3fa2c1 · 摘要 签发 3fa2c1 · 摘要 退回 3fa2c1 理由 · 摘要 核对 3fa2c1 2 情况
    摘要 不发 理由 · 摘要 重开 · 摘要 更正 … · 摘要 撤回 …

A verdict names the beginning of the hash it is about; other content, no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from config.errors import Rejected
from handlers.calendar import local
from handlers.commands import Command
from handlers.editions import corrections, desk, sending, speaking, timing, wording
from handlers.editions.steps import (
    PREFIX,
    STEPS,
    Step,
    ask,
    buttons_for,
    decides,
    may_return,
    pending,
    shown,
    state_words,
)
from handlers.editions.texts import say
from handlers.turn import Turn
from store import audit, editions
from store.editions import Edition

WORD = "摘要"
HASH = re.compile(r"[0-9a-fA-F]{6,64}")
STATE = {"edit": "edited", "review": "reviewed", "publish": "approved"}
WHY = 200
SAME = {"审核通过": "通过", "审核": "通过", "今日不发": "不发", "发布": "签发", "确认": "核对"}


def meant(turn: Turn, command: Command) -> bool:
    """Whether editions are spoken of outside groups; those who make them need no space behind 摘要."""
    if turn.event.group:
        return False
    makes = bool(set(desk.SIGNED).intersection(turn.actor.roles))
    glued = turn.event.private and makes and turn.event.text.strip().startswith(WORD)
    return command.verb == "edition" or glued


def take(turn: Turn, command: Command) -> None:
    """What was said after 摘要. Only alone with the bot, or in the console."""
    if turn.event.group:
        return turn.refuse("not_allowed", say("in_group"))
    word, said = _read(turn)
    if not set(desk.SIGNED).intersection(turn.actor.roles):
        return turn.refuse("not_allowed", say("no_role"))
    try:
        ACTS.get(word, _unclear)(turn, said)
    except Rejected as error:
        turn.refuse(error.code, str(error))


def _read(turn: Turn) -> tuple[str, str]:
    text = turn.event.text.strip()
    if turn.event.kind == "message":
        text = text.partition(WORD)[2]
    text = text.strip(" ，,。:：、\n\u3000")
    found = re.match(r"[\u4e00-\u9fff]*", text)
    word = found[0] if found else ""
    return SAME.get(word, word), text[len(word) :].strip(" ，,:：\n\u3000")


def _unclear(turn: Turn, said: str) -> None:
    raise Rejected(say("unclear"))


def show(turn: Turn, said: str = "") -> None:
    """The edition in the making as it stands, and what this person may do."""
    day = timing.edition_day(turn.tx, turn.office, turn.at)
    edition = desk.begin(turn.tx, turn.office, day)
    passed = editions.passed(turn.tx, day, edition.hash)
    offered = buttons_for(turn.actor.id, turn.actor.roles, edition, passed)
    speaking.reply(turn, shown(turn, edition, offered), offered, "help")


def _pass(word: str) -> Callable[[Turn, str], None]:
    return lambda turn, said: _take_step(turn, word, said)


def _take_step(turn: Turn, word: str, said: str) -> None:
    edition, _ = _meant(turn, said)
    edition = _with_mode(turn, edition) if word == "送审" else edition
    step = next((one for one in STEPS[edition.mode] if one.word == word), None)
    if step is None:
        raise Rejected(say("two_mode"), "wrong_state")
    if _waits_for_a_way(turn, edition, step):
        return _go_on(turn, edition.day)
    _guard(turn, edition, step)
    editions.approve(turn.tx, edition.day, step.name, turn.actor.id, edition.hash)
    editions.move(turn.tx, edition.day, (step.before,), STATE[step.name])
    _record(turn, edition, step.name)
    _go_on(turn, edition.day)


def _guard(turn: Turn, edition: Edition, step: Step) -> None:
    """Raises Rejected unless this person may take this step on this content now."""
    if not set(step.roles).intersection(turn.actor.roles):
        raise Rejected(say("not_yours", word=step.word), "not_allowed")
    if edition.state != step.before:
        raise Rejected(say("not_now", word=step.word, state=state_words(turn, edition)), "wrong_state")
    passed = editions.passed(turn.tx, edition.day, edition.hash)
    if turn.actor.id in passed.values():
        raise Rejected(say("same_person"), "not_allowed")
    if not editions.items(turn.tx, edition.day):
        raise Rejected(say("nothing"), "wrong_state")
    if step.name == "publish":
        earlier = [name for name in sending.NEEDED[edition.mode] if name != "publish"]
        if len({passed.get(name, "") for name in earlier} - {""}) != len(earlier):
            raise Rejected(say("not_now", word=step.word, state=state_words(turn, edition)), "wrong_state")
        if alarms := wording.standing(turn.tx, edition.day):
            raise Rejected(_alarmed(edition, alarms), "wrong_state")


def _waits_for_a_way(turn: Turn, edition: Edition, step: Step) -> bool:
    """Signed, its minute past, and nowhere to go until now: signing again sends it."""
    late = edition.state == "approved" and turn.at >= timing.send_at(turn.office, edition.day)
    able = step.name == "publish" and bool(set(step.roles).intersection(turn.actor.roles))
    return late and able and not wording.standing(turn.tx, edition.day)


def _alarmed(edition: Edition, alarms: Sequence[wording.Alarm]) -> str:
    lines = "\n".join(say("alarm", pos=one.pos, why=one.why) for one in alarms[:4])
    return say("alarmed", lines=lines, hash=edition.hash[:PREFIX], pos=alarms[0].pos)


def _go_on(turn: Turn, day: str) -> None:
    """After a verdict: whoever is next is told; a signed edition leaves when its minute is past."""
    edition = editions.get(turn.tx, day) or Edition(day)
    if edition.state != "approved":
        asked = [person for person in pending(turn, edition) if ask(turn, edition, person)]
        names = "、".join(turn.office.person_name(person) for person in asked)
        return speaking.reply(turn, say("passed_on", names=names) if names else say("nobody_next"))
    if turn.at < timing.send_at(turn.office, day):
        return speaking.reply(turn, say("signed", at=state_words(turn, edition)))
    groups = sending.send(turn, edition)
    speaking.reply(turn, say("sent_now", n=groups, at=sending.when(turn)) if groups else say("no_groups"))


def return_(turn: Turn, said: str) -> None:
    """退回: one step back, with a reason, told to whoever took the step before."""
    edition, why = _meant(turn, said)
    if not may_return(turn.actor.roles, edition):
        raise Rejected(say("no_return", state=state_words(turn, edition)), "not_allowed")
    if not _reason(why):
        raise Rejected(say("why_return", hash=edition.hash[:PREFIX]))
    back = "publish" if edition.state in ("reviewed", "approved") and edition.mode == "three" else "review"
    before = editions.passed(turn.tx, edition.day, edition.hash)
    editions.approve(turn.tx, edition.day, back, turn.actor.id, edition.hash, "back", why[:WHY])
    left = editions.passed(turn.tx, edition.day, edition.hash)
    editions.move(turn.tx, edition.day, (edition.state,), "edited" if "edit" in left else "draft")
    _record(turn, edition, "back")
    person = before.get("review" if back == "publish" else "edit", "")
    words = say("returned", day=timing.spoken(edition.day), name=turn.actor.name, why=why[:WHY])
    told = bool(person) and person != turn.actor.id and speaking.tell(turn, person, words)
    speaking.reply(turn, say("returned_done", name=turn.office.person_name(person) if told else "编辑"))


def not_today(turn: Turn, said: str) -> None:
    """不发: a decision with a reason, recorded like an approval."""
    day = timing.edition_day(turn.tx, turn.office, turn.at)
    edition = desk.begin(turn.tx, turn.office, day)
    if not decides(turn.actor.roles, edition):
        raise Rejected(say("not_decider"), "not_allowed")
    if edition.state in timing.CLOSED:
        raise Rejected(say("not_now", word="不发", state=state_words(turn, edition)), "wrong_state")
    if not _reason(said):
        raise Rejected(say("why_none"))
    editions.approve(turn.tx, day, "publish", turn.actor.id, edition.hash, "none", said[:WHY])
    editions.move(turn.tx, day, (edition.state,), "none", said[:WHY])
    _record(turn, edition, "none")
    until = timing.clock(turn.office.rules.digest_until)
    speaking.reply(turn, say("none_done", day=timing.spoken(day), why=said[:WHY], until=until))


def reopen(turn: Turn, said: str) -> None:
    """重开: a decision against an edition taken back before its day is over; it begins as a draft."""
    edition = _latest_none(turn)
    if edition is None:
        raise Rejected(say("nothing_closed"), "wrong_state")
    if not decides(turn.actor.roles, edition):
        raise Rejected(say("not_decider"), "not_allowed")
    _in_time(turn, edition.day)
    editions.approve(turn.tx, edition.day, "edit", turn.actor.id, edition.hash, "reopen")
    editions.move(turn.tx, edition.day, ("none",), "draft")
    _record(turn, edition, "reopen")
    speaking.reply(turn, say("reopened", day=timing.spoken(edition.day)))


def acknowledge(turn: Turn, said: str) -> None:
    """核对: answer for the alarms on a line, with a reason."""
    edition, rest = _meant(turn, said)
    pos = re.match(r"第?(\d{1,2})条?[\s，,:：]*", rest)
    if pos is None:
        raise Rejected(say("why_ack"))
    n = wording.acknowledge(turn.tx, turn.actor, edition.day, int(pos[1]), rest[pos.end() :])
    speaking.reply(turn, say("acked", pos=pos[1], n=n))


def _meant(turn: Turn, said: str) -> tuple[Edition, str]:
    """The edition whose content the words name, and what stands behind the hash."""
    found = HASH.match(said)
    if found is None:
        raise Rejected(say("no_hash"))
    today = local(turn.at).date().isoformat()
    for day in dict.fromkeys((timing.edition_day(turn.tx, turn.office, turn.at), today)):
        edition = editions.get(turn.tx, day)
        if edition and edition.hash and edition.hash.startswith(found[0].lower()):
            if edition.state in ("sent", "recalled"):
                raise Rejected(say("sent_stands"), "wrong_state")
            _in_time(turn, day)
            return edition, said[found.end() :].strip(" ，,:：\n")
    raise Rejected(say("changed"), "wrong_state")


def _in_time(turn: Turn, day: str) -> None:
    if turn.at >= timing.lapse_at(turn.office, day):
        raise Rejected(say("too_late", until=timing.clock(turn.office.rules.digest_until)), "too_late")


def _latest_none(turn: Turn) -> Edition | None:
    today = local(turn.at).date()
    days = (today.isoformat(), timing.next_workday(turn.office, today).isoformat())
    found = (editions.get(turn.tx, day) for day in days)
    return next((one for one in found if one and one.state == "none"), None)


def _with_mode(turn: Turn, edition: Edition) -> Edition:
    """How many persons it takes is fixed when the edition is put forward."""
    mode = "two" if turn.office.rules.digest_persons == 2 else "three"
    editions.set_mode(turn.tx, edition.day, mode)
    return editions.get(turn.tx, edition.day) or edition


def _reason(words: str) -> bool:
    return bool(words.strip()) and words.strip() != "理由"


def _record(turn: Turn, edition: Edition, action: str) -> None:
    role = "|".join(turn.actor.roles)
    audit.append(turn.tx, turn.actor.id, role, turn.event.channel, edition.day, f"edition_{action}", "done")


ACTS: dict[str, Callable[[Turn, str], None]] = {
    "": show,
    "送审": _pass("送审"),
    "通过": _pass("通过"),
    "签发": _pass("签发"),
    "退回": return_,
    "核对": acknowledge,
    "不发": not_today,
    "重开": reopen,
    "更正": corrections.write,
    "撤回": corrections.recall,
    "更正通过": corrections.let_pass,
    "更正作废": corrections.drop,
    "更正改": corrections.rewrite,
}
