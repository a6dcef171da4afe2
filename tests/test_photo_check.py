"""An after-photo used before, taken too early or elsewhere is asked about privately, and nothing else comes of it."""

from __future__ import annotations

import io
import random
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from bot.photo_exif import taken
from bot.photo_prints import prints, trim
from bot.rehearse import Line, Rehearsal
from handlers.coordinates import gcj02, metres
from handlers.tasks import likeness
from store import Store, photos
from tests.flows.town import TOWN, PlainReader
from tests.photo_scenes import AGAIN, after, mirrored, photo, screenshot
from tests.test_media import encoded, picture

SCENES = range(0, 120, 10)
BASE = {seed: photo(seed) for seed in SCENES}
PRINTS = {seed: prints(image) for seed, image in BASE.items()}


@pytest.fixture(autouse=True)
def _plain_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)


@pytest.mark.parametrize("how", AGAIN)
def test_a_photo_used_again_is_known_however_it_was_dressed_up(how: str) -> None:
    known = [likeness.alike(prints(AGAIN[how](BASE[s], random.Random(s))), PRINTS[s]) for s in SCENES]
    assert sum(known) >= len(known) - 1


def test_other_scenes_and_honest_after_photos_are_left_alone() -> None:
    assert not any(likeness.alike(PRINTS[a], PRINTS[b]) for a, b in combinations(SCENES, 2))
    assert not any(likeness.alike(prints(after(s, random.Random(s))), PRINTS[s]) for s in SCENES)


def test_a_blank_picture_is_like_nothing() -> None:
    blank = prints(Image.new("RGB", (400, 300), "grey"))
    assert blank.split() == ["-"] * 6
    assert not likeness.alike(blank, blank)
    assert likeness.keys(blank, mirrored=True) == []


def test_bars_are_cut_off_and_a_night_photo_is_not_cut_away() -> None:
    screen = screenshot(BASE[0], random.Random(4))
    inner = trim(screen.convert("L"))
    assert abs(inner.width / inner.height - 800 / 600) < 0.03
    night = Image.new("L", (400, 300), 5)
    assert trim(night).size == (400, 300)


@pytest.mark.asyncio
async def test_the_bands_find_what_the_hashes_know() -> None:
    store = Store.open(None)

    def enter(tx: object) -> None:
        for seed in SCENES:
            photos.enter(tx, str(seed), likeness.coarse(PRINTS[seed]), likeness.keys(PRINTS[seed]))  # type: ignore[arg-type]

    await store.write(enter)
    for seed in SCENES:
        again = prints(mirrored(BASE[seed], random.Random(seed)))
        found = await store.read(partial(photos.look, keys=likeness.keys(again, mirrored=True)))
        assert likeness.candidates(again, found) == [str(seed)]
    store.close()


