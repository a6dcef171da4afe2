"""Who may take which step with an edition, how it stands, and how it is put before people.

Three persons (two where the office says so), each on exactly this content; distinctness is by person, not by role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.calendar import local
from handlers.editions import sending, speaking, timing, wording
from handlers.editions.texts import say
from handlers.turn import Buttons, Turn
from store import editions
from store.editions import Edition

PREFIX = 6  # characters of a hash people type; buttons carry them too


@dataclass(frozen=True, slots=True)
class Step:
    """One verdict that passes an edition on: who may, from which state in which mode."""

    word: str
    name: str
    roles: tuple[str, ...]
    before: str


STEPS: dict[str, tuple[Step, ...]] = {
    "three": (
        Step("送审", "edit", ("editor",), "draft"),
        Step("通过", "review", ("reviewer",), "edited"),
        Step("签发", "publish", ("publisher",), "reviewed"),
    ),
    "two": (
        Step("送审", "edit", ("editor",), "draft"),
        Step("签发", "publish", ("publisher", "reviewer"), "edited"),
    ),
}


def shown(turn: Turn, edition: Edition, offered: Buttons) -> str:
    """State, lines as printed, alarms, and the words to answer with."""
    lines = editions.items(turn.tx, edition.day)
    head = say("head", day=timing.spoken(edition.day), state=state_words(turn, edition), n=len(lines))
    if not lines:
        return f"{head}\n{say('empty')}"
    from digests.rendering import as_text

    text = as_text(sending.sheet(turn.office, edition.day, lines), 0)[0]
    alarms = [say("alarm", pos=one.pos, why=one.why) for one in wording.standing(turn.tx, edition.day)]
    doing = [say("able", words="；".join(words for _, words in offered))] if offered else []
    return "\n".join([head, text, *alarms, *doing])


def state_words(turn: Turn, edition: Edition) -> str:
    """How an edition stands, for people."""
    name = "edited_two" if edition.state == "edited" and edition.mode == "two" else edition.state
    return say(name, why=edition.why, at=f"{local(timing.send_at(turn.office, edition.day)):%m月%d日 %H:%M}")


def buttons_for(person: str, roles: Sequence[str], edition: Edition, passed: dict[str, str]) -> Buttons:
    """What a person may do now: (label, the words it stands for). The console asks it too."""
    if edition.state in ("sent", "recalled"):
        return ()
    if edition.state == "none":
        return (("重开", "摘要 重开"),) if decides(roles, edition) else ()
    found, short = [], edition.hash[:PREFIX]
    step = next((one for one in STEPS[edition.mode] if one.before == edition.state), None)
    if step and short and set(step.roles) & set(roles) and person not in passed.values():
        found.append((step.word, f"摘要 {step.word} {short}"))
    if short and may_return(roles, edition):
        found.append(("退回", f"摘要 退回 {short} 理由"))
    if decides(roles, edition):
        found.append(("不发", "摘要 不发 理由"))
    return tuple(found)


def pending(turn: Turn, edition: Edition) -> list[str]:
    """Whose step is missing: everybody who may take it and took no other on this content."""
    step = next((one for one in STEPS[edition.mode] if one.before == edition.state), None)
    if step is None:
        return []
    passed = set(editions.passed(turn.tx, edition.day, edition.hash).values())
    able = [one.id for role in step.roles for one in turn.office.with_role(role) if one.id not in passed]
    return list(dict.fromkeys(able))


def ask(turn: Turn, edition: Edition, person: str) -> bool:
    """Put the edition before one person, with the words to answer with; False when they cannot be reached."""
    found = turn.office.people.get(person)
    if found is None:
        return False
    passed = editions.passed(turn.tx, edition.day, edition.hash)
    offered = buttons_for(person, found.roles, edition, passed)
    return speaking.tell(turn, person, shown(turn, edition, offered), offered)


def decides(roles: Sequence[str], edition: Edition) -> bool:
    """Whether these roles decide if there is an edition at all."""
    return "publisher" in roles or (edition.mode == "two" and "reviewer" in roles)


def may_return(roles: Sequence[str], edition: Edition) -> bool:
    """Whether these roles may send an edition one step back as it stands."""
    if edition.state == "edited":
        return "reviewer" in roles or (edition.mode == "two" and "publisher" in roles)
    if edition.state == "approved" and edition.mode == "two":
        return "publisher" in roles or "reviewer" in roles
    return edition.state in ("reviewed", "approved") and "publisher" in roles
