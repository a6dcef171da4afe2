"""The secrecy tripwire's event: nothing of the message was stored; its sender and the 保密员 are told, alone (security.md A.2)."""

from __future__ import annotations

from config.county import Person
from handlers.turn import Turn
from store import audit

TEXTS = {
    "sender": "您刚才的消息疑似涉密，未保存、未转发。请立即撤回，并报告保密员",
    "officer": "{group}有一条消息疑似涉密({rule})，未保存。请联系发送人核实",
    "photo_sender": "您发的照片疑似涉密，照片和原文已删除。请立即撤回，并报告保密员",
    "photo_officer": "{group}有一张照片疑似涉密({rule})，已删除。请联系发送人核实",
}


def take(turn: Turn) -> None:
    """`action` is the rule that fired, `subject` a keyed mark of what was said."""
    _note(turn, turn.actor.id, turn.event.sender, turn.event.group, turn.event.action, turn.event.subject)
    if turn.sender is not None:
        turn.tell(turn.sender.id, "refused", TEXTS["sender"], now=True)
    _tell_officers(turn, "officer", turn.event.group, turn.event.action)


def in_photo(turn: Turn, person: Person | None, sender: str, group: str) -> None:
    """The same for a mark read in a photo: `name` is the rule, `quote` a keyed mark of what was read."""
    rule = turn.event.name
    _note(turn, person.id if person else "", sender, group, rule, turn.event.quote)
    if person is not None:
        turn.tell(person.id, "refused", TEXTS["photo_sender"], now=True)
    _tell_officers(turn, "photo_officer", group, rule)


def _note(turn: Turn, person: str, sender: str, group: str, rule: str, mark: str) -> None:
    turn.tx.execute(
        "insert into secrecy_event (at, group_id, sender, rule, mark) values (?, ?, ?, ?, ?)",
        (turn.at, group, sender, rule, mark),
    )
    audit.append(turn.tx, person or sender, "", turn.event.channel, group, "secrecy", rule)


def _tell_officers(turn: Turn, text: str, group_id: str, rule: str) -> None:
    group = turn.office.groups.get(group_id)
    said = TEXTS[text].replace("{group}", group.name if group else "私聊").replace("{rule}", rule)
    for officer in turn.office.with_role("security_officer"):
        turn.tell(officer.id, "refused", said, now=True)
