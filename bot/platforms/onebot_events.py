"""OneBot v11 events as ours (platforms.md 6): messages in both written forms, recalls, the bot entering a group.

Groups have the address g7788, people the address 20002. What we do not follow (heartbeats, files, our own words) is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.platforms import segments
from bot.platforms.registry import clean
from digests.screening import clean_name
from handlers.events import Event, Photo

GroupOf = Callable[[str], str]  # our group id of an address, "" for none
_NUMBER = re.compile(r"-?\d{1,20}")


def read(channel: str, found: Mapping[str, Any], self_id: str, group_of: GroupOf) -> Event | None:
    """One event. `self_id` is the account the line belongs to, when the event does not say."""
    reads = _READS.get(str(found.get("post_type")), {}).get(_kind(found))
    event = reads(channel, found, str(found.get("self_id") or self_id)) if reads else None
    group = group_of(event.address) if event is not None else ""
    return replace(event, group=group) if event is not None and group else event


def number(found: Mapping[str, Any], key: str) -> str:
    """An id, which comes as a number or as text; empty for anything else."""
    value = found.get(key)
    word = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return word if is_number(word) else ""


def is_number(word: str) -> bool:
    """Whether a word is an id; message ids may be negative."""
    return word.isascii() and bool(_NUMBER.fullmatch(word))


def moment(found: Mapping[str, Any]) -> int | None:
    """When the platform says it happened."""
    at = found.get("time")
    return at if isinstance(at, int) and not isinstance(at, bool) and 0 < at < 1 << 40 else None


def again(event: Event) -> Event:
    """The same event under an id of its own: message ids are 32-bit and do collide."""
    return replace(event, id=f"{event.id}@{event.sent_at}")


def _message(channel: str, found: Mapping[str, Any], self_id: str) -> Event | None:
    sender, message_id = number(found, "user_id"), number(found, "message_id")
    if not sender or not message_id or sender == self_id:
        return None
    said = segments.heard(found.get("message"), self_id)
    if said == segments.Heard():
        return None
    name = found.get("sender")
    card = (name.get("card") or name.get("nickname")) if isinstance(name, dict) else ""
    return Event(
        channel,
        message_id,
        address=_address(found) or sender,
        sender=f"anonymous/{sender}" if found.get("anonymous") else sender,
        name=clean_name(clean(card)) if isinstance(card, str) and card else "",
        text=said.text,
        photos=tuple(Photo(url) for url in said.images),
        quote=said.quote,
        addressed=said.addressed,
        voice=said.voice,
        sent_at=moment(found),
    )


def _recall(channel: str, found: Mapping[str, Any], self_id: str) -> Event | None:
    subject, sender = number(found, "message_id"), number(found, "user_id")
    if not subject or not sender or sender == self_id:
        return None
    return Event(channel, f"recall/{subject}", "recall", _address(found) or sender, sender=sender, subject=subject)


def _joined(channel: str, found: Mapping[str, Any], self_id: str) -> Event | None:
    address = _address(found)
    if not address or number(found, "user_id") != self_id:
        return None
    return Event(channel, f"joined/{address}", "joined", address)


def _address(found: Mapping[str, Any]) -> str:
    group = number(found, "group_id")
    return f"g{group}" if group else ""


def _kind(found: Mapping[str, Any]) -> str:
    return str(found.get("message_type") or found.get("notice_type"))


_READS = {
    "message": {"group": _message, "private": _message},
    "notice": {"group_recall": _recall, "friend_recall": _recall, "group_increase": _joined},
}
