"""`bot pack`: wheels for a machine without a network."""

from __future__ import annotations

from pathlib import Path

import click

from bot.commands import Command, path_argument


@click.command(cls=Command)
@path_argument("directory", "空文件夹")
@click.option("--with", "extras", default="", metavar="组件", help="ocr、semantic、speed、heif，用逗号隔开")
def pack(directory: Path, extras: str) -> None:
    """打一个离线安装包，给系统和 Python 版本相同、不能上网的电脑用。"""
    from bot.pack import pack as fill

    wheels = fill(directory, [name for name in extras.split(",") if name])
    click.echo(f"已打包 {len(wheels)} 个文件到 {directory}。用法见其中的“说明.txt”。")
