"""`bot lessons import|export|revoke`: an office's own history, taken in as lessons, out again, and back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import Group, data_option, note, path_argument, yes_option
from config.errors import ConfigError

if TYPE_CHECKING:
    from bot.lesson_files import History
    from config.county import County
    from store import Store, Tx

NAMED = 8


@click.group(cls=Group)
def lessons() -> None:
    """经验:导入本单位的历史工单、导出、整批撤回。"""


@lessons.command("import")
@path_argument("source", "文件.csv或.xlsx")
@data_option
@yes_option
def import_(source: Path, data: Path, yes: bool) -> None:
    """检查并导入历史工单（列:内容、单位，可有类别、地点）。有一处不对就什么都不改。先停下群办再执行。"""
    from bot.lesson_files import MOST, read_history
    from store import lessons as rows

    with _opened(data) as (store, found):
        room = MOST - store.peek(rows.counts)[1]
        history = read_history(source, found, room)
        _show(history, found)
        if not yes:
            click.confirm("确定导入吗", abort=True, err=True)
        batch = f"i{secrets.token_hex(5)}"
        asyncio.run(store.write(partial(_take, batch, history)))
    click.echo(
        f"已导入 {len(history.rows)} 条，批号 {batch}。启动后即照它们派；撤回用 bot lessons revoke {batch}，或在“学习”页。"
    )


@lessons.command("export")
@path_argument("target", "文件.csv或.xlsx")
@data_option
def export(target: Path, data: Path) -> None:
    """把全部经验导出成一个文件，可以再导入。"""
    from bot.lesson_files import write_history
    from store import county
    from store import lessons as rows
    from store.peeking import reading

    if target.suffix.lower() not in (".csv", ".xlsx"):
        raise ConfigError("请写一个 .csv 或 .xlsx 文件名。")
    if target.exists():
        raise ConfigError(f"{target} 已存在，请换一个名字。")
    with reading(data) as connection:
        found, everything = county.load(connection), rows.everything(connection)
    target.parent.mkdir(parents=True, exist_ok=True)
    click.echo(f"已导出 {write_history(target, everything, found)} 条到 {target}。")


@lessons.command("revoke")
@click.argument("batch", metavar="批号")
@data_option
def revoke(batch: str, data: Path) -> None:
    """整批撤回一次导入。先停下群办再执行。"""
    with _opened(data) as (store, _):
        if not asyncio.run(store.write(partial(_take_back, batch))):
            raise ConfigError(f"没有在用的批号 {batch}，请核对。")
    click.echo("已整批撤回。")


@contextmanager
def _opened(data: Path) -> Iterator[tuple[Store, County]]:
    """The directory, owned: refused while the server runs, and where no county is."""
    from store import Store, county
    from store.peeking import glance

    seen = glance(data)
    if seen is None or not seen.loaded:
        raise ConfigError(f"{data} 里还没有县资料。请先启动一次，或用 bot county import 导入。")
    store = Store.open(data)
    try:
        yield store, store.peek(county.load)
    finally:
        store.close()


def _show(history: History, found: County) -> None:
    names = {unit.id: unit.name for unit in found.units}
    for fault in history.warnings:
        note(f"△ {fault}")
    note(f"读到 {history.read} 行，将导入 {len(history.rows)} 条，其中 {history.classed} 条有类别。")
    if history.doubles:
        note(f"重复的 {history.doubles} 行只算一次。")
    if len(history.rows) < history.read - history.doubles:
        note("超出上限，每个单位每类取了最近的。")
    if history.masked:
        note(f"{history.masked} 行里的个人号码已打码。")
    shown = history.by_unit()
    named = "、".join(f"{names[unit]} {count}" for unit, count in shown[:NAMED])
    note(f"单位:{named}{' 等' if len(shown) > NAMED else ''}")


def _take(batch: str, history: History, tx: Tx) -> None:
    from store import audit
    from store import lessons as rows

    rows.add_batch(tx, batch, history.rows, "")
    audit.append(tx, "", "", "cli", f"lesson/{batch}", "import", "ok")


def _take_back(batch: str, tx: Tx) -> bool:
    from store import audit
    from store import lessons as rows

    done = rows.revoke(tx, "", batch=batch)
    if done:
        audit.append(tx, "", "", "cli", f"lesson/{batch}", "revoke", "ok")
    return done
