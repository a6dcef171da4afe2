"""QQ open platform events as ours: group and private messages, pressed buttons, being added, being told to be quiet.

Addresses and senders carry their scope: g = a group, u = a person who writes in private, m = a member within one group.
The same person has another openid in every group and yet another in private; none is a QQ number (platforms.md 5.4).
Only what the 2025 documents promise is needed, all else is optional.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.platforms.registry import clean
from digests.screening import clean_name
from handlers.events import Event, Photo
from store.qq import Window

GROUP_SECONDS, PRIVATE_SECONDS = 300, 3600  # platforms.md 5.6
MARGIN = 20  # seconds a window is held to be shorter than the platform says
PHOTOS = 9
_OPENID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ID = re.compile(r"[!-~]{1,256}")
_CALLED = re.compile(r"<@!?([0-9A-Za-z_-]{1,64})>")
_FACE = re.compile(r"<(?:faceType|emoji)[^<>]{0,400}>")
_INDEX = re.compile(r"(ref_msg_idx|msg_idx)=([!-~]{1,128})")

Piece = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one callback says: an event, a window in which it may be answered, who allows or refuses unasked messages."""

    event: Event | None = None
    window: Window | None = None
    address: str = ""
    pushes: bool | None = None
    pressed: str = ""  # an interaction to be acknowledged


def heard(channel: str, packet: Piece) -> Heard | None:
    """One op 0 packet; None for what we do not follow."""
    data, kind = packet.get("d"), packet.get("t")
    reads = _READS.get(kind) if isinstance(kind, str) else None
    return reads(channel, packet, data) if reads is not None and isinstance(data, dict) else None


def _message(channel: str, packet: Piece, data: Piece) -> Heard | None:
    author = _piece(data, "author")
    group = _openid(data, "group_openid")
    private = packet.get("t") == "C2C_MESSAGE_CREATE"
    sender = _openid(author, "user_openid" if private else "member_openid")
    message_id = _id(data, "id")
    if not sender or not message_id or author.get("bot") is True or not (group or private):
        return None
    address = f"u{sender}" if private else f"g{group}"
    attachments = tuple(_attachments(data))
    photos = _photos(attachments) or _photos(_quoted(data))
    names = {_openid(m, "member_openid"): m for m in _pieces(data, "mentions")}
    text = _text(data, names) or " ".join(word(a, "asr_refer_text") for a in attachments).strip()
    index = dict(_INDEX.findall(" ".join(str(part) for part in _list(_piece(data, "message_scene"), "ext"))))
    sent_at = _moment(data.get("timestamp"))
    event = Event(
        channel,
        message_id,
        address=address,
        sender=address if private else f"m{sender}",
        name=clean_name(word(author, "username")),
        text=text,
        photos=photos,
        quote=index.get("ref_msg_idx", ""),
        addressed=packet.get("t") == "GROUP_AT_MESSAGE_CREATE" or any(m.get("is_you") is True for m in names.values()),
        voice=any(kind_of(a).startswith(("voice", "audio")) for a in attachments),
        sent_at=sent_at,
    )
    if not text and not photos and not event.voice and not event.addressed:
        return None
    seconds = PRIVATE_SECONDS if private else GROUP_SECONDS
    return Heard(event, _window(message_id, "msg_id", address, seconds, sent_at, index.get("msg_idx", "")), address)


def _press(channel: str, packet: Piece, data: Piece) -> Heard | None:
    """A button says the words it stands for (Message.buttons)."""
    found = _id(data, "id")
    said = word(_piece(_piece(data, "data"), "resolved"), "button_data")
    group, user = _openid(data, "group_openid"), _openid(data, "user_openid")
    member = _openid(data, "group_member_openid")
    if not found or not said or not ((group and member) or user):
        return None
    address, sender = (f"g{group}", f"m{member}") if group and member else (f"u{user}", f"u{user}")
    sent_at = _moment(data.get("timestamp"))
    event = Event(channel, found, address=address, sender=sender, text=said[:200], addressed=True, sent_at=sent_at)
    seconds = GROUP_SECONDS if group else PRIVATE_SECONDS
    return Heard(
        event, _window(_id(packet, "id") or found, "event_id", address, seconds, sent_at), address, None, found
    )


