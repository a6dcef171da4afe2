"""From the bytes of a photo and a sentence to the dispatch notice in the web group, as a browser would see it.

    python -m bench.latency

Upload, cleaning in the child process, accept, decide, deliver. The acknowledgement under load is `bench.events --http --flight 500`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import time
from pathlib import Path

from aiohttp import web
from PIL import Image

from bench.harness import percentile, scratch
from bot.app import application, assemble
from config.settings import Settings

PLACES = ("西环路", "东环路", "人民路", "解放路", "建设路", "文化路", "新华街", "健康路", "工业路", "朝阳街")
PROBLEMS = ("路灯不亮", "井盖丢了", "垃圾没人清理", "小广告贴满墙", "占道经营")


def photo(number: int) -> bytes:
    """A 12-megapixel-like JPEG of some 300 KB, different each time."""
    cells = random.Random(number).randbytes(64 * 48 * 3)
    image, made = Image.frombytes("RGB", (64, 48), cells).resize((2000, 1500), Image.Resampling.BICUBIC), io.BytesIO()
    image.save(made, "JPEG", quality=88)
    return made.getvalue()


async def play(folder: Path, count: int) -> list[float]:
    """Seconds of each report."""
    parts = assemble(folder, Settings(), None)
    runner = web.AppRunner(application(parts, None), access_log=None)
    await runner.setup()
    engine, platform = parts.engine, parts.web
    person, room = engine.office.people["limin"], "suishoupai"
    lines = platform.listen(person.id, [room], 0)
    took = []
    for i in range(count):
        raw = photo(i)
        begun = time.perf_counter()
        made = await parts.shop.clean(raw)
        await parts.preparer.register(made)
        words = f"#随手拍 {PLACES[i % 10]}{i + 1}号门口{PROBLEMS[i // 10 % 5]}"
        await platform.say(person, room, f"m{i}", words, [made.sha])
        async for what, line in lines:
            if what == "line" and line.kind:
                break
        took.append(time.perf_counter() - begun)
    await lines.aclose()
    await runner.cleanup()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=40)
    args = parser.parse_args()
    with scratch() as folder:
        took = asyncio.run(play(folder / "data", args.reports))
    print(
        json.dumps(
            {f"p{share}_ms": round(percentile(took[1:], share / 100) * 1e3) for share in (50, 95)}
            | {"first_ms": round(took[0] * 1e3), "n": len(took) - 1}
        )
    )


if __name__ == "__main__":
    main()
