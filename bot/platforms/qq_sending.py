"""One message of ours as QQ's: a text, or pictures with the words under the first, each part with its own number.

Answers are idempotent: an attempt whose end is unclear is repeated under the same msg_id and msg_seq, and QQ refuses
the second (platforms.md 5.6, security.md D.2). Unasked messages have no such number, so theirs is never repeated.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.platforms.qq_api import MediaGone, PushRefused, QQApi, Stale, Twice
from bot.platforms.qq_replies import REPLIES, Replies
from bot.platforms.qq_words import fitting
from config.errors import Paused, Refused, Retry, Unknown
from handlers.events import Message
from store import Store
from store.outbox import OutboxRow
from store.qq import Slot

log = structlog.get_logger()

TEXT, MARKDOWN, MEDIA = 0, 2, 7
ROWS, COLUMNS = 5, 5  # of a keyboard
UPLOADS = 200  # remembered
PICTURE = 1
LATE = "重发时已过回复时限"


@dataclass(frozen=True, slots=True)
class Look:
    """What the bot has been granted, and the limits it keeps."""

    text_bytes: int
    hosts: tuple[str, ...] = ()
    markdown: bool = False
    keyboard: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the platform: words, or a picture with words under it."""

    text: str
    photo: str = ""
    markdown: bool = False
    buttons: tuple[tuple[str, str], ...] = ()


class Sender:
    """`send` is the platform's send."""

    def __init__(self, api: QQApi, replies: Replies, look: Look, photo: Callable[[str], Path]) -> None:
        self._api = api
        self._replies = replies
        self._look = look
        self._photo = photo
        self._uploads: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    async def send(self, store: Store, row: OutboxRow, message: Message) -> str:
        """Claim a slot, then send each part. Raises Retry, Paused, Awaiting, Refused, Unknown or Parked."""
        home = home_of(row.address)
        parts = parts_of(message, self._look)
        slot, again = await self._replies.claim(store, row, message.quote, len(parts))
        if again and not slot.id:
            raise await self._replies.doubtful(store, row, "主动消息没有回音")
        receipt = ""
        for place, part in enumerate(parts[: slot.parts or None]):
            found = await self._part(store, row, slot, _Try(home, part, place, again))
            if found is None:
                break
            receipt = receipt or found
        return receipt

    async def _part(self, store: Store, row: OutboxRow, slot: Slot, attempt: _Try) -> str | None:
        """The platform's id. None: the words are out, and the rest is not worth a second message."""
        left = attempt.again or attempt.place > 0  # something may have left before
        try:
            return await self._put(slot, attempt)
        except Twice:
            if left:
                return ""
            self._replies.shut(row.address, slot.id)  # another program answers here too
            why: Exception = Retry("编号被占用，换一个再发", 1.0)
        except Stale:
            self._replies.shut(row.address, slot.id)
            if attempt.place:
                return None
            if attempt.again:
                raise await self._replies.doubtful(store, row, LATE) from None
            why = Retry(LATE, 1.0)
        except PushRefused:
            if not slot.id:
                if attempt.place:
                    return None
                raise await self._replies.refused(store, row) from None
            self._replies.shut(row.address, slot.id)
            why = Retry(LATE, 1.0)
        except Unknown as error:
            if slot.id:
                raise
            if attempt.place:
                return None
            raise await self._replies.doubtful(store, row, str(error)) from None
        except Refused as error:
            if attempt.place:
                log.warning("qq_part_refused", seq=row.seq, reason=str(error))
                return None
            why = error
        except Retry as error:
            if attempt.place and not slot.id:
                return None
            why = error
        if not left:
            await self._replies.give_back(store, row, slot)
        raise why

    async def _put(self, slot: Slot, attempt: _Try) -> str:
        body = await self._body(attempt.home, attempt.part)
        if slot.id:
            body |= {slot.field: slot.id, "msg_seq": slot.first + attempt.place}
        try:
            answer = await self._api.call("POST", f"{attempt.home}/messages", body)
        except MediaGone:
            self._uploads.pop((attempt.home, attempt.part.photo), None)
            raise
        return receipt_of(answer)

    async def _body(self, home: str, part: Part) -> dict[str, Any]:
        if part.photo:
            try:
                return {
                    "msg_type": MEDIA,
                    "content": part.text or " ",
                    "media": {"file_info": await self._upload(home, part.photo)},
                }
            except Refused as error:
                log.warning("qq_photo_refused", reason=str(error))
                return {"msg_type": TEXT, "content": f"{part.text}\n（照片没有传上，请在群办网页看）".lstrip()}
            except Paused:
                raise
            except (Retry, Unknown) as error:  # an upload shows nothing to anybody
                raise Retry(str(error), 1.0) from None
        if part.markdown or part.buttons:
            body: dict[str, Any] = {"msg_type": MARKDOWN, "markdown": {"content": part.text}}
            return body | ({"keyboard": keyboard(part.buttons)} if part.buttons else {})
        return {"msg_type": TEXT, "content": part.text}

    async def _upload(self, home: str, sha: str) -> str:
        key = (home, sha)
        known = self._uploads.get(key)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        data = await asyncio.to_thread(lambda: base64.b64encode(self._photo(sha).read_bytes()).decode())
        body = {"file_type": PICTURE, "file_data": data, "srv_send_msg": False}
        answer = await self._api.call("POST", f"{home}/files", body)
        info, ttl = answer.get("file_info"), answer.get("ttl")
        if not isinstance(info, str) or not info:
            raise Refused("QQ 没有收下图片")
        seconds = ttl if isinstance(ttl, int) and ttl > 0 else 86400  # 0 = for ever
        self._uploads[key] = info, time.monotonic() + max(0, seconds - 30)
        if len(self._uploads) > UPLOADS:
            self._uploads.popitem(last=False)
        return info


