"""Nothing said in a bound QQ group is lost or taken twice though the server dies, and no notice goes out twice."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.crash.onebot_storm import Reckoning, storm
from tests.crash.storm import Plan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX word")


def _weather(plan: Plan, folder: Path, capsys: pytest.CaptureFixture[str]) -> Reckoning:
    found = asyncio.run(storm(plan, folder))
    with capsys.disabled():
        print(f"\n{found.summary()}")
    assert (found.lost, found.doubled, found.told_twice) == (0, 0, 0)
    assert found.tasks == found.reports and found.kills >= plan.kills
    return found


def test_a_storm_through_the_socket_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _weather(Plan(reports=40, kills=3, photos=0.1), tmp_path, capsys)
    assert found.unclear <= 4 * found.kills


@pytest.mark.long
def test_the_full_storm_through_the_socket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _weather(Plan(reports=500, kills=40, photos=0.1), tmp_path, capsys)
