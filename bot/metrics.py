"""What a monitoring system may read: counts and ages in Prometheus' text form (version 0.0.4), no names and no words.

For whoever asks from this machine itself, or carries the settings' metrics_token; everybody else gets the same 404 as for
a page that does not exist.
"""

from __future__ import annotations

import hmac
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from bot.engine import Engine
from store import board, outbox, timers
from store.switching import DATABASE

Sample = tuple[str, str, str, float]  # name, help, labels, value
TOKEN: web.AppKey[str] = web.AppKey("metrics_token", str)
DATA: web.AppKey[Path] = web.AppKey("metrics_data", Path)
LOOPBACK = ("127.0.0.1", "::1")


def allowed(request: web.Request) -> bool:
    """From this machine without a proxy in between, or with the token."""
    token, sent = request.app[TOKEN], request.headers.get("Authorization", "")
    if token and hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return True
    proxied = "Forwarded" in request.headers or any(name.lower().startswith("x-forwarded-") for name in request.headers)
    return request.remote in LOOPBACK and not proxied


def samples(connection: sqlite3.Connection, now: int) -> Iterator[Sample]:
    """Everything the database tells."""
    counts = outbox.counts(connection)
    for state in ("due", "sending", "unknown", "dead"):
        yield "qunban_outbox_messages", "Messages not yet delivered, by state", f'state="{state}"', counts.get(state, 0)
    oldest = connection.execute(
        "select min(not_before) from outbox where state in ('due', 'sending') and state = 'due' and not_before <= ?",
        (now,),
    ).fetchone()[0]
    yield (
        "qunban_outbox_oldest_seconds",
        "How long the oldest due message has waited",
        "",
        max(0, now - (oldest or now)),
    )
    for state, count in board.standing(connection).items():
        yield "qunban_tasks_open", "Open tasks, by state", f'state="{state}"', count
    due = timers.next_due(connection)
    yield "qunban_timer_late_seconds", "How late the next timer is", "", max(0, now - due) if due is not None else 0
    parked = connection.execute("select count(*) from inbox where state <> 'done' and state = 'parked'").fetchone()[0]
    yield "qunban_inbox_parked", "Messages that could not be decided", "", parked


async def text(engine: Engine, data: Path) -> str:
    """The page."""
    now = engine.store.now()
    found = list(await engine.store.read(lambda c: list(samples(c, now))))
    found.append(("qunban_inbox_undecided", "Accepted and not decided yet", "", engine.inbox.open))
    found.append(("qunban_ready", "Whether events can be accepted", "", int(engine.inbox.has_room)))
    found += _disk(data)
    return "".join(_lines(found))


def _disk(data: Path) -> Iterator[Sample]:
    import shutil

    database = data / DATABASE
    yield "qunban_database_bytes", "Size of the database", "", database.stat().st_size if database.exists() else 0
    yield "qunban_disk_free_bytes", "Room on the data folder's disk", "", shutil.disk_usage(data).free
    kept = [path.stat().st_mtime for path in (data / "backups").glob("*")] if (data / "backups").is_dir() else []
    yield (
        "qunban_backup_age_seconds",
        "Age of the newest backup, -1 for none",
        "",
        time.time() - max(kept) if kept else -1,
    )


def _lines(found: list[Sample]) -> Iterator[str]:
    said = set[str]()
    for name, about, labels, value in found:
        if name not in said:
            said.add(name)
            yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
        yield f"{name}{'{' + labels + '}' if labels else ''} {value:g}\n"


def add_routes(app: web.Application, engine: Engine, data: Path, token: str) -> None:
    """GET /metrics."""
    app[TOKEN] = token

    async def page(request: web.Request) -> web.Response:
        if not allowed(request):
            raise web.HTTPNotFound(text="没有这个页面。")
        return _answer(await text(engine, data))

    app.router.add_get("/metrics", page)


def _answer(said: str) -> web.Response:
    return web.Response(text=said, content_type="text/plain", charset="utf-8")
