"""演练: paste a conversation or pick one, and see what the bot would have done and whom it would have told (design 8).

Everything happens in memory, in a thread of its own: no task, no message and no photo of the office is touched.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.console.rights import ALL_TASKS
from bot.console.session import ENGINE, guarded, render
from bot.dialogue import as_dialogue, read_dialogue
from bot.script import SHANGHAI, Line
from config.county import County
from config.errors import Rejected
from handlers.office import Office, Rules
from handlers.tasks.lifecycle import STATES

HREF = "/rehearsal"
WHO = (*ALL_TASKS, "admin")
SECONDS = 60.0
LONGEST = 40_000  # characters
KINDS = {
    "dispatched": "派单", "ask_choice": "请指挥员选", "ask_place": "问地点", "ask_which": "问哪一件", "received": "受理",
    "accepted": "签收", "arrived": "到场", "feedback": "反馈", "verify_request": "请核查", "closed": "办结", "rework": "返工",
    "returned": "退单", "ruling": "裁定", "extended": "延期", "suspended": "挂账", "reminder": "催办", "escalation": "督办",
    "merged": "并案", "withdrawn": "撤回", "refused": "没有做", "help": "说明", "privacy": "隐私", "answer": "解答",
    "choose": "列选项", "handoff": "转人工",
}  # fmt: skip
EXAMPLES: Mapping[str, str] = {
    "从上报到办结": "11月23日 09:00 {reporter}：解放路垃圾桶满了没人收 [照片]\n09:05 {handler}：签收\n10:00 {handler}：反馈 已清运 [照片]\n10:10 {reporter}：通过",
    "没人签收": "11月23日 09:00 {reporter}：解放路垃圾桶满了没人收 [照片]\n09:30\n12:00\n11月24日 18:00",
    "夜里的急事": "11月23日 02:10 {reporter}：人民路燃气管道漏气，味道很大 [照片]\n02:20",
    "闲聊不答": "11月23日 09:00 {reporter}：大家早上好\n09:01 {handler}：收到\n09:02 {reporter}：今天天气不错",
}
_busy = asyncio.Lock()


@dataclass(frozen=True, slots=True)
class Shown:
    """One line with what came of it: notices as (label, to, private, text), tasks as (number, state, unit, place)."""

    number: int
    when: str
    who: str
    said: str
    photos: int
    kept: bool
    refused: str
    notices: list[tuple[str, str, bool, str]]
    tasks: list[tuple[str, str, str, str]]


def add_routes(app: web.Application) -> None:
    """For those who dispatch and check, and for the administrator before going live."""
    app.router.add_get(HREF, guarded(page, *WHO))
    app.router.add_post(HREF, guarded(play, *WHO))


async def page(request: web.Request) -> web.StreamResponse:
    """An empty sheet, or one of the examples."""
    office = request.app[ENGINE].office
    name = request.query.get("example", next(iter(EXAMPLES)))
    text = EXAMPLES.get(name, "").format(**_cast(office))
    return _page(request, text, _first_group(office))


async def play(request: web.Request) -> web.StreamResponse:
    """Play what was pasted (form fields script, group)."""
    form, engine = await request.post(), request.app[ENGINE]
    text, group = str(form.get("script", ""))[:LONGEST], str(form.get("group", ""))
    office = engine.office
    group = group if group in office.groups else _first_group(office)
    start, lines, faults = read_dialogue(text, office.county, group)
    if not lines:
        return _page(request, text, group, faults=[str(f) for f in faults] or ["还没有写对话。"])
    if _busy.locked():
        raise Rejected("正有一场演练在走，请过一会儿再试。")
    async with _busy:
        steps = await asyncio.to_thread(_played, office.county, engine.frame.rules, start, lines)
    shown = [_shown(step, lines, start, office) for step in steps]
    text = text if not text.lstrip().startswith("{") else as_dialogue(start, lines, office.county)
    return _page(request, text, group, shown=shown, faults=[str(f) for f in faults])


def _page(request: web.Request, text: str, group: str, **more: Any) -> web.StreamResponse:
    office = request.app[ENGINE].office
    groups = [g for g in office.groups.values() if g.purpose in ("reports", "tax")]
    return render(request, "rehearsal.html", script=text, group=group, groups=groups, examples=EXAMPLES, **more)


def _played(county: County, rules: Rules, start: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    from bot.rehearse import Rehearsal, printed

    async def whole() -> list[dict[str, Any]]:
        rehearsal = await Rehearsal.open(county, start, rules)
        try:
            async with asyncio.timeout(SECONDS):
                return await printed(rehearsal, lines)
        finally:
            await rehearsal.close()

    try:
        return asyncio.run(whole())
    except TimeoutError as error:
        raise Rejected("这场演练太长，请删短再试。") from error


def _shown(step: Mapping[str, Any], lines: Sequence[Line], start: int, office: Office) -> Shown:
    line = next(line for line in lines if line.i == step["i"])
    moment = datetime.datetime.fromtimestamp(start + line.t, SHANGHAI)
    names = {p.id: p.name for p in office.county.people}
    said = f"（撤回第 {line.recall + 1} 步）" if line.recall is not None else line.text
    quote = f"（引用第 {line.quote + 1} 步）" if line.quote is not None else ""
    return Shown(
        step["i"] + 1,
        f"{moment.month}月{moment.day}日 {moment:%H:%M}",
        names.get(line.sender, line.sender),
        quote + said,
        len(line.photos),
        step["kept"],
        step["refused"] or "",
        [_notice(notice, names, office) for notice in step["notices"]],
        [_task(task, office) for task in step["tasks"]],
    )


def _notice(notice: Mapping[str, Any], names: Mapping[str, str], office: Office) -> tuple[str, str, bool, str]:
    private = notice["to"] in names
    to = names.get(notice["to"]) or (office.groups[notice["to"]].name if notice["to"] in office.groups else "")
    return KINDS.get(notice["kind"], ""), to, private, notice["text"]


def _task(task: Mapping[str, Any], office: Office) -> tuple[str, str, str, str]:
    unit = office.unit_name(task["unit"]) if task["unit"] else ""
    return task["number"] or "待编号", STATES.get(task["state"], task["state"]), unit, task["place"] or ""


def _cast(office: Office) -> dict[str, str]:
    """Who plays the examples: a reporter, and the first handler of whoever empties bins."""
    people = office.county.people
    reporter = next((p.name for p in people if "reporter" in p.roles), people[0].name)
    reading = office.reader.read("解放路垃圾桶满了没人收", 1)
    unit = reading.units[0].value if reading.units else ""
    handlers = [p.name for p in office.staff(unit)] or [p.name for p in people if "handler" in p.roles]
    return {"reporter": reporter, "handler": (handlers or [reporter])[0]}


def _first_group(office: Office) -> str:
    return next((g.id for g in office.groups.values() if g.purpose == "reports"), "")
