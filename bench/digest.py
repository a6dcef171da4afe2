"""What the digest costs at size: an archive of N made items, one more judged; candidates ranked. `python bench/digest.py`."""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from datetime import date

from config.files import shipped_county
from digests.choosing import Candidate, choose
from digests.items import Item
from digests.relevance import audience
from digests.scoring import Weighing, score
from digests.stories import Stories

SIGNS = [chr(code) for code in range(0x4E00, 0x5600)]


def made(count: int, seed: int) -> list[Item]:
    """Texts recombined from a pool of sentences, each with its own numbers."""
    dice = random.Random(seed)
    pool = ["".join(dice.choices(SIGNS, k=dice.randint(15, 45))) + "。" for _ in range(4000)]
    bodies = ("".join(dice.sample(pool, 18)) + f"共{dice.randint(1, 10**6)}户。" for _ in range(count))
    return [
        Item(str(n), body[:20], body, "2026-11-20", f"源{n % 50}", published_at="2026-11-20")
        for n, body in enumerate(bodies)
    ]


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    asked = parser.parse_args()
    items = made(asked.archive, 1)
    stories = Stories()
    for item in items:
        stories.add(item)
    new = made(200, 2) + items[:200]
    spent = []
    for item in new:
        start = time.perf_counter()
        stories.add(item)
        spent.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    by = Weighing(audience(shipped_county()), date(2026, 11, 20))
    choose([Candidate(item, score(item, by), item.id) for item in items[: asked.candidates]])
    ranked = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures = {
        "archive": asked.archive,
        "judge_ms_median": round(sorted(spent)[200], 2),
        "rank_s": round(ranked, 2),
        "peak_mb": peak,
    }
    json.dump(figures, sys.stdout)
    print()


if __name__ == "__main__":
    main()
