"""texts.toml: the office's own words in place of ours, one line a text, in the county or data folder.

    accepted = "【已接单】#{number} {person} {time}接单"

Which names there are and which fields each may use is the business of the features (`handlers.wording`).
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from config.errors import ConfigError, Fault

FILE = "texts.toml"


def load_texts(*folders: Path) -> dict[str, str]:
    """Texts from each folder's texts.toml where there is one; later folders win."""
    found: dict[str, str] = {}
    for folder in folders:
        path = folder / FILE
        if path.is_file():
            found |= _read(path)
    return found


def save_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Make the folder's texts.toml say exactly this, whole or not at all. Comments somebody wrote in it are not kept."""
    lines = [f"{name} = {json.dumps(words, ensure_ascii=False)}\n" for name, words in sorted(texts.items())]
    fresh = folder / f".{FILE}"
    with fresh.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(["# 本单位自己的消息文字，在“县资料”的“文字”页面修改\n", *lines])
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / FILE)


def _read(path: Path) -> dict[str, str]:
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([Fault(FILE, None, None, f"打不开或写法不对({error})")]) from error
    bad = [name for name, words in rows.items() if not isinstance(words, str) or not words.strip()]
    if bad:
        raise ConfigError([Fault(FILE, None, None, f"{name} 应为一句话，写在引号里") for name in bad])
    return {name: str(words) for name, words in rows.items()}
