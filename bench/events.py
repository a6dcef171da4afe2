"""What one event costs: 签收 on an existing task, durable, against a bare echo and NoneBot2's volatile echo.

    python -m bench.events                       OneBot WebSocket, 50 in flight
    python -m bench.events --http                the http channel, 50 and 500 in flight
    python -m bench.events --groups 10000        many groups
    python -m bench.events --tasks 1000000       a large database

Prints medians of interleaved rounds and the ratio to each baseline of the same run; judges nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.harness import (
    ROOT,
    TOKEN,
    Prepared,
    Process,
    bot,
    free_port,
    median,
    peer_python,
    prepare,
    running,
    scratch,
)  # fmt: skip

FRESH = PER_ROUND = 4000


@dataclass(slots=True)
class Target:
    """One server under load, with what its rounds came to."""

    name: str
    process: Process
    load: subprocess.Popen[str]
    per_round: int
    prepared: Prepared | None = None
    next: int = 0
    figures: list[dict[str, float]] = field(default_factory=list)

    def round(self, flight: int, count: int, groups: int) -> dict[str, float]:
        """Play `count` events; CPU µs per event and the client's times."""
        numbers = range(self.next, self.next + count)
        self.next += count
        events = [
            {
                "group": i % groups,
                "text": f"签收 {self.prepared.number(i)}" if self.prepared else f"签收 20261101-{i + 1}",
            }
            for i in numbers
        ]
        before = self.process.cpu()
        assert self.load.stdin and self.load.stdout
        self.load.stdin.write(json.dumps({"first": 1 + numbers.start, "flight": flight, "events": events}) + "\n")
        self.load.stdin.flush()
        line = self.load.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: the load ended")
        answer = json.loads(line)
        return {
            "cpu": (self.process.cpu() - before) / count * 1e6,
            "rate": count / answer["wall"],
            "p50": answer["p50"] * 1e3,
            "p99": answer["p99"] * 1e3,
        }


@contextmanager
def target(
    name: str,
    command: list[str],
    port: int,
    kind: str,
    path: str,
    per_round: int,
    prepared: Prepared | None = None,
    callback: int = 0,
) -> Iterator[Target]:
    """A server and its load."""
    with running(name, command, port) as process:
        scheme = "ws" if kind == "ws" else "http"
        load = subprocess.Popen(
            [sys.executable, "-m", "bench.load", kind, f"{scheme}://127.0.0.1:{port}{path}", str(callback)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield Target(name, process, load, per_round, prepared)
        finally:
            load.terminate()
            load.wait(10)


def settings(kind: str, callback: int = 0) -> str:
    """settings.toml of the measured bot."""
    if kind == "ws":
        return (
            '[channels.qq]\nkind = "onebot"\nper_minute = 1000000\n'
            f'options = {{address_per_minute = 0}}\nsecrets = {{token = "{TOKEN}"}}\n'
        )
    return (
        '[channels.oa]\nkind = "http"\nper_minute = 1000000\n'
        f'options = {{callback = "http://127.0.0.1:{callback}/", allow = "127.0.0.1"}}\nsecrets = {{key = "{TOKEN}"}}\n'
    )


def measure(args: argparse.Namespace, kind: str, flights: list[int]) -> dict[str, Any]:
    """All targets of one kind, rounds interleaved."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        callback = free_port() if kind == "http" else 0
        fresh = (args.events * args.rounds + 500) * len(flights) + 1000
        channel = "qq" if kind == "ws" else "oa"
        prepared = prepare(folder / "data", channel, args.groups, fresh, args.tasks, settings(kind, callback))
        port = free_port()
        targets = [
            stack.enter_context(
                target("群办", bot(prepared, port), port, kind, f"/in/{channel}", args.events, prepared, callback)
            )
        ]
        port = free_port()
        path = "/ws" if kind == "ws" else "/post"
        bare = [sys.executable, str(ROOT / "bench/targets/bare.py"), str(port)]
        targets.append(stack.enter_context(target("bare aiohttp", bare, port, kind, path, args.events)))
        if kind == "ws" and not args.no_peer:
            port = free_port()
            peer = [peer_python(), str(ROOT / "bench/targets/nonebot_echo.py"), str(port)]
            targets.append(
                stack.enter_context(target("NoneBot2", peer, port, kind, "/onebot/v11/ws", max(args.events // 4, 200)))
            )
        for one in targets:
            one.process.rest()
            one.round(50, 300, args.groups)
        results = {}
        for flight in flights:
            for one in targets:
                one.figures.clear()
            for _ in range(args.rounds):
                for one in targets:
                    one.figures.append(one.round(flight, one.per_round, args.groups))
            results[str(flight)] = summary(kind, flight, targets)
    return results


def summary(kind: str, flight: int, targets: list[Target]) -> dict[str, dict[str, float]]:
    """Medians, printed and returned."""
    found = {
        one.name: {key: round(median([f[key] for f in one.figures]), 2) for key in one.figures[0]}
        | {"rss": round(one.process.rss(), 1)}
        for one in targets
    }
    ours = found["群办"]["cpu"]
    print(f"\n{kind}, {flight} in flight", file=sys.stderr)
    for name, figures in found.items():
        shown = "  ".join(f"{key} {value:.1f}" for key, value in figures.items())
        print(f"  {name:14} {shown}   ours/this {ours / max(figures['cpu'], 0.01):.2f}", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=0, help="further tasks in the database")
    parser.add_argument("--events", type=int, default=3000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flight", type=int, nargs="*")
    parser.add_argument("--no-peer", action="store_true", help="without NoneBot2")
    args = parser.parse_args()
    kind = "http" if args.http else "ws"
    print(json.dumps(measure(args, kind, args.flight or ([50, 500] if args.http else [50])), ensure_ascii=False))


if __name__ == "__main__":
    main()
