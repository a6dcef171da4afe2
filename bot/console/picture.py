"""Pictures for the demo's story, drawn when they are needed: a manhole before and after, with a date stamp."""

from __future__ import annotations

import io
from typing import Any

SIZE = (960, 720)
ROAD, LINE, HOLE, PLATE, RIM = (118, 116, 112), (214, 208, 190), (24, 22, 22), (96, 98, 100), (70, 72, 74)


def manhole(mended: bool, stamp: str, shift: int = 0) -> bytes:
    """A JPEG: the broken cover, or the new one. `shift` moves the scene so that no two runs show the same picture."""
    from PIL import Image, ImageDraw, ImageFilter

    road = Image.new("RGB", SIZE, ROAD)
    grain = Image.effect_noise(SIZE, 46).convert("RGB")
    road = Image.blend(road, grain, 0.28)
    draw = ImageDraw.Draw(road)
    draw.polygon([(0, 90), (960, 40 + shift), (960, 62 + shift), (0, 116)], fill=LINE)
    box = (270 + shift, 230, 690 + shift, 560)
    (_whole if mended else _broken)(draw, box)
    road = road.filter(ImageFilter.GaussianBlur(1.1))
    ImageDraw.Draw(road).text((24, SIZE[1] - 44), stamp, fill=(255, 236, 150), font_size=28)
    out = io.BytesIO()
    road.save(out, "JPEG", quality=82)
    return out.getvalue()


def _broken(draw: Any, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    draw.ellipse((left - 16, top - 12, right + 16, bottom + 12), fill=RIM)
    draw.ellipse(box, fill=HOLE)
    draw.chord(box, 175, 292, fill=PLATE)
    draw.polygon([(left + 210, top + 60), (left + 330, top + 30), (left + 250, top + 170)], fill=(82, 84, 86))
    for n in range(5):
        draw.line((left + 40 + n * 26, top + 70, left + 86 + n * 22, top + 150), fill=RIM, width=5)
    draw.polygon(
        [(right + 60, bottom + 10), (right + 100, bottom - 150), (right + 140, bottom + 10)], fill=(214, 92, 34)
    )
    draw.polygon(
        [
            (right + 78, bottom - 60),
            (right + 88, bottom - 100),
            (right + 112, bottom - 100),
            (right + 122, bottom - 60),
        ],
        fill=(240, 238, 230),
    )


def _whole(draw: Any, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    draw.ellipse((left - 26, top - 20, right + 26, bottom + 20), fill=(150, 148, 144))
    draw.ellipse((left - 12, top - 9, right + 12, bottom + 9), fill=RIM)
    draw.ellipse(box, fill=(108, 111, 114))
    middle, half = (top + bottom) // 2, (bottom - top) // 2
    for n in range(-5, 6):
        reach = int(((1 - (n / 6.2) ** 2) ** 0.5) * (right - left) / 2) - 14
        y = middle + n * half // 6
        draw.line(((left + right) // 2 - reach, y, (left + right) // 2 + reach, y), fill=(84, 87, 90), width=6)
    draw.ellipse((left + 190, middle - 22, left + 230, middle + 10), fill=HOLE)
