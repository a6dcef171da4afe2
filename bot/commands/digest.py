"""`bot digest …`: a day's candidates with every term of their score, rejections too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from bot.commands import Group, data_option, json_option, note, print_json
from bot.commands.digest_cards import cards


@click.group(cls=Group)
def digest() -> None:
    """每日摘要。"""


digest.add_command(cards)


@digest.command("run")
@click.option("--day", metavar="日期", default=None, help="哪一天，如 2026-11-24；不写为今天")
@click.option("--fetch", is_flag=True, help="先问一遍到点的来源（群办停止时）")
@data_option
@json_option
def run(day: str | None, fetch: bool, data: Path, as_json: bool) -> None:
    """算出一天的候选：入选的、落选的和各自的理由。群办正在运行时只看不存。"""
    from bot.digest_run import run_from_command, shown

    found, saved = asyncio.run(run_from_command(data, day, fetch))
    if as_json:
        return print_json(found)
    for line in shown(found):
        click.echo(line)
    if not saved:
        note("群办正在运行，只看不存。")
