"""Many whole lives of tasks, written as the program writes them: for statistics and their measuring."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from config.county import County
from store import Store, Tx, county, history, tasks
from store.tasks import Task

LIFE = (
    ("open", "pending_confirmation", 0),
    ("dispatch", "dispatched", 1),
    ("accept", "accepted", 400),
    ("arrive", "in_progress", 2400),
    ("feed_back", "feedback_given", 9000),
    ("verify_ok", "closed", 12000),
)
LIMIT = 8 * 3600
BATCH = 500


def fill(folder: Path, office: County, count: int, start: int, apart: int = 60) -> int:
    """`count` closed tasks, one begun every `apart` seconds, their steps in the order of time; the last moment."""
    chance = random.Random(count)
    codes = [duty for duty in office.duties if duty.unit]
    lives = [(n, chance.choice(codes), chance.choice(office.places)) for n in range(count)]
    steps = sorted((start + n * apart + after, n, step) for n, _, _ in lives for step, (_, _, after) in enumerate(LIFE))
    store = Store.open(folder, lambda: start)

    def write(tx: Tx, at: int, n: int, step: int) -> None:
        _, duty, place = lives[n]
        (event, target, _), source = LIFE[step], LIFE[step - 1][1] if step else ""
        tx.at, due = at, start + n * apart + LIMIT if step else None
        if not step:
            end = at + LIFE[-1][2]
            task = Task(f"t{n:07d}", None, None, "closed", "ssp", "limin", "", duty.code, place.id, unit=duty.unit, opened_at=at, closed_at=end, due_at=at + LIMIT)  # fmt: skip
            tasks.add(tx, task)
        code = f"{duty.code}|{place.id}" if not step else ""
        unit = duty.unit if step else ""
        history.append(tx, f"t{n:07d}", event, source, target, unit=unit, code=code, due_at=due)

    async def run() -> None:
        await store.write(lambda tx: county.save(tx, office))
        for begin in range(0, len(steps), BATCH):
            some = steps[begin : begin + BATCH]
            await store.write(lambda tx, some=some: [write(tx, *step) for step in some])  # type: ignore[misc]

    asyncio.run(run())
    store.close()
    return steps[-1][0]
