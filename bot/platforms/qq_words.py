"""What QQ is given to show: no markup of its own, no address that was not registered, never over the limit.

QQ refuses a whole message for one unregistered address (code 304003), so such links are left out and the message says
where they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from digests.characters import LINK, clipped

LEFT_OUT = "（原文链接见群办网页）"
_CALLS = re.compile(r"@(?=\s{0,3}(?:所有人|全体|everyone|here|all\b))", re.IGNORECASE)
_SIGNS = str.maketrans("<>", "＜＞")
_DOMAIN = re.compile(
    r"(?:[a-z0-9-]{1,63}\.){1,6}(?:com|cn|net|org|gov|edu|info|top|vip|xyz|io|cc|tv|me|co|site|shop|club)(?![a-z0-9-])",
    re.IGNORECASE,
)


def fitting(text: str, limit: int, hosts: Sequence[str]) -> str:
    """The text as it may leave."""
    pieces, last, missing = [], 0, False
    for found in LINK.finditer(text):
        pieces.append(_quiet(text[last : found.start()], hosts))
        known = _registered((urlsplit(found[0]).hostname or "") if _readable(found[0]) else "", hosts)
        pieces.append(found[0].translate(_SIGNS) if known else "")
        missing, last = missing or not known, found.end()
    pieces.append(_quiet(text[last:], hosts))
    said = "".join(pieces)
    if missing:
        said = "\n".join(line.rstrip() for line in said.splitlines() if line.strip())
        return clipped(said, limit - len(f"\n{LEFT_OUT}".encode())) + f"\n{LEFT_OUT}"
    return clipped(said, limit)


def _quiet(text: str, hosts: Sequence[str]) -> str:
    said = _CALLS.sub("＠", text.translate(_SIGNS))
    return _DOMAIN.sub(lambda m: m[0] if _registered(m[0], hosts) else m[0].replace(".", "．"), said)


def _readable(address: str) -> bool:
    try:
        urlsplit(address)
    except ValueError:
        return False
    return True


def _registered(host: str, hosts: Sequence[str]) -> bool:
    name = host.lower()
    return any(name == own or name.endswith(f".{own}") for own in hosts)
