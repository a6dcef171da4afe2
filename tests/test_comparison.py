"""Before and after in one picture: legible anywhere, made once, gone with its photos."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFont

from bot.comparison import Caption, draw, write
from bot.comparisons import Comparisons
from bot.media import PhotoShop
from bot.prepare import enter
from bot.rehearse import Line, Rehearsal
from config import fonts
from config.fonts import drawable, latin
from handlers.events import Message
from store import Store, photos, tasks
from store.photos import Pair
from tests.flows.town import TOWN, PlainReader
from tests.photo_scenes import after, photo
from tests.test_media import encoded, picture

CAPTION = Caption("#1123-001 西环路三角绿地 · 小广告", "处理前 2026-11-23 09:00", "处理后 2026-11-23 11:40")


@pytest.fixture(autouse=True)
def _plain_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[PhotoShop]:
    made = PhotoShop(tmp_path / "photos")
    await made.start()
    yield made
    await made.close()


@pytest.mark.parametrize("shapes", [((800, 600), (800, 600)), ((600, 1400), (3000, 400)), ((1, 1), (20, 900))])
def test_the_picture_is_one_png_at_most_1600_wide_that_a_group_robot_takes(
    shapes: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    sheet, png = draw(picture(*shapes[0]), picture(*shapes[1], seed=2), CAPTION)
    with Image.open(io.BytesIO(png)) as read:
        assert (read.format, read.size) == ("PNG", sheet.size)
    assert sheet.width <= 1600
    assert sheet.height <= 1400
    assert len(png) <= 2 << 20


def test_both_photos_are_in_it_side_by_side() -> None:
    sheet, _ = draw(Image.new("RGB", (80, 60), "red"), Image.new("RGB", (80, 60), "blue"), CAPTION)
    assert sheet.getpixel((400, 350)) == (255, 0, 0)
    assert sheet.getpixel((1200, 350)) == (0, 0, 255)


def test_without_a_chinese_font_digits_and_letters_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_files", lambda folders: ())
    fonts.chinese.cache_clear()
    pen = ImageDraw.Draw(Image.new("RGB", (1600, 100)))
    assert write(pen, (0, 50), CAPTION.title, 40, (0, 0, 0), 1500) in ("#1123-001 ·", "#1123-001")
    assert write(pen, (0, 50), CAPTION.before, 32, (0, 0, 0), 700) == "2026-11-23 09:00"
    assert draw(picture(), picture(seed=2), CAPTION)[1]
    fonts.chinese.cache_clear()


def test_no_character_is_drawn_as_an_empty_box() -> None:
    assert drawable("桥a1", latin(32)) == "a1"
    font = fonts.chinese(32)
    if font is None:
        pytest.skip("no Chinese font here")
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert drawable("西环路\U0010fffe三角\U0001f9ff绿地", font).replace(" ", "") == "西环路三角绿地"


def test_a_long_title_is_cut_to_its_room() -> None:
    pen = ImageDraw.Draw(Image.new("RGB", (1600, 100)))
    said = write(pen, (0, 50), "1234567890" * 50, 40, (0, 0, 0), 1500)
    assert 20 < len(said) < 200


async def house(shop: PhotoShop) -> tuple[Store, Pair]:
    store = Store.open(None)
    shas = []
    for seed in (1, 2):
        made = await shop.clean(encoded(picture(seed=seed)))
        await store.write(partial(enter, made))
        shas.append(made.sha)
    return store, Pair(shas[0], shas[1], CAPTION.title, CAPTION.before, CAPTION.after)


@pytest.mark.asyncio
async def test_a_picture_is_made_on_its_way_out_and_the_same_name_is_the_same_file(shop: PhotoShop) -> None:
    store, pair = await house(shop)
    name = "c" * 64
    await store.write(lambda tx: photos.name_pair(tx, name, "t", pair))
    message = Message("已反馈", photos=(name, pair.before))
    assert await Comparisons(store, shop).finish(message) == message
    first = shop.path(name).read_bytes()
    assert first.startswith(b"\x89PNG")
    assert shop.path(name, small=True).exists()
    shop.picture(name).unlink()  # a killed process left none
    await Comparisons(store, shop).finish(message)
    assert shop.path(name).read_bytes() == first
    store.close()


@pytest.mark.asyncio
async def test_a_picture_that_cannot_be_made_leaves_its_after_photo(shop: PhotoShop) -> None:
    store, pair = await house(shop)
    shop.erase(pair.before)
    await store.write(lambda tx: photos.name_pair(tx, "c" * 64, "t", pair))
    sent = await Comparisons(store, shop).finish(Message("已反馈", photos=("c" * 64,)))
    assert sent.photos == (pair.after,)
    assert not shop.picture("c" * 64).exists()
    store.close()


@pytest.mark.asyncio
async def test_taking_a_photo_back_takes_back_the_picture_and_what_it_said_of_place_and_time(shop: PhotoShop) -> None:
    store, pair = await house(shop)
    name = "c" * 64
    await store.write(lambda tx: photos.name_pair(tx, name, "t", pair))
    await store.write(lambda tx: tx.execute("update photo set taken_at = 1, lat = 2, lon = 3"))
    await store.write(lambda tx: tasks.add_photo(tx, "t", pair.after, "evidence", "p", 7))
    await Comparisons(store, shop).finish(Message("", photos=(name,)))
    for sha in await store.write(lambda tx: tasks.hide_photos(tx, "t", 7)):
        shop.erase(sha)
    assert not shop.picture(name).exists()
    assert not shop.path(pair.after).exists()
    assert await store.read(lambda c: photos.taken(c, pair.after)) == photos.NOWHERE
    assert await store.read(lambda c: photos.taken(c, pair.before)) == photos.Taken(1, 2, 3)
    store.close()


@pytest.mark.asyncio
async def test_feedback_with_photos_names_the_picture_of_before_and_after(tmp_path: Path) -> None:
    photo(10).save(tmp_path / "a.jpg", quality=90)
    after(10, random.Random(1)).save(tmp_path / "b.jpg", quality=90)
    play = await Rehearsal.open(TOWN)
    await play.play(
        [
            Line(0, "ssp", "limin", "三角绿地小广告", (str(tmp_path / "a.jpg"),)),
            Line(300, "ssp", "zhangqiang", "签收"),
            Line(600, "ssp", "zhangqiang", "反馈 已清理", (str(tmp_path / "b.jpg"),)),
        ]
    )
    sent = [message for row, message in play.stage.sent if row.kind == "feedback"]
    assert len(sent) == 1
    assert len(sent[0].photos) == 1
    pair = await play.engine.store.read(lambda c: photos.pair(c, sent[0].photos[0]))
    assert pair is not None
    assert pair.title.startswith("#1123-001 ")
    assert pair.said_before.startswith("处理前 20")
    assert not [m for _, m in play.stage.sent if "照片存疑" in m.text]
    await play.close()
