"""The running bot reads its base with the sentence model behind the first tax question, and keeps what it read."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot import meanings
from bot.meanings import FILE, Meanings
from config.faq.entries import Entry
from handlers.faq.hall import Hall

ENTRIES = tuple(
    Entry(id=f"e{n}", question=question, answer=f"答{n}", basis="公告", status="live")
    for n, question in enumerate(("小规模纳税人免征额是多少", "个税汇算什么时候办", "发票丢了怎么办"))
)


class Encoder:
    """Counts what it is given; a text's vector tells its length."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: list[str]) -> Any:
        import numpy as np

        self.seen += texts
        return np.array([[1.0, len(text) / 100] for text in texts], dtype=np.float32)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    made = Encoder()
    monkeypatch.setattr(meanings, "load_encoder", lambda: made)
    return made


async def opened(folder: Path, hall: Hall) -> Meanings:
    found = Meanings(folder, lambda: hall)
    found.wanted()
    await found.idle()
    return found


@pytest.mark.asyncio
async def test_words_decide_until_every_entry_is_read(tmp_path: Path, encoder: Encoder) -> None:
    hall = Hall(entries=ENTRIES)
    assert hall.assistant.ranker.mode == "words"
    await opened(tmp_path, hall)
    assert hall.assistant.ranker.mode == "near"
    assert len(encoder.seen) == len(ENTRIES)


@pytest.mark.asyncio
async def test_a_restart_reads_no_text_twice(tmp_path: Path, encoder: Encoder) -> None:
    await opened(tmp_path, Hall(entries=ENTRIES))
    encoder.seen.clear()
    hall = Hall(entries=ENTRIES)
    await opened(tmp_path, hall)
    assert not encoder.seen
    assert hall.assistant.ranker.mode == "near"


@pytest.mark.asyncio
async def test_an_entry_approved_later_is_read_after_the_next_question(tmp_path: Path, encoder: Encoder) -> None:
    hall = Hall(entries=ENTRIES)
    found = await opened(tmp_path, hall)
    hall.sync((*ENTRIES, Entry(id="new", question="契税怎么算", answer="答", basis="公告", status="live")))
    assert hall.assistant.ranker.mode == "words"
    found.wanted()
    await found.idle()
    assert hall.assistant.ranker.mode == "near"
    assert len(encoder.seen) == len(ENTRIES) + 1


@pytest.mark.parametrize("damage", [b"broken", b"PK\x03\x04", b""])
@pytest.mark.asyncio
async def test_a_damaged_file_of_vectors_costs_time_and_nothing_else(
    tmp_path: Path, encoder: Encoder, damage: bytes
) -> None:
    (tmp_path / FILE).write_bytes(damage)
    hall = Hall(entries=ENTRIES)
    await opened(tmp_path, hall)
    assert hall.assistant.ranker.mode == "near"


@pytest.mark.asyncio
async def test_without_the_model_words_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meanings, "load_encoder", lambda: None)
    hall = Hall(entries=ENTRIES)
    await opened(tmp_path, hall)
    assert hall.assistant.ask("发票丢了怎么办", date(2026, 11, 24)).band == "answer"
