"""How a photo is recognised again: 256-bit difference hashes of it whole, without bars, without its lower third, mirrored.

Runs in the child that decodes photos. A single hash misses the usual disguises: a fresh watermark, a screenshot, a mirror
image (dispatch.md D4, lessons 1–3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIDE = 16  # 16×16 cells: 256 bits
FINE = 32  # 32×32 cells: the second look, where a moved camera shows
TOP = 0.66  # the watermark sits in the rest (dispatch.md D4)
FLAT = 10  # grey levels between a print's darkest and brightest cell, below which it says nothing
DARK, BRIGHT = 40, 232  # bars of screenshots and viewers are nearly black or white
LIKE, SHARE = 14, 0.95  # a bar's line: so many of its pixels so near to the bar's colour
GAP = 0.04  # of a side: how high what stands in a bar may be
MOST = 0.4  # of a side that may be bar


def prints(image: Image.Image) -> str:
    """Six hashes, parted by spaces: whole, trimmed, top, and the same three mirrored; "-" for one that says nothing.

    Each is 256 bits in 16×16 cells, then a colon, then 1024 bits in 32×32 cells.
    """
    from PIL.Image import Transpose

    grey = image.convert("L")
    inner = trim(grey)
    top = inner.crop((0, 0, inner.width, max(1, round(inner.height * TOP))))
    cuts = (grey, inner, top)
    return " ".join(_print(cut) for cut in (*cuts, *(cut.transpose(Transpose.FLIP_LEFT_RIGHT) for cut in cuts)))


def dhash(image: Image.Image, side: int = SIDE) -> str:
    """Difference hash, in hex: is each of side×side cells darker than its right neighbour?"""
    return _bits(_cells(image, side), side)


def trim(grey: Image.Image) -> Image.Image:
    """The picture without nearly black or white bars at its edges."""
    from PIL.Image import Resampling

    wide, high = grey.size
    lines = grey.resize((64, high), Resampling.BOX).tobytes()
    rows = [lines[at : at + 64] for at in range(0, len(lines), 64)]
    top, bottom = _bar(rows), high - _bar(rows[::-1])
    if bottom - top < high * (1 - 2 * MOST):
        top, bottom = 0, high
    lines = grey.crop((0, top, wide, bottom)).resize((wide, 64), Resampling.BOX).tobytes()
    columns = [lines[at::wide] for at in range(wide)]
    left, right = _bar(columns), wide - _bar(columns[::-1])
    if right - left < wide * (1 - 2 * MOST):
        left, right = 0, wide
    return grey.crop((left, top, right, bottom))


def _bar(lines: list[bytes]) -> int:
    """How many lines from the edge are bar, with what stands in it (a clock, icons)."""
    colour = sorted(lines[0])[len(lines[0]) // 2]
    if DARK < colour < BRIGHT:
        return 0
    enough, bar = SHARE * len(lines[0]), 0
    for count, line in enumerate(lines, 1):
        if sum(abs(pixel - colour) <= LIKE for pixel in line) >= enough:
            bar = count
        elif count - bar > GAP * len(lines):
            break
    return bar


def _print(image: Image.Image) -> str:
    cells = _cells(image, SIDE)
    if max(cells) - min(cells) < FLAT:
        return "-"
    return f"{_bits(cells, SIDE)}:{dhash(image, FINE)}"


def _cells(image: Image.Image, side: int) -> bytes:
    from PIL.Image import Resampling

    return image.convert("L").resize((side + 1, side), Resampling.LANCZOS).tobytes()


def _bits(cells: bytes, side: int) -> str:
    bits = 0
    for row in range(0, (side + 1) * side, side + 1):
        for at in range(row, row + side):
            bits = bits << 1 | (cells[at + 1] > cells[at])
    return f"{bits:0{side * side // 4}x}"
