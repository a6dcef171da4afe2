"""An edition as a long picture: named by its content here, drawn when its message leaves (bot.comparisons)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from handlers.events import Message
from handlers.office import Channel
from store import Tx, photos
from store.photos import Drawing

if TYPE_CHECKING:
    from digests.rendering import Sheet

FALLBACK_BYTES = 2048  # what stands in for a picture is one message: the smallest limit there is


def messages(shown: Sheet, channel: Channel) -> list[Message]:
    """The picture alone, then titles and links as text."""
    from digests import rendering

    words = rendering.as_text(rendering.bare(shown), channel.text_bytes)
    return [Message("", photos=(name(shown),)), *map(Message, words)]


def name(shown: Sheet) -> str:
    """What the picture is called: a hash of everything on it."""
    from digests.rendering import sheet_json

    return hashlib.sha256(f"sheet\n{sheet_json(shown)}".encode()).hexdigest()


def keep(tx: Tx, group: str, day: str, shown: Sheet) -> None:
    """Write down what the picture is drawn from, and that the group may see it."""
    from digests import rendering

    whole = rendering.as_text(shown, FALLBACK_BYTES)
    instead = whole[0] if len(whole) == 1 else shown.title
    photos.name_drawing(tx, name(shown), Drawing(day, rendering.sheet_json(shown), instead))
    photos.show_in(tx, name(shown), group)
