"""What a WeCom AI bot sends: a message as the frames it becomes, and what the platform's answers mean (platforms.md 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.platforms import wecom_aibot_cards as cards
from bot.platforms.registry import Setup
from bot.platforms.wecom_text import call, inert, pieces
from config.errors import Paused, Refused, Retry
from handlers.events import Message
from handlers.office import Channel, Office
from store.outbox import OutboxRow

MARKDOWN_BYTES = 4096  # a stream takes 20480; of pushes it is not known
LATE = frozenset({846605, 846608})  # the exchange is over: push instead
RATE = frozenset({45009, 45033, 846607})
AGAIN = frozenset({-1, 6000})
WRONG = frozenset(
    {40007, 40008, 40035, 40058, 44004, 45002}
)  # the message itself; what else a push meets may be silence
KNOWN = RATE | AGAIN | WRONG | {0}
PAUSE_SECONDS = 60.0
WELCOME = (
    "您好，我是群办，收问题上报，也答税费问题。\n"
    "这里可以直接发照片加一句话；在群里请把照片和文字发在同一条@消息里，或引用照片再@我。\n"
    "第一次用请先回复“报到 报到码”。还可以说：帮助"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One frame to send: words, a card, both (a reply only), or a picture."""

    text: str = ""
    card: cards.Card | None = None
    photo: str = ""
    reply: str = ""  # the exchange it answers


def planned(channel: Channel, row: OutboxRow, message: Message, text: str, exchange: str) -> list[Step]:
    """The frames of a message: a card alone when it can carry it, words and card in one reply, else one after the other."""
    whole = channel.buttons and cards.fits(message)
    card = cards.card_of(row, message, whole) if channel.buttons else None
    said = pieces(text, channel.markdown_bytes)
    if card is not None and whole:
        steps = [Step(card=card, reply=exchange)]
    elif card is not None and exchange and len(said) == 1:
        steps = [Step(said[0], card, reply=exchange)]
    else:
        steps = [Step(part, reply=exchange if i == 0 else "") for i, part in enumerate(said)]
        steps += [Step(card=card)] if card is not None else []
    return steps + [Step(photo=sha) for sha in message.photos]


def channel_of(setup: Setup) -> Channel:
    """What a WeCom AI bot can do, in either mode."""
    limit = setup.number("markdown_bytes")
    return Channel(
        setup.name,
        can_private=True,
        delivery="at-least-once",
        label="企业微信智能机器人",
        text_bytes=limit,
        forms=("markdown", "picture", "text"),
        markdown_bytes=limit,
        hears="mention",
        buttons=bool(setup.options["cards"]),
    )


def shown(office: Office, channel: str, row: OutboxRow, message: Message) -> str:
    """A message's words as markdown; those called come first, in groups only."""
    users = [user for person in message.mention if (user := _user(office, channel, person))] if not row.person else []
    calls = "".join(f"{call(user)} " for user in users if user != row.address)
    return calls + (message.text if message.form == "markdown" else inert(message.text))


def _user(office: Office, channel: str, person: str) -> str:
    found, mark = office.people.get(person), f"{channel}:"
    return next((a.removeprefix(mark) for a in found.accounts if a.startswith(mark)), "") if found else ""


def reply(row: OutboxRow, step: Step) -> dict[str, Any]:
    """A finished stream whose id stays the same in every attempt, so that a repetition replaces."""
    if not step.text:
        return {"msgtype": "template_card", "template_card": step.card}
    stream = {"id": f"qb-{row.seq}", "finish": True, "content": step.text}
    if step.card is None:
        return {"msgtype": "stream", "stream": stream}
    return {"msgtype": "stream_with_template_card", "stream": stream, "template_card": step.card}


def judge(answer: Mapping[str, Any]) -> None:
    """What the platform answered, as what it means."""
    code = answer.get("errcode", 0)
    if code == 0:
        return
    if code in RATE:
        raise Paused(f"企业微信限频（{code}）", PAUSE_SECONDS)
    if code in AGAIN:
        raise Retry(f"企业微信忙（{code}）", 1.0)
    raise Refused(f"企业微信不收（{code}）")
