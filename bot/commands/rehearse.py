"""`bot rehearse`: a script of messages against a configuration, as JSON or as a chat one can read."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.commands import (
    Command,
    county_option,
    json_option,
    log_to_stderr,
    note,
    path_argument,
    print_json,
    quiet_stdout,
)
from config.errors import ConfigError

if TYPE_CHECKING:
    from bot.rehearse import Line
    from config.county import County

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
REFUSED = {
    "not_allowed": "没有这个权限",
    "wrong_state": "现在不能这样做",
    "not_member": "不是成员",
    "own_unit": "不能核查本单位",
    "too_late": "已过期限",
    "unclear": "没有听懂",
    "duplicate": "重复",
}


@click.command(cls=Command)
@path_argument("script", "剧本.jsonl")
@county_option
@json_option
def rehearse(script: Path, county: Path | None, as_json: bool) -> None:
    """演练:在内存里、用虚拟时钟把一段群聊走一遍，不动任何数据。"""
    log_to_stderr()
    if not script.is_file():
        raise ConfigError(f"没有这个剧本:{script}")
    with quiet_stdout():
        from bot.app import rules_of
        from bot.rehearse import read_script
        from bot.rehearse import rehearse as play
        from config.files import read_county, shipped_county
        from config.settings import load_settings
        from config.texts import load_texts

        folders = [county] if county and county.is_dir() else []
        rules = rules_of(load_settings(*folders), load_texts(*folders))
        used = read_county(county) if county else shipped_county()
        start, lines, _ = read_script(script)
        steps, faults = asyncio.run(play(script, used, rules))
    for fault in faults:
        note(str(fault))
    if as_json:
        return print_json({"steps": steps})
    for text in _chat(start, lines, steps, used):
        click.echo(text)


def _chat(start: int, lines: Sequence[Line], steps: Sequence[dict[str, Any]], county: County) -> Iterator[str]:
    names = {p.id: p.name for p in county.people} | {g.id: g.name for g in county.groups}
    done = {step["i"]: step for step in steps}
    for line in lines:
        step = done[line.i]
        moment = datetime.datetime.fromtimestamp(start + line.t, SHANGHAI).strftime("%m-%d %H:%M:%S")
        if line.sender:
            where = f"（{names.get(line.group, line.group)}）" if line.group else "（私聊）"
            yield f"{moment} {names.get(line.sender, line.sender)}{where}:{_said(line)}"
            if not step["kept"]:
                yield "    （不是对群办说的，没有保存）" if step["refused"] is None else "    （没有再收一次）"
        elif step["notices"]:
            yield f"{moment} ——"
        if step["refused"]:
            yield f"    ✗ {REFUSED.get(step['refused'], step['refused'])}"
        for notice in step["notices"]:
            text = str(notice["text"]).replace("\n", "\n      ")
            yield f"    群办 → {names.get(notice['to'], notice['to'])}:{text}"


def _said(line: Line) -> str:
    if line.recall is not None:
        return f"（撤回第 {line.recall} 步）"
    quote = f"「回第 {line.quote} 步」" if line.quote is not None else ""
    photos = "".join(f"[照片 {name}]" for name in line.photos)
    return f"{quote}{line.text}{photos}"
