"""A message as the pieces WeCom takes, each within its limit, none cut inside a character or a link (platforms.md 1.7, 2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digests.characters import clipped, split
from handlers.events import Message

TEXT_BYTES = 2048
TITLE_BYTES, ABOUT_BYTES = 128, 512  # of a news article
ARTICLES = 8
CARD_TITLE, CARD_TEXT, CARD_BUTTONS, BUTTON_TEXT, BUTTON_KEY = 26, 112, 6, 10, 1024  # platforms.md 1.10
PICTURE_BYTES = 2 << 20

Part = tuple[str, Mapping[str, Any]]  # msgtype and what stands under that name
_TAG = re.compile(r"<(?=[a-zA-Z/@])")


def parts(message: Message, markdown_bytes: int) -> list[Part]:
    """The words of a message; pictures are not among them."""
    articles = [article for article in message.articles if article[0] and article[2]]
    if message.form == "news" and articles:
        rows = (articles[i : i + ARTICLES] for i in range(0, len(articles), ARTICLES))
        return [("news", {"articles": [_article(*article) for article in row]}) for row in rows]
    if message.form == "markdown":
        return [("markdown", {"content": piece}) for piece in _pieces(message.text, markdown_bytes)]
    return [("text", {"content": piece}) for piece in _pieces(plain(message.text), TEXT_BYTES)]


def _pieces(text: str, limit: int) -> tuple[str, ...]:
    return (text,) if text and len(text) * 4 <= limit else split(text, limit)


def plain(text: str) -> str:
    """Text messages show `<a href>` as a link; nobody's words may become one."""
    return _TAG.sub("＜", text)


def card(message: Message, task_id: str) -> Mapping[str, Any] | None:
    """The message as a card with buttons, when all of it fits on one; its text says the commands too."""
    title, _, rest = message.text.partition("\n")
    if len(title) > CARD_TITLE:
        title, _, more = title.partition(" ")  # 【新工单】#1125-001, then what it is about
        rest = f"{more}\n{rest}".strip("\n")
    fits = title and len(title) <= CARD_TITLE and len(rest) <= CARD_TEXT and len(message.buttons) <= CARD_BUTTONS
    odd = any(len(label) > BUTTON_TEXT or len(said.encode()) > BUTTON_KEY for label, said in message.buttons)
    if not message.buttons or not fits or odd:
        return None
    found: dict[str, Any] = {"card_type": "button_interaction", "task_id": task_id, "main_title": {"title": title}}
    if rest:
        found["sub_title_text"] = rest
    styles = (1, *[2] * CARD_BUTTONS)
    found["button_list"] = [
        {"text": label, "style": style, "key": said}
        for (label, said), style in zip(message.buttons, styles, strict=False)
    ]
    return found


def picture(path: Path, limit: int = PICTURE_BYTES) -> bytes:
    """A picture's bytes, made smaller when it has too many."""
    data = path.read_bytes()
    if len(data) <= limit and data[:3] in (b"\xff\xd8\xff", b"\x89PN"):
        return data
    from io import BytesIO

    from PIL import Image

    with Image.open(BytesIO(data)) as opened:
        image = opened.convert("RGB")
    while True:
        out = BytesIO()
        image.save(out, "JPEG", quality=85)
        if out.tell() <= limit:
            return out.getvalue()
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))


def _article(title: str, about: str, url: str) -> Mapping[str, str]:
    return {"title": clipped(title, TITLE_BYTES), "description": clipped(about, ABOUT_BYTES), "url": url}
