"""送达: what left, what is unclear, what is parked and why; one click sends or tries again. No message's words are shown here."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from aiohttp import web

from bot import ocr
from bot.console.session import ENGINE, guarded, record, render
from config.errors import Rejected
from handlers.office import Channel, Office
from store import inbox, outbox
from store.inbox import InboxRow
from store.outbox import OutboxRow

ROLES = ("admin", "dispatcher")
STATES = {
    "unknown": "结果不明",
    "dead": "没有送达",
    "due": "待发送",
    "sending": "发送中",
    "expired": "已过时",
    "held": "待放行",
    "sent": "已送达",
}
KINDS = {
    "received": "受理通知", "dispatched": "派单通知", "ask_choice": "请指挥员选择", "ask_place": "请补地点", "ask_which": "请说明单号",
    "accepted": "签收通知", "arrived": "到场通知", "feedback": "反馈通知", "verify_request": "请核查", "closed": "办结通知", "rework": "返工通知",
    "returned": "退单通知", "ruling": "裁定通知", "extended": "延期通知", "suspended": "挂账通知", "reminder": "提醒", "escalation": "督办",
    "merged": "并案通知", "withdrawn": "撤回通知", "refused": "说明", "help": "答复", "privacy": "隐私告知",
    "edition": "每日摘要", "edition_step": "摘要审签", "correction": "摘要更正",
}  # fmt: skip
AGAIN = frozenset({"unknown", "dead", "expired"})
# design 1.2: what each class honestly promises
PROMISES = {
    "idempotent": "不丢、不重:重复发送只出现一次，不清楚时自动再发",
    "at-least-once": "不丢:不清楚时自动再发，极少数情况下会重复一条",
    "at-most-once": "不重:不清楚时停放为“结果不明”，由人决定补发",
}
RECENT = 10_000  # messages the table of channels counts


@dataclass(frozen=True, slots=True)
class Promise:
    """One channel: what it promises and how its newest messages stand."""

    channel: Channel
    words: str
    sent: int
    unknown: int
    waiting: int


def add_routes(app: web.Application) -> None:
    """For administrators and dispatchers."""
    app.router.add_get("/delivery", guarded(page, *ROLES))
    app.router.add_post("/delivery/{seq:[0-9]{1,15}}/resend", guarded(resend, *ROLES))
    app.router.add_post("/delivery/parked/{seq:[0-9]{1,15}}/retry", guarded(retry, *ROLES))


async def page(request: web.Request) -> web.StreamResponse:
    """By state; without one, everything that needs a look."""
    engine, state = request.app[ENGINE], request.query.get("state", "")
    chosen = state if state in STATES else ""
    rows, parked, counts, promises = await engine.store.read(
        lambda c: (_rows(c, chosen), inbox.parked(c), outbox.counts(c), _promises(c, engine.office))
    )
    return render(
        request,
        "delivery.html",
        rows=rows,
        parked=parked,
        counts=counts,
        promises=promises,
        chosen=chosen,
        states=STATES,
        kinds=KINDS,
        again=AGAIN,
        screening=ocr.SCREENED if ocr.available() else ocr.NOT_SCREENED,
        office=engine.office,
        whom=lambda row: whom(engine.office, row),
        reason=parked_reason,
    )


def _rows(connection: sqlite3.Connection, state: str) -> list[OutboxRow]:
    if state:
        return outbox.listing(connection, state)
    return [row for wanted in ("unknown", "dead", "due") for row in outbox.listing(connection, wanted, 100)]


def _promises(connection: sqlite3.Connection, office: Office) -> list[Promise]:
    counted = connection.execute(
        "select channel, state, count(*) from outbox where seq > (select coalesce(max(seq), 0) from outbox) - ?"
        " group by channel, state",
        (RECENT,),
    )
    by_state: dict[tuple[str, str], int] = {(channel, state): n for channel, state, n in counted}

    def total(channel: str, *states: str) -> int:
        return sum(by_state.get((channel, state), 0) for state in states)

    return [
        Promise(
            channel,
            PROMISES.get(channel.delivery, channel.delivery),
            total(name, "sent"),
            total(name, "unknown"),
            total(name, "due", "sending", "dead", "held"),
        )
        for name, channel in office.channels.items()
    ]


def whom(office: Office, row: OutboxRow) -> str:
    """To whom a message goes: a person, a group, or an address nobody registered."""
    if row.person:
        return office.person_name(row.person) or "已离开的人"
    group = office.group_at.get((row.channel, row.address))
    if group is not None:
        return group.name
    person = office.person_at.get((row.channel, row.address))
    return person.name if person else "未登记的地址"


def parked_reason(row: InboxRow, reason: str) -> str:
    """Why an event was parked, for a person; the place in the code stands behind it."""
    kinds = {
        "message": "群消息",
        "click": "网页操作",
        "timer": "到时提醒",
        "recall": "撤回",
        "photo": "照片",
        "read": "照片文字",
    }
    return f"{kinds.get(row.kind, row.kind)}处理出错（{reason}）"


async def resend(request: web.Request) -> web.StreamResponse:
    """Put a message back in line: it leaves at once."""
    engine, seq = request.app[ENGINE], int(request.match_info["seq"])
    row = await engine.apply(lambda tx: outbox.resend(tx, seq))
    if row is None:
        raise Rejected("这条通知已经不用补发了，请刷新页面。", "wrong_state")
    await record(request, "ok", f"outbox/{seq}")
    raise web.HTTPSeeOther("/delivery")


async def retry(request: web.Request) -> web.StreamResponse:
    """Take a parked event up again, once whatever stopped it is mended."""
    engine, seq = request.app[ENGINE], int(request.match_info["seq"])
    row = await engine.store.write(lambda tx: inbox.reopen(tx, seq))
    if row is None:
        raise Rejected("这条消息已经处理过了，请刷新页面。", "wrong_state")
    engine.inbox.take_again(row)
    await record(request, "ok", f"inbox/{seq}")
    raise web.HTTPSeeOther("/delivery#parked")
