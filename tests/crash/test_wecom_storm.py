"""Nothing WeCom was told is taken is lost, and what it delivers again opens nothing again, though the server dies."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.crash.storm import Plan
from tests.crash.wecom_storm import Reckoning, storm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX word")


def _weather(plan: Plan, folder: Path, capsys: pytest.CaptureFixture[str]) -> Reckoning:
    found = asyncio.run(storm(plan, folder))
    with capsys.disabled():
        print(f"\n{found.summary()}")
    assert (found.lost, found.doubled, found.private_twice) == (0, 0, 0)
    assert found.tasks >= found.reports - found.given_up and found.group_twice <= found.kills
    return found


def test_a_storm_through_the_callback_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _weather(Plan(reports=40, kills=3, photos=0.1), tmp_path, capsys).kills >= 3


@pytest.mark.long
def test_the_full_storm_through_the_callback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _weather(Plan(reports=500, kills=40, photos=0.1), tmp_path, capsys).kills >= 40
