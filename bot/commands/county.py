"""`bot county export|import`: a county as files, out and in. An import changes nothing until everything is right."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import Group, data_option, note, path_argument, yes_option
from config.errors import ConfigError

if TYPE_CHECKING:
    from config.county import County


@click.group(cls=Group)
def county() -> None:
    """县资料:导出、导入。"""


@county.command("export")
@path_argument("target", "文件夹或.xlsx")
@data_option
def export(target: Path, data: Path) -> None:
    """把县资料导出成一个文件夹的 CSV，或一个 Excel 文件。还没有数据时导出自带的云溪县。"""
    from bot.county_import import current
    from config.files import shipped_county, write_county, write_workbook

    found = current(data) or shipped_county()
    if target.suffix.lower() == ".xlsx":
        if target.exists():
            raise ConfigError(f"{target} 已存在，请换一个名字。")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_workbook(found, target)
    else:
        if target.is_dir() and any(target.glob("*.csv")):
            raise ConfigError(f"{target} 里已有 CSV，请换一个空文件夹。")
        write_county(found, target)
    click.echo(f"已导出到 {target}:单位 {len(found.units)}、人员 {len(found.people)}、类别 {len(found.categories)}。")


@county.command("import")
@path_argument("source", "文件夹或.xlsx")
@data_option
@yes_option
def import_(source: Path, data: Path, yes: bool) -> None:
    """检查并导入县资料。有一处不对就什么都不改；演示数据会被整个移开，演示到此结束。"""
    from bot.county_import import changes, current, lay_texts, losses, new_texts, obstacles, put_in, standing
    from config.files import examine

    found = examine(source)
    for fault in found.warnings:
        note(f"△ {fault}")
    if found.county is None:
        raise ConfigError([*found.faults])
    before = standing(data)
    if problems := obstacles(data, found.county):
        raise ConfigError("\n".join((*problems, "没有改动。")))
    held = current(data) if before == "real" else None
    worded = new_texts(source, data)
    if held == found.county and not worded:
        return click.echo("与现有资料相同，没有改动。")
    words = ["文字:改用 texts.toml 里的说法"] if worded else []
    _show([*changes(held, found.county), *losses(held, found.county), *words], before)
    if not yes:
        click.confirm("确定导入吗", abort=True, err=True)
    aside = asyncio.run(put_in(data, found.county))
    if worded:
        lay_texts(source, data)
    click.echo("已导入。" + (f"演示数据移到了 {aside}。" if aside else ""))
    _next_steps(found.county, data)


def _show(lines: list[str], before: str) -> None:
    if before == "demo":
        note("这是演示数据目录:导入后演示结束，演示里的工单、聊天和登录全部移开，不再使用。")
    for line in lines:
        note(line)


def _next_steps(county: County, data: Path) -> None:
    if not any("admin" in person.roles for person in county.people):
        note("△ 没有人是系统管理员（角色 admin），启动后没有人能登录。")
    note(f"可以用 bot check --data {data} 看看还缺什么。")
