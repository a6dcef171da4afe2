"""An edition as one long picture: 750 px wide, columns as headings, items numbered, set as Chinese is set.

Drawn in the child that decodes photos. Without a Chinese font there is no picture, never empty boxes; a letter the font
lacks is 〓, as printers mark it. Links are not in it: titles and links follow as text.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.fonts import NO_FONT, chinese
from digests.characters import clusters, words
from digests.rendering import Line, Sheet, source_line
from digests.summaries import SENTENCE
from digests.typesetting import lacks, width, wrapped

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from config.fonts import Font

WIDE = 750
MARGIN, INDENT = 40, 96
HEIGHT = 12_000
BYTES = 2 << 20  # platforms.md 3: a picture a WeCom robot takes
ITEMS = 30
NARROW = 90  # characters a line could hold, were all of them thin
PAPER, INK, BODY, FAINT, RULE = (255, 255, 255), (26, 30, 36), (66, 72, 80), (118, 126, 136), (228, 231, 235)
BAND, TINT, ON_BAND = (24, 84, 148), (235, 242, 250), (214, 228, 243)
GETA = "〓"


@dataclass(frozen=True, slots=True)
class Face:
    """One size of type: its font, colour, distance of lines, and how much bolder than the font."""

    size: int
    ink: tuple[int, int, int]
    leading: int
    bold: float = 0.0
    most: int = 99  # lines


TITLE = Face(46, PAPER, 62, 0.9, 3)
DATE = Face(28, ON_BAND, 40, 0, 2)
COLUMN = Face(29, BAND, 40, 0.6, 1)
HEAD = Face(32, INK, 46, 0.7, 6)
TEXT = Face(28, BODY, 45, 0, 12)
NOTE = Face(23, FAINT, 36, 0, 2)
NUMBER = Face(24, BAND, 30, 0.6, 1)


def draw(sheet: Sheet) -> bytes:
    """The PNG, at most BYTES large. ConfigError where this machine has no Chinese font."""
    if chinese(TEXT.size) is None:
        raise ConfigError(NO_FONT)
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (WIDE, HEIGHT), PAPER)
    pen = ImageDraw.Draw(canvas)
    at, shown, column = _top(pen, sheet), 0, ""
    for line in sheet.lines[:ITEMS]:
        if at + _height(line) > HEIGHT - 200:
            break
        if line.column and line.column != column:
            at = _column(pen, at, line.column)
        elif shown:
            pen.line((INDENT, at + 14, WIDE - MARGIN, at + 14), RULE, 1)
            at += 30
        shown, column = shown + 1, line.column
        at = _item(pen, at, shown, line)
    at = _foot(pen, at, sheet, len(sheet.lines) - shown)
    return _png(canvas.crop((0, 0, WIDE, at)))


def _set(text: str, face: Face, room: int) -> list[str]:
    """The text in its face's lines; "…" ends the last one allowed when there is more."""
    font = _font(face)
    lines = wrapped(_drawn(words(text[: NARROW * (face.most + 1)]), font), font, room)
    if len(lines) <= face.most:
        return lines
    last = list(clusters(lines[face.most - 1]))
    while last and width("".join(last) + "…", font) > room:
        last.pop()
    return [*lines[: face.most - 1], "".join(last).rstrip("，、；：") + "…"]


def _drawn(text: str, font: Font) -> str:
    """A letter the font lacks as 〓; a picture sign it lacks is left out."""
    kept = "".join((GETA if sign.isalpha() else "") if sign != " " and lacks(sign, font) else sign for sign in text)
    return " ".join(kept.split())


def _said(line: Line, room: int) -> list[str]:
    """As many whole sentences as their place takes."""
    font = _font(TEXT)
    found = [_drawn(words(match[0]), font) for match in SENTENCE.finditer(line.text[: NARROW * TEXT.most])]
    widths = accumulate(width(said, font) for said in found)
    kept = [said for said, wide in zip(found, widths, strict=True) if wide <= room * TEXT.most]
    while kept and len(lines := wrapped("".join(kept), font, room)) > TEXT.most:
        kept.pop()
    return lines if kept else []


def _font(face: Face) -> Font:
    font = chinese(face.size)
    if font is None:
        raise ConfigError(NO_FONT)
    return font


def _top(pen: ImageDraw.ImageDraw, sheet: Sheet) -> int:
    name, _, date = sheet.title.partition(" · ")
    names, dates = _set(name, TITLE, WIDE - 2 * MARGIN), _set(date, DATE, WIDE - 2 * MARGIN)
    high = 48 + len(names) * TITLE.leading + (8 if dates else 0) + len(dates) * DATE.leading + 26
    pen.rectangle((0, 0, WIDE, high), BAND)
    at = _write(pen, MARGIN, 40, names, TITLE)
    _write(pen, MARGIN + 2, at + 8, dates, DATE)
    return high + 8


def _column(pen: ImageDraw.ImageDraw, at: int, name: str) -> int:
    at += 28
    pen.rectangle((0, at, WIDE, at + 56), TINT)
    pen.rectangle((0, at, 10, at + 56), BAND)
    _write(pen, MARGIN, at + 8, _set(name, COLUMN, WIDE - 2 * MARGIN), COLUMN)
    return at + 56 + 24


def _item(pen: ImageDraw.ImageDraw, at: int, n: int, line: Line) -> int:
    room = WIDE - MARGIN - INDENT
    pen.bitmap((MARGIN, at + 3), _ring(), BAND)
    pen.text((MARGIN + 20, at + 23), str(n), NUMBER.ink, _font(NUMBER), "mm", stroke_width=NUMBER.bold)
    at = _write(pen, INDENT, at, _set(line.title, HEAD, room), HEAD)
    said = _said(line, room)
    at = _write(pen, INDENT, at + 8, said, TEXT) if said else at
    note = _set(source_line(line), NOTE, room)
    return _write(pen, INDENT, at + 6, note, NOTE) + 6 if note else at + 6


@cache
def _ring() -> Image.Image:
    """The circle around a number, drawn large and made small: smooth."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (160, 160), 0)
    ImageDraw.Draw(mask).ellipse((2, 2, 157, 157), outline=255, width=8)
    return mask.resize((40, 40), Image.Resampling.BOX)


def _height(line: Line) -> int:
    """At most so high."""
    room = WIDE - MARGIN - INDENT
    return 160 + len(_set(line.title, HEAD, room)) * HEAD.leading + len(_said(line, room)) * TEXT.leading


def _foot(pen: ImageDraw.ImageDraw, at: int, sheet: Sheet, missing: int) -> int:
    words_ = [f"另有{missing}条，见文字" if missing else "", sheet.foot]
    lines = [row for said in words_ if said for row in _set(said, NOTE, WIDE - 2 * MARGIN)]
    if not lines:
        return at + 40
    pen.line((MARGIN, at + 34, WIDE - MARGIN, at + 34), RULE, 2)
    return _write(pen, MARGIN, at + 52, lines, NOTE) + 36


def _write(pen: ImageDraw.ImageDraw, left: int, at: int, lines: list[str], face: Face) -> int:
    font = _font(face)
    for line in lines:
        pen.text((left, at + face.leading // 2), line, face.ink, font, "lm", stroke_width=face.bold)
        at += face.leading
    return at


def _png(picture: Image.Image) -> bytes:
    from PIL.Image import Quantize

    for colours in (64, 16, 4):
        made = io.BytesIO()
        picture.quantize(colours, Quantize.FASTOCTREE).save(made, "PNG", compress_level=6)
        if made.tell() <= BYTES:
            break
    return made.getvalue()
