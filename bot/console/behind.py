"""What stands behind one line of the chat: the event, how it was decided, the task's steps, every delivery."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from handlers.office import Office
from handlers.tasks import lifecycle
from store import demo, history, inbox, outbox, tasks
from store.history import HistoryRow
from store.outbox import OutboxRow
from store.tasks import Task

OTHER_STEPS = {
    "open": "受理",
    "dispatch": "派单",
    "relay": "转告",
    "overdue": "超时",
    "supplement": "补充",
    "recall": "撤回消息",
}
DELIVERY = {
    "due": "待发送",
    "sending": "发送中",
    "sent": "已送达",
    "unknown": "结果不明",
    "dead": "未送达",
    "expired": "已过期",
    "held": "暂存",
}


@dataclass(frozen=True, slots=True)
class Story:
    """A task and its steps."""

    task: Task
    steps: tuple[HistoryRow, ...]
    head: str


@dataclass(frozen=True, slots=True)
class Found:
    """Everything known about one line."""

    event: demo.Event | None
    sent: tuple[OutboxRow, ...]
    stories: tuple[Story, ...]
    outcome: str


def look(connection: sqlite3.Connection, office: Office, channel: str, line: str) -> Found | None:
    """The rows behind a line id ("o5" or a member's message). None when nothing is kept of it."""
    row = outbox.by_seq(connection, int(line[1:])) if line[:1] == "o" and line[1:].isdigit() else None
    said = inbox.find(connection, channel, line) if row is None else None
    origin = row.origin if row else said.seq if said else None
    if row is None and said is None:
        return None
    event = demo.event(connection, origin) if origin is not None else None
    sent = tuple(outbox.of_origin(connection, origin)) if origin is not None else (row,) if row else ()
    ids = dict.fromkeys(o.task for o in sent if o.task)
    if event is not None:
        ids |= dict.fromkeys(tasks.of_message(connection, event.channel, event.event_id))
    stories = tuple(story for story in (_story(connection, task) for task in ids) if story is not None)
    return Found(event, sent, stories, _outcome(event))


def _outcome(event: demo.Event | None) -> str:
    if event is None:
        return "没有对应的来件"
    if event.state == "open":
        return "正在处理"
    if event.state == "parked":
        return f"处理出错，已搁置({event.reason})"
    if event.body == "{}":
        return "已处理，原文已抹去"
    return f"没有照办：{event.reason}" if event.reason else "已处理"


def _story(connection: sqlite3.Connection, task_id: str) -> Story | None:
    try:
        task = tasks.get(connection, task_id)
    except KeyError:
        return None
    steps = tuple(history.of(connection, task_id))
    return Story(task, steps, steps[-1].hash[:12] if steps else "")


def step_label(event: str) -> str:
    """A history step in words."""
    steps = lifecycle.EVENTS.get(event)
    return OTHER_STEPS.get(event) or (steps[0].label if steps else event)


def delivery_label(state: str) -> str:
    """An outbox state in words."""
    return DELIVERY.get(state, state)


FILTERS = {"step_label": step_label, "delivery_label": delivery_label}
