"""What was said while nobody listened: history pulled per group after a gap, where the implementation has the action.

get_group_msg_history is an extension (go-cqhttp, NapCat, Lagrange), so a refusal only means that a gap stays a gap. What
is pulled goes the way of everything heard: known ids are dropped, chatter is forgotten (security.md D.2). Recalls and
private messages of the gap cannot be had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog

from bot.platforms.onebot_events import moment, number
from config.errors import SendError

log = structlog.get_logger()

ACTION = "get_group_msg_history"
COUNT = 50  # messages asked for at a time
PAGES = 4
LONGEST_GAP = 86400  # seconds looked back at most: older words are not acted on unseen
SKEW = 5  # seconds our clock and theirs may differ

Call = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
Found = Mapping[str, Any]


async def missed(call: Call, groups: Iterable[str], since: int) -> list[Found]:
    """Messages of these groups (addresses) since then, oldest first; none when there is no such action."""
    heard: list[Found] = []
    for address in groups:
        try:
            heard += await _of_group(call, address.removeprefix("g"), since - SKEW)
        except SendError as error:
            log.warning("onebot_no_history", error=type(error).__name__)
            break
    return sorted(heard, key=lambda found: moment(found) or 0)


async def _of_group(call: Call, group: str, since: int) -> list[Found]:
    kept: dict[str, Found] = {}
    params: dict[str, Any] = {"group_id": int(group), "count": COUNT}
    for _ in range(PAGES):
        page = _messages(await call(ACTION, params))
        fresh = {number(found, "message_id"): found for found in page if (moment(found) or 0) >= since}
        news = [key for key in fresh if key not in kept]
        kept |= {key: {"post_type": "message", "message_type": "group", **fresh[key]} for key in news}
        if not news or len(fresh) < len(page) or len(page) < COUNT:
            break
        oldest = min(page, key=lambda found: moment(found) or 0)
        params = {**params, "message_seq": number(oldest, "message_id"), "reverseOrder": True}
    return list(kept.values())


def _messages(answer: Found) -> list[Found]:
    data = answer.get("data")
    found = data.get("messages") if isinstance(data, dict) else None
    return (
        [one for one in found if isinstance(one, dict) and number(one, "message_id")] if isinstance(found, list) else []
    )
