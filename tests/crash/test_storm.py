"""Nothing is lost and nothing is doubled though the server dies again and again (design 1.1; security.md D.3 #1)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bot import failpoints
from tests.crash.storm import LEAPS, Plan, Storm
from tests.crash.truth import Truth

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX word")


def _weather(plan: Plan, folder: Path, capsys: pytest.CaptureFixture[str]) -> Truth:
    truth = asyncio.run(Storm(plan, folder).run())
    with capsys.disabled():
        print(f"\n{truth.summary()}")
    return truth


def test_a_storm_of_kills_loses_and_doubles_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ("accept.after_commit", "decide.end", "decide.after_commit", "send.after", "photo.kept")
    truth = _weather(Plan(reports=150, kills=10, photos=0.2, places=places), tmp_path, capsys)
    assert truth.faults == []
    assert truth.reports == 150 and truth.kills >= 9


def test_timers_ring_once_and_all_of_them_while_time_leaps_and_the_server_dies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ("tick.read", "tick.after_commit", "clock.before_replace", "clock.moved")
    plan = Plan(reports=40, kills=8, photos=0.0, officers=0, leaps=(200, 900), places=places)
    truth = _weather(plan, tmp_path, capsys)
    assert truth.faults == []
    assert truth.timers > 2 * truth.reports


def test_whole_lives_are_lived_once_and_counted_alike_while_the_server_dies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ("decide.end", "tick.after_commit", "decide.after_commit", "send.after", "clock.moved")
    plan = Plan(reports=40, kills=6, photos=0.0, officers=6, leaps=LEAPS, lives=True, places=places)
    truth = _weather(plan, tmp_path, capsys)
    assert truth.faults == []
    assert truth.ends["closed"] > truth.reports / 2 and truth.tables >= 3
    assert {"accept", "verify_ok", "relay"} <= truth.steps.keys()


@pytest.mark.long
def test_the_full_storm_of_whole_lives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = _weather(Plan(reports=400, kills=80, officers=8, leaps=LEAPS, lives=True), tmp_path, capsys)
    assert truth.faults == []
    detours = {"return_", "reassign", "joint", "extend_ok", "suspend", "resume", "verify_fail", "reopen", "force_close"}
    assert detours <= truth.steps.keys() and truth.ends["closed"] > truth.reports / 2


@pytest.mark.long
def test_the_full_storm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = _weather(Plan(reports=2000, kills=110), tmp_path, capsys)
    assert truth.faults == []
    assert truth.reports == 2000 and truth.kills >= 110
    assert all(truth.hits.values()), [name for name, count in truth.hits.items() if not count]


def test_no_failpoint_is_armed_without_its_variable() -> None:
    assert not failpoints.ARMED
    failpoints.reach("send.after")  # and nobody died