# eviltransform's published pairs: WGS-84 latitude and longitude, GCJ-02 latitude and longitude
PAIRS = [
    (31.1774276, 121.5272106, 31.17530398364597, 121.531541859215),
    (22.543847, 113.912316, 22.540796131694766, 113.9171764808363),
    (39.911954, 116.377817, 39.91334545536069, 116.38404722455657),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_fix_is_drawn_where_chinese_maps_have_it(pair: tuple[float, float, float, float]) -> None:
    assert gcj02(*pair[:2]) == pytest.approx(pair[2:], abs=1e-9)


def test_outside_china_nothing_is_moved_and_distances_are_right() -> None:
    assert gcj02(48.8566, 2.3522) == (48.8566, 2.3522)
    assert metres((0, 0), (0, 1)) == pytest.approx(111_195, abs=1)
    assert metres((30.45, 114.86), (30.45, 114.86)) == 0


def phone(image: Image.Image, when: str, lat: float = 30.45, lon: float = 114.86, offset: str = "") -> bytes:
    """A JPEG with the time and place its camera wrote."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = when
    if offset:
        exif.get_ifd(0x8769)[0x9011] = offset
    exif.get_ifd(0x8825).update({1: "N", 2: _dms(lat), 3: "E", 4: _dms(lon)})
    return encoded(image, exif=exif.tobytes(), quality=90)


def _dms(value: float) -> tuple[float, float, float]:
    minutes = (value % 1) * 60
    return (float(int(value)), float(int(minutes)), minutes % 1 * 60)


def read(raw: bytes) -> dict[str, int | float]:
    return taken(Image.open(io.BytesIO(raw)))


def at(hour: int, ahead: int = 8) -> int:
    return int(datetime(2026, 11, 23, hour, tzinfo=timezone(timedelta(hours=ahead))).timestamp())


def test_time_and_place_are_read_as_the_camera_meant_them() -> None:
    found = read(phone(picture(), "2026:11:23 09:00:00"))
    assert found == {"taken_at": at(9), "lat": 30.45, "lon": 114.86}
    assert read(phone(picture(), "2026:11:23 09:00:00", offset="+09:00"))["taken_at"] == at(9, 9)


@pytest.mark.parametrize("when", ["", "0000:00:00 00:00:00", "1970:01:01 00:00:00", "yesterday", "2026:13:40 09:00:00"])
def test_an_incredible_time_or_place_is_none(when: str) -> None:
    assert read(phone(picture(), when, 0.0, 0.0)) == {}
    assert read(phone(picture(), when, 95.0, 114.0)) == {}
    assert read(encoded(picture())) == {}


async def fed_back(tmp_path: Path, before: bytes, sent: bytes) -> list[tuple[str, str]]:
    """(to whom, text) of every question about photos when `sent` answers a report with `before`."""
    (tmp_path / "a.jpg").write_bytes(before)
    (tmp_path / "b.jpg").write_bytes(sent)
    play = await Rehearsal.open(TOWN)
    await play.play(
        [
            Line(0, "ssp", "limin", "三角绿地小广告", (str(tmp_path / "a.jpg"),)),
            Line(300, "ssp", "zhangqiang", "签收"),
            Line(600, "ssp", "zhangqiang", "反馈 已清理", (str(tmp_path / "b.jpg"),)),
        ]
    )
    steps = play.steps
    await play.close()
    assert steps[-1].tasks[0]["state"] == "feedback_given"
    assert steps[-1].tasks[0]["evidence"] == 1
    return [(n.to, n.text) for step in steps for n in step.notices if "照片存疑" in n.text]


@pytest.mark.asyncio
async def test_the_report_photo_mirrored_is_asked_about_privately_and_taken_all_the_same(tmp_path: Path) -> None:
    said = await fed_back(tmp_path, encoded(BASE[0]), encoded(mirrored(BASE[0], random.Random(1)), quality=70))
    assert [to for to, _ in said] == ["zhaojing"]
    assert "反馈照片与上报的照片几乎相同" in said[0][1]
    assert said[0][1].endswith("仅提醒，不作认定")


@pytest.mark.asyncio
async def test_an_after_photo_from_before_the_report_and_from_elsewhere_is_one_question(tmp_path: Path) -> None:
    first = phone(BASE[0], "2026:11:23 09:00:00")
    said = await fed_back(tmp_path, first, phone(BASE[10], "2026:11:22 17:00:00", 30.47))
    assert len(said) == 1
    assert "反馈照片的拍摄时间早于上报照片；反馈照片的拍摄地点距上报照片约2.2公里" in said[0][1]
    assert said[0][1].count("\n") == 1


@pytest.mark.asyncio
async def test_an_honest_after_photo_nearby_and_later_raises_no_question(tmp_path: Path) -> None:
    first = phone(BASE[0], "2026:11:23 09:00:00")
    honest = phone(after(0, random.Random(2)), "2026:11:23 10:00:00", 30.453)
    assert await fed_back(tmp_path, first, honest) == []


@pytest.mark.asyncio
async def test_another_tasks_after_photo_is_recognised_through_a_screenshot(tmp_path: Path) -> None:
    BASE[20].save(tmp_path / "c.jpg", quality=90)
    screenshot(BASE[20], random.Random(3)).save(tmp_path / "d.jpg", quality=80)
    play = await Rehearsal.open(TOWN)
    await play.play(
        [
            Line(0, "ssp", "limin", "三角绿地小广告", ("first",)),
            Line(300, "ssp", "zhangqiang", "反馈 已清理", (str(tmp_path / "c.jpg"),)),
            Line(360, "ssp", "limin", "通过"),
            Line(900, "ssp", "limin", "菜市场垃圾", ("second",)),
            Line(1200, "ssp", "zhangqiang", "反馈 1123-002 已清运", (str(tmp_path / "d.jpg"),)),
        ]
    )
    said = [n.text for step in play.steps for n in step.notices if "照片存疑" in n.text]
    await play.close()
    assert len(said) == 1
    assert "反馈照片与 #1123-001 的照片几乎相同" in said[0]
