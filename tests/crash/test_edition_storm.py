"""Each group's edition exactly once though the server dies at every place and at the very minute (issue 6, done 3)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.crash.edition_storm import GROUPS, EditionStorm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX word")


def test_a_storm_sends_each_groups_edition_exactly_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asyncio.run(EditionStorm(12, tmp_path).run())
    with capsys.disabled():
        print(f"\n{found.summary()}")
    assert found.faults == []
    assert found.kills >= 12 and found.editions == len(GROUPS) * found.days


@pytest.mark.long
def test_the_full_edition_storm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asyncio.run(EditionStorm(200, tmp_path).run())
    with capsys.disabled():
        print(f"\n{found.summary()}")
    assert found.faults == []
    assert {"draft", "edited", "reviewed", "approved", "sent"} <= {state for state, _ in found.deaths}
