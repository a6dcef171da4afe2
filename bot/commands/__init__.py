"""One file per operator's command; `bot.cli` loads only the one that is called.

Here is what they share: Chinese help, the usual options, and where output goes. With `--json` standard output is one
JSON object and everything else goes to standard error (design 8).
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
HEADINGS = {"Options": "选项", "Commands": "命令"}
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Formatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, "用法: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(HEADINGS.get(heading, heading))


class Context(click.Context):
    """Writes help in Chinese."""

    formatter_class = _Formatter


class Command(click.Command):
    """A command whose help is Chinese throughout."""

    context_class = Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"options_metavar": "[选项]", "context_settings": SETTINGS, **kwargs})

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _in_chinese(super().get_help_option(ctx))


class Group(click.Group):
    """A group of such commands."""

    context_class = Context
    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fixed = {"options_metavar": "[选项]", "subcommand_metavar": "命令 [参数]", "context_settings": SETTINGS}
        super().__init__(*args, **{**fixed, **kwargs})

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _in_chinese(super().get_help_option(ctx))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"没有命令 {args[0]}，可用:{'、'.join(self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


def _in_chinese(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = "显示本说明"
    return option


def folder_option(name: str, text: str, default: str | None = None) -> Callable[[F], F]:
    """An option that takes a path."""
    value = None if default is None else Path(default)
    return click.option(name, type=click.Path(path_type=Path), default=value, metavar="目录", help=text)


data_option = folder_option("--data", "数据目录，不写为 data", "data")
county_option = folder_option("--county", "县资料目录或 Excel；不写用自带的云溪县")
json_option = click.option("--json", "as_json", is_flag=True, help="标准输出只有一个 JSON")
yes_option = click.option("--yes", is_flag=True, help="不再询问")


def path_argument(name: str, metavar: str) -> Callable[[F], F]:
    """A positional path."""
    return click.argument(name, type=click.Path(path_type=Path), metavar=metavar)


def note(text: str) -> None:
    """Tell the person at the keyboard something that is not the result."""
    click.echo(text, err=True)


def print_json(value: object) -> None:
    """The one object on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Whatever a library prints goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def log_to_stderr(level: str = "WARNING") -> None:
    """One JSON line per log entry on standard error; a full disk under it loses the line, not the program."""
    import logging

    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(_Unbreakable()),  # type: ignore[arg-type]
    )
    logging.basicConfig(level=logging.WARNING, stream=_Unbreakable())


class _Unbreakable:
    """Standard error that never raises: a log on the full disk must not stop what it reports."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
