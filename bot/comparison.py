"""The picture that shows a problem before and after: two photos side by side, with number, place and times.

Drawn in the child that decodes photos. Characters no font here can draw are left out; a machine without a Chinese font
gets digits and Latin letters alone, never empty boxes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.fonts import chinese, drawable, latin

if TYPE_CHECKING:
    from PIL import Image

WIDE = 1600
GAP = 16
HEAD, FOOT = 84, 72
INK, PAPER, FAINT = (28, 32, 38), (255, 255, 255), (94, 102, 112)
BYTES = 2 << 20  # platforms.md 1: a picture a WeCom robot takes
SHAPE = (0.5, 1.5)  # height to width of a half: a panorama gets margins, a tall screenshot does not tower


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written: above, and below each photo."""

    title: str
    before: str
    after: str


def draw(before: Image.Image, after: Image.Image, caption: Caption) -> tuple[Image.Image, bytes]:
    """The picture, and the PNG of it (with fewer colours where it would be too large to send)."""
    from PIL import Image, ImageDraw

    half = (WIDE - 3 * GAP) // 2
    shape = max(photo.height / photo.width for photo in (before, after))
    high = round(half * min(max(shape, SHAPE[0]), SHAPE[1]))
    sheet = Image.new("RGB", (WIDE, HEAD + high + FOOT), PAPER)
    pen = ImageDraw.Draw(sheet)
    write(pen, (GAP, HEAD // 2), caption.title, 40, INK, WIDE - 2 * GAP)
    for n, (photo, words) in enumerate(((before, caption.before), (after, caption.after))):
        left = GAP + n * (half + GAP)
        pen.rectangle((left, HEAD, left + half - 1, HEAD + high - 1), fill=(236, 238, 241))
        fitted = _fitted(photo, half, high)
        sheet.paste(fitted, (left + (half - fitted.width) // 2, HEAD + (high - fitted.height) // 2))
        write(pen, (left, HEAD + high + FOOT // 2), words, 32, FAINT, half)
    return sheet, _png(sheet)


def write(pen: object, at: tuple[int, int], words: str, size: int, ink: tuple[int, int, int], room: int) -> str:
    """Write one line, left and centred on a height, cut to its room; returns what was written."""
    from PIL import ImageDraw

    font = chinese(size)
    said = drawable(words, font) if font else drawable(words, latin(size))
    font = font or latin(size)
    while said and font.getlength(said) > room:
        said = said[:-1].rstrip()
    if isinstance(pen, ImageDraw.ImageDraw):
        pen.text(at, said, fill=ink, font=font, anchor="lm")
    return said


def _fitted(photo: Image.Image, wide: int, high: int) -> Image.Image:
    from PIL.Image import Resampling

    ratio = min(wide / photo.width, high / photo.height)
    size = (max(1, round(photo.width * ratio)), max(1, round(photo.height * ratio)))
    return photo.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def _png(sheet: Image.Image) -> bytes:
    from PIL.Image import Quantize

    for image in (sheet, sheet.quantize(256, Quantize.FASTOCTREE), sheet.quantize(64, Quantize.FASTOCTREE)):
        made = io.BytesIO()
        image.save(made, "PNG", compress_level=6)
        if made.tell() <= BYTES:
            break
    return made.getvalue()
