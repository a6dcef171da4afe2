"""卷宗: everything of one case as a zip: a page to read and print, its history with every hash, the photos, the check.

Whoever gets it can check the chain without this program: each hash is SHA-256 over the row's fields in order, each field
preceded by its length in characters and a colon.
"""

from __future__ import annotations

import csv
import html
import io
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.papers import Taker, moment
from bot.papers.ledger import COLUMNS as LEDGER
from bot.papers.ledger import Entry, values
from handlers.office import Office
from store import history, tasks
from store.history import HistoryRow
from store.tasks import TaskPhoto

FIELDS = (
    "task", "n", "at", "event", "from_state", "to_state", "actor", "role", "unit", "code", "amount", "due_at", "mark", "prev", "hash",
)  # fmt: skip
ROLES = {"report": "上报", "evidence": "办理"}
STYLE = "body{font:16px/1.7 serif;max-width:46em;margin:2em auto}table{border-collapse:collapse;width:100%}td,th{border:1px solid #888;padding:.2em .5em;text-align:left;vertical-align:top}img{max-width:100%;max-height:24em}"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What goes in, read in one look."""

    entry: Entry
    steps: Sequence[HistoryRow]
    notes: dict[int, str]
    photos: Sequence[TaskPhoto]
    faults: Sequence[str]


def gather(connection: sqlite3.Connection, entry: Entry) -> CaseFile:
    """A case from the database, its chain recomputed."""
    task = entry.task.id
    steps = history.of(connection, task)
    shown = [photo for photo in tasks.photos(connection, task) if not photo.hidden]
    return CaseFile(entry, steps, tasks.notes(connection, task), shown, tuple(faults(steps)))


def faults(steps: Sequence[HistoryRow]) -> list[str]:
    """Where the chain does not hold, in Chinese; none when it is whole."""
    found, n, prev = [], 0, ""
    for step in steps:
        if step.n != n + 1 or step.prev != prev:
            found.append(f"第 {step.n} 步与前一步不相连")
        if history.digest(tuple(getattr(step, name) for name in FIELDS[:-1])) != step.hash:
            found.append(f"第 {step.n} 步被改动")
        n, prev = step.n, step.hash
    return found


def write(
    case: CaseFile, office: Office, taker: Taker, label: Callable[[str], str], path: Callable[[str], Path]
) -> bytes:
    """The zip's bytes. A photo whose file is gone is named as missing rather than left out in silence."""
    out = io.BytesIO()
    kept: dict[str, str] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, photo in enumerate(case.photos, 1):
            file = path(photo.sha)
            name = f"照片/{n:02d}-{ROLES.get(photo.role, '办理')}{file.suffix}"
            if file.exists():
                archive.write(file, name, zipfile.ZIP_STORED)
                kept[photo.sha] = name
        archive.writestr("卷宗.html", _page(case, office, taker, label, kept))
        archive.writestr("流水.csv", _table(case.steps))
        archive.writestr("校验.txt", _check(case, taker, kept))
    return out.getvalue()


def _page(case: CaseFile, office: Office, taker: Taker, label: Callable[[str], str], kept: dict[str, str]) -> str:
    facts = zip((title for title, _ in LEDGER), values(case.entry, office, taker.at), strict=True)
    rows = "".join(f"<tr><th>{title}</th><td>{html.escape(str(value))}</td></tr>" for title, value in facts)
    steps = "".join(
        f"<tr><td>{moment(step.at)}</td><td>{html.escape(label(step.event))}</td>"
        f"<td>{html.escape(office.person_name(step.actor) or '系统')}</td>"
        f"<td>{html.escape(case.notes.get(step.n, ''))}</td></tr>"
        for step in case.steps
    )
    pictures = "".join(
        f'<figure><img src="{kept[photo.sha]}" alt=""><figcaption>{ROLES.get(photo.role, "办理")} '
        f"{html.escape(office.person_name(photo.person))} {moment(photo.at)}</figcaption></figure>"
        for photo in case.photos
        if photo.sha in kept
    )
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>卷宗</title><style>{STYLE}</style>'
        f"<h1>工单卷宗</h1><table>{rows}</table><h2>经过</h2><table><tr><th>时间</th><th>步骤</th><th>谁</th><th>说明</th></tr>"
        f"{steps}</table><h2>照片</h2>{pictures or '<p>没有照片</p>'}<p>{html.escape(taker.mark())}</p></html>"
    )


def _table(steps: Sequence[HistoryRow]) -> str:
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(FIELDS)
    writer.writerows([["" if (value := getattr(step, name)) is None else value for name in FIELDS] for step in steps])
    return out.getvalue()


def _check(case: CaseFile, taker: Taker, kept: dict[str, str]) -> str:
    missing = [photo.sha for photo in case.photos if photo.sha not in kept]
    lines = [
        f"流水共 {len(case.steps)} 步，" + ("逐步校验通过。" if not case.faults else "校验未通过："),
        *case.faults,
        "校验方法：每一步的 hash 是前面各栏依次按“字数:内容”连起来后的 SHA-256；prev 是上一步的 hash。",
        f"最后一步的 hash：{case.steps[-1].hash if case.steps else '无'}",
        *(f"照片 {sha[:12]} 已按保存期限删除。" for sha in missing),
        taker.mark(),
    ]
    return "\n".join(lines) + "\n"
