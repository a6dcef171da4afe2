"""Cards with buttons for a WeCom AI bot (platforms.md 1.10). A button's key is the text that clicking stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.events import Message
from store.outbox import OutboxRow

TITLE, ABOUT, LABEL, KEY_BYTES, BUTTONS = 26, 112, 10, 1024, 6
DONE = "✓"
Card = dict[str, Any]


def card_of(row: OutboxRow, message: Message, whole: bool) -> Card | None:
    """The message as a card; only its heading when the text goes out beside it; None when it has no usable buttons."""
    buttons = [(label, said) for label, said in message.buttons if said and len(said.encode()) <= KEY_BYTES][:BUTTONS]
    if not buttons:
        return None
    title, about = _parted(message.text)
    card: Card = {
        "card_type": "button_interaction",
        "task_id": f"qb-{row.seq}-{row.attempts}",
        "main_title": {"title": title[:TITLE]},
        "button_list": [{"text": label[:LABEL], "style": 1 if i == 0 else 2, "key": said} for i, (label, said) in enumerate(buttons)],
    }  # fmt: skip
    if whole and about:
        card["sub_title_text"] = about
    return card


def fits(message: Message) -> bool:
    """Whether a card alone can carry it: short, and nobody is called (a card calls nobody)."""
    title, about = _parted(message.text)
    return not message.mention and not message.form and len(title) <= TITLE and len(about) <= ABOUT


def pressed(card: Mapping[str, Any], key: str) -> Card:
    """The same card with the pressed button marked; the others stay, since the state is the task's, not the card's."""
    buttons = [
        {**b, "text": f"{DONE}{b['text'].removeprefix(DONE)}"[:LABEL] if b["key"] == key else b["text"]}
        for b in card["button_list"]
    ]
    return {**card, "button_list": buttons}


def _parted(text: str) -> tuple[str, str]:
    title, _, about = text.strip().partition("\n")
    return title, about.strip()
