"""帮助: the first hour step by step, each seen done or not from what is really there; `bot check`; a card for group members.

Who sets the office up sees the steps (everybody does in a demo); the card and the ways of speaking are for all.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot import backup
from bot.console.own_data import KEPT, privacy
from bot.console.session import ENGINE, WEB, guarded, is_demo, render, viewer_of
from bot.platforms import standing
from config.county import Group
from config.errors import Rejected
from handlers.office import LEAD_ROLES, Office
from handlers.people import HELP_STEPS
from store import meta, sessions, totp

SETTERS = ("admin", "security_admin")
DRILL_DAYS = 90
NAMED = 6
LEVELS = {"ok": "正常", "odd": "留意", "wrong": "要改"}
_checking = asyncio.Lock()  # one examination at a time: it asks the platforms and reads the whole database


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of the first hour. `done` is None where only a person can say; `more` are remarks, `href` does it."""

    title: str
    done: bool | None
    said: str
    href: str = ""
    label: str = ""
    more: tuple[str, ...] = ()

    @property
    def mark(self) -> tuple[str, str]:
        """The chip's look and its word."""
        return {True: ("closed", "已完成"), False: ("due_soon", "还没做"), None: ("dispatched", "看一看")}[self.done]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the steps are judged by."""

    demo: bool
    logins: frozenset[str]
    factors: frozenset[str]
    channels: tuple[tuple[str, standing.Standing | None], ...]
    tasks: bool
    backup_at: int | None
    drill: tuple[int, bool] | None


def add_routes(app: web.Application) -> None:
    """Help for everybody; the examination for who can mend what it finds."""
    app.router.add_get("/help", guarded(page))
    app.router.add_get("/help/card", guarded(card))
    app.router.add_get("/help/check", guarded(check_page, *SETTERS))


async def page(request: web.Request) -> web.StreamResponse:
    """The steps for who sets up, and what everybody can say."""
    engine, viewer = request.app[ENGINE], viewer_of(request)
    office, sets_up = engine.office, viewer.has(*SETTERS)
    steps: list[Step] = []
    if sets_up or is_demo(request):
        others = [name for name in office.channels if name != request.app[WEB].channel.name]
        copies = await asyncio.to_thread(_copies, engine.store.folder)
        seen = await engine.store.read(lambda c: _seen(c, office, others, copies))
        steps = list(first_hour(office, seen, int(time.time())))
    held = set(viewer.person.roles)
    said = [words for roles, words in HELP_STEPS if held.intersection(roles)]
    admins = [person.name for person in office.with_role("admin")]
    return render(
        request,
        "help.html",
        steps=steps,
        done=sum(step.done is True for step in steps),
        counted=sum(step.done is not None for step in steps),
        said=said,
        sets_up=sets_up,
        admins=admins[:NAMED],
        office=office,
    )


def _copies(data: Path | None) -> tuple[int | None, tuple[int, bool] | None]:
    """When the last backup was made; when a restore was last rehearsed, and whether it passed."""
    folder = backup.newest(data) if data is not None else None
    manifest = backup.read_manifest(folder) if folder is not None else None
    drill = backup.last_drill(data) if data is not None else None
    return manifest.at if manifest else None, (int(drill["at"]), bool(drill["passed"])) if drill else None


def _seen(
    connection: sqlite3.Connection,
    office: Office,
    channels: list[str],
    copies: tuple[int | None, tuple[int, bool] | None],
) -> Seen:
    logins = frozenset(p.id for p in office.county.people if sessions.login(connection, p.id) is not None)
    factors = frozenset(person for person in logins if totp.confirmed(connection, person))
    stands = tuple((name, standing.get(connection, name)) for name in channels)
    tasks = connection.execute("select 1 from task limit 1").fetchone() is not None
    return Seen(bool(meta.get(connection, "demo")), logins, factors, stands, tasks, *copies)


def first_hour(office: Office, seen: Seen, now: int) -> Iterator[Step]:
    """From an empty office to a living one, in the order it is done."""
    yield _county(office, seen)
    yield _logins(office, seen)
    yield _channels(office, seen)
    yield Step(
        "演练一遍",
        None,
        "用本县资料在内存里走一遍上报、派单、办结，看派得对不对，不留痕迹。",
        "/rehearsal",
        "去演练",
    )
    yield _people(office, seen)
    yield _copied(seen, now)
    yield _live(office, seen)


def _county(office: Office, seen: Seen) -> Step:
    held = office.county
    counts = f"单位 {len(held.units)}、人员 {len(held.people)}、地点 {len(held.places)}、工作群 {len(held.groups)}"
    if seen.demo:
        said = f"现在是演示的{office.rules.county_name}（{counts}）。下载样表，改成本县的，上传，看检查结果，再确认。"
        return Step("导入本县资料", False, said, "/county", "去导入")
    proposed = sum(duty.status != "confirmed" for duty in held.duties)
    more = (f"有 {proposed} 条职责还是拟定的，请指挥员在“职责”里逐条确认。",) if proposed else ()
    return Step("导入本县资料", True, f"{counts}。", "/county", "查看或再导入", more)


def _logins(office: Office, seen: Seen) -> Step:
    if seen.demo:
        return Step("管理员登录", False, "演示不用登录。导入后重新启动，会打印设密码的网址，交给系统管理员。")
    admins = [person.id for person in office.with_role("admin") if person.id in seen.logins]
    guarded_by = len(seen.factors.intersection(admins))
    said = f"{len(seen.logins)} 人能登录，其中系统管理员 {len(admins)} 人（{guarded_by} 人启用了动态口令）。"
    lonely = ("只有一个系统管理员能登录，请再给一人登录码，免得忘了密码没人能进。",) if len(admins) == 1 else ()
    return Step("管理员登录", bool(admins), said, "/people", "给登录码", lonely)


def _channels(office: Office, seen: Seen) -> Step:
    title = "接入平台，或先用网页工作群"
    if not seen.channels:
        said = (
            "还没有接入平台，现在只用自带的网页工作群，所有功能都能用。要接企业微信、公众号、QQ 等：在数据目录的"
            " settings.toml 里按样例写一段，重新启动。"
        )
        if seen.demo:
            said += "演示里不能接，先导入本县资料。"
        return Step(title, None, said, "/", "看工作群", ("没有账号也能先试：bot simulate 在本机扮演平台。",))
    lines, fine = [], True
    for name, stands in seen.channels:
        label = office.channels[name].label or name
        bad = stands is not None and stands.state != standing.CONNECTED
        fine = fine and not bad
        state = "已配置" if stands is None else stands.state if bad else "连着"
        lines.append(f"{label}（{name}）：{state}")
    unbound = [group.name for group in office.county.groups if not group.accounts]
    if unbound:
        lines.append(f"还没有绑定平台群：{_names(unbound)}。在“人员”里取绑定码，到群里发“绑定 码”。")
    return Step(title, fine, f"接了 {len(seen.channels)} 个渠道。", "/delivery", "看送达情况", tuple(lines))


def _people(office: Office, seen: Seen) -> Step:
    people = office.county.people
    if seen.demo:
        said = "每人一个报到码，私下对群办说“报到 码”，平台上的账号就认得是谁。导入本县资料后再做。"
        return Step("请大家报到", False, said, "/people", "看人员")
    reached = {p.id for p in people if p.id in seen.logins or _bound(p.accounts, seen)}
    waiting = [u.name for u in office.county.units if (staff := _staff(office, u.id)) and not staff & reached]
    said = f"{len(reached)}/{len(people)} 人已报到或能登录。把报到码给本人，私下对群办说“报到 码”。"
    more = (f"经办人都还没报到的单位：{_names(waiting)}",) if waiting else ()
    return Step("请大家报到", not waiting and bool(reached), said, "/people", "取报到码", more)


def _bound(accounts: tuple[str, ...], seen: Seen) -> bool:
    named = {name for name, _ in seen.channels}
    return any(account.partition(":")[0] in named for account in accounts)


def _staff(office: Office, unit: str) -> set[str]:
    return {person.id for person in office.county.people if person.unit == unit and set(person.roles) & set(LEAD_ROLES)}


def _copied(seen: Seen, now: int) -> Step:
    made = "还没有备份，启动后会自动做。" if seen.backup_at is None else f"最近备份在 {_ago(now - seen.backup_at)}前。"
    if seen.drill is None:
        drilled, good = "还没有演练过恢复：执行 bot restore --drill，只试不改。", False
    else:
        at, passed = seen.drill
        good = passed and now - at <= DRILL_DAYS * 86400
        drilled = f"{_ago(now - at)}前演练过恢复，{'通过' if passed else '没有通过，请再做一次'}。"
    return Step("备份和恢复演练", seen.backup_at is not None and good, made + drilled)


def _live(office: Office, seen: Seen) -> Step:
    if seen.demo:
        return Step(
            "正式使用", False, "前面都好了，把一页说明发到群里，请大家从第一张照片开始。", "/help/card", "一页说明"
        )
    said = "已经有工单了。" if seen.tasks else "还没有工单。把一页说明发到群里，请大家从第一张照片开始。"
    return Step("正式使用", seen.tasks, said, "/help/card", "一页说明")


def _names(names: list[str]) -> str:
    return "、".join(names[:NAMED]) + (f"等 {len(names)} 个" if len(names) > NAMED else "")


def _ago(seconds: int) -> str:
    sizes = ((86400, "天"), (3600, "小时"), (60, "分钟"))
    return next((f"{seconds // size} {unit}" for size, unit in sizes if seconds >= size), "1 分钟")


async def check_page(request: web.Request) -> web.StreamResponse:
    """What `bot check` says of the running office."""
    from bot.check import examine

    data = request.app[ENGINE].store.folder
    if data is None:
        raise Rejected("这里没有数据目录。")
    async with _checking:
        findings = await asyncio.to_thread(lambda: list(examine(data)))
    found = {level: [one.text for one in findings if one.level == level] for level in ("wrong", "odd", "ok")}
    return render(request, "help_check.html", found=found, levels=LEVELS)


async def card(request: web.Request) -> web.StreamResponse:
    """One page to print or to post, in one group's name or in all's."""
    engine, viewer = request.app[ENGINE], viewer_of(request)
    groups = _groups(request, viewer.has(*SETTERS, "dispatcher"))
    asked = request.query.get("group", "")
    chosen = [group for group in groups if group.id == asked] or groups
    return render(
        request,
        "help_card.html",
        groups=groups,
        chosen=chosen,
        asked=asked if len(chosen) == 1 else "",
        reports=[group.name for group in chosen if group.purpose == "reports"],
        tax=[group.name for group in chosen if group.purpose == "tax"],
        notices=[group.name for group in chosen if group.purpose == "notices"],
        place=next((place.name for place in engine.office.county.places if place.kind == "road"), "人民路"),
        called=any(each.hears == "mention" for each in engine.office.channels.values()),
        privacy=privacy(request.app[KEPT]),
        office=engine.office,
    )


def _groups(request: web.Request, everything: bool) -> list[Group]:
    office = request.app[ENGINE].office
    person = viewer_of(request).person.id
    return [group for group in office.county.groups if everything or not group.members or person in group.members]
