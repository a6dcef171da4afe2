"""The command line: `serve` (the default) and the operator's commands, each loaded only when called.

Exit codes: 0 done, 1 it did not work (a sentence says why), 2 the command was not written right.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from bot import __version__
from bot.commands import Group
from config.errors import QunbanError

COMMANDS = {
    "serve": ("bot.commands.serve:serve", "启动群办（不写命令时就是它）"),
    "check": ("bot.commands.check:check", "检查一个数据目录，逐项说明哪些还没配好"),
    "county": ("bot.commands.county:county", "县资料:导出、导入"),
    "lessons": ("bot.commands.lessons:lessons", "经验:导入本单位的历史工单、导出、整批撤回"),
    "backup": ("bot.commands.backup:backup", "马上备份一次"),
    "restore": ("bot.commands.backup:restore", "从备份恢复，或演练恢复"),
    "token": ("bot.commands.token:token", "没人能登录时，给管理员一个一次性登录口令"),
    "audit": ("bot.commands.audit:audit", "核对工单流水和审计记录有没有被改动"),
    "stats": ("bot.commands.stats:stats", "统计受理、立案、结案和时长"),
    "digest": ("bot.commands.digest:digest", "每日摘要:候选和理由，预览，发出已签发的一期"),
    "source": ("bot.commands.source:source", "摘要的来源:列出、试读、启用、停用"),
    "rehearse": ("bot.commands.rehearse:rehearse", "演练:按剧本把一段群聊走一遍"),
    "simulate": ("bot.commands.simulate:simulate", "模拟一个聊天平台，用来演练"),
    "evaluate": ("bot.commands.evaluate:evaluate", "用自己的数据测准确率"),
    "faq": ("bot.commands.faq:faq", "税费问答库:试问、导出、导入"),
    "pack": ("bot.commands.pack:pack", "给不能上网的电脑打安装包"),
}


class _Bot(Group):
    """`bot` alone means `bot serve`; our errors are sentences, not tracebacks."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **{**kwargs, "prog_name": "bot", "standalone_mode": False})
        except click.UsageError as error:
            _end(f"{_sentence(error)}\n用法见:{error.ctx.command_path if error.ctx else 'bot'} --help", 2)
        except click.exceptions.Exit as end:
            sys.exit(end.exit_code)
        except (click.Abort, KeyboardInterrupt):
            _end("已取消，没有改动。", 1)
        except (click.ClickException, QunbanError) as error:
            _end(error.message if isinstance(error, click.ClickException) else str(error), 1)
        except OSError as error:
            _end(f"读写失败:{error.filename or ''}({error.strerror or error})", 1)


def _sentence(error: click.UsageError) -> str:
    """click's own complaints in Chinese."""
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}。"
    if isinstance(error, click.MissingParameter):
        return f"缺少 {error.param.make_metavar(error.ctx) if error.param and error.ctx else '参数'}。"
    if isinstance(error, click.BadParameter):
        return f"{error.param.opts[-1] if error.param else '参数'} 的值不对，{_wanted(error.param)}。"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 后面缺少值。"
    return error.message


def _wanted(param: click.Parameter | None) -> str:
    kind = param.type if param is not None else None
    if isinstance(kind, click.IntRange):
        return f"应为 {kind.min} 到 {kind.max} 的整数"
    return "应为整数" if isinstance(kind, click.types.IntParamType) else "请看用法"


def _end(text: str, code: int) -> None:
    click.echo(text, err=True)
    sys.exit(code)


@click.group(cls=_Bot, name="bot")
@click.version_option(__version__, message="群办 %(version)s", help="显示版本")
def main() -> None:
    """群办:让工作群把事办成。"""