@dataclass(frozen=True, slots=True)
class _Try:
    home: str
    part: Part
    place: int
    again: bool


def home_of(address: str) -> str:
    """Where an address's messages and files are posted."""
    scope, openid = address[:1], address[1:]
    if not openid or scope not in ("g", "u") or not openid.replace("-", "").replace("_", "").isalnum():
        raise Refused("地址写法不对，应为 g群openid 或 u用户openid；群成员的 m… 不能私聊")
    return f"/v2/{'groups' if scope == 'g' else 'users'}/{openid}"


def parts_of(message: Message, look: Look) -> tuple[Part, ...]:
    """At most as many parts as one window takes, the words first."""
    said = fitting(message.text, look.text_bytes, look.hosts)
    buttons = message.buttons[: ROWS * COLUMNS] if look.keyboard else ()
    rich = look.markdown and message.form == "markdown"
    photos: Sequence[str] = message.photos[:REPLIES]
    if not photos:
        return (Part(said, markdown=rich, buttons=buttons),)
    if rich or buttons:
        return (Part(said, markdown=rich, buttons=buttons), *(Part("", sha) for sha in photos[: REPLIES - 1]))
    return (Part(said, photos[0]), *(Part("", sha) for sha in photos[1:]))


def keyboard(buttons: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Two buttons a row; pressing one sends its words back to us, whose rules decide who may."""
    made = [
        {
            "id": str(number),
            "render_data": {"label": label[:10], "visited_label": label[:10], "style": 1 if number == 1 else 0},
            "action": {"type": 1, "permission": {"type": 2}, "data": said, "unsupport_tips": f"请回复：{said}"},
        }
        for number, (label, said) in enumerate(buttons[: ROWS * 2], 1)
    ]
    return {"content": {"rows": [{"buttons": made[at : at + 2]} for at in range(0, len(made), 2)]}}


def receipt_of(answer: Mapping[str, Any]) -> str:
    """By what a later quotation will name the message, else its id; empty while it is being audited."""
    more = answer.get("ext_info")
    index = more.get("ref_idx") if isinstance(more, dict) else None
    for found in (index, answer.get("id")):
        if isinstance(found, str) and found:
            return found
    return ""
