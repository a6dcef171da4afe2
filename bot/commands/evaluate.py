"""`bot evaluate …`: an office measures the bot on its own data (design 8). Standard output is always one JSON object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from bot.commands import Group, county_option, log_to_stderr, path_argument, print_json, quiet_stdout
from config.errors import ConfigError


def file_option(name: str, text: str, required: bool = False) -> Callable[[Any], Any]:
    """An option that names a file."""
    kind = click.Path(path_type=Path)
    return click.option(name, type=kind, default=None, required=required, metavar="文件", help=text)


predictions_option = file_option("--predictions", "把每一条的判断写到这个文件")
json_option = click.option("--json", "_json", is_flag=True, expose_value=False, help="总是 JSON，可不写")


@click.group(cls=Group)
def evaluate() -> None:
    """用自己的数据测准确率，结果是一个 JSON。"""


@evaluate.command()
@path_argument("file", "文件.jsonl")
@county_option
@predictions_option
@json_option
def reports(file: Path, county: Path | None, predictions: Path | None) -> None:
    """上报:类别、单位、位置认得准不准。"""
    _measure("bot.evaluate:evaluate_reports", file, _county(county), predictions)


@evaluate.command()
@file_option("--train", "本单位的历史，每行 {text,label}", required=True)
@file_option("--test", "留出来考的，同样格式", required=True)
@predictions_option
@json_option
def router(train: Path, test: Path, predictions: Path | None) -> None:
    """分派:用本单位的历史学，再考。"""
    _measure("bot.evaluate:evaluate_router", train, test, predictions)


@evaluate.command()
@file_option("--kb", "知识库，每行 {id,question,similar,answer,basis,…}", required=True)
@file_option("--queries", "问题，每行 {id,text,previous,expect}", required=True)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, metavar="日期", help="按哪一天算有效，不写为今天"
)
@predictions_option
@json_option
def faq(kb: Path, queries: Path, as_of: datetime | None, predictions: Path | None) -> None:
    """问答:找得准不准，该不该答。"""
    _measure(
        "bot.evaluate_faq:evaluate_faq", kb, queries, as_of=as_of.date() if as_of else None, predictions=predictions
    )


@evaluate.command()
@file_option("--items", "条目，每行 {id,day,source,title,body,…}", required=True)
@file_option("--clusters", "哪些是同一内容，[[id,…],…]")
@file_option("--pairs", "每行 {a,b,same}")
@file_option("--relevance", "每行 {id,grades,column}")
@file_option("--blocked", "应当拦下的，[{id,reason}]")
@file_option("--leaders", "领导职务表，[{name,title,valid_from,valid_to}]")
@county_option
@predictions_option
@json_option
def digest(
    items: Path,
    clusters: Path | None,
    pairs: Path | None,
    relevance: Path | None,
    blocked: Path | None,
    leaders: Path | None,
    county: Path | None,
    predictions: Path | None,
) -> None:
    """摘要:认得出同一内容，选得对，拦得住。"""
    truth = {"clusters": clusters, "pairs": pairs, "relevance": relevance, "blocked": blocked, "leaders": leaders}
    where = "bot.evaluate_digest:evaluate_digest"
    _measure(where, items, **{**truth, "county": _county(county)}, predictions=predictions)


@evaluate.command()
@path_argument("file", "PAGES.jsonl")
@predictions_option
@json_option
def pages(file: Path, predictions: Path | None) -> None:
    """读网页:正文、标题、日期、编码。"""
    _measure("bot.evaluate_digest:evaluate_pages", file, predictions=predictions)


def _county(path: Path | None) -> Any:
    from config.files import read_county, shipped_county

    return read_county(path) if path else shipped_county()


def _measure(where: str, *arguments: Any, **options: Any) -> None:
    """Call a measuring function, its prints kept off standard output."""
    log_to_stderr()
    for path in (*arguments, *options.values()):
        if isinstance(path, Path) and path is not options.get("predictions", arguments[-1]) and not path.is_file():
            raise ConfigError(f"没有这个文件:{path}")
    with quiet_stdout():
        module, _, name = where.partition(":")
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError):
            raise ConfigError("这个版本还没有这项评测。") from None
        result: Mapping[str, Any] = partial(found, *arguments, **options)()
    print_json(dict(result))
