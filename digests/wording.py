"""The words of a story without what sites and re-posters hang around it; the form two texts are compared in."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from config.digest import table

LONGEST = 20_000
TITLE_LONGEST = 400
TOKENS = re.compile(r"\d+(?:\.\d+)?%?|[A-Za-z]+|[\u4e00-\u9fff〇]")
BLANKS = re.compile(r"[^\S\n]+|[\u200b-\u200f\u2060\ufeff]")
COMMAS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def plain(text: str) -> str:
    """NFKC, no blanks, line by line without boilerplate."""
    lines = BLANKS.sub("", COMMAS.sub("", unicodedata.normalize("NFKC", text[:LONGEST]))).split("\n")
    return "\n".join(line for line in lines if line and not _boilerplate().fullmatch(line))


def story(text: str) -> str:
    """`plain`, less the dateline an agency or a county office puts before it."""
    return _lead().sub("", plain(text), count=1)


def tokens(text: str) -> list[str]:
    """Numbers and Latin words whole, Chinese signs one by one, nothing else."""
    return TOKENS.findall(text)


@cache
def _boilerplate() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_narrow(rule)})" for rule in table("words")["boilerplate"]))


@cache
def _lead() -> re.Pattern[str]:
    return re.compile(_narrow(table("words")["lead"]))


def _narrow(rule: str) -> str:
    return rule.replace("(（", "(").replace(")）", ")").replace("[:：]", ":").replace("：", ":")
