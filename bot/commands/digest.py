"""`bot digest …`: a day's candidates with every term of their score; an edition as it will look; a signed one sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from bot.commands import Group, data_option, json_option, note, print_json
from bot.commands.digest_cards import cards, leaders


@click.group(cls=Group)
def digest() -> None:
    """每日摘要。"""


digest.add_command(cards)
digest.add_command(leaders)


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


@digest.command("preview")
@click.option("--day", metavar="日期", default=None, help="哪一天，如 2026-11-25；不写为最新一期")
@click.option("--form", "shape", type=click.Choice(["text", "markdown", "news"]), default="text", help="样式")
@data_option
@json_option
def preview(day: str | None, shape: str, data: Path, as_json: bool) -> None:
    """看一期摘要发出的样子。群办正在运行也可以。"""
    from bot.digest_preview import preview as look

    found = look(data, day, shape)
    if as_json:
        return print_json(found)
    note(f"{found['day']} {found['state']}，校验码 {found['hash'][:6] or '无'}")
    for message in found["messages"]:
        click.echo(message["text"] + "\n")
    for alarm in found["alarms"]:
        note(f"请核对：{alarm}")
    return None


@digest.command("publish")
@click.option("--day", metavar="日期", default=None, help="哪一天；不写为最新一期")
@data_option
@json_option
def publish(day: str | None, data: Path, as_json: bool) -> None:
    """已签发的一期不等到点就发：群办下次启动时发出。没有签发的不发。"""
    from bot.digest_preview import publish as put

    found = asyncio.run(put(data, day))
    if as_json:
        return print_json(found)
    click.echo(f"{found['day']} 的摘要已排队，启动群办后立即发出。")
    return None
