"""What WeCom's and the official account's interfaces share: how an answer is read and judged, and how a file goes up."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from bot.fetcher import Answer, retry_after
from config.errors import Paused, Retry, SendError, Unknown


def judged(answer: Answer, who: str, problem: Callable[[int], SendError], *, sending: bool) -> dict[str, Any]:
    """The answer's fields. `problem` makes an error of one of Tencent's codes; `sending`: an unreadable answer leaves it open."""
    if answer.status == 429:
        raise Paused(f"{who}限制发送频率", retry_after(answer.headers) or 60.0)
    found = parsed(answer)
    if found is None or answer.status >= 500:
        raise (Unknown if sending else Retry)(f"{who}的回答读不懂（{answer.status}）")
    code = found.get("errcode", 0)
    if code == 0 and answer.status == 200:
        return found
    raise problem(code if isinstance(code, int) else answer.status)


def token_in(found: dict[str, Any], who: str) -> tuple[str, float]:
    """A fetched token and the seconds it holds."""
    word, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(word, str) or not word or not isinstance(seconds, int):
        raise Retry(f"{who}没有给令牌", 5.0)
    return word, float(seconds)


def parsed(answer: Answer) -> dict[str, Any] | None:
    """The JSON object a body holds; None when it is none."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_json(answer: Answer) -> bool:
    """media/get says its errors in JSON with status 200; a file has a name instead (platforms.md 1.8)."""
    kind = answer.headers.get("Content-Type", "")
    return "json" in kind or ("text/" in kind and "Content-Disposition" not in answer.headers)


def code_of(answer: Answer) -> int:
    """Tencent's own code in a short answer; 0 for none."""
    if len(answer.body) > 4096 or not answer.body.lstrip().startswith(b"{"):
        return 0
    code = (parsed(answer) or {}).get("errcode")
    return code if isinstance(code, int) else 0


def multipart(name: str, data: bytes) -> tuple[bytes, str]:
    """One field, "media", as platforms.md 1.8 has it."""
    edge, kind = secrets.token_hex(16), "image/png" if data.startswith(b"\x89PNG") else "application/octet-stream"
    kind = "image/jpeg" if data.startswith(b"\xff\xd8") else kind
    plain = name.replace('"', "_").replace("\r", "_").replace("\n", "_")
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="media"; filename="{plain}"; filelength={len(data)}\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"
