"""The child that touches hostile bytes: decodes one picture, forgets its metadata, hands back fresh JPEGs.

Started by `bot.media` as `python -m bot.media_worker`; it talks in length-prefixed frames over its pipes, holds no
files, no secrets and no network, and may be killed at any moment. Whatever it cannot name, it dies of.
"""

from __future__ import annotations

import importlib
import io
import json
import struct
import warnings
from typing import TYPE_CHECKING

from bot.comparison import Caption, draw
from bot.frames import limit, pipes, read, write
from bot.photo_exif import taken
from bot.photo_prints import dhash, prints
from config.fonts import chinese

if TYPE_CHECKING:
    from PIL import Image

PIXELS = 40_000_000  # security.md B T7
LONG_SIDE = 2560
SMALL_SIDE = 320
TRIED = 28  # any size tells whether there is a font
MEMORY = 512 << 20  # security.md B T7
CPU_SECONDS = 15  # a backstop should the parent be gone and unable to enforce its wall limit
DECODERS = ("Jpeg", "Mpo", "Png", "WebP")
ORIENTATION = 0x0112  # EXIF tag
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation → Image.Transpose that undoes it
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error)


class Unfit(Exception):
    """A picture we will not develop; the argument is a code `bot.media` has a sentence for."""


def main() -> None:
    """Serve frames from standard input until it closes."""
    source, sink = pipes()
    _prepare()
    limit(MEMORY, CPU_SECONDS, first=True)
    write(sink, b"ready")
    while (kind := read(source)) is not None and (raw := read(source)) is not None:
        limit(MEMORY, CPU_SECONDS)
        for frame in _answer(kind.decode("ascii"), raw):
            write(sink, frame)


def develop(kind: str, raw: bytes) -> tuple[dict[str, int | float | str], bytes, bytes]:
    """(facts, full JPEG, small JPEG) of one picture. The same bytes always give the same result."""
    image, found = _load(kind, raw)
    small = _shrink(image, SMALL_SIDE)
    look = {"dhash": dhash(image), "prints": prints(image)}
    return {"width": image.width, "height": image.height, **look, **found}, _jpeg(image, 85), _jpeg(small, 80)


def pair(raw: bytes) -> tuple[dict[str, int | float | str], bytes, bytes]:
    """The comparison picture (PNG) and its thumbnail; `raw` is what `bot.media` packed: caption, before, after."""
    source = io.BytesIO(raw)
    caption, before, after = (read(source) or b"" for _ in range(3))
    image, png = draw(_load("JPEG", before)[0], _load("JPEG", after)[0], Caption(**json.loads(caption)))
    return {"width": image.width, "height": image.height}, png, _jpeg(_shrink(image, SMALL_SIDE * 2), 80)


def sheet(raw: bytes) -> tuple[dict[str, int | float | str], bytes, bytes]:
    """An edition's long picture (PNG), and its beginning as a thumbnail; `raw` is the sheet as JSON."""
    from PIL import Image

    from digests.long_picture import draw as draw_sheet
    from digests.rendering import sheet_of

    if chinese(TRIED) is None:
        raise Unfit("font")
    png = draw_sheet(sheet_of(raw.decode()))
    with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
        beginning = opened.convert("RGB").crop((0, 0, opened.width, min(opened.height, opened.width * 4 // 3)))
        return {"width": opened.width, "height": opened.height}, png, _jpeg(_shrink(beginning, SMALL_SIDE * 2), 80)


def _answer(kind: str, raw: bytes) -> tuple[bytes, bytes, bytes]:
    from PIL import Image

    try:
        facts, full, small = MADE[kind](raw) if kind in MADE else develop(kind, raw)
        return json.dumps(facts).encode(), full, small
    except Unfit as unfit:
        code = str(unfit)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        code = "pixels"
    except MemoryError:  # WEBP needs four times its pixels: about 25 MP fit
        code = "memory"
    except UNREADABLE:
        code = "broken"
    return json.dumps({"unfit": code}).encode(), b"", b""


MADE = {"PAIR": pair, "SHEET": sheet}


def _load(kind: str, raw: bytes) -> tuple[Image.Image, dict[str, int | float]]:
    from PIL import Image

    with Image.open(io.BytesIO(raw), formats=(kind,)) as opened:
        if opened.width * opened.height > PIXELS:
            raise Unfit("pixels")
        # A JPEG with several pictures (MPO) is what many phones take; its first picture is the photo.
        if kind != "JPEG" and getattr(opened, "is_animated", False):
            raise Unfit("animated")
        orientation, found = _orientation(opened), taken(opened)
        opened.draft("RGB", (LONG_SIDE, LONG_SIDE))
        opened.load()
        image = _shrink(_plain(opened), LONG_SIDE)
    image = _flatten(image)
    turn = TURNS.get(orientation)
    return (image if turn is None else image.transpose(Image.Transpose(turn))), found


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except UNREADABLE:
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """Eight bits a channel, no palette: only such pictures shrink smoothly."""
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        return image
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _shrink(image: Image.Image, side: int) -> Image.Image:
    from PIL.Image import Resampling

    ratio = side / max(image.size)
    if ratio >= 1:
        return image
    size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    return image.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def _flatten(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return paper


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image.info = {}
    made = io.BytesIO()
    image.save(made, "JPEG", quality=quality, subsampling="4:2:0", optimize=False, progressive=False)
    return made.getvalue()


def _prepare() -> None:
    """Load every decoder now: the first photo should not pay for it, nor the memory limit stop it."""
    from PIL import Image

    for name in DECODERS:
        importlib.import_module(f"PIL.{name}ImagePlugin")
    Image.MAX_IMAGE_PIXELS = PIXELS
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


if __name__ == "__main__":
    main()
