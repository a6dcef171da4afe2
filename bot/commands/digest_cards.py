"""`bot digest cards …` and `bot digest leaders …`: the library of cards and the table of leaders as files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from bot.commands import Group, data_option, path_argument
from config.errors import ConfigError


@click.group("cards", cls=Group)
def cards() -> None:
    """微课堂和微警示：导入、导出、装入范例。"""


@cards.command("export")
@path_argument("target", "文件.csv")
@data_option
def export(target: Path, data: Path) -> None:
    """导出全部卡片，每张一行。群办正在运行也可以。"""
    from bot.card_files import standing_cards
    from config.digest.cards import write_cards

    free(target)
    rows = standing_cards(data)
    write_cards(rows, target)
    click.echo(f"已导出 {len(rows)} 张到 {target}。")


@cards.command("import")
@path_argument("source", "文件.csv")
@data_option
def import_(source: Path, data: Path) -> None:
    """导入卡片，同栏目同标题的更新。有一处不对就什么都不改，并指出在第几行哪一列。群办运行时不能导入。"""
    _put(source, data)


@cards.command("samples")
@data_option
def samples(data: Path) -> None:
    """装入自带的范例，请核对后再用。群办运行时请在控制台装入。"""
    from config.digest.cards import SHIPPED

    _put(SHIPPED, data)


def _put(source: Path, data: Path) -> None:
    from bot.card_files import put_cards
    from handlers.editions.cards import DONE

    if not source.is_file():
        raise ConfigError(f"没有这个文件:{source}")
    done = asyncio.run(put_cards(data, source))
    click.echo("已导入:" + "、".join(f"{label} {done[name]}" for name, label in DONE.items()) + "。")


@click.group(cls=Group)
def leaders() -> None:
    """领导名录：导入、导出。摘要里的姓名和职务与它核对。"""


@leaders.command("export")
@path_argument("target", "文件.csv")
@data_option
def export_leaders(target: Path, data: Path) -> None:
    """导出领导名录。群办正在运行也可以。"""
    from bot.card_files import standing_leaders
    from config.digest.leaders import write_leaders

    free(target)
    rows = standing_leaders(data)
    write_leaders(rows, target)
    click.echo(f"已导出 {len(rows)} 行到 {target}。")


@leaders.command("import")
@path_argument("source", "文件.csv")
@data_option
def import_leaders(source: Path, data: Path) -> None:
    """用文件换掉整张领导名录（姓名、职务、任职日期、离任日期）。有一处不对就什么都不改。群办运行时不能导入。"""
    from bot.card_files import put_leaders

    if not source.is_file():
        raise ConfigError(f"没有这个文件:{source}")
    click.echo(f"已导入 {asyncio.run(put_leaders(data, source))} 行。")


def free(target: Path) -> None:
    """Nothing is written over."""
    if target.exists():
        raise ConfigError(f"{target} 已存在，请换一个名字。")
    if target.suffix.lower() != ".csv":
        raise ConfigError("文件名应以 .csv 结尾。")
    target.parent.mkdir(parents=True, exist_ok=True)
