"""Events as the QQ open platform writes them, with the fields its 2026 clients insist on (platforms.md 5.4, 9)."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from typing import Any

Data = dict[str, Any]
CHINA = datetime.timezone(datetime.timedelta(hours=8))
BOT = "群办"


def openid(*scope: str) -> str:
    """A stable pseudonym: 32 hexadecimal digits, another one in each scope."""
    return hashlib.sha256("/".join(scope).encode()).hexdigest()[:32].upper()


def index_of(message: str) -> str:
    """What a quotation calls a message."""
    return f"REFIDX_{hashlib.sha256(message.encode()).hexdigest()[:20]}"


def now() -> str:
    """A moment as messages carry it."""
    return datetime.datetime.now(CHINA).isoformat(timespec="seconds")


def attachment(url: str, photo: bytes, place: int) -> Data:
    """A photo; its address comes without a scheme now and then, as it does there."""
    kind = "png" if photo.startswith(b"\x89PNG") else "jpeg"
    return {
        "content_type": f"image/{kind}",
        "filename": f"{place}.{kind}",
        "width": 1080,
        "height": 1920,
        "size": len(photo),
        "url": url,
    }


def message(
    found: str,
    room: str,
    user: str,
    name: str,
    text: str,
    attachments: Sequence[Data],
    quoted: Data | None,
    called: bool,
) -> Data:
    """`d` of a message event; `called` says whether its text still holds the call to the bot."""
    member = openid("member", room, user)
    author: Data = {"id": member, "username": name, "bot": False, "union_openid": openid("union", user)}
    scope: Data = {}
    if room:
        group = openid("group", room)
        author |= {"member_openid": member, "member_role": "member"}
        scope = {"group_id": group, "group_openid": group}
    else:
        author |= {"id": openid("user", user), "user_openid": openid("user", user)}
    ext = [f"msg_idx={index_of(found)}", *([f"ref_msg_idx={quoted['msg_idx']}"] if quoted else [])]
    mention = {
        "id": openid("bot", room),
        "scope": "single",
        "member_openid": openid("bot", room),
        "is_you": True,
        "bot": True,
        "username": BOT,
    }
    return {
        "id": found,
        "content": text,
        "timestamp": now(),
        "author": author,
        "attachments": list(attachments),
        "mentions": [mention] if called else [],
        "message_type": 103 if quoted else 0,
        "message_scene": {"source": "default", "ext": ext},
        "msg_elements": [quoted] if quoted else [],
        **scope,
    }


def press(found: str, room: str, user: str, button: str) -> Data:
    """`d` of INTERACTION_CREATE."""
    where: Data = {"chat_type": 2, "user_openid": openid("user", user), "scene": "c2c"}
    if room:
        member = openid("member", room, user)
        where = {
            "chat_type": 1,
            "scene": "group",
            "group_openid": openid("group", room),
            "group_member_openid": member,
        }
    return {
        "id": found,
        "type": 11,
        "version": 1,
        "timestamp": now(),
        "application_id": "1",
        "data": {"type": 11, "resolved": {"button_data": button, "button_id": "1"}},
        **where,
    }
