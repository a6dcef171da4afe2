"""`bot digest preview|publish`: shown as it will look; sent before its minute only when its people signed it."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.clock import BusinessClock
from bot.digest_preview import preview, publish
from config.errors import ConfigError
from store import Store, Tx, editions, timers
from store.editions import EditionItem
from tests.edition_house import at

pytestmark = pytest.mark.asyncio
LINE = EditionItem(
    1, None, 1, "微课堂", "公文写作三不准", "不准超范围标注。", "https://www.example.gov.cn/1.html", "县委办"
)


def morning(data: Path, clock: str = "09:00") -> str:
    """A data folder whose clock stands at a morning to come; its day."""
    day = (date.today() + timedelta(days=3)).isoformat()
    (data / "clock").write_text(str(at(day, clock) - int(time.time())), "ascii")
    return day


async def write(data: Path, day: str, *people: str) -> None:
    def job(tx: Tx) -> None:
        editions.open_(tx, day, "three", None)
        code = editions.write(tx, day, [LINE])
        for step, person in zip(editions.STEPS, people, strict=False):
            editions.approve(tx, day, step, person, code)
        editions.move(tx, day, ("draft",), ("draft", "edited", "reviewed", "approved")[len(people)])

    store = Store.open(data, BusinessClock(data / "clock"))
    await store.write(job)
    store.close()


async def test_an_edition_is_shown_as_each_form_shows_it(tmp_path: Path) -> None:
    day = morning(tmp_path)
    with pytest.raises(ConfigError):
        preview(tmp_path, None, "text")
    await write(tmp_path, day)
    shown = preview(tmp_path, None, "text")
    assert shown["day"] == day and shown["messages"][0]["text"].startswith("云溪县每日摘要 · ")
    assert "公文写作三不准" in preview(tmp_path, day, "markdown")["messages"][0]["text"]
    ((title, _, url),) = preview(tmp_path, day, "news")["messages"][0]["articles"]
    assert "公文写作三不准" in title and url == LINE.url


async def test_only_what_three_people_signed_is_put_in_line_and_only_until_noon(tmp_path: Path) -> None:
    day = morning(tmp_path)
    await write(tmp_path, day, "a", "b")
    with pytest.raises(ConfigError, match="没有签发"):
        await publish(tmp_path, day)
    await write(tmp_path, day, "a", "b", "b")
    with pytest.raises(ConfigError, match="没有签发"):
        await publish(tmp_path, day)
    await write(tmp_path, day, "a", "b", "c")
    assert await publish(tmp_path, day) == {"day": day, "queued": True}
    store = Store.open(tmp_path, BusinessClock(tmp_path / "clock"))
    (timer,) = await store.read(lambda c: timers.of(c, f"edition/{day}/now"))
    store.close()
    assert timer.kind == "edition_send"
    morning(tmp_path, "12:30")
    with pytest.raises(ConfigError, match="已过12:00"):
        await publish(tmp_path, day)
