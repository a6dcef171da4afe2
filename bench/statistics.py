"""Statistics rebuilt from the history: CPU seconds for a year of tasks, and for a month of it.

python -m bench.statistics --tasks 100000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from bench.harness import scratch
from bot.statistics import Book, differences, month_period, months, text_of
from config.files import shipped_county
from handlers.calendar import Calendar
from handlers.tasks.statistics import Period
from handlers.worktime import Worktime
from store import statistics
from store.peeking import reading
from tests.lives import fill

START = 1767225600  # 2026-01-01 08:00
YEAR = 365 * 86400


def cpu_of(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return round(time.process_time() - began, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument(
        "--verify", action="store_true", help="also time the comparison of three rebuilds of everything"
    )
    asked = parser.parse_args()
    county = shipped_county()
    book = Book(county, Worktime(Calendar(county.calendar)))
    with scratch() as folder:
        fill(folder, county, asked.tasks, START, apart=YEAR // asked.tasks)
        with reading(folder) as connection:
            now = statistics.last_at(connection)
            whole, month = Period(START, now + 1), month_period(months(connection, now)[1], now)
            found = {
                "tasks": asked.tasks,
                "year_cpu_s": cpu_of(lambda: text_of(connection, book, whole)),
                "month_cpu_s": cpu_of(lambda: text_of(connection, book, month)),
            }
            if asked.verify:
                found["verify_cpu_s"] = cpu_of(lambda: list(differences(connection, book, now)))
    json.dump(found, sys.stdout)
    print()


if __name__ == "__main__":
    main()
