"""`bot check`: one line a finding, ✓ fine, △ odd, ✗ wrong; exit 1 when something is wrong."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from bot.commands import Command, data_option, json_option, print_json

SIGNS = {"ok": "✓", "odd": "△", "wrong": "✗"}


@click.command(cls=Command)
@data_option
@json_option
def check(data: Path, as_json: bool) -> None:
    """检查一个数据目录。✓ 正常 △ 留意 ✗ 要处理；有 ✗ 时退出码为 1。群办正在运行也可以。"""
    from bot.check import examine

    found = list(examine(data))
    bad = sum(finding.level == "wrong" for finding in found)
    if as_json:
        print_json({"ok": not bad, "findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            click.echo(f"{SIGNS[finding.level]} {finding.text}")
    if bad:
        sys.exit(1)
