"""What the digest costs at size, beside datasketch, simhash and feedparser alone in one run.

    pip install -r bench/requirements-digest.txt && python -m bench.digest [--archive 100000] [--peers 20000]

Items are recombined from a pool of made sentences (mean 640 characters), one in twenty an edited copy. The archive is a
real store on disk; "judge" is cutting a new item and comparing it with all of it, "store" the transaction that keeps it.
Peers sign, query and insert the same texts (character 5-grams). CPU of one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any

from bot.shelf import StoredShelf
from config.files import shipped_county
from digests.choosing import Candidate, choose
from digests.feeds import read_feed
from digests.items import Item
from digests.relevance import audience
from digests.scoring import Weighing, score
from digests.stories import judge, keys_of
from store import Store, Tx, archive, digest
from store.digest import ItemRow, Marks

SIGNS = [chr(code) for code in range(0x4E00, 0x5600)]
BATCH, ASKED, COPIES = 500, 200, 20


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", type=int, default=100_000)
    parser.add_argument("--peers", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(ours(Path(folder), asked.archive))
    figures["rank_s"] = ranked(asked.candidates)
    figures["peers"] = peers(asked.peers)
    figures["feed"] = feeds()
    print(json.dumps(figures, ensure_ascii=False, indent=1))


def made(count: int, seed: int, pool: Sequence[str] = ()) -> list[Item]:
    """Texts recombined from a pool of sentences, each with its own numbers; every COPIES-th repeats the one before."""
    dice = random.Random(seed)
    pool = pool or sentences()
    items: list[Item] = []
    for n in range(count):
        body = "".join(dice.sample(pool, 20)) + f"共{dice.randint(1, 10**6)}户。"
        if n % COPIES == COPIES - 1:
            body = "转发:" + items[-1].body.replace("。", "，", 1)
        items.append(Item(str(n + 1), body[3:23], body, "2026-11-20", f"源{n % 50}", published_at="2026-11-20"))
    return items


def sentences() -> list[str]:
    """Enough of them that two items rarely share two; words as often as in a language (Zipf)."""
    dice = random.Random(0)
    words = ["".join(dice.choices(SIGNS, k=2)) for _ in range(8000)]
    often = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    return ["".join(dice.choices(words, cum_weights=often, k=dice.randint(8, 22))) + "。" for _ in range(40_000)]


async def ours(folder: Path, count: int) -> dict[str, Any]:
    """Fill an archive on disk, then judge, store and search."""
    items = made(count, 1)
    store = Store.open(folder)
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        await store.write(lambda tx, some=items[start : start + BATCH]: [keep(tx, one) for one in some])  # type: ignore[misc]
    filled = time.perf_counter() - began
    await store.write(archive.tidy)
    new = made(ASKED, 2)
    copies = [
        Item("", one.title, "本报讯:" + one.body[: len(one.body) * 4 // 5])
        for one in items[1 : count : max(1, count // ASKED)]
    ]
    shelf = StoredShelf()
    fresh, again, found = [], [], 0
    for one in new:
        fresh.append(await store.read(lambda c, one=one: timed(lambda: judge(one, keys_of(one), shelf.on(c)))[0]))  # type: ignore[misc]
    for one in copies[:ASKED]:
        ms, verdict = await store.read(lambda c, one=one: timed(lambda: judge(one, keys_of(one), shelf.on(c))))  # type: ignore[misc]
        again.append(ms)
        found += verdict.same is not None
    kept = await store.write(lambda tx: [timed(lambda one=one: keep(tx, one, "n"))[0] for one in new])  # type: ignore[misc]
    searched = await store.read(lambda c: [timed(lambda q=q: archive.search(c, q))[0] for q in queries(items)])  # type: ignore[misc]
    store.close()
    size = disk(folder)
    return {
        "archive": count, "fill_s": round(filled, 1), "disk_mb": size, "peak_mb": peak(),
        "judge_new_ms": spread(fresh), "judge_copy_ms": spread(again), "copies_found": round(found / len(again), 3),
        "store_ms": spread(kept), "search_ms": spread(searched),
    }  # fmt: skip


def keep(tx: Tx, item: Item, prefix: str = "") -> None:
    """What intake stores; words of two signs stand in for jieba's."""
    keys = keys_of(item)
    row = ItemRow(0, 0, item.day, item.source, item.source, "", prefix + item.id, length=len(item.body))
    digest.add(tx, row, spaced(item.title), spaced(item.body), Marks(keys.prints, keys.titles), (), ())


