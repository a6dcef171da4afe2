"""What a WeCom AI bot is told, as our events. Both of its modes send the same bodies (platforms.md 2.2, 2.3).

A group delivers only what calls the bot: text, text with pictures, or such a message quoting another one. A quote
comes as its content, without an id: a picture in it belongs to the report, and a task number in it says which task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from bot.platforms.registry import clean
from handlers.events import Event, Photo

TEXT_LENGTH = 16_000
ID_LENGTH = 128
PHOTOS = 9
_CALL = re.compile(r"\s*@\S{1,64}[\s\u2005]*")
_NUMBER = re.compile(r"#?(\d{4}-\d{3,})")
_KEY = "#aes="


@dataclass(frozen=True, slots=True)
class Heard:
    """The pieces of one message body."""

    text: str = ""
    photos: tuple[Photo, ...] = ()
    voice: bool = False


def read_message(channel: str, body: Mapping[str, Any], bot_name: str = "") -> Event | None:
    """A message callback as an event without its group; None for what we do not follow (files, videos)."""
    message_id, sender, chat = _word(body, "msgid"), _sender(body), _word(body, "chatid")
    grouped = body.get("chattype") == "group" and bool(chat)
    said = heard(body)
    if not message_id or not sender or said == Heard():
        return None
    cited = heard(body["quote"]) if isinstance(body.get("quote"), dict) else Heard()
    text = _without_call(said.text, bot_name) if grouped else said.text.strip()
    return Event(
        channel,
        message_id,
        address=chat if grouped else sender,
        sender=sender,
        text=_with_quote(text, cited.text),
        photos=tuple(dict.fromkeys((*said.photos, *cited.photos)))[:PHOTOS],
        addressed=grouped,
        voice=said.voice,
    )


def read_click(channel: str, body: Mapping[str, Any]) -> Event | None:
    """A pressed card button as the words it stands for; a click comes once, so words always do the same."""
    event_id, sender, chat = _word(body, "msgid"), _sender(body), _word(body, "chatid")
    said = clean(_word(detail(body, "template_card_event"), "event_key", 1024))
    if not event_id or not sender or not said:
        return None
    grouped = body.get("chattype") == "group" and bool(chat)
    return Event(
        channel, f"click/{event_id}", address=chat if grouped else sender, sender=sender, text=said, addressed=grouped
    )


def event_type(body: Mapping[str, Any]) -> str:
    """Which event an event callback tells of."""
    event = body.get("event")
    return _word(event, "eventtype") if isinstance(event, dict) else ""


def detail(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An event's own fields: nested under its name, or beside it as the SDK has them (platforms.md 2.2)."""
    event = body.get("event")
    if not isinstance(event, dict):
        return {}
    inner = event.get(name)
    return inner if isinstance(inner, dict) else event


def heard(body: Mapping[str, Any]) -> Heard:
    """The words and pictures of a body or of what it quotes."""
    kind = body.get("msgtype")
    part = body.get(kind) if isinstance(kind, str) else None
    if not isinstance(part, dict):
        return Heard()
    if kind in ("text", "voice"):
        return Heard(clean(_word(part, "content", TEXT_LENGTH)), voice=kind == "voice")
    if kind == "image":
        return Heard(photos=_photo(part))
    items = part.get("msg_item") if kind == "mixed" else None
    found = [heard(item) for item in items[:50] if isinstance(item, dict)] if isinstance(items, list) else []
    words = "\n".join(item.text.strip() for item in found if item.text.strip())
    return Heard(words[:TEXT_LENGTH], tuple(photo for item in found for photo in item.photos))


def address_and_key(photo: Photo) -> tuple[str, str]:
    """Where a photo is fetched and what opens it ("" = the bot's own key)."""
    url, _, key = photo.ref.partition(_KEY)
    return url, unquote(key)


def _photo(part: Mapping[str, Any]) -> tuple[Photo, ...]:
    url, key = _word(part, "url", 2000), _word(part, "aeskey")
    if not url.startswith(("http://", "https://")) or _KEY in url:
        return ()
    return (Photo(clean(url) + (_KEY + quote(key, safe="") if key else "")),)


def _without_call(text: str, bot_name: str) -> str:
    """The text keeps its literal "@Name": take it away wherever it stands, or at the front when we do not know it."""
    if bot_name and f"@{bot_name}" in text:
        return text.replace(f"@{bot_name}", " ").strip()
    return _CALL.sub("", text, count=1).strip() if text.lstrip().startswith("@") else text.strip()


def _with_quote(text: str, cited: str) -> str:
    """A quoted notice names its task; quoted words stand for a message that says nothing itself."""
    number = _NUMBER.search(cited)
    if number is not None:
        return text if _NUMBER.search(text) else f"{text} #{number[1]}".strip()
    return text or cited.strip()


def _sender(body: Mapping[str, Any]) -> str:
    found = body.get("from")
    return _word(found, "userid") if isinstance(found, dict) else ""


def _word(body: Mapping[str, Any], key: str, limit: int = ID_LENGTH) -> str:
    value = body.get(key)
    return clean(value)[:limit] if isinstance(value, str) else ""
