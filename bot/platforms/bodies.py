"""How much of a callback's body is read: no more than its channel takes, and nothing that must be unpacked first."""

from __future__ import annotations

from aiohttp import web


def packed(request: web.Request) -> bool:
    """Whether the body is compressed: no platform sends such, and what it unpacks to has no bound."""
    return request.headers.get("Content-Encoding", "identity") != "identity"


async def read_within(request: web.Request, most: int) -> bytes | None:
    """The body, or None when it is longer than `most` bytes; what is too long is not read to its end."""
    if (request.content_length or 0) > most:
        return None
    if request.content.is_eof():  # a small body came with its head
        body = request.content.read_nowait()
        return body if len(body) <= most else None
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)
