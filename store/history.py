"""What happened to each task, append-only and chained, so that a changed, missing or added row shows.

A row holds ids, codes, times, amounts and salted marks, never words or names. Each row's hash covers the task's
previous one; hourly anchors cover every row since the last anchor and stand in a second file too (design 4).
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from store.writer import Tx

_COLUMNS = "seq, task, n, at, event, from_state, to_state, actor, role, unit, code, amount, due_at, mark, prev, hash"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step. `code` is a category, reason or photo hash; `mark` a keyed hash of the words that went with it."""

    seq: int
    task: str
    n: int
    at: int
    event: str
    from_state: str
    to_state: str
    actor: str
    role: str
    unit: str
    code: str
    amount: int | None
    due_at: int | None
    mark: str
    prev: str
    hash: str


def append(
    tx: Tx,
    task: str,
    event: str,
    from_state: str,
    to_state: str,
    *,
    actor: str = "",
    role: str = "",
    unit: str = "",
    code: str = "",
    amount: int | None = None,
    due_at: int | None = None,
    mark: str = "",
    at: int | None = None,
) -> int:
    """Add a step to a task's chain; returns its number in the task. `at`: when what caused it was accepted, if not now."""
    last = tx.one("select n, hash from history where task = ? order by n desc limit 1", (task,))
    n, prev = (last[0] + 1, last[1]) if last else (1, "")
    values = (
        task,
        n,
        tx.at if at is None else at,
        event,
        from_state,
        to_state,
        actor,
        role,
        unit,
        code,
        amount,
        due_at,
        mark,
        prev,
    )
    tx.execute(
        "insert into history (task, n, at, event, from_state, to_state, actor, role, unit, code, amount, due_at, mark, prev, hash)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, digest(values)),
    )
    tx.moved.append(task)
    return int(n)


def digest(values: tuple[object, ...]) -> str:
    """SHA-256 over the fields, each with its length, so that no two rows read the same."""
    text = "".join(f"{len(part)}:{part}" for part in ("" if value is None else str(value) for value in values))
    return hashlib.sha256(text.encode()).hexdigest()


def keyed_mark(key: bytes, text: str) -> str:
    """A mark that proves later what words were meant, without holding them."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32] if text else ""


def of(connection: sqlite3.Connection, task: str) -> list[HistoryRow]:
    """A task's steps in order."""
    return [
        HistoryRow(*row)
        for row in connection.execute(f"select {_COLUMNS} from history where task = ? order by n", (task,))
    ]


def anchor(tx: Tx) -> tuple[int, int, int, str] | None:
    """Seal every row since the last anchor: (n, upto, count, hash). None when nothing is new."""
    last = tx.one("select n, upto, count, hash from anchor order by n desc limit 1") or (0, 0, 0, "")
    n, upto, count, prev = last
    rows = tx.all("select seq, hash from history where seq > ? order by seq", (upto,))
    if not rows:
        return None
    sealed = (n + 1, rows[-1][0], count + len(rows), _seal(prev, [row[1] for row in rows]))
    tx.execute("insert into anchor (n, at, upto, count, hash) values (?, ?, ?, ?, ?)", (sealed[0], tx.at, *sealed[1:]))
    return sealed


def _seal(prev: str, hashes: list[str]) -> str:
    seal = hashlib.sha256(prev.encode())
    for value in hashes:
        seal.update(value.encode())
    return seal.hexdigest()


def verify(connection: sqlite3.Connection, witnessed: dict[int, str] | None = None) -> Iterator[str]:
    """Every contradiction found, in Chinese; silent when the history is whole. `witnessed` maps anchor numbers to hashes kept elsewhere."""
    heads: dict[str, tuple[int, str]] = {}
    for row in connection.execute(f"select {_COLUMNS} from history order by task, n"):
        found = HistoryRow(*row)
        n, prev = heads.get(found.task, (0, ""))
        if found.n != n + 1 or found.prev != prev:
            yield f"工单 {found.task} 第 {found.n} 步与前一步不相连"
        if digest(row[1:15]) != found.hash:
            yield f"工单 {found.task} 第 {found.n} 步(记录 {found.seq})被改动"
        heads[found.task] = (found.n, found.hash)
    yield from _verify_anchors(connection, witnessed or {})


def _verify_anchors(connection: sqlite3.Connection, witnessed: dict[int, str]) -> Iterator[str]:
    upto, prev, last = 0, "", 0
    for n, sealed_upto, _count, sealed in connection.execute("select n, upto, count, hash from anchor order by n"):
        hashes = [
            row[0]
            for row in connection.execute(
                "select hash from history where seq > ? and seq <= ? order by seq", (upto, sealed_upto)
            )
        ]
        if _seal(prev, hashes) != sealed:
            yield f"锚点 {n} 覆盖的记录有增删或改动"
        if witnessed.get(n, sealed) != sealed:
            yield f"锚点 {n} 与另存的锚点文件不符"
        upto, prev, last = sealed_upto, sealed, n
    if witnessed and max(witnessed) > last:
        yield f"另存的锚点文件记到 {max(witnessed)}，数据库只到 {last}，末尾记录缺失"
