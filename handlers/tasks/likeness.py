"""Whether two photos are one: their 256-bit hashes near each other, and their 1024-bit ones too (dispatch.md D4).

A print is what the photo's child wrote (`bot.photo_prints`): whole, trimmed, top, and the three mirrored. The first look
finds a photo among a million by bands of 16 bits; the second keeps a camera that only stood nearly where it stood before.
"""

from __future__ import annotations

from collections.abc import Iterable

NEAR = 31  # bits of 256 (dispatch.md D4)
FINE = 200  # bits of 1024: made pairs differ by ≤ 109 used again and by ≥ 323 taken anew (bench/photos.py)
BANDS = 16
_SPREAD = tuple(at * 97 % 256 for at in range(256))  # neighbours say the same: each band takes bits from everywhere
_CLASS = (0, 0, 1)  # whole and trimmed are looked up as one: most photos have no bars

Hash = tuple[int, int]


def read(prints: str) -> tuple[Hash | None, ...]:
    """The six hashes, None for one that says nothing; empty for an unknown photo."""
    return tuple(_hash(word) for word in prints.split())


def alike(one: str, other: str) -> bool:
    """Whether `one`, as it is or mirrored, shows `other`."""
    mine, theirs = read(one), read(other)
    if len(mine) < 6 or len(theirs) < 3:
        return False
    return any(_near(mine[n], theirs[n % 3]) for n in range(6))


def keys(prints: str, mirrored: bool = False) -> list[int]:
    """Where a photo stands in the bands; `mirrored` adds where its mirror image would."""
    found = read(prints)[: 6 if mirrored else 3]
    return sorted({key for n, one in enumerate(found) if one for key in _bands(_CLASS[n % 3], one[0])})


def coarse(prints: str) -> bytes:
    """Whole, trimmed and top, 32 bytes each (zeros for none): what the first look compares."""
    return b"".join((one[0] if one else 0).to_bytes(32, "big") for one in read(prints)[:3])


def candidates(prints: str, found: Iterable[tuple[str, bytes]]) -> list[str]:
    """Of (sha, coarse), the shas near enough for the second look."""
    mine = [(n % 3, one[0]) for n, one in enumerate(read(prints)) if one]
    near = []
    for sha, packed in found:
        theirs = [int.from_bytes(packed[at : at + 32], "big") for at in (0, 32, 64)]
        if any(theirs[cut] and (bits ^ theirs[cut]).bit_count() <= NEAR for cut, bits in mine):
            near.append(sha)
    return near


def _hash(word: str) -> Hash | None:
    rough, _, fine = word.partition(":")
    return (int(rough, 16), int(fine, 16)) if fine else None


def _near(one: Hash | None, other: Hash | None) -> bool:
    if one is None or other is None:
        return False
    return (one[0] ^ other[0]).bit_count() <= NEAR and (one[1] ^ other[1]).bit_count() <= FINE


def _bands(kind: int, bits: int) -> list[int]:
    text = f"{bits:0256b}"
    spread = "".join(map(text.__getitem__, _SPREAD))
    return [(kind << 20) | (band << 16) | int(spread[band * 16 : band * 16 + 16], 2) for band in range(BANDS)]
