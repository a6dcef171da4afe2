"""Bodies of AI-bot callbacks as WeCom writes them, and the encrypted pictures they point to (platforms.md 2.2)."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.simulators.frame import Said, SentLine

LIVES = 300.0  # seconds a picture's address is good
PAD = 32

Body = dict[str, Any]


class Pictures:
    """What was posted, each under its own key; `key` set means the bot's own key for all (webhook mode)."""

    def __init__(self, key: str = "") -> None:
        self.base = ""
        self.key = key
        self._held: dict[str, tuple[bytes, float]] = {}

    def part(self, picture: bytes) -> Body:
        """The picture as an `image` part."""
        key = self.key or base64.b64encode(secrets.token_bytes(32)).decode()
        name = secrets.token_hex(8)
        self._held[name] = (sealed(picture, key), time.monotonic())
        found = {"url": f"{self.base}/media/{name}"}
        return {"msgtype": "image", "image": found if self.key else {**found, "aeskey": key}}

    def served(self, name: str) -> web.Response:
        """The encrypted bytes, while they live."""
        data, at = self._held.get(name, (b"", -LIVES))
        if time.monotonic() - at > LIVES or not data:
            return web.Response(status=404)
        headers = {"Content-Disposition": "attachment; filename*=UTF-8''photo.jpg"}
        return web.Response(body=data, content_type="application/octet-stream", headers=headers)


def sealed(data: bytes, key: str) -> bytes:
    """AES-256-CBC, PKCS#7 to 32, the key's head as the first block."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    raw = base64.b64decode(key + "=" * (-len(key) % 4))
    pad = PAD - len(data) % PAD
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()


def spoken(said: Said, pictures: Pictures) -> Body:
    """What a person said: text, a picture alone (private only), or both as `mixed`."""
    text = {"msgtype": "text", "text": {"content": said.text}}
    if not said.photos:
        return text
    if len(said.photos) == 1 and not said.text:
        return pictures.part(said.photos[0])
    items = [text] if said.text else []
    return {"msgtype": "mixed", "mixed": {"msg_item": [*items, *(pictures.part(p) for p in said.photos)]}}


def quoted(line: Said | SentLine, pictures: Pictures) -> Body:
    """A quote is its content; it has no id."""
    said = line if isinstance(line, Said) else Said(line.id, line.room, line.user, line.text, line.photos)
    return spoken(said, pictures)


def shown_card(line: SentLine, card: Mapping[str, Any]) -> SentLine:
    """A card as people see it: heading, words, buttons."""
    title = card.get("main_title", {})
    words = [title.get("title", ""), title.get("desc", ""), card.get("sub_title_text", "")]
    text = "\n".join(word for word in words if word)
    buttons = tuple((str(b["text"]), str(b["key"])) for b in card.get("button_list", ()))
    return replace(line, text=line.text or text, buttons=buttons)
