"""Corrections and recalls of what went out: proposed by the machine or an editor, passed by somebody else, sent at once.

    摘要 更正                列出待处理的            摘要 更正 3 正文          起草（第3条）
    摘要 撤回 3 原因         撤回第3条               摘要 撤回 全部 原因        撤回整期
    摘要 更正通过 5 3fa2c1    审核人或签发人通过       摘要 更正作废 5 · 摘要 更正改 5 新文字

A verdict is bound to the hash of the text; whoever wrote the words may not let them pass.
"""

from __future__ import annotations

import re

from config.errors import Rejected
from handlers.editions import sending, speaking, timing, wording
from handlers.editions.texts import say
from handlers.turn import Buttons, Turn
from store import audit, edition_notes, editions
from store.editions import Correction

PREFIX = 6
LONGEST = 300
LISTED = 5
JUDGES = ("reviewer", "publisher")
NUMBER = re.compile(r"第?(\d{1,4})条?[\s，,:：]*")
WHOLE = re.compile(r"(?:全部|整期)[\s，,:：]*")


def write(turn: Turn, said: str) -> None:
    """更正: what waits; or a new one, drafted by an editor for line n of the last edition."""
    if not said:
        return _list(turn)
    _draft(turn, "correction", said)


def recall(turn: Turn, said: str) -> None:
    """撤回: a line, or the whole edition, is not to be used any more."""
    _draft(turn, "recall", said)


def _draft(turn: Turn, kind: str, said: str) -> None:
    day, item, text = _about(turn, kind, said)
    _may_write(turn)
    _fit(text)
    n = editions.propose_correction(turn.tx, day, item, kind, text, turn.actor.id)
    found = edition_notes.correction(turn.tx, n)
    if found is not None and found.text != text:
        edition_notes.rewrite_correction(turn.tx, n, text, turn.actor.id)
    _written(turn, n)


def rewrite(turn: Turn, said: str) -> None:
    """更正改: other words for a proposal, the machine's too."""
    found, text = _proposed(turn, said)
    _may_write(turn)
    _fit(text)
    edition_notes.rewrite_correction(turn.tx, found.n, text, turn.actor.id)
    _written(turn, found.n)


def let_pass(turn: Turn, said: str) -> None:
    """更正通过: on exactly this text, by a reviewer or publisher who did not write it; it leaves at once."""
    found, rest = _proposed(turn, said)
    _may_judge(turn)
    hash_ = edition_notes.text_hash(found.text)
    if len(rest) < PREFIX or not hash_.startswith(rest.lower()):
        raise Rejected(say("correction_changed", n=found.n), "wrong_state")
    if found.proposed_by == turn.actor.id:
        raise Rejected(say("own_words"), "not_allowed")
    wording.refuse_secret(found.text)
    edition_notes.correction_step(turn.tx, found.n, turn.actor.id, hash_, "pass")
    editions.move_correction(turn.tx, found.n, "proposed", "approved", hash_=hash_)
    _record(turn, found.n, "pass")
    groups = sending.send_correction(turn, found.n)
    speaking.reply(turn, say("correction_sent", n=groups, at=sending.when(turn)))


def drop(turn: Turn, said: str) -> None:
    """更正作废: it is not needed."""
    found, _ = _proposed(turn, said)
    _may_judge(turn)
    hash_ = edition_notes.text_hash(found.text)
    edition_notes.correction_step(turn.tx, found.n, turn.actor.id, hash_, "drop")
    editions.move_correction(turn.tx, found.n, "proposed", "dropped", hash_=hash_)
    _record(turn, found.n, "drop")
    speaking.reply(turn, say("correction_dropped", n=found.n))


def told(turn: Turn) -> None:
    """The machine saw a retraction of what went out: editors and judges hear of the proposal, once."""
    n = int(turn.event.subject.partition("/")[2] or 0)
    found = edition_notes.correction(turn.tx, n)
    if found is None or found.state != "proposed":
        return
    _ask(turn, found)


