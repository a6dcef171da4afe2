"""Photos, made safe: guarded, decoded in a child process, re-encoded without metadata, kept by content.

The bytes people send never meet a decoder here (`bot.media_worker` does that, and may die of it), and the name of a
file is the hash of what we made, never anything a person wrote. A killed process leaves whole files or none.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import os
import re
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.child import Child, Terms
from bot.comparison import Caption
from config.errors import Busy, Rejected

BYTES = 10 << 20  # security.md B T26
ANSWER_BYTES = 32 << 20
WALL = 5.0  # seconds for one photo, then the child is killed (security.md B T7)
START = 30.0  # seconds for the child to come up on a busy machine
IDLE = 60.0
WAITING = 16
WORKER = (sys.executable, "-m", "bot.media_worker")
SHA = re.compile(r"[0-9a-f]{64}")
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

TEXTS = {
    "empty": "照片是空的，可能没有传完，请重新发一次。",
    "bytes": "照片超过10MB，请压缩后再发，或发普通图片而不是原图。",
    "pixels": "照片尺寸太大（超过4000万像素），请改小后再发。",
    "memory": "照片尺寸太大，请改小或截图后再发。",
    "animated": "不支持动图，请发一张静态照片。",
    "gif": "不支持GIF图片，请发JPG、PNG或WEBP格式的照片。",
    "heif": "暂不支持HEIC格式，请转成JPG再发（苹果手机：设置－相机－格式－兼容性最佳）。",
    "kind": "这个文件不是照片，请发JPG、PNG或WEBP格式的照片。",
    "broken": "照片打不开，可能没有传完或已损坏，请重新拍摄或重新发一次。",
    "font": "这台机器上没有中文字体，长图画不出来，请系统管理员安装一种。",
    "slow": "照片处理超时，请截图或压缩后再发。",
    "sha": "照片编号不对，请从页面上重新打开。",
    "full": "待处理的照片太多，请过一分钟再发。",
    "worker": "照片处理暂时不可用，请稍后再发。",
    "disk": "照片暂时存不下，请稍后再发，并告诉系统管理员检查磁盘空间。",
}

log = structlog.get_logger(__name__)
Developed = tuple[dict[str, Any], bytes, bytes]  # facts, picture, thumbnail


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """What we keep of a photo: `sha` names the cleaned JPEG, `dhash` and `prints` (bot.photo_prints) find look-alikes.

    When and where it was taken stood in its metadata, and stands only in our row now (WGS-84).
    """

    sha: str
    width: int
    height: int
    size: int
    dhash: str
    prints: str = ""
    taken_at: int | None = None
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class _Print:
    photo: CleanPhoto
    full: bytes
    small: bytes


class PhotoShop:
    """Cleans photos one at a time with a warm child, and keeps them under `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tmp = folder / "tmp"
        self._turn = asyncio.Lock()
        self._inside = 0
        self._open = False
        self._child = Child()

    async def start(self) -> None:
        """Make the folder and sweep what a killed process left half written. The child comes with the first photo."""
        await asyncio.to_thread(self._sweep)
        self._open = True

    async def close(self) -> None:
        """Send the child away; photos still waiting are answered Busy."""
        self._open = False
        await self._child.close()

    async def clean(self, raw: bytes | Path) -> CleanPhoto:
        """Make `raw` safe and keep it. Rejected says what is wrong with it, Busy that nothing was kept."""
        if self._inside > WAITING:
            raise Busy(TEXTS["full"])
        self._inside += 1
        try:
            async with self._turn:
                data = raw if isinstance(raw, bytes) else await asyncio.to_thread(_read, raw)
                made = _print(*await self._develop(_kind(data), data))
        finally:
            self._inside -= 1
        sha = made.photo.sha
        files = ((self.path(sha, small=True), made.small), (self._named(sha, ".jpg"), made.full))
        await asyncio.to_thread(self._keep, sha, files)
        return made.photo

    async def compare(self, name: str, before: str, after: str, caption: Caption) -> None:
        """Make the comparison picture of two kept photos under `name`. Raises as `clean` does, OSError for a lost photo."""
        files = [await asyncio.to_thread(self.path(sha).read_bytes) for sha in (before, after)]
        parts = (json.dumps(asdict(caption)).encode(), *files)
        packed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        async with self._turn:
            _, picture, small = await self._develop("PAIR", packed)
        files_made = ((self.path(name, small=True), small), (self.picture(name), picture))
        await asyncio.to_thread(self._keep, name, files_made)

    async def draw(self, name: str, sheet: str) -> None:
        """Draw an edition (the JSON of a sheet) under `name`. Raises as `clean` does."""
        async with self._turn:
            _, picture, small = await self._develop("SHEET", sheet.encode())
        files = ((self.path(name, small=True), small), (self.picture(name), picture))
        await asyncio.to_thread(self._keep, name, files)

    def path(self, sha: str, small: bool = False) -> Path:
        """Where a photo (or its thumbnail) lies. Only a sha gets through, so no name can lead out of the folder."""
        if not small and (picture := self.picture(sha)).exists():
            return picture
        return self._named(sha, ".s.jpg" if small else ".jpg")

    def picture(self, name: str) -> Path:
        """Where a picture we made lies: a PNG, no part of backups, since it can be made again."""
        return self._named(name, ".png")

    def _named(self, sha: str, ending: str) -> Path:
        if not SHA.fullmatch(sha):
            raise Rejected(TEXTS["sha"])
        return self._folder / sha[:2] / f"{sha}{ending}"

    def erase(self, sha: str) -> None:
        """Overwrite, then unlink, both files; erasing twice is fine. (Flash media may keep old blocks regardless.)"""
        for path in (self.picture(sha), self._named(sha, ".jpg"), self.path(sha, small=True)):
            try:
                _overwrite(path)
                path.unlink()
            except FileNotFoundError:
                continue
            _sync_folder(path.parent)

    async def _develop(self, kind: str, data: bytes) -> Developed:
        """Two tries: a child may have been killed for reasons that are not this photo's fault."""
        for _ in range(2):
            if not self._open:
                raise Busy(TEXTS["worker"])
            try:
                return _judge(*await self._child.ask(_terms(), (kind.encode(), data), answers=3))
            except TimeoutError:
                raise Rejected(TEXTS["slow"]) from None
            except (EOFError, ConnectionError):
                log.warning("photo worker ended midway")
        raise Rejected(TEXTS["broken"])

    def _sweep(self) -> None:
        self._tmp.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._tmp.iterdir():
            left.unlink()

    def _keep(self, sha: str, files: Sequence[tuple[Path, bytes]]) -> None:
        folder = self._folder / sha[:2]
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
            for path, data in files:
                if not path.exists():
                    self._write(path, data)
            _sync_folder(folder)
            _sync_folder(self._folder)
        except OSError as trouble:
            log.error("photo not stored", errno=trouble.errno)
            raise Busy(TEXTS["disk"]) from trouble

    def _write(self, path: Path, data: bytes) -> None:
        draft = self._tmp / uuid.uuid4().hex
        try:
            with open(draft, "xb", opener=_private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BYTES + 1)


def _kind(data: bytes) -> str:
    """The decoder for these bytes by their first ones; what a file is called counts for nothing."""
    if not data:
        raise Rejected(TEXTS["empty"])
    if len(data) > BYTES:
        raise Rejected(TEXTS["bytes"])
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        if importlib.util.find_spec("pillow_heif") is not None:
            return "HEIF"
        raise Rejected(TEXTS["heif"])
    raise Rejected(TEXTS["gif" if data.startswith((b"GIF87a", b"GIF89a")) else "kind"])


def _terms() -> Terms:
    return Terms(WORKER, START, WALL, IDLE, ANSWER_BYTES, TEXTS["worker"])


def _judge(head: bytes, full: bytes, small: bytes) -> Developed:
    facts = json.loads(head)
    if "unfit" in facts:
        raise Rejected(TEXTS[facts["unfit"]])
    return facts, full, small


def _print(facts: dict[str, Any], full: bytes, small: bytes) -> _Print:
    taken = (facts.get(name) for name in ("taken_at", "lat", "lon"))
    look = (facts["width"], facts["height"], len(full), facts["dhash"], facts["prints"])
    return _Print(CleanPhoto(hashlib.sha256(full).hexdigest(), *look, *taken), full, small)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make renames durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
