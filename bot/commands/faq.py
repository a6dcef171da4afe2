"""`bot faq ask|export|import`: the tax knowledge base from the command line."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.commands import Group, data_option, json_option, path_argument, print_json, quiet_stdout
from config.errors import ConfigError

if TYPE_CHECKING:
    from handlers.faq.bands import Outcome

BANDS = {"choose": "列出选项", "handoff": "转人工", "silent": "不答（不是税费问题）", "mask": "有个人或企业号码，不答"}
WHY = {
    "unknown": "库里没有",
    "expired": "规定已失效",
    "not_yet": "规定未生效",
    "matter": "要办的事",
    "person": "要求人工",
    "taxpayer": "要问清纳税人类型",
    "tax": "要问清税种",
    "period": "要问清按月按季按年",
    "unsure": "拿不准",
}


@click.group(cls=Group)
def faq() -> None:
    """税费问答库:试问、导出、导入。"""


@faq.command("ask")
@click.argument("text", metavar="问题")
@data_option
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, metavar="日期", help="按哪一天，不写为今天")
@json_option
def ask(text: str, data: Path, as_of: datetime | None, as_json: bool) -> None:
    """试问一句，看会怎么答。群办正在运行也可以；没有数据时问自带的库。"""
    from bot.faq_files import ask as asked
    from bot.faq_files import standing_entries

    day = as_of.date() if as_of else date.today()
    with quiet_stdout():
        outcomes = asked(standing_entries(data), text, day)
    if as_json:
        return print_json({"outcomes": [_row(outcome) for outcome in outcomes]})
    for outcome in outcomes:
        click.echo(_said(outcome))
    return None


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "band": outcome.band,
        "faq": outcome.entry.id if outcome.entry else None,
        "reason": outcome.reason,
        "choices": [entry.id for entry in outcome.choices],
        "deadline": outcome.deadline.text if outcome.deadline else None,
        "sure": round(outcome.sure, 4),
        "top": list(outcome.top),
    }


def _said(outcome: Outcome) -> str:
    from handlers.faq.cards import card

    if outcome.deadline is not None:
        return outcome.deadline.text
    if outcome.band == "answer" and outcome.entry is not None:
        return card(outcome.entry)[0]
    lines = [f"{BANDS[outcome.band]}（{WHY.get(outcome.reason, outcome.reason)}）"]
    lines += [f"{n} {entry.question}" for n, entry in enumerate(outcome.choices, 1)]
    return "\n".join(lines)


@faq.command("export")
@path_argument("target", "文件.csv或.xlsx")
@data_option
def export(target: Path, data: Path) -> None:
    """把问答库导出成一个 CSV 或 Excel 文件，每条一行（已生效的那一版）。"""
    from bot.faq_files import standing_entries
    from config.faq.entries import write_entries, write_entries_workbook

    if target.exists():
        raise ConfigError(f"{target} 已存在，请换一个名字。")
    if target.suffix.lower() not in (".csv", ".xlsx"):
        raise ConfigError("文件名应以 .csv 或 .xlsx 结尾。")
    entries = standing_entries(data)
    target.parent.mkdir(parents=True, exist_ok=True)
    (write_entries_workbook if target.suffix.lower() == ".xlsx" else write_entries)(entries, target)
    click.echo(f"已导出 {len(entries)} 条到 {target}。")


@faq.command("import")
@path_argument("source", "文件.csv或.xlsx")
@data_option
@json_option
def import_(source: Path, data: Path, as_json: bool) -> None:
    """导入问答库。有一处不对就什么都不改，并指出在第几行哪一列。群办运行时不能导入。"""
    from bot.faq_files import DONE, put_in
    from config.faq.entries import read_entries

    if not source.is_file():
        raise ConfigError(f"没有这个文件:{source}")
    done = asyncio.run(put_in(data, read_entries(source)))
    if as_json:
        return print_json({name: done[name] for name in DONE})
    click.echo("已导入:" + "、".join(f"{label} {done[name]}" for name, label in DONE.items()) + "。")
    return None
