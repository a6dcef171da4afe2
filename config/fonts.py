"""Fonts of this machine that have Chinese characters: found where systems keep them, never shipped.

A picture is drawn with such a font or without Chinese words; an empty box for a character nobody will ever see here.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

    Font = ImageFont.FreeTypeFont

NOBODY = "\U0010fffe"  # no character: what a font draws for it is its empty box
FOLDERS = {
    "win32": (r"C:\Windows\Fonts",),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts"),
}
UNIX = ("/usr/share/fonts", "/usr/local/share/fonts")
NAMES = (  # best first: a part of the file's name, lower case
    "notosanscjk-regular", "notosanscjksc-regular", "notosanssc", "sourcehansans", "msyh.", "pingfang", "wqy-microhei",
    "wqy-zenhei", "droidsansfallback", "hiragino sans gb", "stheiti light", "simhei", "simsun", "uming", "ukai",
)  # fmt: skip
NO_FONT = "这台机器上没有中文字体，长图画不出来。请安装一种，例如 fonts-wqy-microhei 或 fonts-noto-cjk。"
TRIAL = "整改前后照片"


@cache
def chinese(size: int) -> Font | None:
    """A font of this machine that has Chinese characters."""
    from PIL import ImageFont

    for path in _files(tuple(FOLDERS.get(sys.platform, UNIX))):
        try:
            font = ImageFont.truetype(path, size)
        except OSError:
            continue
        if len(drawable(TRIAL, font)) == len(TRIAL):
            return font
    return None


def latin(size: int) -> Font:
    """The font Pillow brings along: no Chinese, so only ASCII is asked of it."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("Pillow without FreeType draws no text")
    return font


def drawable(words: str, font: Font) -> str:
    """The words without what the font would draw as an empty box, and without the blanks that leaves."""
    box = bytes(font.getmask(NOBODY))
    kept = (char if char == " " or bytes(font.getmask(char)) != box else " " for char in words)
    return " ".join("".join(kept).split())


@cache
def _files(folders: tuple[str, ...]) -> tuple[str, ...]:
    files = [f for folder in folders for f in Path(folder).rglob("*.[to]t[cf]")]
    ranked = ((next((n for n, name in enumerate(NAMES) if name in f.name.lower()), -1), str(f)) for f in files)
    return tuple(path for rank, path in sorted(ranked) if rank >= 0)