def _ask(turn: Turn, found: Correction) -> list[str]:
    """Put a proposal before everybody who may let it pass and did not write it."""
    short = edition_notes.text_hash(found.text)[:PREFIX]
    preview = sending.correction_text(turn.tx, turn.office, found.n)
    text = say("correction_ask", n=found.n, preview=preview, hash=short)
    able = [one.id for role in JUDGES for one in turn.office.with_role(role) if one.id != found.proposed_by]
    return [one for one in dict.fromkeys(able) if speaking.tell(turn, one, text, _buttons(found.n, short))]


def _buttons(n: int, short: str) -> Buttons:
    return (("通过并发出", f"摘要 更正通过 {n} {short}"), ("作废", f"摘要 更正作废 {n}"))


def _written(turn: Turn, n: int) -> None:
    found = edition_notes.correction(turn.tx, n)
    if found is None:
        return
    edition_notes.correction_step(turn.tx, n, turn.actor.id, edition_notes.text_hash(found.text), "wrote")
    _record(turn, n, "wrote")
    names = "、".join(turn.office.person_name(person) for person in _ask(turn, found))
    speaking.reply(turn, say("correction_written", n=n, names=names or "审核人或签发人"))


def _list(turn: Turn) -> None:
    waiting = editions.corrections(turn.tx, state="proposed")
    if not waiting:
        return speaking.reply(turn, say("no_corrections"), kind="help")
    lines = [_line(turn, one) for one in waiting[:LISTED]]
    speaking.reply(turn, "\n".join([*lines, say("correction_how")]), kind="help")


def _line(turn: Turn, found: Correction) -> str:
    shown = " ".join(sending.correction_text(turn.tx, turn.office, found.n).split())
    return say("correction_line", n=found.n, hash=edition_notes.text_hash(found.text)[:PREFIX], text=shown[:120])


def _about(turn: Turn, kind: str, said: str) -> tuple[str, int | None, str]:
    """(day, item, text): line n of the newest edition that went out, or all of it."""
    last = next((one for one in editions.listing(turn.tx) if one.state == "sent"), None)
    if last is None:
        raise Rejected(say("none_sent"), "wrong_state")
    if kind == "recall" and (whole := WHOLE.match(said)):
        return last.day, None, said[whole.end() :].strip()
    pos = NUMBER.match(said)
    lines = editions.items(turn.tx, last.day)
    line = next((one for one in lines if pos and one.pos == int(pos[1])), None)
    if pos is None or line is None:
        raise Rejected(say("which_line", day=timing.spoken(last.day), n=len(lines)))
    return last.day, sending.about_of(line), said[pos.end() :].strip()


def _proposed(turn: Turn, said: str) -> tuple[Correction, str]:
    pos = NUMBER.match(said)
    found = edition_notes.correction(turn.tx, int(pos[1])) if pos else None
    if pos is None or found is None:
        raise Rejected(say("which_correction"))
    if found.state != "proposed":
        raise Rejected(say("correction_over", n=found.n), "wrong_state")
    return found, said[pos.end() :].strip()


def _fit(text: str) -> None:
    if not text or len(text) > LONGEST:
        raise Rejected(say("correction_length", most=LONGEST))
    wording.refuse_secret(text)


def _may_write(turn: Turn) -> None:
    if "editor" not in turn.actor.roles:
        raise Rejected(say("not_yours", word="起草更正"), "not_allowed")


def _may_judge(turn: Turn) -> None:
    if not set(JUDGES).intersection(turn.actor.roles):
        raise Rejected(say("not_yours", word="通过更正"), "not_allowed")


def _record(turn: Turn, n: int, action: str) -> None:
    role = "|".join(turn.actor.roles)
    audit.append(turn.tx, turn.actor.id, role, turn.event.channel, f"correction/{n}", f"correction_{action}", "done")
