"""How well and how fast photos are recognised: made pairs used again, taken anew, unrelated; and looking among a million.

`python bench/photos.py [--pairs 300] [--million 1000000]`. The scenes are drawn (tests/photo_scenes.py), not photographed.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.comparison import Caption, draw
from bot.photo_prints import prints
from handlers.tasks import likeness
from store import photos
from tests.photo_scenes import AGAIN, after, photo

FULL = (1 << 256) - 1


def likenesses(pairs: int) -> None:
    """The rates of issue 4, acceptance 4."""
    base = [photo(n * 10) for n in range(pairs)]
    began = time.perf_counter()
    known = [prints(image) for image in base]
    print(f"prints: {(time.perf_counter() - began) / pairs * 1000:.1f} ms a photo (800×600, with decoding apart)")
    for name, dress in AGAIN.items():
        hits = sum(likeness.alike(prints(dress(base[n], random.Random(n))), known[n]) for n in range(pairs))
        print(f"used again, {name}: {hits}/{pairs} = {hits / pairs:.3f}")
    hits = sum(likeness.alike(prints(after(n * 10, random.Random(n))), known[n]) for n in range(pairs))
    print(f"honest after-photos flagged: {hits}/{pairs} = {hits / pairs:.4f}")
    unrelated = list(combinations(known, 2))
    hits = sum(likeness.alike(one, other) for one, other in unrelated)
    print(f"unrelated flagged: {hits}/{len(unrelated)} = {hits / len(unrelated):.6f}")
    began = time.perf_counter()
    draw(base[0], base[1], Caption("#1123-001 三角绿地 · 小广告", "处理前 2026-11-23 09:00", "处理后 2026-11-23 11:40"))
    print(f"comparison picture: {(time.perf_counter() - began) * 1000:.0f} ms")


def million(count: int, rounds: int = 200) -> None:
    """One look in the bands, on disk, among `count` photos with random prints and as many real ones as were made."""
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "db")
        db.execute("pragma cache_size = -65536")  # as the writer has it
        db.execute("create table print (id integer primary key, sha text not null unique, coarse blob not null)")
        db.execute("create table print_band (key integer not null, print integer not null)")
        dice = random.Random(7)
        for start in range(0, count, 20_000):
            hashes = [
                (n, dice.getrandbits(256), dice.getrandbits(256)) for n in range(start, min(count, start + 20_000))
            ]
            rows = [(n, f"{n:064x}", b"".join(x.to_bytes(32, "big") for x in (a, a, b))) for n, a, b in hashes]
            db.executemany("insert into print values (?, ?, ?)", rows)
            keys = [(key, n) for n, a, b in hashes for key in likeness.keys(_text(a, a, b))]
            db.executemany("insert into print_band values (?, ?)", keys)
        db.execute("create index print_band_key on print_band (key, print)")
        db.commit()
        looked = [_look(db, photo_prints) for photo_prints in (_plain(dice) for _ in range(rounds))]
        size = (Path(folder) / "db").stat().st_size >> 20
        looked.sort()
        print(
            f"look among {count}: median {statistics.median(looked):.2f} ms, p95 {looked[int(rounds * 0.95)]:.2f} ms, {size} MiB"
        )
        db.close()


def _text(a: int, b: int, c: int) -> str:
    return " ".join(f"{x:064x}:{0:0256x}" for x in (a, b, c, ~a & FULL, ~b & FULL, ~c & FULL))


def _plain(dice: random.Random) -> str:
    """A photo without bars, as most are: whole and trimmed are the same."""
    whole = dice.getrandbits(256)
    return _text(whole, whole, dice.getrandbits(256))


def _look(db: sqlite3.Connection, photo_prints: str) -> float:
    began = time.perf_counter()
    likeness.candidates(photo_prints, photos.look(db, likeness.keys(photo_prints, mirrored=True)))
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--million", type=int, default=1_000_000)
    asked = parser.parse_args()
    likenesses(asked.pairs)
    million(asked.million)
