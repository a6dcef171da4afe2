"""经验 in chat: what was learnt last, and taking a lesson back or giving it back. Only who dispatches may.

What a lesson changes is looked at beside the running office (`bot.hindsight`); its one line is worded here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from handlers.commands import Command
from handlers.office import Office
from handlers.tasks.texts import short
from handlers.turn import Turn
from store import audit, lessons
from store.lessons import MADE, REVOKED, Effect, LessonRow, LessonStep

MAY = ("dispatcher", "arbiter")
SHOWN = 2
TEXTS = {
    "lessons": "{lines}\n撤回请回复“撤回经验 {seq}”，全部见“学习”页",
    "line": "经验{seq} {text} → {unit}{revoked}",
    "no_lessons": "还没有经验。派单、改派和更正后会自动记下",
    "revoked": "经验{seq}已撤回，今后不再照它派。要恢复请回复“恢复经验 {seq}”",
    "given_back": "经验{seq}已恢复，今后照它派",
    "which": "请写明编号，例如“撤回经验 12”；编号回复“经验”可查",
    "unknown": "没有经验{seq}，请核对编号，回复“经验”可查",
    "already": "经验{seq}现在已经是这样，没有改动",
    "not_allowed": "经验由指挥员或裁定人管理",
    "effect": "【{what}】近90天已定的{looked}件里，有{changed}件现在会派得不同，例如#{number} {before}→{after}\n已定的都不改。名单见“学习”页",
}
_DIGITS = re.compile(r"\d{1,9}")


def show(turn: Turn, command: Command) -> None:
    """经验: the newest lessons, with their numbers."""
    if not _may(turn):
        return
    found = lessons.listing(turn.tx, source_kind=lessons.CORRECTED)[:SHOWN]
    if not found:
        return turn.reply("help", TEXTS["no_lessons"])
    lines = "\n".join(_line(turn.office, lesson) for lesson in found)
    turn.reply("help", TEXTS["lessons"].format(lines=lines, seq=found[0].seq))


def revoke(turn: Turn, command: Command) -> None:
    """撤回经验 N."""
    _turn(turn, command, "revoked", lessons.revoke)


def give_back(turn: Turn, command: Command) -> None:
    """恢复经验 N."""
    _turn(turn, command, "given_back", lessons.give_back)


def _turn(turn: Turn, command: Command, done: str, does: Callable[..., bool]) -> None:
    if not _may(turn):
        return
    typed = _DIGITS.search(command.number or command.rest) if "-" not in command.number else None
    if typed is None:
        return turn.refuse("unclear", TEXTS["which"])
    seq = int(typed[0])
    if lessons.get(turn.tx, seq) is None:
        return turn.refuse("unclear", TEXTS["unknown"].format(seq=seq))
    if not does(turn.tx, turn.actor.id, lesson=seq):
        return turn.refuse("wrong_state", TEXTS["already"].format(seq=seq))
    roles = "|".join(turn.actor.roles)
    audit.append(turn.tx, turn.actor.id, roles, turn.event.channel, f"lesson/{seq}", done, "ok")
    turn.reply("help", TEXTS[done].format(seq=seq))


def _may(turn: Turn) -> bool:
    """Who dispatches; others are told so when they spoke to the bot, else it was talk."""
    if set(MAY).intersection(turn.actor.roles):
        return True
    if turn.event.addressed or turn.event.private:
        turn.refuse("not_allowed", TEXTS["not_allowed"])
    else:
        turn.forget = True
    return False


def _line(office: Office, lesson: LessonRow) -> str:
    unit = office.unit_name(lesson.unit) if lesson.unit else office.category_name(lesson.category)
    revoked = "（已撤回）" if lesson.revoked_at else ""
    return TEXTS["line"].format(seq=lesson.seq, text=short(lesson.text, 16), unit=unit, revoked=revoked)


def step_name(step: LessonStep) -> str:
    """A step in a few words: 经验12, 撤回经验12, 导入的经验."""
    what = f"经验{step.lesson}" if step.lesson is not None else "导入的经验"
    return {MADE: what, REVOKED: f"撤回{what}"}.get(step.event, f"恢复{what}")


def effect_text(
    office: Office,
    step: LessonStep,
    looked: int,
    effects: Sequence[Effect],
    numbers: Mapping[str, tuple[str, str, str]],
) -> str:
    """The one line about settled tasks that would go elsewhere now."""
    first = next((effect for effect in effects if effect.task in numbers), effects[0])
    number = numbers.get(first.task, ("", "", ""))[0]
    before, after = (office.unit_name(unit) if unit else "不确定" for unit in (first.before, first.after))
    return TEXTS["effect"].format(
        what=step_name(step), looked=looked, changed=len(effects), number=number[4:], before=before, after=after
    )
