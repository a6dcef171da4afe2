"""The built-in work group below its pages: what becomes a line, who gets it, what a tab that was away is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import BusinessClock
from bot.console import chat_lines
from bot.engine import Engine, Frame
from bot.platforms.web import LISTENER_QUEUE, MISSED, ChatLine, News, WebPlatform
from config.errors import Rejected
from config.files import read_county
from handlers.events import Event, Facts
from handlers.office import Office, Rules
from store import Store, chat
from store.demo import wipe
from tests.serving import tiny_county

pytestmark = pytest.mark.asyncio
MORNING = 1_795_482_000  # 2026-11-24 09:00 in Shanghai, a Tuesday
ROOM = "ssp"


async def _no_facts(event: Event, office: Office) -> Facts:
    return Facts(photos=tuple(photo.sha for photo in event.photos))


@contextlib.asynccontextmanager
async def group(tmp_path: Path, demo: bool = False) -> AsyncIterator[WebPlatform]:
    """A browser group of a tiny county, everything in memory."""
    business, platform = BusinessClock(start=MORNING), WebPlatform()
    store = Store.open(None, business)
    engine = Engine(store, business, {"web": platform}, _no_facts, Frame(Rules(), b"k" * 32, demo))
    platform.engine = engine
    await engine.start(read_county(tiny_county(tmp_path / "county")))
    await platform.start()
    try:
        yield platform
    finally:
        await engine.close()


async def speak(platform: WebPlatform, person: str, message: str, text: str, quote: str = "") -> str:
    """Say something and let everything settle; what became of it."""
    engine = platform.engine
    assert engine is not None
    receipt = await platform.say(engine.office.people[person], ROOM, message, text, (), quote)
    await engine.settle()
    return receipt.state


async def texts(platform: WebPlatform) -> list[str]:
    return [line.text for line in await platform.lines(ROOM) if line.sender]


async def heard(platform: WebPlatform, after: int, until: str = "line") -> list[News]:
    """The news a tab gets that saw everything up to `after`, as far as the first of a kind."""
    news, found = platform.listen("li", {ROOM}, after), []
    async for item in news:
        found.append(item)
        if item[0] == until:
            break
    await news.aclose()  # type: ignore[attr-defined]
    return found


async def test_the_same_message_sent_twice_is_one_line(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        assert await speak(platform, "li", "a1", "@群办 帮助") == "kept"
        assert await speak(platform, "li", "a1", "@群办 帮助") == "known"
        assert await speak(platform, "zhang", "a2", "哈哈哈好的") == "forgotten"
        assert await speak(platform, "zhang", "a2", "哈哈哈好的") == "forgotten"
        assert await texts(platform) == ["@群办 帮助", "哈哈哈好的"]


async def test_chatter_is_nowhere_on_disk_and_gone_with_the_memory(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        await speak(platform, "li", "a1", "哈哈哈好的")
        assert [line.kept for line in await platform.lines(ROOM) if line.sender] == [False]
        engine = platform.engine
        assert engine is not None
        dump = await engine.store.read(lambda c: "\n".join(c.iterdump()))
        assert "哈哈哈" not in dump
        platform.forget_chatter()
        assert await texts(platform) == []


async def test_a_secret_message_is_no_line_for_anybody(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        assert await speak(platform, "li", "s1", "转发:机密★启封前 关于人事安排的文件") == "secret"
        assert await texts(platform) == []
        assert not [news for news in await heard(platform, 0) if isinstance(news[1], ChatLine) and news[1].sender]


async def test_a_line_shows_what_it_answers_even_when_that_was_chatter(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        await speak(platform, "li", "a1", "下午开会吗")
        await speak(platform, "zhang", "b1", "开", quote="li/a1")
        answer = (await platform.lines(ROOM))[-1]
        assert answer.quoted == ("李敏", "下午开会吗")


async def test_a_recalled_line_stays_as_taken_back_without_its_words(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        await speak(platform, "li", "a1", "@群办 帮助")
        engine = platform.engine
        assert engine is not None
        await platform.recall(engine.office.people["li"], ROOM, "a1")
        await engine.settle()
        gone = [line for line in await platform.lines(ROOM) if line.recalled]
        assert [(line.id, line.text) for line in gone] == [("li/a1", "")]
        with pytest.raises(Rejected):
            await platform.recall(engine.office.people["zhang"], ROOM, "a1")


async def test_a_tab_that_was_away_gets_what_it_missed_and_recalls_too(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        await speak(platform, "li", "a1", "@群办 帮助")
        engine = platform.engine
        assert engine is not None
        seen = await engine.store.read(chat.last_pos)
        await speak(platform, "zhang", "b1", "@群办 隐私")
        await platform.recall(engine.office.people["li"], ROOM, "a1")
        await engine.settle()
        missed = await heard(platform, seen, "recall")
        assert "zhang/b1" in [line.id for what, line in missed if isinstance(line, ChatLine) and what == "line"]
        assert "li/a1" in [line.id for what, line in missed if isinstance(line, ChatLine) and what == "recall"]


async def test_a_tab_too_far_behind_is_told_to_load_the_page_again(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        for n in range(MISSED // 2 + 15):
            await speak(platform, "li", f"m{n}", "@群办 帮助")
        assert (await heard(platform, 0, "again"))[0][0] == "again"


async def test_a_tab_that_does_not_keep_up_is_cut_off_and_comes_again(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        news = platform.listen("li", {ROOM}, -1)
        first = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0)
        for n in range(LISTENER_QUEUE + 5):
            platform.broadcast("clock", {"now": n})
        await first
        got = [item async for item in news]
        assert len(got) < LISTENER_QUEUE + 5


async def test_words_of_strangers_stay_words() -> None:
    class Nobody:
        county = type("County", (), {"people": ()})()

    shown = chat_lines.rich("<b>@群办</b> #1124-007 & @谁", Nobody(), "群办")  # type: ignore[arg-type]
    assert (
        shown
        == '&lt;b&gt;<b class="at me">@群办</b>&lt;/b&gt; <a class="no" href="/tasks/1124-007">#1124-007</a> &amp; @谁'
    )


async def test_a_demo_is_emptied_and_goes_on_and_nothing_else_ever_is(tmp_path: Path) -> None:
    county = read_county(tiny_county(tmp_path / "again"))
    async with group(tmp_path, demo=True) as platform:
        engine = platform.engine
        assert engine is not None
        await speak(platform, "li", "a1", "解放路垃圾桶满了没人收")
        await engine.store.write(wipe)
        platform.forget_chatter()
        await engine.start(county)
        left = await engine.store.read(lambda c: [c.execute(f"select count(*) from {t}").fetchone()[0] for t in TABLES])
        assert left == [0] * len(TABLES)
        with pytest.raises(Exception, match="append-only"):
            await engine.store.write(_forge)
        assert await speak(platform, "li", "a1", "解放路垃圾桶满了没人收") == "kept"
    async with group(tmp_path, demo=False) as platform:
        engine = platform.engine
        assert engine is not None
        with pytest.raises(Rejected):
            await engine.store.write(wipe)


TABLES = ("task", "history", "outbox", "chat_line", "timer", "session", "draft", "anchor", "audit")


def _forge(tx: object) -> None:
    execute = tx.execute  # type: ignore[attr-defined]
    execute("insert into anchor (n, at, upto, count, hash) values (1, 1, 1, 1, 'x')")
    execute("delete from anchor")


async def test_chatter_taken_back_is_not_pulled_into_a_later_report(tmp_path: Path) -> None:
    async with group(tmp_path) as platform:
        await speak(platform, "li", "a1", "哈哈哈好的")
        engine = platform.engine
        assert engine is not None
        await platform.recall(engine.office.people["li"], ROOM, "a1")
        await speak(platform, "li", "a2", "@群办 帮助")
        dump = await engine.store.read(lambda c: "\n".join(c.iterdump()))
        assert "哈哈哈" not in dump
