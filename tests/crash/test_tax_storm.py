"""Tickets and learned drafts are neither lost nor doubled though the server dies again and again (issue 5)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.crash.tax_storm import TaxStorm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX word")


def test_a_storm_loses_and_doubles_no_ticket_and_no_learned_draft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asyncio.run(TaxStorm(24, 4, tmp_path).run())
    with capsys.disabled():
        print(f"\n{found.summary()}")
    assert found.faults == []
    assert found.questions == found.tickets == found.drafts == found.entries == 24


@pytest.mark.long
def test_the_full_tax_storm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asyncio.run(TaxStorm(200, 30, tmp_path).run())
    with capsys.disabled():
        print(f"\n{found.summary()}")
    assert found.faults == []
