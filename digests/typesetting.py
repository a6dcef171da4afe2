"""Lines of Chinese text by their width in pixels, broken as the rules of punctuation (避头尾) ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from config.fonts import NOBODY
from digests.characters import clusters

if TYPE_CHECKING:
    from config.fonts import Font

CLOSERS = frozenset("，。、；：？！,.;:?!)]}）》〉」』】〕〗”’…—～·％%‰℃°々ー〟")  # 避头: may not begin a line
OPENERS = frozenset("([{（《〈「『【〔〖“‘〝￥¥＄$№＃#")  # 避尾: may not end one
RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z.,:/%_+&-]*[0-9A-Za-z%]|.", re.DOTALL)


def wrapped(text: str, font: Font, room: float) -> list[str]:
    """Lines of at most so many pixels: words and numbers whole, no line beginning with a closing sign or ending with an
    opening one where that can be helped, no single character alone on the last."""
    lines = [""]
    for group in _groups(text):
        if lines[-1] and width(lines[-1] + group.rstrip(), font) > room:
            lines.append("")
        if width(group.rstrip(), font) > room:
            *full, last = _forced(lines.pop() + group, font, room)
            lines += [*full, last]
        else:
            lines[-1] += group if lines[-1] else group.lstrip()
    return [line.rstrip() for line in _accompanied(lines) if line.strip()]


def _accompanied(lines: list[str]) -> list[str]:
    """The last line is not one character: one of the line before keeps it company."""
    if len(lines) < 2 or len(list(_groups(lines[-1]))) > 1:
        return lines
    *rest, moved = _groups(lines[-2])
    if len(rest) < 4 or len(moved) > 4:
        return lines
    return [*lines[:-2], "".join(rest), moved + lines[-1]]


def width(text: str, font: Font) -> float:
    """In pixels; kerning only makes it narrower."""
    return sum(_advance(sign, font) for sign in text)


@lru_cache(8192)
def _advance(sign: str, font: Font) -> float:
    return font.getlength(sign)


@lru_cache(8192)
def lacks(sign: str, font: Font) -> bool:
    """Whether the font would draw its empty box."""
    return bytes(font.getmask(sign)) == bytes(font.getmask(NOBODY))


def _groups(text: str) -> Iterator[str]:
    """What must stand on one line: a word or sign with what may not begin the next line and may not end this one."""
    held = ""
    for found in _signs(text):
        if held and not (found[0] in CLOSERS or held[-1] in OPENERS or found.isspace()):
            yield held
            held = ""
        held += found
    if held:
        yield held


def _signs(text: str) -> Iterator[str]:
    waiting = ""
    for cluster in clusters(text):
        if cluster.isascii() and not cluster.isspace():
            waiting += cluster
            continue
        yield from RUN.findall(waiting)
        waiting = ""
        yield cluster
    yield from RUN.findall(waiting)


def _forced(text: str, font: Font, room: float) -> list[str]:
    """A run no line holds, cut between characters."""
    lines = [""]
    for cluster in clusters(text):
        if lines[-1] and width(lines[-1] + cluster, font) > room:
            lines.append("")
        lines[-1] += cluster
    return lines
