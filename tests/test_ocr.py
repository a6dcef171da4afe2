"""Photos are read afterwards: a secrecy mark erases photo and words, a watermark raises a private doubt, nothing is lost."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from bot import check, ocr
from bot.ocr import ChildReader, PhotoReading
from bot.rehearse import Rehearsal
from bot.script import Line
from digests import watermark
from store import photo_text, tasks
from tests.flows.town import TOWN, PlainReader

FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


class FakeReader:
    """Says what it is told, photo by photo; an exception is raised."""

    def __init__(self, *said: Sequence[str] | Exception) -> None:
        self.said = list(said)
        self.closed = 0

    async def read(self, path: Path) -> Sequence[str]:
        found = self.said.pop(0) if self.said else ()
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        self.closed += 1


@pytest_asyncio.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rehearsal]:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)
    played = await Rehearsal.open(TOWN)
    yield played
    await played.close()


def _reading(town: Rehearsal, reader: FakeReader) -> PhotoReading:
    engine = town.engine
    return PhotoReading(engine.store, Path, lambda: engine.office, engine.inbox.accept, reader)


async def _read(town: Rehearsal, *said: Sequence[str] | Exception) -> int:
    count = await _reading(town, FakeReader(*said)).round()
    await town.engine.settle()
    return count


async def _report(town: Rehearsal) -> None:
    await town.step(Line(0, "ssp", "limin", "三角绿地小广告", ("a",)))
    await town.step(Line(120))


def _sent(town: Rehearsal) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row, message in town.stage.sent:
        found.setdefault(row.address, []).append(message.text)
    return found


async def _one(town: Rehearsal, sql: str) -> object:
    return await town.engine.store.read(lambda c: c.execute(sql).fetchone()[0])


@pytest.mark.asyncio
async def test_a_secrecy_mark_erases_photo_and_words_and_the_task_stays_with_a_note(town: Rehearsal) -> None:
    await _report(town)
    erased: list[str] = []
    town.engine._erase_photo = erased.append
    before = {who: len(said) for who, said in _sent(town).items()}
    assert await _read(town, ["机密★10年", "云溪县文件"]) == 1
    said = {who: texts[before.get(who, 0) :] for who, texts in _sent(town).items()}
    assert [text[:10] for text in said["limin"]] == ["您发的照片疑似涉密，"]
    assert ["密级标志" in text for text in said["linhong"]] == [True]
    assert not said["ssp"]
    assert len(erased) == 1
    assert await _one(town, "select count(*) from photo") == 0
    assert await _one(town, "select count(*) from task_photo where hidden = 0") == 0
    assert await _one(town, "select count(*) from inbox where body like '%小广告%' or body like '%机密%'") == 0
    assert await _one(town, "select count(*) from secrecy_event") == 1
    assert await _one(town, "select text || state from task") == "照片疑似涉密，照片和原文已删除dispatched"


@pytest.mark.asyncio
async def test_a_mark_found_while_pieces_gather_takes_its_message_out_of_the_draft(town: Rehearsal) -> None:
    await town.step(Line(0, "ssp", "limin", "", ("a",)))
    await town.step(Line(10, "ssp", "limin", "三角绿地小广告"))
    assert await _read(town, ["机密★10年"]) == 1
    await town.step(Line(200))
    assert await _one(town, "select count(*) from photo") == 0
    assert await _one(town, "select count(*) from task_photo where hidden = 0") == 0
    assert await _one(town, "select count(*) from secrecy_event") == 1
    assert "您发的照片疑似涉密" in _sent(town)["limin"][-1]


@pytest.mark.asyncio
async def test_a_photo_read_before_a_restart_is_not_read_again_and_an_unread_one_is(town: Rehearsal) -> None:
    await _report(town)
    with pytest.raises(RuntimeError):
        await _read(town, RuntimeError("killed midway"))
    assert await _read(town, ["2026-11-23 08:50"]) == 1
    assert await _read(town) == 0


@pytest.mark.asyncio
async def test_a_photo_the_reader_hangs_on_is_given_up_after_two_tries(town: Rehearsal) -> None:
    await _report(town)
    assert await _read(town, TimeoutError(), EOFError()) == 1
    assert await _one(town, "select unread from photo_read") == 1
    assert await _read(town) == 0


@pytest.mark.asyncio
async def test_a_watermark_long_before_dispatch_is_asked_about_privately(town: Rehearsal) -> None:
    await _report(town)
    await _read(town, ["三角绿地"])
    await town.step(Line(600, "ssp", "zhangqiang", "签收"))
    await town.step(Line(1200, "ssp", "zhangqiang", "反馈 已清理", ("b",)))
    before = len(town.stage.sent)
    await _read(town, ["2026年11月01日", "08:15", "城关镇人民路"])
    new = [(row.address, message.text) for row, message in town.stage.sent[before:]]
    assert [who for who, _ in new] == ["zhaojing"]
    assert "水印上的时间早于派单" in new[0][1]
    shas = await town.engine.store.read(lambda c: [p.sha for p in tasks.photos(c, _only(c), "evidence")])
    mark = await town.engine.store.read(lambda c: photo_text.watermark(c, shas[0]))
    assert mark.place == "renminlu"


def _only(connection: object) -> str:
    return str(connection.execute("select id from task").fetchone()[0])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("lines", "moment"),
    [
        (["2026-11-20 08:15"], 1_795_133_700),
        (["拍摄时间：2026年11月20日08:15"], 1_795_133_700),
        (["08:15", "2026.11.20 星期五"], 1_795_133_700),
        (["2026-13-40 08:15"], None),
        (["垃圾分类"], None),
    ],
)
def test_a_watermark_says_when(lines: list[str], moment: int | None) -> None:
    assert watermark.taken_at(lines) == moment


HANG = "import sys, time; sys.stdout.buffer.write(b'\\0\\0\\0\\5ready'); sys.stdout.flush(); time.sleep(600)"


@pytest.mark.asyncio
async def test_a_hung_worker_is_killed_and_another_comes(tmp_path: Path) -> None:
    photo = tmp_path / "p.jpg"
    photo.write_bytes(b"x")
    reader = ChildReader((sys.executable, "-c", HANG), wall=0.05)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await reader.read(photo)
        assert reader._child.process is None


def test_without_the_extra_check_says_that_photos_are_not_screened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ocr, "available", lambda: False)
    assert check.odd(ocr.NOT_SCREENED) in list(check.examine(tmp_path))


@pytest.mark.asyncio
@pytest.mark.skipif(not ocr.available(), reason="the extra ocr is not installed")
@pytest.mark.skipif(not FONT.exists(), reason="no CJK font here")
@pytest.mark.skipif(importlib.util.find_spec("PIL") is None, reason="no Pillow")
async def test_the_real_reader_reads_a_mark_and_a_watermark(tmp_path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (1280, 960), (120, 140, 110))
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), 34)
    for row, line in enumerate(("2026-11-20 08:15", "云溪县城关镇人民路12号", "机密★10年")):
        draw.text((40, 600 + row * 60), line, font=font, fill="white")
    image.save(tmp_path / "p.jpg", quality=85)
    reader = ChildReader()
    lines = await reader.read(tmp_path / "p.jpg")
    await reader.close()
    assert watermark.taken_at(lines) == 1_795_133_700
    assert any("机密★10年" in line for line in lines)
