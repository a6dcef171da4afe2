"""How long until events are accepted, and what an idle process holds: fresh, warm, after kill -9 with a full inbox.

python -m bench.start            python -m bot serve
python -m bench.start --run      also ./run (needs its .venv, made by ./run itself)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from bench.harness import ROOT, Process, free_port, median, prepare, scratch
from handlers.events import Event, body_of
from store import Store, inbox

UNDECIDED = 10_000


def started(command: list[str], port: int) -> tuple[Process, float]:
    """The process, and seconds until /healthz said 200."""
    begun = time.perf_counter()
    popen = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    while time.perf_counter() - begun < 120 and popen.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return Process("群办", port, popen), time.perf_counter() - begun
        except OSError:
            time.sleep(0.01)
    raise SystemExit("did not start")


def serve(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "bot", "serve", "--data", str(folder), "--port", str(port), "--no-browser"]


def once(command: list[str], port: int, idle: float = 0.0) -> tuple[float, float, float]:
    """(seconds to accepting, MiB when idle, CPU seconds used by then)."""
    process, seconds = started(command, port)
    time.sleep(idle)
    found = (seconds, process.rss(), process.cpu())
    process.popen.send_signal(signal.SIGKILL)
    process.popen.wait()
    return found


async def _flood(folder: Path) -> None:
    store = Store.open(folder)

    def job(tx) -> None:  # type: ignore[no-untyped-def]
        for i in range(UNDECIDED):
            event = Event(
                "qq",
                f"f{i}",
                address=f"g{700000 + i % 100}",
                group=f"b{i % 100}",
                sender="20002",
                text=f"查 1101-{i % 900 + 1}",
            )
            inbox.add(tx, event.channel, event.id, event.kind, event.lane, event.sender, body_of(event), None)

    await store.write(job)
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", action="store_true")
    args = parser.parse_args()
    found: dict[str, float] = {}
    with scratch() as folder:
        port = free_port()
        fresh = [once(serve(folder / f"new{i}", port), port) for i in range(args.rounds)]
        warm = [once(serve(folder / "new0", port), port, idle=3.0) for _ in range(args.rounds)]
        found["fresh_s"], found["warm_s"] = median([f[0] for f in fresh]), median([f[0] for f in warm])
        found["idle_mib"], found["start_cpu_s"] = median([f[1] for f in warm]), median([f[2] for f in warm])
        prepared = prepare(folder / "full", "qq", 100, 1000, 0, "")
        asyncio.run(_flood(prepared.folder))
        found["undecided_s"] = once(serve(prepared.folder, port), port)[0]
        if args.run:
            command = ["./run", "serve", "--data", str(folder / "run"), "--port", str(port), "--no-browser"]
            found["run_warm_s"] = median([once(command, port)[0] for _ in range(args.rounds)])
    print(json.dumps({key: round(value, 2) for key, value in found.items()}))


if __name__ == "__main__":
    main()
