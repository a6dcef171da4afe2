"""The steps a viewer may take on a task, as forms. Which ones, the life-cycle table says; here only what each asks for."""

from __future__ import annotations

from dataclasses import dataclass

from config.county import Person
from handlers import BY_VERB, commands
from handlers.tasks import lifecycle, moving
from store.tasks import Task

WORDS = {"confirm": "派", "correct": "改类别"}  # where the first word of the verb is not the one to send
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


def forms(person: Person, task: Task, units: list[str], reporters: list[str]) -> list[Form]:
    """Every step this person may take now, in the table's order."""
    stands = moving.standing(person, task, units, reporters)
    steps = {event: lifecycle.may(event, task.state, stands) for event in lifecycle.EVENTS}
    found = [_form(step) for step in steps.values() if isinstance(step, lifecycle.Step)]
    known = [form for form in found if form is not None]
    return [form for form in known if form.event != "reassign" or not any(f.event == "confirm" for f in known)]


def _form(step: lifecycle.Step) -> Form | None:
    word = WORDS.get(step.event) or next((w for w, verb in commands.VERBS.items() if verb == step.event), "")
    if commands.VERBS.get(word) not in BY_VERB:
        return None
    asks = ASKS.get(step.event, "words" if step.reason or step.event in HINTS else "nothing")
    needed = step.reason or asks == "correction" or step.event == "merge"
    return Form(step.event, step.label, word, asks, needed, HINTS.get(step.event, "原因"))
