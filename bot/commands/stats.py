"""`bot stats`: what came in, was dispatched and closed, with every denominator; and the proof that the history yields it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import Command, data_option, json_option
from config.errors import ConfigError

if TYPE_CHECKING:
    from bot.statistics import Book


@click.command(cls=Command)
@data_option
@click.option("--from", "first", metavar="日期", help="从哪天，如 2026-11-01；不写为本月1日")
@click.option("--to", "last", metavar="日期", help="到哪天（含当天）；不写为今天")
@click.option("--verify", is_flag=True, help="从流水重建几遍，核对是否一字不差")
@json_option
def stats(data: Path, first: str | None, last: str | None, verify: bool, as_json: bool) -> None:
    """统计受理、立案、结案、时长。全部由工单流水算出，群办正在运行也可以。"""
    from bot.statistics import Book, table_of
    from config.settings import load_settings
    from handlers.calendar import Calendar, local
    from handlers.tasks.figures import as_lines, as_text, period_of
    from handlers.worktime import Worktime
    from store import county, statistics
    from store.peeking import reading

    with reading(data) as connection:
        connection.execute("begin")
        found = county.load(connection)
        book = Book(found, Worktime(Calendar(found.calendar, load_settings(data).office_hours)))
        now = max(statistics.last_at(connection), int(connection.execute("select at from ledger").fetchone()[0]))
        if verify:
            return _verify(connection, book, now)
        today = f"{local(now):%Y-%m-%d}"
        try:
            period = period_of(first or f"{today[:8]}01", last or today, now)
        except ValueError as error:
            raise ConfigError("日期不对，请写成 2026-11-01 这样，先后顺序也请核对。") from error
        table = table_of(connection, book, period)
        rows = statistics.rows_before(connection, period.end)
    if as_json:
        click.echo(as_text(table, found, rows))
    else:
        click.echo("\n".join(as_lines(table, found)))


def _verify(connection: sqlite3.Connection, book: Book, now: int) -> None:
    from bot.statistics import differences

    faults = list(differences(connection, book, now))
    for fault in faults[:50]:
        click.echo(f"✗ {fault}")
    if faults:
        raise ConfigError(f"共 {len(faults)} 处不符。请用 bot audit verify 核对流水。")
    click.echo("✓ 统计由流水重建三遍，一字不差；每张工单与流水相符。")
