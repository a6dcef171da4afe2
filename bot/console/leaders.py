"""领导名录: who holds which post. Names and titles in notices are compared with it; nothing is corrected by it."""

from __future__ import annotations

from aiohttp import web

from bot.card_files import replace_leaders
from bot.console.digest_frame import KEEPERS, VIEW, fields, show
from bot.console.session import ENGINE, guarded, viewer_of
from config.digest.leaders import HEADER, SHEET, LeaderRow, read_typed, typed
from config.errors import ConfigError, Fault
from store import digest

LONGEST = 40_000
TITLES = {column.name: column.titles[0] for column in SHEET.columns}


def add_routes(app: web.Application) -> None:
    """The table, and the table anew."""
    app.router.add_get("/digest/leaders", guarded(page, *VIEW))
    app.router.add_post("/digest/leaders", guarded(save, *KEEPERS))


async def page(request: web.Request) -> web.StreamResponse:
    """The table as it stands, in lines that can be changed."""
    rows = await request.app[ENGINE].store.read(digest.leaders)
    found = tuple(LeaderRow(*row) for row in rows)
    return _show(
        request, found, typed(found), said="已保存，以后收到的内容按它核对。" if request.query.get("told") else ""
    )


async def save(request: web.Request) -> web.StreamResponse:
    """Form field: leaders, one person a line."""
    text, person = (await fields(request)).get("leaders", "")[:LONGEST], viewer_of(request).person
    try:
        rows = read_typed(text)
    except ConfigError as error:
        return _show(request, (), text, error.faults)
    await request.app[ENGINE].apply(lambda tx: replace_leaders(tx, rows, person.id, person.roles))
    raise web.HTTPSeeOther("/digest/leaders?told=saved")


def _show(
    request: web.Request, rows: tuple[LeaderRow, ...], text: str, faults: tuple[Fault, ...] = (), said: str = ""
) -> web.Response:
    wrong = [_said(fault) for fault in faults]
    return show(
        request, "digest_leaders.html", 422 if faults else 200,
        rows=rows, text=text, wrong=wrong, said=said, header=[TITLES[name] for name in HEADER],
    )  # fmt: skip


def _said(fault: Fault) -> str:
    where = f"第{fault.row}行" if fault.row else ""
    return f"{where}{TITLES.get(fault.column or '', '')}：{fault.message}"
