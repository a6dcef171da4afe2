"""The command line: `serve` (the default) and the operator's commands."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
import webbrowser
from pathlib import Path

import click
import structlog

from config.errors import ConfigError, QunbanError

PORT = 8000
PORTS_TRIED = 20


class _Bot(click.Group):
    """`bot` alone means `bot serve`; our errors are sentences, not tracebacks."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        except QunbanError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Bot, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """群办:让工作群把事办成。"""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", type=int, default=None, help=f"端口；不写则从 {PORT} 起找空闲的")
@click.option("--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, help="数据目录")
@click.option("--county", type=click.Path(path_type=Path), default=None, help="首次启动时载入的县资料目录或 Excel")
@click.option("--no-browser", is_flag=True, help="不自动打开浏览器")
def serve(host: str, port: int | None, data: Path, county: Path | None, no_browser: bool) -> None:
    """启动群办。"""
    from aiohttp import web

    from bot.app import application, assemble
    from config.files import read_county
    from config.settings import load_settings

    settings = load_settings(*([county] if county and county.is_dir() else []), data)
    _log_to_stderr(settings.log_level)
    imported = read_county(county) if county else None
    listener = _bind(host, port)
    parts = assemble(data, settings, imported)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    url = f"http://{shown}:{listener.getsockname()[1]}/"
    app = application(parts, imported)
    app.on_startup.append(lambda app: _announce(app, url, no_browser))
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


async def _announce(app: object, url: str, no_browser: bool) -> None:
    asyncio.get_running_loop().call_soon(lambda: print(f"群办已启动:{url}", flush=True))
    remote = os.environ.get("SSH_CONNECTION") or os.environ.get("CI")
    if not no_browser and not remote and sys.stdout.isatty():
        webbrowser.open(url)


def _bind(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (port,) if port is not None else range(PORT, PORT + PORTS_TRIED):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            if port is not None:
                raise ConfigError(f"端口 {port} 用不了({error.strerror})，请换一个(--port)。") from error
            continue
        return listener
    raise ConfigError(f"端口 {PORT} 到 {PORT + PORTS_TRIED - 1} 都被占用，请用 --port 指定一个。")


def _log_to_stderr(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


def new_code() -> str:
    """A one-time code people can type: 8 characters without look-alikes, some 40 bits."""
    return "".join(secrets.choice("23456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(8))
