"""`bot serve`: pass the start gates, bind, say where, run until told to stop."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import Command, county_option, data_option, log_to_stderr, note
from config.errors import ConfigError

if TYPE_CHECKING:
    from bot.app import Parts
    from config.county import County

PORT = 8000
PORTS_TRIED = 20
AIOHTTP = (3, 14, 3)  # security.md E: CVE-2026-69244 and others below


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", metavar="地址", help="监听地址，不写只对本机开放")
@click.option("--port", type=int, default=None, metavar="端口", help=f"不写则从 {PORT} 起找空闲的")
@data_option
@county_option
@click.option("--no-browser", is_flag=True, help="不自动打开浏览器")
def serve(host: str, port: int | None, data: Path, county: Path | None, no_browser: bool) -> None:
    """启动群办。第一次启动且不给 --county 时，用自带的云溪县做演示。"""
    refuse_old_aiohttp()
    from aiohttp import web

    from bot.app import application, assemble
    from config.settings import load_settings

    settings = load_settings(*([county] if county and county.is_dir() else []), data)
    log_to_stderr(settings.log_level)
    _end_demo(data)
    imported = _county_for(data, county)
    if imported and county:
        from bot.county_import import lay_texts, new_texts

        if new_texts(county, data):
            data.mkdir(parents=True, exist_ok=True)
            lay_texts(county, data)
    listener = _bind(host, port)
    try:
        parts = assemble(data, settings, imported)
    except BaseException:
        listener.close()
        raise
    app = application(parts, imported)
    url = f"http://{_shown(host)}:{listener.getsockname()[1]}/"

    async def announce(app: web.Application) -> None:
        await _announce(parts, url, no_browser)

    app.on_startup.append(announce)
    web.run_app(
        app,
        sock=listener,
        print=None,
        access_log=None,
        handle_signals=True,
        keepalive_timeout=30.0,
        shutdown_timeout=5.0,
        loop=_loop(),
    )


def _loop() -> asyncio.AbstractEventLoop | None:
    """uvloop where it is installed (extra `speed`); otherwise what Python has."""
    try:
        import uvloop
    except ImportError:
        return None
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def refuse_old_aiohttp() -> None:
    """Older releases have known holes a request from outside can use."""
    from importlib.metadata import version

    found = version("aiohttp")
    if tuple(int(part) for part in re.findall(r"\d+", found)[:3]) < AIOHTTP:
        raise ConfigError(
            f"aiohttp {found} 有已知漏洞，至少要 {'.'.join(map(str, AIOHTTP))}。请删除 .venv 后重新 ./run。"
        )


def _county_for(data: Path, county: Path | None) -> County | None:
    """What a first start loads. Later the database is the truth (design 7), and files are only imported on purpose."""
    if county is None:
        return None
    from config.files import read_county
    from store.peeking import glance

    seen = glance(data)
    if seen is None or not seen.loaded:
        return read_county(county)
    if seen.demo:
        raise ConfigError(
            f"数据目录 {data} 是演示用的，没有使用 --county。要换成本县资料，请用 bot county import，"
            "或用 --data 换一个新的数据目录。"
        )
    note(f"数据目录 {data} 里已有县资料，没有使用 --county。要更新请用 bot county import。")
    return None


def _end_demo(data: Path) -> None:
    """Put in the county that was handed in and confirmed in a demo's browser."""
    from bot import incoming

    if (aside := incoming.keep_promise(data)) is not None:
        note(f"已换成本县资料，演示结束。演示数据移到了 {aside}。")


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


async def _announce(parts: Parts, url: str, no_browser: bool) -> None:
    from bot.console.login import first_run_token

    token = await first_run_token(parts.engine)
    asyncio.get_running_loop().call_soon(_print_urls, url, token)
    remote = os.environ.get("SSH_CONNECTION") or os.environ.get("CI")
    if not no_browser and not remote and sys.stdout.isatty():
        webbrowser.open(url)


def _print_urls(url: str, token: str | None) -> None:
    print(f"群办已启动:{url}", flush=True)
    if token is not None:
        print(f"还没有人能登录。请管理员打开此页设密码（只能用一次，尽快使用）:{url}first?token={token}", flush=True)


def _bind(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (port,) if port is not None else range(PORT, PORT + PORTS_TRIED):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except (OSError, OverflowError) as error:
            listener.close()
            if port is not None:
                reason = getattr(error, "strerror", None) or "不是有效的端口"
                raise ConfigError(f"{host}:{port} 用不了({reason})，请换一个(--host、--port)。") from error
            continue
        return listener
    raise ConfigError(f"端口 {PORT} 到 {PORT + PORTS_TRIED - 1} 都被占用，请用 --port 指定一个。")
