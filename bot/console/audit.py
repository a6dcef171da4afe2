"""审计: who looked at, asked for or was refused what; searched, taken away, and its chain checked row by row.

For the auditor alone, who sees nothing else (security.md A.3, 三权分立).
"""

from __future__ import annotations

import asyncio
import datetime
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote, urlencode

from aiohttp import web

from bot.console.session import ENGINE, guarded, record, render, viewer_of
from bot.papers import Taker, moment, records
from config.county import ROLES
from config.errors import Rejected
from handlers.calendar import local
from handlers.office import Office
from store import audit
from store.audit import Row, Sought

PAGE = 50
MOST = 20_000  # rows one file holds
AT_ONCE = 20_000  # rows checked without being asked: a tenth of a second
FAULTS = 20
ACTORS = 100
FIELDS = {"who": "谁", "what": "对象或动作", "result": "结果", "from": "从", "to": "到"}
HEADER = ("序号", "时间", "谁", "账号", "角色", "来自", "对象", "动作", "结果")
REFUSED = {
    "not_allowed": "无权",
    "refused": "被拒",
    "not_member": "未登记",
    "wrong_state": "状态不对",
    "own_unit": "本单位回避",
    "too_late": "太晚",
    "unclear": "没听懂",
    "duplicate": "重复",
    "too_many": "超过限额",
    "denied": "未同意",
}
DONE = {
    "ok": "成功",
    "done": "成功",
    "granted": "已同意",
    "declined": "已谢绝",
    "imported": "已导入",
    "exported": "已导出",
    "revoked": "已撤回",
    "released": "已放行",
    "tried": "试过",
    "apart": "不是重复",
}
RESULTS = {"done": "没有被拒的", "refused": "被拒的"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_making = asyncio.Semaphore(1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds: rows looked at, and the first contradictions."""

    rows: int
    faults: tuple[str, ...]


def add_routes(app: web.Application) -> None:
    """The auditor's page and files."""
    app.router.add_get("/audit", guarded(page, "auditor"))
    app.router.add_get("/audit/file.csv", guarded(take_csv, "auditor"))
    app.router.add_get("/audit/file.xlsx", guarded(take_workbook, "auditor"))


async def page(request: web.Request) -> web.StreamResponse:
    """Newest first, a page at a time; query: who, what, result, from, to, before (a row's number), verify."""
    engine, query = request.app[ENGINE], request.query
    asked = _asked(request)
    sought = sought_by(asked, engine.office)
    mark = query.get("before", "")
    before = int(mark) if mark.isascii() and mark.isdigit() and len(mark) < 16 else None
    rows = await engine.store.read(lambda c: audit.search(c, sought, PAGE + 1, before))
    wanted = query.get("verify") == "1"
    total, verdict = await engine.store.read(lambda c: _verdict(c, wanted or not (asked or before)))
    if verdict is None and wanted:
        verdict = await engine.store.read(_checked)
    return render(
        request,
        "audit.html",
        rows=[shown(row, engine.office) for row in rows[:PAGE]],
        older=f"?{urlencode({**asked, 'before': rows[PAGE - 1][0]})}" if len(rows) > PAGE else "",
        newest=f"?{urlencode(asked)}" if before is not None else "",
        asked=asked,
        header=HEADER,
        results=RESULTS,
        total=total,
        verdict=verdict,
        most=MOST,
        again=f"?{urlencode({**asked, 'verify': 1})}",
    )


def _asked(request: web.Request) -> dict[str, str]:
    return {name: request.query[name].strip()[:60] for name in FIELDS if request.query.get(name, "").strip()}


def sought_by(asked: Mapping[str, str], office: Office) -> Sought:
    """The page's fields as what the store looks for."""
    actors: tuple[str, ...] = ()
    if who := asked.get("who", ""):
        named = [person.id for person in office.county.people if who in person.name]
        actors = tuple(dict.fromkeys([*named[:ACTORS], who]))
    result = asked.get("result", "")
    results = tuple(REFUSED) if result in RESULTS else ()
    since, until = _day(asked.get("from", "")), _day(asked.get("to", ""))
    after = until + 86400 if until is not None else None
    return Sought(actors, asked.get("what", ""), results, result == "done", since, after)


def _day(text: str) -> int | None:
    """The first moment of a day in China."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return int(datetime.datetime.combine(day, datetime.time(), local(0).tzinfo).timestamp())


def shown(row: Row, office: Office) -> tuple[str, ...]:
    """A row as people read it, in the order of HEADER."""
    seq, at, actor, role, source, object_, action, result = row
    roles = "、".join(ROLES.get(one, one) for one in role.split("|") if one)
    said = REFUSED.get(result) or DONE.get(result) or result
    return str(seq), moment(at), office.person_name(actor) or "—", actor, roles, source, object_, action, said


def _verdict(connection: sqlite3.Connection, look: bool) -> tuple[int, Verdict | None]:
    total = audit.count(connection)
    return total, _checked(connection) if look and total <= AT_ONCE else None


def _checked(connection: sqlite3.Connection) -> Verdict:
    return Verdict(audit.count(connection), tuple(islice(audit.verify(connection), FAULTS)))


async def take_csv(request: web.Request) -> web.StreamResponse:
    """What was looked for, for any program."""
    rows, _ = await _rows(request)
    body = await asyncio.to_thread(records.as_csv, HEADER, rows)
    return await _file(request, body, "text/csv", "csv", len(rows))


async def take_workbook(request: web.Request) -> web.StreamResponse:
    """What was looked for, as a workbook."""
    rows, asked = await _rows(request)
    engine, person = request.app[ENGINE], viewer_of(request).person
    taker = Taker(person.name, engine.office.unit_name(person.unit), engine.store.now())
    async with _making:
        body = await asyncio.to_thread(records.as_workbook, "审计", HEADER, rows, taker, asked)
    return await _file(request, body, XLSX, "xlsx", len(rows))


async def _rows(request: web.Request) -> tuple[list[tuple[str, ...]], str]:
    engine, asked = request.app[ENGINE], _asked(request)
    sought = sought_by(asked, engine.office)
    found = await engine.store.read(lambda c: audit.search(c, sought, MOST + 1))
    if len(found) > MOST:
        raise Rejected(f"超过 {MOST} 条，请把日期缩短后再导出。")
    said = {**asked, "result": RESULTS.get(asked.get("result", ""), "")}
    words = "、".join(f"{title} {said[name]}" for name, title in FIELDS.items() if said.get(name))
    return [shown(row, engine.office) for row in found], f"查找：{words or '全部'}"


async def _file(request: web.Request, body: bytes, kind: str, ending: str, rows: int) -> web.Response:
    await record(request, "ok", f"export/audit/{rows}")
    name = quote(f"审计-{moment(request.app[ENGINE].store.now())[:10]}.{ending}")
    return web.Response(
        body=body,
        content_type=kind,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "private, no-store"},
    )