def spaced(text: str) -> str:
    return archive.WORD.join(text[at : at + 2] for at in range(0, len(text), 2))


def queries(items: Sequence[Item]) -> list[list[list[str]]]:
    """One word, two words of one item, a word nobody wrote; forty of each."""
    dice = random.Random(3)
    bodies = [dice.choice(items).body for _ in range(40)]
    one = [[[body[40:42]]] for body in bodies]
    two = [[[body[40:42]], [body[100:102], body[102:104]]] for body in bodies]
    return one + two + [[["龘龘"]]] * 40


def ranked(count: int) -> float:
    items = made(count, 5)
    began = time.process_time()
    by = Weighing(audience(shipped_county()), date(2026, 11, 20))
    choose([Candidate(item, score(item, by), item.id) for item in items])
    return round(time.process_time() - began, 2)


def peers(count: int) -> dict[str, Any]:
    """ms per document of each engine that is installed, and what share of the copies it finds; ours in memory beside them."""
    items = made(count, 7)
    result: dict[str, Any] = {"documents": count}
    for name, build in ENGINES.items():
        try:
            take = build()
        except ImportError:
            result[name] = "not installed"
            continue
        began, hits = time.process_time(), 0
        for n, item in enumerate(items):
            hits += bool(take(item)) and n % COPIES == COPIES - 1
        ms = 1000 * (time.process_time() - began) / count
        result[name] = {"ms": round(ms, 3), "copies_found": round(hits / (count // COPIES), 3)}
    return result


def _ours() -> Callable[[Item], bool]:
    from digests.stories import Stories

    stories = Stories()
    return lambda item: stories.add(item).same_as is not None


def _datasketch() -> Callable[[Item], bool]:
    datasketch = importlib.import_module("datasketch")
    index = datasketch.MinHashLSH(threshold=0.5, num_perm=128)

    def take(item: Item) -> bool:
        sign = datasketch.MinHash(num_perm=128)
        sign.update_batch([gram.encode() for gram in grams(item.body)])
        near = bool(index.query(sign))
        index.insert(item.id, sign)
        return near

    return take


def _simhash() -> Callable[[Item], bool]:
    simhash = importlib.import_module("simhash")
    index = simhash.SimhashIndex([], k=7)

    def take(item: Item) -> bool:
        sign = simhash.Simhash(list(grams(item.body)))
        near = bool(index.get_near_dups(sign))
        index.add(item.id, sign)
        return near

    return take


ENGINES: dict[str, Callable[[], Callable[[Item], bool]]] = {
    "ours": _ours,
    "datasketch": _datasketch,
    "simhash": _simhash,
}


def grams(text: str) -> Iterable[str]:
    return {text[at : at + 5] for at in range(len(text) - 4)}


def feeds() -> dict[str, float]:
    """A feed of a hundred entries: decoded and dated by us, and by feedparser from the bytes alone."""
    import feedparser

    entry = "<item><title>关于做好工作的通知</title><link>http://a.cn/{n}</link><pubDate>Mon, 23 Nov 2026 09:00:00</pubDate><description>摘要</description></item>"
    text = "".join(entry.replace("{n}", str(n)) for n in range(100))
    data = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{text}</channel></rss>'.encode()
    both: dict[str, list[float]] = {"ours": [], "feedparser": []}
    for _ in range(5):
        both["ours"].append(timed(lambda: read_feed(data))[0])
        both["feedparser"].append(timed(lambda: feedparser.parse(data))[0])
    return {name: round(statistics.median(spent), 2) for name, spent in both.items()}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU milliseconds of this thread, and what came of it."""
    began = time.thread_time()
    value = work()
    return 1000 * (time.thread_time() - began), value


def spread(spent: Sequence[float]) -> dict[str, float]:
    ordered = sorted(spent)
    return {"median": round(ordered[len(ordered) // 2], 3), "p95": round(ordered[int(len(ordered) * 0.95)], 3)}


def disk(folder: Path) -> int:
    """MB of the database with its log."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) >> 20


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
