"""OneBot v11 messages: reading both written forms, and writing ours so that nobody's words become a code.

A message is a list of segments or a string with CQ codes (platforms.md 6). What people wrote leaves only inside text
segments, which no implementation reads as codes, or escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.platforms.registry import clean

PARTS = 200  # segments read of one message
_CODE = re.compile(r"\[CQ:([A-Za-z0-9_.-]{1,32})((?:,[^\[\],]*)*)\]")

Segment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message says, whatever form it came in."""

    text: str = ""
    images: tuple[str, ...] = ()
    quote: str = ""
    addressed: bool = False
    voice: bool = False


def heard(message: object, self_id: str) -> Heard:
    """Read a segment list or a CQ string; unknown segments are skipped."""
    words: list[str] = []
    images: list[str] = []
    quote, addressed, voice = "", False, False
    for kind, data in pieces(message):
        if kind == "text":
            words.append(_word(data.get("text")))
        elif kind == "image":
            images += _urls(data)
        elif kind == "reply":
            quote = _word(data.get("id"))
        elif kind == "at" and _word(data.get("qq")) == self_id:
            addressed = True
        elif kind == "at":
            words.append(f"@{_word(data.get('name')) or _word(data.get('qq'))} ")
        voice = voice or kind == "record"
    return Heard("".join(words).strip(), tuple(images), quote, addressed, voice)


def text(words: str) -> Segment:
    """Words, whoever wrote them."""
    return {"type": "text", "data": {"text": words}}


def reply(message_id: str) -> Segment:
    """A quotation."""
    return {"type": "reply", "data": {"id": message_id}}


def at(user: str) -> Segment:
    """A mention of exactly one person; digits only, so never everybody."""
    if not user.isascii() or not user.isdigit():
        raise ValueError("a mention needs a user number")
    return {"type": "at", "data": {"qq": user}}


def image(base64: str) -> Segment:
    """A picture sent along."""
    return {"type": "image", "data": {"file": f"base64://{base64}"}}


def as_string(segments: Iterable[Segment]) -> str:
    """The same message as a CQ string, for implementations that take no lists."""
    return "".join(
        escape(segment["data"]["text"]) if segment["type"] == "text" else _code(segment) for segment in segments
    )


def escape(words: str, inside: bool = False) -> str:
    """Words that cannot open or close a code; `inside` a code's parameter, that cannot end it either."""
    plain = words.replace("&", "&amp;").replace("[", "&#91;").replace("]", "&#93;")
    return plain.replace(",", "&#44;") if inside else plain


def unescape(words: str) -> str:
    """Undo `escape`; the ampersand last, or escaped codes would come alive."""
    return words.replace("&#44;", ",").replace("&#91;", "[").replace("&#93;", "]").replace("&amp;", "&")


def _code(segment: Segment) -> str:
    inner = "".join(f",{key}={escape(str(value), inside=True)}" for key, value in segment["data"].items())
    return f"[CQ:{segment['type']}{inner}]"


def pieces(message: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Its segments, kind and data; what is none is skipped."""
    if isinstance(message, str):
        yield from _of_string(message)
    elif isinstance(message, Sequence):
        for part in message[:PARTS]:
            if isinstance(part, dict) and isinstance(part.get("data"), dict):
                yield str(part.get("type")), part["data"]


def _of_string(message: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    last = 0
    for found in _CODE.finditer(message):
        yield "text", {"text": unescape(message[last : found.start()])}
        pairs = (pair.partition("=") for pair in found[2].split(",") if pair)
        yield found[1], {key: unescape(value) for key, _, value in pairs}
        last = found.end()
    yield "text", {"text": unescape(message[last:])}


def _urls(data: Mapping[str, Any]) -> list[str]:
    for key in ("url", "file"):
        value = data.get(key)
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return [clean(value)]
    return []


def _word(value: object) -> str:
    return clean(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""
