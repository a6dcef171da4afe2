"""Pictures of a WeCom AI bot: AES-256-CBC on the way in, three steps on the way out (platforms.md 2.2, 2.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.fetcher import MEDIA_BYTES, Fetcher
from bot.platforms.wecom_aibot_events import address_and_key
from config.errors import Refused
from handlers.events import Photo

CHUNK_BYTES = 512 << 10  # raw, before base64
PAD = 32
BROKEN = "照片解不开"

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


async def fetched(fetcher: Fetcher, photo: Photo, own_key: str = "") -> bytes:
    """Download a picture and open it with its own key, or with the bot's. Raises Retry or Refused."""
    url, key = address_and_key(photo)
    return opened(await fetcher.get(url, MEDIA_BYTES + PAD), key or own_key)


def opened(data: bytes, key: str) -> bytes:
    """What the platform encrypted. The key is base64, its padding may be missing."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    try:
        raw = base64.b64decode(key.rstrip("=") + "=" * (-len(key.rstrip("=")) % 4), validate=True)
        decryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
    except (binascii.Error, ValueError):
        raise Refused(BROKEN) from None
    pad = plain[-1] if plain else 0
    if len(raw) != 32 or not 1 <= pad <= PAD or plain[-pad:] != bytes([pad]) * pad:
        raise Refused(BROKEN)
    return plain[:-pad]


async def uploaded(ask: Ask, name: str, data: bytes) -> str:
    """Hand over a picture in three steps; its media_id. `ask` raises what the platform's refusal means."""
    parts = [data[i : i + CHUNK_BYTES] for i in range(0, len(data), CHUNK_BYTES)]
    begun = await ask(
        "aibot_upload_media_init",
        {
            "type": "image",
            "filename": name,
            "total_size": len(data),
            "total_chunks": len(parts),
            "md5": hashlib.md5(data).hexdigest(),  # noqa: S324 - the platform's own choice
        },
    )
    upload = _said(begun, "upload_id")
    for i, part in enumerate(parts):
        chunk = {"upload_id": upload, "chunk_index": i, "base64_data": base64.b64encode(part).decode()}
        await ask("aibot_upload_media_chunk", chunk)
    return _said(await ask("aibot_upload_media_finish", {"upload_id": upload}), "media_id")


def _said(answer: Mapping[str, Any], key: str) -> str:
    body = answer.get("body")
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, str) or not found:
        raise Refused(f"企业微信没有给 {key}")
    return found
