"""Play a chat log and hold the bot to it.

— 11月23日 —                                    the day (2026); the first one starts the clock
09:00 李敏: 西环路小广告 [图 a] [图 b]              said in the group; 李敏@second: another group; 李敏→: to the bot alone
    群: 【已受理】#1123-001 … @张强                 what the bot said before the next line, all of it, in order;
    张强: 【新工单】…                               … stands for anything; a person's name: to them alone
    ! not_allowed                               the refusal's word (none when the line is absent)
    = 1123-001 待签收 城管局 照片1 反馈图0            how a task stands afterwards
09:01 张强: 签收 [引 09:00]                       quoting what was said (or answered) at 09:00
09:02 李敏: [撤回 09:00]
09:30                                           only the clock
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.rehearse import Line, Rehearsal, Step
from config.county import County
from handlers.office import Rules
from handlers.tasks.lifecycle import STATES
from tests.flows.tax_town import GROUPS as TAX_GROUPS
from tests.flows.tax_town import PEOPLE as TAX_PEOPLE
from tests.flows.town import GROUPS, PEOPLE, TOWN, UNITS

ZONE = timezone(timedelta(hours=8))
EVERYBODY, EVERYWHERE = (*PEOPLE, *TAX_PEOPLE), (*GROUPS, *TAX_GROUPS)
PERSON = {person.name: person.id for person in EVERYBODY} | {"陌生人": "nobody"}
NAME = {p.id: p.name for p in EVERYBODY} | {group.id: group.name for group in EVERYWHERE} | {"ssp": "群", "tax": "群"}
UNIT = {unit.id: unit.name for unit in UNITS}
DAY = re.compile(r"—\s*(?:(\d{4})年)?(\d+)月(\d+)日.*—")
SAID = re.compile(r"(\d\d:\d\d(?::\d\d)?)(?:\s+([^\s:@→]+)(@\w+|→)?:\s*(.*))?")
MARK = re.compile(r"\[(图|引|撤回|再发)\s*([^\]]*)\]")


@dataclass
class Scene:
    """One line said (or a look at the clock) with everything that must follow."""

    line: Line
    spoken: str
    answers: list[str] = field(default_factory=list)
    refused: str | None = None
    stands: list[str] = field(default_factory=list)


def read(log: str, home: str = "ssp") -> tuple[int, list[Scene]]:
    """(start, scenes) of a log; what names no group was said in `home`."""
    day, start, scenes, moments = datetime(2026, 11, 23, tzinfo=ZONE), 0, [], {}
    for raw in filter(None, map(str.strip, log.splitlines())):
        if found := DAY.fullmatch(raw):
            day = datetime(int(found[1] or 2026), int(found[2]), int(found[3]), tzinfo=ZONE)
        elif found := SAID.fullmatch(raw):
            at = _at(day, found[1])
            start = start or at
            moments[found[1]] = len(scenes)
            scenes.append(Scene(_line(at - start, found, moments, len(scenes), home), raw))
        elif raw.startswith("!"):
            scenes[-1].refused = raw[1:].strip()
        elif raw.startswith("="):
            scenes[-1].stands.append(raw[1:].strip())
        else:
            scenes[-1].answers.append(raw)
    return start, scenes


def _at(day: datetime, clock: str) -> int:
    hour, minute, second = (*map(int, clock.split(":")), 0)[:3]
    return int(day.replace(hour=hour, minute=minute, second=second).timestamp())


def _line(t: int, found: re.Match[str], moments: dict[str, int], here: int, home: str) -> Line:
    if not found[2]:
        return Line(t)
    marks = MARK.findall(found[4])
    photos = tuple(name.strip() or f"photo{here}" for kind, name in marks if kind == "图")
    step = {kind: moments[when.strip()] for kind, when in marks if kind in ("引", "撤回")}
    again = next((f"m{moments[when.strip()]}" for kind, when in marks if kind == "再发"), "")
    group = "" if found[3] == "→" else (found[3] or f"@{home}")[1:]
    text = MARK.sub("", found[4]).strip()
    return Line(t, group, PERSON[found[2]], text, photos, step.get("引"), step.get("撤回"), again)


async def play(log: str, rules: Rules | None = None, county: County = TOWN, home: str = "ssp") -> Rehearsal:
    """Play it; AssertionError shows what was said instead. The rehearsal comes back closed, for a look at its steps."""
    rehearsal = await perform(log, rules, county, home)
    await rehearsal.close()
    return rehearsal


async def perform(log: str, rules: Rules | None = None, county: County = TOWN, home: str = "ssp") -> Rehearsal:
    """The same, left open to go on from there."""
    start, scenes = read(log, home)
    rehearsal = await Rehearsal.open(county, start, rules)
    try:
        steps = await rehearsal.play(scene.line for scene in scenes)
        for scene, step in zip(scenes, steps, strict=True):
            _check(scene, step)
    except BaseException:
        await rehearsal.close()
        raise
    return rehearsal


def _check(scene: Scene, step: Step) -> None:
    said = [f"{NAME.get(notice.to, notice.to)}: {notice.text}" for notice in step.notices]
    shown = "\n".join([scene.spoken, *(f"    {line!r}" for line in said)])
    assert len(said) == len(scene.answers), f"{shown}\nexpected {len(scene.answers)} answers: {scene.answers}"
    for line, expected in zip(said, scene.answers, strict=True):
        assert _like(expected, line), f"{shown}\nexpected: {expected}"
    assert step.refused == scene.refused, f"{shown}\nrefused {step.refused}, expected {scene.refused}"
    for stands in scene.stands:
        number, *wanted = stands.split()
        found = next((task for task in step.tasks if task["number"] == number), None)
        assert found is not None or wanted == ["无"], f"{shown}\nno task {number}: {step.tasks}"
        if found is not None:
            seen = _seen(found)
            assert set(wanted) <= seen, f"{shown}\n{number} stands {sorted(seen)}, expected {wanted}"


def _like(expected: str, line: str) -> bool:
    pattern = ".*".join(re.escape(piece.strip()) for piece in re.split("…", expected))
    return re.fullmatch(pattern.replace(r"\ ", r"\s*") + ".*", line, re.DOTALL) is not None


def _seen(task: dict[str, Any]) -> set[str]:
    due = datetime.fromtimestamp(task["due_at"], ZONE) if task["due_at"] else None
    return {
        STATES[task["state"]],
        UNIT.get(task["unit"], "无单位"),
        "+".join(UNIT[unit] for unit in task["units"]),
        task["category"] or "",
        task["place"] or "无地点",
        f"照片{task['photos']}",
        f"反馈图{task['evidence']}",
        "上报:" + "、".join(NAME.get(person, person) for person in task["reporters"]),
        f"并入{task['merged_into']}",
        "紧急" if task["urgent"] else "不急",
        "待批延期" if task["extension_pending"] else "",
        f"{due:%m-%d/%H:%M}" if due else "无时限",
    }
