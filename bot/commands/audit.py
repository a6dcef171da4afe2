"""`bot audit verify`: does every step still follow from the one before?"""

from __future__ import annotations

from pathlib import Path

import click

from bot.commands import Group, data_option, json_option, print_json
from config.errors import ConfigError

SHOWN = 50


@click.group(cls=Group)
def audit() -> None:
    """核对工单流水和审计记录有没有被改动。"""


@audit.command("verify")
@data_option
@json_option
def verify(data: Path, as_json: bool) -> None:
    """逐条核对哈希链和锚点。群办正在运行也可以。"""
    from bot.maintenance import witnessed_anchors
    from store import audit as records
    from store import history
    from store.peeking import reading

    with reading(data) as connection:
        connection.execute("begin")
        faults = [*history.verify(connection, witnessed_anchors(data / "anchors.log")), *records.verify(connection)]
        counts = {t: int(connection.execute(f"select count(*) from {t}").fetchone()[0]) for t in COUNTED}  # noqa: S608 - constants
    if as_json:
        print_json({"ok": not faults, **counts, "faults": faults})
    for fault in faults[:SHOWN] if not as_json else ():
        click.echo(f"✗ {fault}")
    if faults:
        raise ConfigError(f"共 {len(faults)} 处不符。请保留现场，不要继续使用，并与备份比对。")
    if not as_json:
        click.echo(
            f"✓ 工单流水 {counts['history']} 条、锚点 {counts['anchor']} 个、审计 {counts['audit']} 条，前后相连。"
        )


COUNTED = ("history", "anchor", "audit")
