"""`bot source …`: which sources the digest has, how they fare, and what one address would give."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from bot.commands import Group, data_option, json_option, note, print_json

SHOWN = 10


@click.group(cls=Group)
def source() -> None:
    """摘要的来源：列出、试读、启用、停用。"""


@source.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """全部来源和它们的状况。群办正在运行也可以。"""
    from bot.source_check import standing

    rows = standing(data)
    if as_json:
        return print_json(rows)
    for row in rows:
        click.echo(f"{row['sign']} {row['id']:<15} {row['name']}（{row['kind']}）{row['said']}")


@source.command("test")
@click.argument("url", metavar="网址")
@click.option("--source", "name", metavar="编号", default="", help="按这个来源的规则读")
@click.option(
    "--kind", type=click.Choice(["page", "feed", "json", "html", "gkmlpt"]), default=None, help="怎么读，不写则自动判断"
)
@click.option("--inside", is_flag=True, help="网址在内网，允许访问")
@data_option
@json_option
def test(url: str, name: str, kind: str | None, inside: bool, data: Path, as_json: bool) -> None:
    """礼貌地读一次这个网址，说明能读出什么。什么也不保存。"""
    from bot.source_check import try_address

    found = asyncio.run(try_address(url, data, name, kind, inside))
    if as_json:
        return print_json(found)
    _show(found)


@source.command("on")
@click.argument("name", metavar="编号")
@data_option
def on(name: str, data: Path) -> None:
    """启用一个来源（群办停止时）。"""
    _turn(name, data, True)


@source.command("off")
@click.argument("name", metavar="编号")
@data_option
def off(name: str, data: Path) -> None:
    """停用一个来源（群办停止时）。"""
    _turn(name, data, False)


def _turn(name: str, data: Path, wanted: bool) -> None:
    from bot.source_check import turn

    turn(data, name, wanted)
    note(f"已{'启用' if wanted else '停用'}：{name}")


def _show(found: dict[str, Any]) -> None:
    if found["error"]:
        click.echo(f"✗ {found['error']}")
        return
    for entry in found.get("entries", [])[:SHOWN]:
        click.echo(f"· {(entry['published_at'] or '无日期')[:10]} {entry['title']}\n  {entry['url']}")
    if "entries" in found:
        click.echo(f"✓ 共 {len(found['entries'])} 条")
    for label, key in FIELDS:
        if found.get("page", {}).get(key):
            click.echo(f"{label}：{found['page'][key]}")
    for finding in found.get("findings", []):
        click.echo(f"△ {finding[2]}")


FIELDS = (
    ("标题", "title"), ("发布日期", "published_at"), ("文号", "doc_number"), ("发文机关", "issuer"), ("正文", "body"),
)  # fmt: skip
