"""The writer alone, fsync on: group commit against a commit for each event, in the same run.

python -m bench.writer
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from bench.harness import median, scratch
from store import Store, inbox, writer

FLIGHTS = (1, 50, 500)


async def play(folder: Path, flight: int, events: int) -> tuple[float, float]:
    """(CPU µs per event, events a second) of so many writers each waiting for their own row."""
    store = Store.open(folder)
    ahead = iter(range(events))

    async def one() -> None:
        for i in ahead:
            await store.write(
                lambda tx, i=i: inbox.add(tx, "bench", str(i), "message", "b", "u", '{"text":"路灯不亮"}', None)
            )

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(flight)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    store.close()
    return cpu / events * 1e6, events / wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    usual = writer.BATCH
    for flight in FLIGHTS:
        rounds: dict[str, list[tuple[float, float]]] = {"group": [], "each": []}
        for number in range(args.rounds):
            for name, batch in (("group", usual), ("each", 1)):
                writer.BATCH = batch
                events = args.events if name == "group" and flight > 1 else args.events // 5
                with scratch() as folder:
                    rounds[name].append(asyncio.run(play(folder / str(number), flight, events)))
        for name, figures in rounds.items():
            found[f"{name}/{flight}"] = {
                "cpu": round(median([f[0] for f in figures]), 1),
                "rate": round(median([f[1] for f in figures])),
            }
        ratio = found[f"group/{flight}"]["rate"] / found[f"each/{flight}"]["rate"]
        print(
            f"{flight} in flight: group {found[f'group/{flight}']}  each {found[f'each/{flight}']}  rate x{ratio:.1f}",
            file=sys.stderr,
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
