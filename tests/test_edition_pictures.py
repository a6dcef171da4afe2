"""An edition in the web group: its picture drawn when it leaves, its links to follow, its cards without tricks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from bot.comparisons import Comparisons
from bot.console.chat_lines import linked
from bot.media import PhotoShop
from bot.platforms.web import WebPlatform
from bot.platforms.web_lines import told
from config.errors import Rejected
from config.fonts import chinese
from digests.rendering import sheet_json, sheet_of
from handlers.editions import picturing
from handlers.events import Message
from handlers.office import Rules, open_office
from store import Store, photos
from store.outbox import OutboxRow
from tests.flows.town import TOWN, PlainReader
from tests.test_edition_rendering import ordinary

SHEET = ordinary()
needs_font = pytest.mark.skipif(chinese(28) is None, reason="this machine has no Chinese font")


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[PhotoShop]:
    made = PhotoShop(tmp_path / "photos")
    await made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.open(tmp_path / "data")
    yield opened
    opened.close()


def test_a_sheet_comes_back_from_its_row_as_it_was() -> None:
    assert sheet_of(sheet_json(SHEET)) == SHEET


def test_a_picture_is_named_by_everything_on_it() -> None:
    assert re.fullmatch("[0-9a-f]{64}", picturing.name(SHEET))
    assert picturing.name(SHEET) != picturing.name(replace(SHEET, foot="另一句"))


def test_beside_the_picture_titles_and_links_go_as_text() -> None:
    picture, *words = picturing.messages(SHEET, WebPlatform().channel)
    assert picture == Message("", photos=(picturing.name(SHEET),))
    assert len(words) == 1 and words[0].text.count("https://") == 10 and "各县区" not in words[0].text


@needs_font
@pytest.mark.asyncio
async def test_the_picture_is_drawn_when_its_message_leaves_and_once(store: Store, shop: PhotoShop) -> None:
    await store.write(lambda tx: picturing.keep(tx, "news", "2026-11-25", SHEET))
    message = picturing.messages(SHEET, WebPlatform().channel)[0]
    pictures = Comparisons(store, shop)
    assert await pictures.finish(message) == message
    path = shop.picture(message.photos[0])
    with Image.open(path) as drawn, Image.open(shop.path(message.photos[0], small=True)) as small:
        assert (drawn.format, drawn.width) == ("PNG", 750)
        assert small.size == (480, 640)
    stamp = path.stat().st_mtime_ns
    assert await pictures.finish(message) == message and path.stat().st_mtime_ns == stamp
    assert await store.read(lambda c: photos.rooms(c, message.photos[0])) == {"news"}


@needs_font
@pytest.mark.asyncio
async def test_a_lost_file_is_drawn_again_when_somebody_looks(store: Store, shop: PhotoShop) -> None:
    await store.write(lambda tx: picturing.keep(tx, "news", "2026-11-25", SHEET))
    name = picturing.name(SHEET)
    await Comparisons(store, shop).show(name)
    assert shop.picture(name).exists()
    await Comparisons(store, shop).show("0" * 64)
    assert not shop.picture("0" * 64).exists()


@pytest.mark.asyncio
async def test_where_no_picture_can_be_drawn_the_words_go(
    store: Store, shop: PhotoShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fontless(self: PhotoShop, name: str, sheet: str) -> None:
        raise Rejected("没有字体。")

    monkeypatch.setattr(PhotoShop, "draw", fontless)
    await store.write(lambda tx: picturing.keep(tx, "news", "2026-11-25", SHEET))
    message = await Comparisons(store, shop).finish(picturing.messages(SHEET, WebPlatform().channel)[0])
    assert message.photos == () and "【政策速递】" in message.text and len(message.text.encode()) <= 2048


@pytest.mark.asyncio
async def test_pictures_of_old_editions_are_forgotten(store: Store) -> None:
    await store.write(lambda tx: picturing.keep(tx, "news", "2026-11-25", SHEET))
    now = store.now()
    assert await store.write(lambda tx: photos.retire_drawings(tx, now - 1)) == []
    assert await store.write(lambda tx: photos.retire_drawings(tx, now + 2)) == [picturing.name(SHEET)]
    assert await store.read(lambda c: photos.drawing(c, picturing.name(SHEET))) is None


def test_links_of_ours_are_followed_without_telling_where_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)
    office = open_office(TOWN, {}, Rules(), b"k")
    said = linked('见https://a.example/b?c=1&d=2，<b>"javascript:alert(1)" http://x.example/。', office, "")
    assert re.findall(r'<a href="([^"]*)" target="_blank" rel="noreferrer noopener">', said) == [
        "https://a.example/b?c=1&amp;d=2",
        "http://x.example/",
    ]
    assert "<b>" not in said and "&lt;b&gt;" in said and said.count("<a ") == 2


def test_a_card_leads_nowhere_but_to_the_web() -> None:
    row = OutboxRow(1, "k", "web", "news", "news", "edition", None, "", "", None, 0, None, 0)
    cards = (("一", "说明", "https://a.example/"), ("二", "", "javascript:alert(1)"))
    line = told(1, "news", row, Message("摘要", form="news", articles=cards))
    assert [url for _, _, url in line.articles] == ["https://a.example/", ""]