def _joined(channel: str, packet: Piece, data: Piece) -> Heard | None:
    group, packet_id = _openid(data, "group_openid"), _id(packet, "id")
    if not group or not packet_id:
        return None
    address, stamp = f"g{group}", _seconds(data.get("timestamp"))
    event = Event(channel, f"joined/{group}/{stamp or packet_id}", "joined", address)
    return Heard(event, _window(packet_id, "event_id", address, GROUP_SECONDS, stamp), address)


def _consent(channel: str, packet: Piece, data: Piece) -> Heard | None:
    """Somebody switched unasked messages on or off."""
    group, user = _openid(data, "group_openid"), _openid(data, "openid")
    if not group and not user:
        return None
    address = f"g{group}" if group else f"u{user}"
    yes, packet_id = str(packet.get("t")).endswith("RECEIVE"), _id(packet, "id")
    stamp = _seconds(data.get("timestamp"))
    window = _window(packet_id, "event_id", address, GROUP_SECONDS, stamp) if yes and packet_id and group else None
    return Heard(None, window, address, yes)


_READS = {
    "GROUP_AT_MESSAGE_CREATE": _message,
    "GROUP_MESSAGE_CREATE": _message,
    "C2C_MESSAGE_CREATE": _message,
    "INTERACTION_CREATE": _press,
    "GROUP_ADD_ROBOT": _joined,
    "GROUP_MSG_REJECT": _consent,
    "GROUP_MSG_RECEIVE": _consent,
    "C2C_MSG_REJECT": _consent,
    "C2C_MSG_RECEIVE": _consent,
}


def _window(found: str, field: str, address: str, seconds: int, sent_at: int | None, idx: str = "") -> Window:
    """From the earlier of both clocks, so that a late delivery opens no window that is closed there."""
    now = int(time.time())
    return Window(found, field, address, min(now, sent_at or now) + seconds - MARGIN, idx)


def _text(data: Piece, names: Mapping[str, Piece]) -> str:
    """The words, the call to us taken out, other people by name."""

    def called(match: re.Match[str]) -> str:
        person = names.get(match[1], {})
        return "" if person.get("is_you") is True else f"@{clean_name(word(person, 'username')) or '某人'} "

    return _FACE.sub("", _CALLED.sub(called, word(data, "content"))).strip()


def _attachments(data: Piece) -> Iterator[Piece]:
    yield from _pieces(data, "attachments")


def _quoted(data: Piece) -> tuple[Piece, ...]:
    """Photos of the message that is quoted: quoting a photo and calling the bot reports it."""
    return tuple(a for element in _pieces(data, "msg_elements") for a in _attachments(element))


def _photos(attachments: tuple[Piece, ...]) -> tuple[Photo, ...]:
    urls = (word(a, "url") for a in attachments if kind_of(a).startswith("image"))
    whole = (url if "://" in url else f"https://{url.removeprefix('//')}" for url in urls if url)
    return tuple(Photo(url) for url in whole if len(url) <= 2000)[:PHOTOS]


def kind_of(attachment: Piece) -> str:
    """image/jpeg, voice, video/mp4, file."""
    return word(attachment, "content_type").lower()


def word(piece: Piece, key: str) -> str:
    """A text field, or nothing."""
    value = piece.get(key)
    return clean(value) if isinstance(value, str) else ""


def _piece(piece: Piece, key: str) -> Piece:
    value = piece.get(key)
    return value if isinstance(value, dict) else {}


def _list(piece: Piece, key: str) -> list[Any]:
    value = piece.get(key)
    return value[:50] if isinstance(value, list) else []


def _pieces(piece: Piece, key: str) -> Iterator[Piece]:
    return (part for part in _list(piece, key) if isinstance(part, dict))


def _openid(piece: Piece, key: str) -> str:
    value = piece.get(key)
    return value if isinstance(value, str) and _OPENID.fullmatch(value) else ""


def _id(piece: Piece, key: str) -> str:
    value = piece.get(key)
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _moment(value: object) -> int | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.datetime.fromisoformat(value)
        return int(found.timestamp()) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _seconds(value: object) -> int | None:
    """Notices count seconds, as a number or as text, where messages write a date."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 13:
        return int(value)
    return _moment(value)
