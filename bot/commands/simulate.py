"""`bot simulate PLATFORM`: a small server that behaves like the platform, with a page to talk and to break things."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from bot.commands import Command, log_to_stderr, note
from bot.simulators import SIMULATORS, build
from config.errors import ConfigError

if TYPE_CHECKING:
    from bot.simulators.frame import Simulator


@click.command(cls=Command)
@click.argument("platform", metavar="平台")
@click.option("--host", default="127.0.0.1", metavar="地址", help="监听地址，不写只对本机开放")
@click.option("--port", default=8700, show_default=False, metavar="端口", help="不写为 8700")
@click.option("--bot", "public_url", default="http://127.0.0.1:8000", metavar="网址", help="群办的网址，平台回调用")
@click.option("--name", default="", metavar="名称", help="渠道名称，不写用平台的")
def simulate(platform: str, host: str, port: int, public_url: str, name: str) -> None:
    """模拟一个平台，用来演练。会打印 settings.toml 里要贴的几行，并给出页面网址。"""
    if platform not in SIMULATORS:
        raise ConfigError(f"没有平台 {platform}，可用：{'、'.join(SIMULATORS)}")
    log_to_stderr()
    simulator = build(platform)
    if name:
        simulator.name = name
    try:
        asyncio.run(_serve(simulator, host, port, public_url))
    except KeyboardInterrupt:
        note("已停。")


async def _serve(simulator: Simulator, host: str, port: int, public_url: str) -> None:
    await simulator.start(host, port)
    try:
        click.echo("把下面几行贴进数据目录的 settings.toml，再启动群办：\n")
        click.echo(snippet(simulator.name, simulator.channel(public_url)))
        click.echo(f"模拟页面：{simulator.url}/page/（Ctrl+C 停）")
        await asyncio.Event().wait()
    finally:
        await simulator.close()


def snippet(name: str, channel: dict[str, Any]) -> str:
    """The lines for settings.toml."""
    lines = [f"[channels.{name}]", f"kind = {_toml(channel['kind'])}"]
    for part in ("options", "secrets"):
        if channel.get(part):
            lines += [f"[channels.{name}.{part}]", *(f"{key} = {_toml(v)}" for key, v in channel[part].items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A string, a whole number or a switch; JSON writes all three as TOML does."""
    return json.dumps(value, ensure_ascii=False)
