"""`bot digest preview|publish`: an edition as each form shows it, and a signed one sent without waiting for its minute.

Publishing here passes nobody by: only what its named people signed is put in line, and the program sends it when it runs.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from bot.arrivals import day_of
from bot.clock import BusinessClock
from config.errors import ConfigError
from config.settings import load_settings
from handlers.editions import sending, timing, wording
from handlers.events import Message
from handlers.office import Channel
from store import Store, Tx, editions, timers
from store.editions import Edition
from store.peeking import reading

FORMS = ("text", "markdown", "news")
STATES = {
    "draft": "草稿，待编辑送审", "edited": "已送审", "reviewed": "已审核，待签发", "approved": "已签发", "none": "已定为不发",
    "sent": "已发出", "recalled": "已发出，后撤回",
}  # fmt: skip


def preview(data: Path, day: str | None, form: str) -> dict[str, Any]:
    """A day's edition as one form shows it (the newest without a day). Raises ConfigError when there is none."""
    with reading(data) as connection:
        found = _edition(connection, day)
        lines = editions.items(connection, found.day)
        shown = sending.headed(load_settings(data).county_name, found.day, lines)
        channel = Channel("preview", can_private=False, delivery="idempotent")
        return {
            "day": found.day,
            "state": STATES[found.state],
            "hash": found.hash,
            "alarms": [f"第{one.pos}条 {one.why}" for one in wording.standing(connection, found.day)],
            "messages": [_told(message) for message in sending.messages(channel, shown, form)] if lines else [],
        }


async def publish(data: Path, day: str | None) -> dict[str, Any]:
    """Put a signed edition in line. Raises ConfigError with what is missing, or while the program runs."""
    store = Store.open(data, BusinessClock(data / "clock"))
    try:
        until = load_settings(data).digest_until
        found = await store.read(lambda connection: _edition(connection, day))
        if missing := await store.read(lambda connection: _missing(connection, found, store.now(), until)):
            raise ConfigError(missing)
        await store.write(lambda tx: _in_line(tx, found.day))
        return {"day": found.day, "queued": True}
    finally:
        store.close()


def _in_line(tx: Tx, day: str) -> None:
    timers.put(tx, f"edition/{day}/now", "edition_send", tx.at, timing.LANE)


def _missing(connection: sqlite3.Connection, found: Edition, now: int, until: int) -> str:
    if found.state != "approved" or not sending.complete(connection, found):
        return f"{found.day} 的摘要{STATES[found.state]}，没有签发，不能发送。请按审签步骤办理。"
    if day_of(now) != found.day or now >= timing.moment(found.day, until):
        return f"今天已过{timing.clock(until)}或不是 {found.day}，不再发送；内容可转入下一期。"
    return "还有内容要核对，不能发送。" if wording.standing(connection, found.day) else ""


def _edition(connection: sqlite3.Connection, day: str | None) -> Edition:
    found = editions.get(connection, day) if day else next(iter(editions.listing(connection, 1)), None)
    if found is None:
        raise ConfigError(f"{day or day_of(int(time.time()))} 还没有摘要草稿。候选可用 bot digest run 看。")
    return found


def _told(message: Message) -> dict[str, Any]:
    return {"form": message.form or "text", "text": message.text, "articles": [list(card) for card in message.articles]}
