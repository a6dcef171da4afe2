"""Places on the map: how far apart two are, and how a satellite fix is drawn on a Chinese map.

Cameras write WGS-84, and so do our rows; GCJ-02, which maps in China use, is made only where a place is shown.
"""

from __future__ import annotations

from math import asin, cos, pi, radians, sin, sqrt

EARTH = 6_371_008.8  # metres, mean radius
AXIS, ECCENTRICITY = 6_378_245.0, 0.00669342162296594323  # Krasovsky 1940, as GCJ-02 uses it
CHINA = (0.8293, 55.8271, 72.004, 137.8347)  # south, north, west, east: outside it GCJ-02 is WGS-84

Point = tuple[float, float]  # latitude, longitude


def metres(one: Point, other: Point) -> float:
    """The great-circle distance."""
    (a, b), (c, d) = map(radians, one), map(radians, other)
    return 2 * EARTH * asin(sqrt(sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2))


def gcj02(lat: float, lon: float) -> Point:
    """WGS-84 → GCJ-02, for showing; checked against the published pairs of eviltransform."""
    south, north, west, east = CHINA
    if not (south <= lat <= north and west <= lon <= east):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    bend = 1 - ECCENTRICITY * sin(radians(lat)) ** 2
    up = _north(x, y) * 180 / ((AXIS * (1 - ECCENTRICITY)) / (bend * sqrt(bend)) * pi)
    right = _east(x, y) * 180 / (AXIS / sqrt(bend) * cos(radians(lat)) * pi)
    return lat + up, lon + right


def _north(x: float, y: float) -> float:
    base = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    waves = (20 * sin(y * pi) + 40 * sin(y / 3 * pi) + 160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    return base + _ripple(x) + waves


def _east(x: float, y: float) -> float:
    base = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    waves = (20 * sin(x * pi) + 40 * sin(x / 3 * pi) + 150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    return base + _ripple(x) + waves


def _ripple(x: float) -> float:
    return (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
