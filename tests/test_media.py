"""Photos: what gets in, what comes out, and what a hostile one can do (nothing)."""

from __future__ import annotations

import asyncio
import io
import os
import random
import re
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageCms, ImageOps, MpoImagePlugin

from bot import media
from bot.child import ROOT
from bot.media import PhotoShop
from bot.photo_prints import dhash
from config.errors import Busy, Rejected

GPS = 0x8825


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[PhotoShop]:
    shop = PhotoShop(tmp_path / "photos")
    await shop.start()
    yield shop
    await shop.close()


def picture(width: int = 96, height: int = 64, seed: int = 1) -> Image.Image:
    """A smooth scene with something different in every corner."""
    cells = random.Random(seed).randbytes(6 * 4 * 3)
    return Image.frombytes("RGB", (6, 4), cells).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def animated(kind: str, frames: int) -> bytes:
    pages = [Image.new("RGB", (8, 8), (i % 256, i // 256, 9)) for i in range(frames)]
    return encoded(pages[0], kind, save_all=True, append_images=pages[1:], duration=20)


def bare_png(side: int) -> bytes:
    """A black square of side², a few kilobytes on the wire."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 2) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def from_phone() -> bytes:
    """A JPEG as phones make them: GPS, serial number, XMP, a colour profile, a comment and a lying orientation."""
    exif = Image.Exif()
    exif[0x010F], exif[0xC62F] = "SecretMaker", "SERIAL-0042"
    exif.get_ifd(GPS).update({1: "N", 2: (30.0, 27.0, 15.5), 3: "E", 4: (114.0, 52.0, 3.25)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>GPSLatitude 30,27N</x:xmpmeta>"
    return encoded(picture(), exif=exif.tobytes(), icc_profile=profile, xmp=xmp, comment=b"home of Mr Zhang")


def segments(jpeg: bytes) -> set[int]:
    """The marker codes before the scan."""
    found, at = set(), 2
    while jpeg[at + 1] != 0xDA:
        found.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return found


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "over ten megabytes": (lambda: b"\xff\xd8\xff" + bytes(media.BYTES), "bytes"),
    "truncated JPEG": (lambda: encoded(picture(400, 300))[:2000], "broken"),
    "truncated PNG": (lambda: encoded(picture(400, 300), "PNG")[:3000], "broken"),
    "truncated WEBP": (lambda: encoded(picture(400, 300), "WEBP")[:500], "broken"),
    "header only": (lambda: b"\xff\xd8\xff\xe0", "broken"),
    "random after the magic": (lambda: b"\x89PNG\r\n\x1a\n" + random.Random(3).randbytes(5000), "broken"),
    "animated WEBP of 2,000 frames": (lambda: animated("WEBP", 2000), "animated"),
    "animated PNG": (lambda: animated("PNG", 3), "animated"),
    "81 megapixels": (lambda: bare_png(9000), "pixels"),
    "169 megapixels": (lambda: bare_png(13000), "pixels"),
    "361 megapixels": (lambda: bare_png(19000), "pixels"),
    "HTML": (lambda: b"<!doctype html><script>alert(1)</script>", "kind"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "kind"),
    "BMP": (lambda: encoded(picture(), "BMP"), "kind"),
    "TIFF": (lambda: encoded(picture(), "TIFF"), "kind"),
    "GIF": (lambda: encoded(picture(), "GIF"), "gif"),
}


@pytest.mark.asyncio
async def test_what_is_no_safe_photo_is_refused_in_words_and_the_child_lives_on(shop: PhotoShop) -> None:
    await shop.clean(encoded(picture()))
    child = shop._child.process
    for name, (make, why) in BAD.items():
        with pytest.raises(Rejected) as refusal:
            await shop.clean(make())
        assert str(refusal.value) == media.TEXTS[why], name
    assert child is not None and shop._child.process is child
    assert len(list((shop.path("0" * 64).parents[1]).rglob("*.jpg"))) == 2


def test_every_refusal_is_a_short_chinese_sentence_that_ends() -> None:
    for text in media.TEXTS.values():
        assert re.search(r"[一-龥]", text)
        assert text.endswith("。")
        assert len(text) <= 60


@pytest.mark.asyncio
async def test_a_file_that_lies_about_its_name_is_judged_by_its_bytes(shop: PhotoShop, tmp_path: Path) -> None:
    lie = tmp_path / "现场.jpg"
    lie.write_bytes(b"<html><body>photo</body></html>")
    with pytest.raises(Rejected, match="不是照片"):
        await shop.clean(lie)
    lie.write_bytes(encoded(picture(), "PNG"))
    assert (await shop.clean(lie)).width == 96


@pytest.mark.asyncio
async def test_heic_is_read_where_the_extra_is_installed_and_else_refused_with_a_way_out(shop: PhotoShop) -> None:
    with pytest.raises(Rejected, match=r"转成JPG|打不开"):
        await shop.clean(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@pytest.mark.asyncio
async def test_no_metadata_survives(shop: PhotoShop) -> None:
    raw = from_phone()
    assert {0xE1, 0xE2, 0xFE} <= segments(raw)
    clean = await shop.clean(raw)
    for small in (False, True):
        kept = shop.path(clean.sha, small).read_bytes()
        assert segments(kept) & (set(range(0xE1, 0xF0)) | {0xFE}) == set()
        assert not re.search(rb"Exif|adobe|SecretMaker|SERIAL|GPS|Zhang|ICC_PROFILE", kept)
        assert not Image.open(io.BytesIO(kept)).getexif()


@pytest.mark.asyncio
async def test_time_and_place_leave_the_file_and_come_back_as_facts(shop: PhotoShop) -> None:
    clean = await shop.clean(from_phone())
    assert (clean.taken_at, clean.lat, clean.lon) == (None, 30.4543, 114.8676)
    assert len(clean.prints.split()) == 6
    bare = await shop.clean(encoded(picture()))
    assert (bare.taken_at, bare.lat, bare.lon) == (None, None, None)
    assert bare.sha == clean.sha


@pytest.mark.asyncio
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_stands_as_the_camera_meant_it(shop: PhotoShop, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = encoded(picture(), exif=exif.tobytes(), quality=95)
    clean = await shop.clean(raw)
    meant = ImageOps.exif_transpose(Image.open(io.BytesIO(raw)))
    assert (clean.width, clean.height) == meant.size
    assert clean.dhash == dhash(meant.convert("RGB")) or distance(clean.dhash, dhash(meant)) <= 4


def distance(a: str, b: str) -> int:
    return (int(a, 16) ^ int(b, 16)).bit_count()


@pytest.mark.asyncio
async def test_a_tail_of_html_is_left_behind(shop: PhotoShop) -> None:
    photo = encoded(picture())
    both = await shop.clean(photo + b"<html><script>alert(1)</script></html>")
    assert both.sha == (await shop.clean(photo)).sha
    assert b"script" not in shop.path(both.sha).read_bytes()


@pytest.mark.asyncio
async def test_the_same_photo_is_the_same_file_even_from_another_child(shop: PhotoShop) -> None:
    raw = encoded(picture(700, 500))
    first = await shop.clean(raw)
    await shop.close()
    await shop.start()
    assert await shop.clean(raw) == first
    assert shop.path(first.sha).stat().st_size == first.size


@pytest.mark.asyncio
async def test_a_dual_picture_phone_photo_is_its_first_picture(shop: PhotoShop) -> None:
    made = io.BytesIO()
    picture(300, 200).save(made, "MPO", save_all=True, append_images=[picture(100, 80, seed=2)])
    assert isinstance(Image.open(io.BytesIO(made.getvalue())), MpoImagePlugin.MpoImageFile)
    clean = await shop.clean(made.getvalue())
    assert (clean.width, clean.height) == (300, 200)


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
async def test_every_pixel_format_comes_out_as_a_photo_of_at_most_2560(shop: PhotoShop, mode: str) -> None:
    source = picture(3000, 600)
    image = Image.new(mode, source.size) if mode == "I;16" else source.convert(mode)
    clean = await shop.clean(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert (clean.width, clean.height) == (2560, 512)
    with Image.open(shop.path(clean.sha, small=True)) as small:
        assert (small.mode, small.size) == ("RGB", (320, 64))


@pytest.mark.asyncio
async def test_forty_megapixels_fit_and_see_through_becomes_white(shop: PhotoShop) -> None:
    clean = await shop.clean(encoded(Image.new("RGBA", (6300, 6300)), "PNG", compress_level=1))
    with Image.open(shop.path(clean.sha)) as kept:
        assert kept.getpixel((100, 100)) == (255, 255, 255)


@pytest.mark.asyncio
async def test_a_look_alike_is_near_and_another_scene_is_far(shop: PhotoShop) -> None:
    scene = picture(800, 600)
    first = await shop.clean(encoded(scene, quality=95))
    again = await shop.clean(encoded(scene.resize((500, 375)), quality=50))
    other = await shop.clean(encoded(picture(800, 600, seed=7)))
    assert first.sha != again.sha
    assert distance(first.dhash, again.dhash) <= 31 < distance(first.dhash, other.dhash)


@pytest.mark.asyncio
async def test_after_a_killed_child_the_next_photo_works(shop: PhotoShop) -> None:
    await shop.clean(encoded(picture()))
    assert shop._child.process is not None
    shop._child.process.kill()
    await shop._child.process.wait()
    assert (await shop.clean(encoded(picture(seed=2)))).width == 96


@pytest.mark.asyncio
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGSTOP")
async def test_a_child_killed_midway_is_replaced_and_the_photo_still_arrives(shop: PhotoShop) -> None:
    await shop.clean(encoded(picture()))
    assert shop._child.process is not None
    victim = shop._child.process.pid
    os.kill(victim, signal.SIGSTOP)
    job = asyncio.create_task(shop.clean(encoded(picture(seed=3))))
    await until(lambda: shop._turn.locked())
    os.kill(victim, signal.SIGKILL)
    assert (await job).width == 96
    assert shop._child.process.pid != victim


@pytest.mark.asyncio
async def test_a_photo_that_kills_every_child_is_refused(shop: PhotoShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "WORKER", stand_in("sys.stdin.buffer.read(10)"))
    with pytest.raises(Rejected, match="打不开"):
        await shop.clean(encoded(picture()))
    monkeypatch.undo()
    assert (await shop.clean(encoded(picture()))).width == 96


@pytest.mark.asyncio
async def test_a_photo_that_takes_too_long_is_refused_and_its_child_is_dead(
    shop: PhotoShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert media.WALL == 5.0
    monkeypatch.setattr(media, "WORKER", stand_in("sys.stdin.buffer.read()"))
    monkeypatch.setattr(media, "WALL", 0.2)
    job = asyncio.create_task(shop.clean(encoded(picture())))
    await until(lambda: shop._child.process is not None)
    slow = shop._child.process
    with pytest.raises(Rejected, match="超时"):
        await job
    assert await slow.wait() != 0
    monkeypatch.undo()
    assert (await shop.clean(encoded(picture()))).width == 96


@pytest.mark.asyncio
async def test_a_caller_who_gives_up_leaves_no_half_conversation(
    shop: PhotoShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "WORKER", stand_in("sys.stdin.buffer.read()"))
    job = asyncio.create_task(shop.clean(encoded(picture())))
    await until(lambda: shop._child.process is not None)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    monkeypatch.undo()
    assert (await shop.clean(encoded(picture()))).width == 96


@pytest.mark.asyncio
async def test_a_child_that_cannot_start_says_busy_not_bad_photo(
    shop: PhotoShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "WORKER", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(Busy):
        await shop.clean(encoded(picture()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def stand_in(then: str) -> tuple[str, ...]:
    """A child that says it is ready and then misbehaves."""
    ready = "sys.stdout.buffer.write(b'\\0\\0\\0\\5ready'); sys.stdout.flush()"
    return (sys.executable, "-c", f"import sys; {ready}; {then}")


@pytest.mark.asyncio
async def test_more_than_sixteen_waiting_are_told_to_try_again(shop: PhotoShop) -> None:
    raw = encoded(picture())
    async with shop._turn:
        jobs = [asyncio.create_task(shop.clean(raw)) for _ in range(media.WAITING + 1)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await shop.clean(raw)
    assert len({photo.sha for photo in await asyncio.gather(*jobs)}) == 1


@pytest.mark.asyncio
async def test_an_idle_child_goes_home(shop: PhotoShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "IDLE", 0.0)
    await shop.clean(encoded(picture()))
    await until(lambda: shop._child.process is None)
    assert (await shop.clean(encoded(picture()))).width == 96


@pytest.mark.asyncio
async def test_only_a_sha_is_a_path(shop: PhotoShop) -> None:
    for trick in ("", "..", "../" * 20 + "etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "/" * 64, "%2e" * 21 + "a"):
        with pytest.raises(Rejected):
            shop.path(trick)
        with pytest.raises(Rejected):
            shop.erase(trick)
    assert shop.path("a" * 64).parent.name == "aa"


@pytest.mark.asyncio
async def test_files_are_private_whole_and_alone(shop: PhotoShop) -> None:
    clean = await shop.clean(encoded(picture()))
    files = sorted(p for p in shop.path(clean.sha).parents[1].rglob("*") if p.is_file())
    assert files == sorted((shop.path(clean.sha), shop.path(clean.sha, small=True)))
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.asyncio
async def test_erased_photos_are_overwritten_first(shop: PhotoShop, tmp_path: Path) -> None:
    clean = await shop.clean(encoded(picture()))
    witness = tmp_path / "witness"
    os.link(shop.path(clean.sha), witness)
    shop.erase(clean.sha)
    shop.erase(clean.sha)
    assert not shop.path(clean.sha).exists()
    assert not shop.path(clean.sha, small=True).exists()
    assert set(witness.read_bytes()) == {0}
    assert (await shop.clean(encoded(picture()))).sha == clean.sha
    assert shop.path(clean.sha).exists()


@pytest.mark.asyncio
async def test_a_start_sweeps_half_written_files_and_touches_nothing_else(shop: PhotoShop) -> None:
    clean = await shop.clean(encoded(picture()))
    left = shop.path(clean.sha).parents[1] / "tmp" / "half"
    left.write_bytes(b"x")
    await shop.start()
    assert not left.exists()
    assert shop.path(clean.sha).exists()


@pytest.mark.asyncio
async def test_a_full_disk_says_busy_and_leaves_nothing(shop: PhotoShop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Busy, match="磁盘"):
        await shop.clean(encoded(picture()))
    assert [p for p in shop.path("0" * 64).parents[1].rglob("*") if p.is_file()] == []


def test_the_main_process_never_loads_a_decoder(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encoded(picture()))
    program = f"""
import asyncio, sys
from pathlib import Path
from bot.media import PhotoShop
async def main():
    shop = PhotoShop(Path({str(tmp_path / "shop")!r}))
    await shop.start()
    print((await shop.clean(Path({str(photo)!r}))).sha)
    await shop.close()
asyncio.run(main())
print(sorted(name for name in sys.modules if name.split(".")[0] in ("PIL", "pillow_heif", "numpy")))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"
    assert done.stderr == ""


@pytest.mark.asyncio
async def test_mangled_photos_never_get_a_word_we_did_not_choose(shop: PhotoShop) -> None:
    dice = random.Random(20261124)
    seeds = [from_phone(), encoded(picture(), "PNG"), encoded(picture(), "WEBP"), animated("WEBP", 4)]
    for _ in range(150):
        raw = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 12)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            await shop.clean(bytes(raw))
        except Rejected as refusal:
            assert str(refusal) in media.TEXTS.values()
