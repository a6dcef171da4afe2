"""`bot county export|import|sync|chat`: a county as files, out and in, and what WeCom's directory would add to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.commands import Group, data_option, note, path_argument, yes_option
from config.errors import ConfigError, SendError

if TYPE_CHECKING:
    from config.county import County


@click.group(cls=Group)
def county() -> None:
    """县资料:导出、导入，从企业微信通讯录取。"""


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


@county.command("sync")
@click.argument("channel", metavar="渠道")
@path_argument("target", "空文件夹")
@data_option
def sync(channel: str, target: Path, data: Path) -> None:
    """读企业微信通讯录，写成一份县资料供核对。不改现有资料；核对后用 county import 导入。"""
    from bot.county_import import changes, current
    from bot.platforms.wecom_directory import proposed, read_directory
    from config.files import write_county

    held = current(data)
    if held is None:
        raise ConfigError("还没有县资料，请先用 bot county import 导入。")
    if target.is_dir() and any(target.glob("*.csv")):
        raise ConfigError(f"{target} 里已有 CSV，请换一个空文件夹。")
    found = proposed(held, channel, _with_app(channel, data, read_directory))
    write_county(found, target)
    for line in changes(held, found) or ["没有新的单位和人员。"]:
        note(line)
    click.echo(f"已写到 {target}，没有改动现有资料。新人员先都是上报人，请核对后执行:bot county import {target}")


@county.command("chat")
@click.argument("channel", metavar="渠道")
@click.argument("group", metavar="工作群")
@data_option
def chat(channel: str, group: str, data: Path) -> None:
    """让企业微信应用建一个群，成员是这个工作群里有该渠道账号的人。打印要写进 groups.csv 的账号。"""
    from bot.county_import import current

    held = current(data)
    found = next((g for g in held.groups if group in (g.id, g.name)), None) if held is not None else None
    if held is None or found is None:
        raise ConfigError(f"没有工作群“{group}”。")
    mark = f"{channel}:"
    people = [p for p in held.people if not found.members or p.id in found.members]
    users = [a.removeprefix(mark) for p in people for a in p.accounts if a.startswith(mark)]
    address = _with_app(channel, data, lambda app: app.create_chat(found.name, users), whole=True)
    click.echo(f"群已建好。请在 groups.csv 的“{found.name}”一行 accounts 里加上 {mark}{address}，再导入。")


def _with_app(channel: str, data: Path, does: Callable[[Any], Coroutine[Any, Any, Any]], whole: bool = False) -> Any:
    """Do something with a WeCom app of the settings, or with its interface only."""
    from bot.platforms.registry import connect
    from bot.platforms.wecom_app import WecomAppPlatform
    from config.settings import load_settings

    settings = load_settings(data)
    if channel not in settings.channels:
        raise ConfigError(f"settings.toml 里没有渠道 {channel}。")
    app = connect({channel: settings.channels[channel]}, Path, demo=False)[channel]
    if not isinstance(app, WecomAppPlatform):
        raise ConfigError(f"渠道 {channel} 不是企业微信自建应用（wecom-app）。")

    async def run() -> Any:
        try:
            return await does(app if whole else app.api)
        except SendError as error:
            raise ConfigError(f"{error}") from error
        finally:
            await app.close()

    return asyncio.run(run())


def _show(lines: list[str], before: str) -> None:
    if before == "demo":
        note("这是演示数据目录:导入后演示结束，演示里的工单、聊天和登录全部移开，不再使用。")
    for line in lines:
        note(line)


def _next_steps(county: County, data: Path) -> None:
    if not any("admin" in person.roles for person in county.people):
        note("△ 没有人是系统管理员（角色 admin），启动后没有人能登录。")
    note(f"可以用 bot check --data {data} 看看还缺什么。")
