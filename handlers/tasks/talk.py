"""Whole sentences about a task: the step they ask for, when it is one; else what stands, never silence (dispatch.md F4).

Words that are a command whoever says them are run, and refused where they must be. Words that only may be one ("我们来办",
"又坏了") are run where the step is the sender's to take. Whoever asks or tells hears how the task stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers import commands, phrasing, saying
from handlers.commands import Command
from handlers.phrasing import Hit
from handlers.reports.reading import Reading
from handlers.tasks import desk, finding, lifecycle, moving
from handlers.turn import Turn
from store.tasks import Task

PAIRED = {"grant": ("extend_ok", "suspend_ok", "exempt_ok"), "deny": ("extend_no", "suspend_no", "exempt_no")}
NEAR = re.compile(r"旁边|附近|对面|隔壁|另外|还发现|又发现|边上")


def heard(turn: Turn, command: Command) -> Command | None:
    """The command a sentence amounts to; None when it is none and the bot was not clearly spoken to about a task."""
    event = turn.event
    if event.kind != "message" or (command.verb and not _doubtful(turn, command)):
        return None
    about = finding.quoted(turn)
    if not (command.numbers or about or event.addressed or event.private):
        return None
    words = commands.wording(event.text)
    spoken = phrasing.read(words)
    task = finding.numbered(turn, command.number) if command.number else about[0] if len(about) == 1 else None
    if hit := _chosen(turn, spoken.hits, task, bool(command.numbers or about)):
        return _made(turn, command, hit)
    if not (command.numbers or about):
        return None
    if (spoken.asks and not command.verb) or command.verb in spoken.barred or _WHEN.search(command.rest):
        return Command("look_up", "查", command.numbers)
    return None


def stands(turn: Turn, command: Command) -> bool:
    """A number with words nobody can place is answered with how that task stands; chatter without one is not."""
    if not command.numbers or saying.noise(command.rest):
        return False
    task = finding.numbered(turn, command.number)
    if task is None or "-" not in command.number:
        return False
    turn.reply("help", moving.say(turn, "puzzled", task), task=task)
    return True


def named(turn: Turn) -> Task | None:
    """The task whose number a message carries, unless it reports something else beside it."""
    numbers = commands.parse(turn.event.text, turn.office.unit_named).numbers
    if not numbers or "-" not in numbers[0] or NEAR.search(turn.event.text):
        return None
    return finding.numbered(turn, numbers[0])


def _doubtful(turn: Turn, command: Command) -> bool:
    """A verb at the front of words that ask ("延期到什么时候") or that are a sentence of their own."""
    return bool(command.rest and command.numbers and (command.loose or _WHEN.search(command.rest)))


_WHEN = re.compile(r"[什啥]么?时候|几时|何时|多久|几号|哪天|几点|哪里|哪儿|是不是|能不能|有没有")


def _chosen(turn: Turn, hits: Sequence[Hit], task: Task | None, certain: bool) -> Hit | None:
    """The first the sender may take; failing that the first that is a command whoever says it."""
    able = [hit for hit in hits if task is not None and _able(turn, hit, task)]
    if able:
        return able[0]
    sure = [hit for hit in hits if hit.sure and _complete(turn, hit)]
    if certain:
        return sure[0] if sure else None
    reading: Reading | None = turn.facts.reading
    return sure[0] if sure and not (reading and reading.kind == "report") else None


def _able(turn: Turn, hit: Hit, task: Task) -> bool:
    if not hit.sure and NEAR.search(turn.event.text):
        return False
    if hit.verb in PAIRED:
        asked = task.asked or ("exempt" if task.exempt == 1 else "")
        return bool(asked) and any(finding.can(turn, step, task) for step in PAIRED[hit.verb])
    if hit.verb == "verify_fail" and task.state == "closed":
        return hit.sure and finding.can(turn, "reopen", task)
    if hit.verb == "reassign" and task.state == "pending_confirmation":
        return finding.can(turn, "confirm", task) and _complete(turn, hit)
    return hit.verb in lifecycle.EVENTS and finding.can(turn, hit.verb, task) and _complete(turn, hit)


def _complete(turn: Turn, hit: Hit) -> bool:
    """Handing over needs somebody to hand to."""
    return hit.verb not in ("reassign", "joint") or bool(desk.units_in(turn, hit.rest))


def _made(turn: Turn, command: Command, hit: Hit) -> Command:
    numbers = command.numbers
    if hit.verb == "merge" and len(numbers) == 2:
        numbers = _ordered(turn.event.text, numbers)
    rest = commands.as_written(turn.event.text, hit.rest) if hit.verb in commands.WORDED else hit.rest
    return Command(hit.verb, hit.word, numbers, rest, loose=False)


def _ordered(said: str, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Which of two joins the other: A 并到 B; B 把 A 并进来; of two that are one, the later joins the earlier."""
    if re.search(r"[并合归](?:进|过|在一|到一)?(?:来|起)", said) and "把" in said.partition("-")[2]:
        return numbers[::-1]
    if re.search(r"以.{0,12}为(?:主|准)", said):
        return numbers[::-1] if said.find("以") < said.find(numbers[0]) < said.find("为") else numbers
    if re.search(r"(?:和|与|跟|、|同)\s*#?(?:20\d{2})?\d{4}\s*[-–—]", said):
        return tuple(sorted(numbers, reverse=True))
    return numbers
