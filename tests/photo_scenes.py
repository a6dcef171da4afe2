"""Made street scenes for the likeness figures: a problem before and after, and the ways a photo is used again.

They are drawings, not photographs: the figures say how the method behaves, not how a county's photos will.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

WIDE, HIGH = 1000, 760  # the world; a photo shows 800×600 of it
VIEW = (800, 600)


def world(seed: int, problem: bool = True) -> Image.Image:
    """A street: sky, houses, trees, a road, and a heap of rubbish unless it has been cleared away."""
    dice = random.Random(seed)
    image = _sky(dice)
    draw = ImageDraw.Draw(image)
    horizon = dice.randint(int(HIGH * 0.42), int(HIGH * 0.6))
    _houses(draw, dice, horizon)
    _ground(draw, dice, horizon)
    for _ in range(dice.randint(2, 6)):
        _tree(draw, dice, horizon)
    for _ in range(dice.randint(6, 16)):
        _thing(draw, dice, horizon)
    where = dice.randint(180, 560), dice.randint(horizon, HIGH - 260)
    heap = random.Random(seed + 1)
    if problem:
        _heap(draw, heap, where)
    return _grain(image.filter(ImageFilter.GaussianBlur(0.8)), dice, 14)


def photo(seed: int) -> Image.Image:
    """What a reporter sends."""
    return world(seed).crop((100, 80, 100 + VIEW[0], 80 + VIEW[1]))


def after(seed: int, dice: random.Random) -> Image.Image:
    """The same spot put right: the camera 2–8 % elsewhere, turned a little, other light, the heap gone, grain."""
    away = dice.uniform(0.02, 0.08)
    dx, dy = (round(dice.choice((-1, 1)) * away * side * dice.uniform(0.6, 1)) for side in VIEW)
    zoom, turn = dice.uniform(0.96, 1.04), dice.uniform(-1.5, 1.5)
    image = world(seed, problem=False).rotate(turn, Image.Resampling.BICUBIC, center=(WIDE / 2, HIGH / 2))
    wide, high = VIEW[0] * zoom, VIEW[1] * zoom
    left = min(max(0, WIDE / 2 + dx - wide / 2), WIDE - wide)
    top = min(max(0, HIGH / 2 + dy - high / 2), HIGH - high)
    image = image.resize(VIEW, Image.Resampling.BICUBIC, (left, top, left + wide, top + high))
    image = ImageEnhance.Brightness(image).enhance(dice.uniform(0.75, 1.25))
    return recompressed(_grain(image, dice, 10), dice)


def recompressed(image: Image.Image, dice: random.Random) -> Image.Image:
    """Forwarded: made smaller, JPEG quality 50–75, up to three times."""
    for _ in range(dice.randint(1, 3)):
        made = io.BytesIO()
        scale = dice.uniform(0.6, 1.0)
        image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR).save(
            made, "JPEG", quality=dice.randint(50, 75)
        )
        image = Image.open(made).convert("RGB")
    return image


def watermarked(image: Image.Image, dice: random.Random) -> Image.Image:
    """A fresh watermark in the lower left third: a box with five lines."""
    image = image.copy()
    draw = ImageDraw.Draw(image, "RGBA")
    wide, high = image.size
    top = round(high * dice.uniform(0.68, 0.76))
    draw.rectangle(
        (12, top, 12 + round(wide * dice.uniform(0.35, 0.55)), high - 12), fill=(0, 0, 0, dice.randint(90, 170))
    )
    for n in range(5):
        draw.text(
            (24, top + 8 + n * high // 24),
            f"2026-11-{dice.randint(10, 28)} {dice.random():.8f}",
            fill="white",
            font_size=high // 28,
        )
    return recompressed(image, dice)


def brightened(image: Image.Image, dice: random.Random) -> Image.Image:
    """Lighter or darker, with other contrast."""
    image = ImageEnhance.Brightness(image).enhance(dice.choice((dice.uniform(0.65, 0.85), dice.uniform(1.15, 1.4))))
    return recompressed(ImageEnhance.Contrast(image).enhance(dice.uniform(0.85, 1.2)), dice)


def mirrored(image: Image.Image, dice: random.Random) -> Image.Image:
    """Left for right."""
    return recompressed(ImageOps.mirror(image), dice)


def screenshot(image: Image.Image, dice: random.Random) -> Image.Image:
    """A phone's picture viewer, photographed by itself: bars above and below, a clock and icons in them."""
    wide = 1080
    high = dice.randint(1600, 2340)
    shown = image.resize((wide, round(image.height * wide / image.width)), Image.Resampling.BICUBIC)
    paper = dice.choice((0, 0, 0, 255))
    screen = Image.new("RGB", (wide, high), (paper,) * 3)
    screen.paste(shown, (0, (high - shown.height) // 2))
    draw = ImageDraw.Draw(screen)
    ink = (255 - paper,) * 3
    draw.text((40, 20), f"{dice.randint(7, 19):02}:{dice.randint(0, 59):02}", fill=ink, font_size=34)
    draw.text((wide - 130, 20), f"{dice.randint(10, 99)}%", fill=ink, font_size=34)
    for n in range(3):
        draw.ellipse((200 + n * 300, high - 90, 250 + n * 300, high - 40), outline=ink, width=4)
    return recompressed(screen, dice)


AGAIN: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    "recompressed": recompressed,
    "re-watermarked": watermarked,
    "brightened": brightened,
    "mirrored": mirrored,
    "screenshot": screenshot,
}


def _sky(dice: random.Random) -> Image.Image:
    low, high = dice.randint(150, 235), dice.randint(90, 180)
    image = Image.linear_gradient("L").resize((WIDE, HIGH)).point(lambda v: high + (low - high) * v / 255)
    clouds = Image.frombytes("L", (9, 7), bytes(dice.randrange(0, 256) for _ in range(63)))
    image = Image.blend(image, clouds.resize((WIDE, HIGH), Image.Resampling.BICUBIC), 0.25)
    return ImageOps.colorize(image, (40, 50, 70), (235, 240, 250))


def _houses(draw: ImageDraw.ImageDraw, dice: random.Random, horizon: int) -> None:
    x = -dice.randint(0, 80)
    while x < WIDE:
        wide, top = dice.randint(70, 260), dice.randint(20, horizon - 60)
        tone = dice.randint(60, 210)
        draw.rectangle((x, top, x + wide, horizon), fill=(tone, tone - dice.randint(0, 25), tone - dice.randint(0, 40)))
        step, rise = dice.randint(24, 60), dice.randint(28, 60)
        glass = dice.randint(20, 240)
        for wx in range(x + 10, x + wide - step // 2, step):
            for wy in range(top + 12, horizon - 20, rise):
                shade = min(255, max(0, glass + dice.randint(-50, 50)))
                draw.rectangle((wx, wy, wx + step // 2, wy + rise // 2), fill=(shade, shade, min(255, shade + 10)))
        x += wide + dice.choice((0, 0, dice.randint(5, 60)))


def _ground(draw: ImageDraw.ImageDraw, dice: random.Random, horizon: int) -> None:
    tone = dice.randint(70, 170)
    draw.rectangle((0, horizon, WIDE, HIGH), fill=(tone, tone, tone - 10))
    vanish, road = dice.randint(100, WIDE - 100), dice.randint(40, 130)
    spread = dice.randint(200, 500)
    draw.polygon(((vanish, horizon), (vanish + spread, HIGH), (vanish - spread, HIGH)), fill=(road, road, road))
    for n in range(dice.randint(3, 9)):
        y = horizon + (HIGH - horizon) * n // 9
        draw.line((0, y, WIDE, y + dice.randint(-30, 30)), fill=(tone + 25,) * 3, width=2 + n)


def _tree(draw: ImageDraw.ImageDraw, dice: random.Random, horizon: int) -> None:
    x, foot, size = dice.randint(0, WIDE), horizon + dice.randint(0, 120), dice.randint(40, 150)
    draw.rectangle((x - 6, foot - size * 2, x + 6, foot), fill=(70, 55, 40))
    for _ in range(14):
        cx, cy, r = x + dice.randint(-size, size) // 2, foot - size * 2 + dice.randint(-size, size) // 2, size // 3
        green = dice.randint(50, 140)
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(green - 30, green, green - 35))


def _thing(draw: ImageDraw.ImageDraw, dice: random.Random, horizon: int) -> None:
    x, y = dice.randint(0, WIDE), dice.randint(horizon - 60, HIGH - 40)
    wide, high = dice.randint(20, 150), dice.randint(20, 110)
    colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
    (draw.rectangle if dice.random() < 0.6 else draw.ellipse)((x, y - high, x + wide, y), fill=colour)


def _heap(draw: ImageDraw.ImageDraw, dice: random.Random, where: tuple[int, int]) -> None:
    for _ in range(70):
        x, y, size = where[0] + dice.randint(0, 290), where[1] + dice.randint(0, 230), dice.randint(12, 50)
        colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        draw.polygon([(x + dice.randint(-size, size), y + dice.randint(-size, size)) for _ in range(4)], fill=colour)


def _grain(image: Image.Image, dice: random.Random, strength: int) -> Image.Image:
    noise = Image.frombytes("L", image.size, dice.randbytes(image.width * image.height))
    return Image.blend(image, noise.convert("RGB"), strength / 255)
