"""When and where a photo was taken, read from its EXIF in the child before all metadata is dropped."""

from __future__ import annotations

import math
import re
import struct
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

EXIF, GPS = 0x8769, 0x8825
TAKEN, OFFSET = 0x9003, 0x9011  # DateTimeOriginal, OffsetTimeOriginal
SHANGHAI = timedelta(hours=8)  # what a camera means that names no offset
PLACES = 4  # decimals of a degree kept: about 11 m, enough for the 500 m check
UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    ZeroDivisionError,
    struct.error,
)


def taken(image: Image.Image) -> dict[str, int | float]:
    """`taken_at` (epoch seconds), `lat` and `lon` (WGS-84) as far as the photo says them credibly."""
    try:
        exif = image.getexif()
        found: dict[str, int | float] = _when(exif.get_ifd(EXIF))
        return found | _where(exif.get_ifd(GPS))
    except UNREADABLE:
        return {}


def _when(tags: dict[int, Any]) -> dict[str, int | float]:
    try:
        moment = datetime.strptime(str(tags[TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        at = int(moment.replace(tzinfo=timezone(_offset(tags.get(OFFSET)))).timestamp())
    except (*UNREADABLE, OverflowError):
        return {}
    return {"taken_at": at} if 2000 <= moment.year < 2100 else {}


def _offset(said: object) -> timedelta:
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", str(said).strip("\0 "))
    if not found:
        return SHANGHAI
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return ahead if found[1] == "+" else -ahead


def _where(tags: dict[int, Any]) -> dict[str, int | float]:
    try:
        lat, lon = _degrees(tags[2], tags[1], "S"), _degrees(tags[4], tags[3], "W")
    except UNREADABLE:
        return {}
    sound = abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon)  # cameras without a fix write 0, 0
    return {"lat": round(lat, PLACES), "lon": round(lon, PLACES)} if sound else {}


def _degrees(parts: Any, side: object, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        raise ValueError("no place")
    return -value if str(side).strip("\0 ").upper() == negative else value
