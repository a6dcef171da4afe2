"""`bot token`: a way back in when nobody can sign in. Only who can run commands on the host gets one (security.md T15)."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import click

from bot.commands import Command, data_option, note
from config.errors import ConfigError

LASTS = 3600  # seconds; the server has to be started first
BYTES = 16  # 128 bits


@click.command(cls=Command)
@data_option
@click.option("--person", default="", metavar="编号", help="给谁；不写为第一位系统管理员")
def token(data: Path, person: str) -> None:
    """给管理员一个只能用一次的登录口令，用来重设密码。先停下群办再执行。"""
    from store.peeking import glance

    seen = glance(data)
    if seen is None or not seen.loaded:
        raise ConfigError(f"{data} 里还没有县资料。第一次启动时会打印登录口令。")
    if seen.demo:
        raise ConfigError("演示不用登录。正式使用请先导入本县资料（bot county import）。")
    code, name = asyncio.run(_make(data, person))
    click.echo(f"/first?token={code}")
    note(f"给 {name} 的一次性登录口令，{LASTS // 60} 分钟内有效。启动群办后，在网址后面接上面这一段打开，重设密码。")


async def _make(data: Path, wanted: str) -> tuple[str, str]:
    from store import Store, Tx, audit, people

    store, code = Store.open(data), secrets.token_hex(BYTES)

    def job(tx: Tx) -> str:
        found = [people.get(tx, wanted)] if wanted else people.with_role(tx, "admin")
        person = found[0] if found else None
        if person is None:
            raise ConfigError(
                f"没有编号为“{wanted}”的人。" if wanted else "没有系统管理员，请先在人员表里写上角色 admin 再导入。"
            )
        people.void_codes(tx, "login", person.id)
        people.make_code(tx, code, "login", person.id, "", LASTS)
        audit.append(tx, "", "", "cli", person.id, "token", "ok")
        return person.name

    try:
        return code, await store.write(job)
    finally:
        store.close()
