"""What a WeCom app is told, as events: words, pictures, places, voice, and a pressed button (platforms.md 1.6, 1.10).

Everything is 1:1 with the app. A pressed button is what its words would be; the menu's keys are words too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.platforms.registry import clean
from handlers.events import Event, Photo

LONGEST = 16000
IDS = 128


@dataclass(frozen=True, slots=True)
class Letter:
    """An event, and for a pressed button what its card may be changed with, once."""

    event: Event
    response_code: str = ""


def letter(channel: str, fields: Mapping[str, Any]) -> Letter | None:
    """One decrypted message; None for what is not followed (entering, leaving, videos, files)."""
    sender, kind = _word(fields, "FromUserName"), _word(fields, "MsgType").lower()
    if not sender:
        return None
    reads = _EVENTS.get(_word(fields, "Event").lower()) if kind == "event" else _KINDS.get(kind)
    said = reads(fields) if reads else None
    if said is None or not (said.text or said.photos or said.voice):
        return None
    moment = _word(fields, "CreateTime")
    event = Event(
        channel,
        _id(fields),
        address=sender,
        sender=sender,
        text=said.text[:LONGEST],
        photos=said.photos,
        voice=said.voice,
        sent_at=int(moment) if moment.isascii() and moment.isdigit() and len(moment) < 12 else None,
    )
    return Letter(event, _word(fields, "ResponseCode") if kind == "event" else "")


@dataclass(frozen=True, slots=True)
class _Said:
    text: str = ""
    photos: tuple[Photo, ...] = ()
    voice: bool = False


def _text(fields: Mapping[str, Any]) -> _Said:
    return _Said(_word(fields, "Content"))


def _image(fields: Mapping[str, Any]) -> _Said:
    media = _word(fields, "MediaId")
    return _Said(photos=(Photo(media),) if media else ())


def _voice(fields: Mapping[str, Any]) -> _Said:
    return _Said(_word(fields, "Recognition"), voice=True)


def _location(fields: Mapping[str, Any]) -> _Said:
    """The place's name if the map has one: it is what people would have written."""
    point = f"{_word(fields, 'Location_X')},{_word(fields, 'Location_Y')}"
    return _Said(f"位置：{_word(fields, 'Label') or point}")


def _link(fields: Mapping[str, Any]) -> _Said:
    return _Said(f"{_word(fields, 'Title')} {_word(fields, 'Url')}".strip())


def _key(fields: Mapping[str, Any]) -> _Said:
    return _Said(_word(fields, "EventKey"))


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], _Said]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "location": _location,
    "link": _link,
}
_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], _Said]] = {"click": _key, "template_card_event": _key}


def _id(fields: Mapping[str, Any]) -> str:
    """MsgId where there is one, else who, when and what (platforms.md 1.5)."""
    given = _word(fields, "MsgId")
    if given.isascii() and given.isdigit() and given.strip("0") and len(given) <= IDS:
        return given
    names = ("FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "TaskId", "Content", "MediaId")
    key = "\0".join(_word(fields, name) for name in names)
    return f"event/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _word(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return clean(value) if isinstance(value, str) else ""
