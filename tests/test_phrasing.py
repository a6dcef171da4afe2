"""What people mean in whole sentences about a task: every phrasing with the number anywhere, and no chatter taken for one."""

from __future__ import annotations

import pytest

from handlers import commands, phrasing
from handlers.commands import as_written
from tests.flows.phrasings import MAY, NO_COMMAND, SAID

UNITS = frozenset({"城管局", "城管", "住建局", "交警大队", "交警"})
NUMBER = "1123-001"
FORMS = ("{n} {said}", "{n}{said}", "#{n}，{said}", "{said} {n}", "{said}。#{n}")
PHRASINGS = [(verb, line.strip()) for verb, lines in SAID.items() for line in lines.strip().splitlines()]
CHATTER = [line.strip() for line in NO_COMMAND.strip().splitlines()]


def understood(said: str, may: set[str]) -> str:
    """As `tasks.talk` chooses: what a short message says, else the first that may be taken, else the first sure one."""
    command = commands.parse(said, UNITS)
    if command.verb and not (command.rest and command.loose):
        return {"choose": "", "confirm": "reassign"}.get(command.verb, command.verb)
    spoken = phrasing.read(commands.wording(said))
    if command.verb and not spoken.hits and command.verb not in spoken.barred:
        return command.verb
    able = [hit.verb for hit in spoken.hits if hit.verb in may] or [hit.verb for hit in spoken.hits if hit.sure]
    return able[0] if able else "look_up" if spoken.asks else ""


@pytest.mark.parametrize(("verb", "said"), [(verb, said) for verb, said in PHRASINGS if verb != "merge"])
def test_a_phrasing_is_understood_wherever_the_number_stands(verb: str, said: str) -> None:
    for form in FORMS:
        whole = form.format(n=NUMBER, said=said)
        assert understood(whole, MAY[verb]) == verb, (whole, understood(whole, MAY[verb]))
    assert understood(said, MAY[verb]) == verb, (said, "alone")


@pytest.mark.parametrize("said", CHATTER)
def test_chatter_about_a_task_commands_nothing(said: str) -> None:
    everything = {verb for verbs in MAY.values() for verb in verbs} - {"merge"}  # which takes two numbers
    allowed = ("", "look_up", *(("urge",) if "尽快" in said else ()))
    for form in FORMS:
        whole = form.format(n=NUMBER, said=said)
        assert understood(whole, everything) in allowed, (whole, understood(whole, everything))


def test_there_are_enough_of_both() -> None:
    counts = {verb: len(lines.strip().splitlines()) * (len(FORMS) + 1) for verb, lines in SAID.items()}
    assert min(counts.values()) >= 80, counts
    assert len(CHATTER) >= 150


@pytest.mark.parametrize(
    ("said", "words", "kept"),
    [
        ("1123-001 返工，东侧没清，还有（三张）", "东侧没清,还有(三张)", "东侧没清，还有（三张）"),
        ("不是我们的，归交警。1123-001退单", "不是我们的,归交警", "不是我们的，归交警"),
        ("＃１１２３－００１反馈：换了２个灯泡，亮了", "换了2个灯泡,亮了", "换了２个灯泡，亮了"),
        ("反馈 已清理", "已清理", "已清理"),
    ],
)
def test_what_is_kept_is_what_was_written(said: str, words: str, kept: str) -> None:
    assert as_written(said, words) == kept
