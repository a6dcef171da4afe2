"""`bot digest run`: the day's candidates computed beside a running server, or stored when there is none."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.arrivals import day_of
from bot.candidates import DayRun, run_day, weigh
from bot.clock import BusinessClock
from bot.fetcher import Fetcher
from bot.intake import Intake
from bot.polite import Polite
from config.digest.sources import known_host, load_sources
from config.errors import ConfigError
from digests.scoring import TERMS
from store import Store, county, digest
from store.peeking import reading

DAY = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


async def run_from_command(data: Path, day: str | None, fetch: bool) -> tuple[dict[str, Any], bool]:
    """(the run as data, whether it was stored). Raises ConfigError for a day that is none."""
    if day is not None and not DAY.fullmatch(day):
        raise ConfigError("日期应写成 2026-11-24")
    try:
        store = Store.open(data, BusinessClock(data / "clock"))
    except ConfigError:
        if fetch:
            raise
        return _beside(data, day or day_of(int(time.time()))), False
    try:
        if fetch:
            await _fetch(store, data)
        found = await store.read(county.load)
        run = await run_day(store, found, day or day_of(store.now()))
        return await store.read(lambda connection: _told(connection, run)), True
    finally:
        store.close()


def shown(found: dict[str, Any]) -> Iterator[str]:
    """Lines for a person."""
    yield f"{found['day']} 候选 {len(found['candidates'])} 条，入选 {sum(bool(c['picked']) for c in found['candidates'])} 条"
    for one in found["candidates"]:
        place = f"{one['picked']:>2}." if one["picked"] else " ✗ "
        yield f"{place} [{one['column']}] {one['score']:.0f}分 {one['title']}（{one['source']}）"
        yield "      " + "；".join(
            f"{TERMS.get(t['name'], t['name'])}{t['points']:+.0f} {t['why']}" for t in one["terms"]
        )
        if one["why"]:
            yield f"      未选：{one['why']}"


def _beside(data: Path, day: str) -> dict[str, Any]:
    with reading(data) as connection:
        connection.execute("begin")
        return _told(connection, weigh(connection, county.load(connection), day))


async def _fetch(store: Store, data: Path) -> None:
    from bot.engine import read_key
    from bot.newsroom import inside_of

    table = load_sources(data)
    fetcher = Fetcher(inside_of(table))
    intake = Intake(store, table, Polite(fetcher, lambda host: known_host(table, host)), read_key(data / "key"))
    try:
        await intake.run_due()
    finally:
        await intake.close()
        await fetcher.close()


def _told(connection: Any, run: DayRun) -> dict[str, Any]:
    ordered = sorted(run.rows, key=lambda row: (not row.picked, row.picked, -row.score, row.item))
    return {
        "day": run.day,
        "taught": dict(run.taught),
        "candidates": [_one(connection, run, row.item) for row in ordered],
    }


def _one(connection: Any, run: DayRun, n: int) -> dict[str, Any]:
    row = next(row for row in run.rows if row.item == n)
    item = digest.get(connection, n)
    title, _ = digest.read(connection, n)
    return {
        "item": n, "title": title, "source": item.source_name if item else "", "url": item.url if item else "",
        "column": row.column, "score": row.score, "picked": row.picked, "why": row.barred or row.left_out,
        "terms": [{"name": t.name, "points": t.points, "why": t.why} for t in run.terms[n]],
    }  # fmt: skip
