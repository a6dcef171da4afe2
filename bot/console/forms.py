"""The steps a viewer may take on a task, as forms. Which ones, the life-cycle table says; here only what each asks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from config.county import Person
from handlers import BY_VERB, commands
from handlers.events import CONSOLE, Event, Facts
from handlers.office import Office
from handlers.tasks import guards, lifecycle, moving
from handlers.turn import Turn
from store import Tx
from store.tasks import Task

WORDS = {  # where the first word of the verb is not the one to send
    "confirm": "派",
    "correct": "改类别",
    "extend_ok": "同意延期",
    "extend_no": "不同意延期",
    "suspend_ok": "同意挂账",
    "suspend_no": "不同意挂账",
}
ASKS = {"confirm": "unit", "reassign": "unit", "joint": "unit", "feed_back": "photo", "correct": "correction"}
HINTS = {
    "feed_back": "办理情况，一两句话",
    "return_": "退单原因，例如：属于道路施工",
    "extend": "延长多久、什么原因，例如：2天 等配件",
    "suspend": "挂账原因和恢复条件",
    "merge": "并入的单号",
    "correct": "正确的类别、地点或单位",
}
ENDING = frozenset({"withdraw", "reject", "force_close"})
CORRECTIONS = ("改类别", "改地点", "改单位")


@dataclass(frozen=True, slots=True)
class Form:
    """One step as the page offers it. `asks`: nothing, words, unit, photo (words and a photo) or correction."""

    event: str
    label: str
    word: str
    asks: str
    needed: bool
    hint: str

    @property
    def ending(self) -> bool:
        """Whether the step ends the task: shown apart, never the first button."""
        return self.event in ENDING


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants to know, with what a decision would know: the office, the rows, the moment."""

    connection: sqlite3.Connection
    office: Office
    person: Person
    now: int

    def forms(self, task: Task, units: Sequence[str], reporters: Sequence[str]) -> list[Form]:
        """Every step this person may take now, in the table's order: the table and its conditions are asked as in a decision."""
        stands = moving.standing(self.person, task, units, reporters)
        turn = Turn(
            Tx(self.connection, self.now), Event(CONSOLE, "", "click", at=self.now), Facts(), self.office, self.person
        )
        found = []
        for event in lifecycle.EVENTS:
            step = lifecycle.may(event, task.state, stands)
            if isinstance(step, lifecycle.Step) and guards.failing(turn, task, step) is None:
                found.append(_form(step))
        return [form for form in found if form is not None]


def _form(step: lifecycle.Step) -> Form | None:
    word = WORDS.get(step.event) or next((w for w, verb in commands.VERBS.items() if verb == step.event), "")
    if commands.VERBS.get(word) not in BY_VERB:
        return None
    asks = ASKS.get(step.event, "words" if step.reason or step.event in HINTS else "nothing")
    needed = step.reason or asks == "correction" or step.event == "merge"
    return Form(step.event, step.label, word, asks, needed, HINTS.get(step.event, "原因"))
