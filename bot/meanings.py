"""The sentence model of a running bot: loaded behind the first tax question, its vectors kept on disk by text.

Reading the base happens in a thread, slice by slice; until it is done questions are answered by words alone. A base in
which nothing is asked costs no memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import structlog

from handlers.faq.hall import Hall
from handlers.faq.meaning import SLICE, Meaning, load_encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = structlog.get_logger()
FILE = "vectors.npz"  # only a cache: may be deleted


class Meanings:
    """`wanted` after each tax question; at most one reading is under way."""

    def __init__(self, folder: Path | None, hall: Callable[[], Hall | None]) -> None:
        self._file = folder / FILE if folder is not None else None
        self._hall = hall
        self._meaning: Meaning | None = None
        self._missing = False
        self._reading: asyncio.Task[None] | None = None

    def wanted(self) -> None:
        """Begin to read what the model has not read yet."""
        idle = self._reading is None or self._reading.done()
        if idle and not self._missing and (self._meaning is None or self._meaning.pending):
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def idle(self) -> None:
        """Wait for the reading under way."""
        if self._reading is not None:
            await self._reading

    async def close(self) -> None:
        """Stop; what was read is read again next time."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        hall = self._hall()
        if hall is None:
            return
        if self._meaning is None:
            encoder, kept = await asyncio.to_thread(lambda: (load_encoder(), _kept(self._file)))
            if encoder is None:
                self._missing = True
                return
            self._meaning = Meaning(encoder)
            hall.attach(self._meaning)
            self._meaning.take({text: kept[mark(text)] for text in self._meaning.waiting() if mark(text) in kept})
        new = 0
        while texts := self._meaning.waiting(SLICE):
            vectors = await asyncio.to_thread(self._meaning.encode, texts)
            self._meaning.take(dict(zip(texts, vectors, strict=True)))
            new += len(texts)
        hall.attach(self._meaning)
        if new and self._file is not None:
            known = {mark(text): vector for text, vector in self._meaning.vectors.items()}
            await asyncio.to_thread(_keep, self._file, known)
        log.info("meanings_ready", new=new)


def mark(text: str) -> str:
    """A text's name in the file."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _kept(file: Path | None) -> dict[str, NDArray[Any]]:
    import numpy as np

    if file is None or not file.exists():
        return {}
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as found:
            return dict(zip(found["marks"].tolist(), found["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        log.warning("meanings_unreadable", error=type(error).__name__)
        return {}


def _keep(file: Path, known: Mapping[str, NDArray[Any]]) -> None:
    import numpy as np

    part = file.with_suffix(".part")
    with part.open("wb") as out:
        np.savez(out, marks=np.array(list(known)), vectors=np.array(list(known.values()), dtype=np.float16))
    os.replace(part, file)
