"""The machine of random lives can fail: each error planted into the rules is found, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from handlers.tasks import guards, lifecycle, limits, opening
from store import tasks
from tests.flows.test_machine import Life

Patch = pytest.MonkeyPatch
LIVES = 3000


def _guard(name: str, holds: Callable[..., bool]) -> Callable[[Patch], None]:
    return lambda patch: patch.setitem(guards.GUARDS, name, replace(guards.GUARDS[name], holds=holds))


def _own_unit_checks(patch: Patch) -> None:
    steps = tuple(replace(step, who=(*step.who, "lead")) for step in lifecycle.EVENTS["verify_ok"])
    patch.setitem(lifecycle.EVENTS, "verify_ok", steps)


def _first_answer_is_enough(patch: Patch) -> None:
    patch.setattr(tasks, "unreported", lambda *_: ())


def _pause_counts_nothing(patch: Patch) -> None:
    real = limits.pause
    patch.setattr(limits, "pause", lambda turn, task: {**real(turn, task), "used": task.used})


def _no_ruling_stands(patch: Patch) -> None:
    patch.setattr(opening, "ruled", lambda *_: False)


def _split_any_time(patch: Patch) -> None:
    patch.setattr(guards, "SPLIT_SECONDS", 9 * guards.SPLIT_SECONDS)


def _rework_forgives(patch: Patch) -> None:
    patch.setattr(guards, "overran", lambda task: bool(task.due_at and (task.feedback_at or 0) > task.due_at))


PLANTED: dict[str, Callable[[Patch], Any]] = {
    "three returns": _guard("returns_left", lambda turn, task: task.returns < turn.office.rules.returns + 1),
    "eight days to reopen": _guard("within_reopen", lambda turn, task: turn.at - task.closed_at <= 8 * guards.DAY),
    "a unit verifies its own work": _own_unit_checks,
    "three extensions": _guard(
        "extensions_left", lambda turn, task: task.extensions < turn.office.rules.extensions + 1
    ),
    "one of two units answers": _first_answer_is_enough,
    "a pause costs no time used": _pause_counts_nothing,
    "no ruling stands for good": _no_ruling_stands,
    "split after days": _split_any_time,
    "an exemption of the punctual": _guard("was_overdue", lambda turn, task: True),
    "rework forgives an overrun": _rework_forgives,
}


@pytest.mark.long
@pytest.mark.parametrize("error", PLANTED)
def test_an_error_planted_into_the_rules_is_found(
    error: str, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    PLANTED[error](monkeypatch)
    lived = 0

    class Counted(Life):
        def __init__(self) -> None:
            nonlocal lived
            lived += 1
            super().__init__()

    profile = settings(
        max_examples=LIVES,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=(Phase.generate,),
        suppress_health_check=tuple(HealthCheck),
        print_blob=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Counted, settings=profile)
    with capsys.disabled():
        print(f"\n{error}: found in {lived} lives")
