"""The secrecy tripwire's event: nothing of the message was stored; its sender and the 保密员 are told, alone (security.md A.2)."""

from __future__ import annotations

from handlers.turn import Turn
from store import audit

TEXTS = {
    "sender": "您刚才的消息疑似涉密，未保存、未转发。请立即撤回，并报告保密员",
    "officer": "{group}有一条消息疑似涉密({rule})，未保存。请联系发送人核实",
}


def take(turn: Turn) -> None:
    """`action` is the rule that fired, `subject` a keyed mark of what was said."""
    event, tx = turn.event, turn.tx
    tx.execute(
        "insert into secrecy_event (at, group_id, sender, rule, mark) values (?, ?, ?, ?, ?)",
        (turn.at, event.group, event.sender, event.action, event.subject),
    )
    audit.append(tx, turn.actor.id or event.sender, "", event.channel, event.group, "secrecy", event.action)
    if turn.sender is not None:
        turn.tell(turn.sender.id, "refused", TEXTS["sender"], now=True)
    group = turn.office.groups.get(event.group)
    said = TEXTS["officer"].replace("{group}", group.name if group else "私聊").replace("{rule}", event.action)
    for officer in turn.office.with_role("security_officer"):
        turn.tell(officer.id, "refused", said, now=True)
