"""`bot backup` and `bot restore`: copies that were checked, and the drill that proves it."""

from __future__ import annotations

import asyncio
import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import Command, data_option, folder_option, json_option, print_json, quiet_stdout, yes_option
from config.errors import ConfigError

if TYPE_CHECKING:
    from bot.backup import Drill

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


@click.command(cls=Command)
@data_option
@folder_option("--to", "放到别处，例如另一块盘；不写为数据目录里的 backups")
@click.option("--keep", type=click.IntRange(1, 10000), default=48, metavar="份数", help="只留最新的几份，不写为 48")
def backup(data: Path, to: Path | None, keep: int) -> None:
    """马上备份一次，群办正在运行也可以。备份没有加密，里面有数据和密钥，请妥善保管。"""
    from bot.backup import read_manifest, take

    started = time.monotonic()
    folder = take(data, keep, to)
    manifest = read_manifest(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6
    photos = manifest.photos if manifest else 0
    click.echo(f"已备份到 {folder}（{size:.1f} MB，照片文件 {photos} 个，用时 {time.monotonic() - started:.1f} 秒）。")


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path), metavar="[备份]", required=False)
@data_option
@click.option("--drill", is_flag=True, help="只演练:恢复到临时目录核对，不动现有数据")
@json_option
@yes_option
def restore(folder: Path | None, data: Path, drill: bool, as_json: bool, yes: bool) -> None:
    """从备份恢复到数据目录；原来的移到一边，不删除。给出数据目录时用其中最新的备份。"""
    from bot import backup as backups

    if drill:
        return _drill(backups.find(folder or data), data, as_json)
    if folder is None:
        raise click.UsageError(f"请写明备份文件夹，例如 bot restore {data / 'backups'}/20260101-080000 --data {data}")
    source = backups.find(folder)
    found = backups.verify(source)
    if not yes and not as_json and (data / "qunban.db").exists():
        click.confirm(f"用 {_moment(found.at)} 的备份替换 {data} 的数据吗（之后的改动不在其中）", abort=True, err=True)
    found, aside = backups.restore(source, data)
    if as_json:
        return print_json({"backup": str(source), "aside": str(aside), **_figures(found)})
    kept = f"原来的数据在 {aside}。" if any(aside.iterdir()) else ""
    click.echo(f"已恢复到 {_moment(found.at)}，用时 {found.seconds:.1f} 秒。{kept}{_photos(found)}")


def _drill(source: Path, data: Path, as_json: bool) -> None:
    from bot import backup as backups

    with quiet_stdout():
        found, wrong = asyncio.run(backups.drill(source))
    wrong += [_photos(found)] if found.missing_photos or found.damaged_photos else []
    if data.is_dir():
        backups.note_drill(data, source, found, not wrong)
    if as_json:
        print_json({"backup": str(source), "passed": not wrong, "faults": wrong, **_figures(found)})
    else:
        lost = max(0, int(time.time()) - found.at)
        click.echo(f"演练的备份:{source}（{_moment(found.at)}）")
        click.echo(f"最多丢失的时间（RPO）:{lost // 60} 分 {lost % 60} 秒；恢复用时（RTO）:{found.seconds:.1f} 秒")
        click.echo(f"数据 {found.bytes / 1e6:.1f} MB；工单 {found.rows['task']}、流水 {found.rows['history']}")
        for line in wrong:
            click.echo(f"✗ {line}")
    if wrong:
        raise ConfigError("演练没有通过，请换一个备份再试，并检查磁盘。")
    if not as_json:
        click.echo("✓ 演练通过:能恢复，能打开，流水前后相连。")


def _figures(found: Drill) -> dict[str, object]:
    return {
        "taken_at": found.at,
        "rpo_seconds": max(0, int(time.time()) - found.at),
        "rto_seconds": round(found.seconds, 2),
        "bytes": found.bytes,
        "rows": found.rows,
        "missing_photos": found.missing_photos,
        "damaged_photos": found.damaged_photos,
    }


def _photos(found: Drill) -> str:
    counts = (("缺少", found.missing_photos), ("损坏", found.damaged_photos))
    text = "，".join(f"{word} {n} 张" for word, n in counts if n)
    return f"照片{text}。" if text else ""


def _moment(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, SHANGHAI).strftime("%Y年%m月%d日 %H:%M")
