"""编辑取舍: what keeping and dropping taught each column, the factor it came to, and taking a decision back."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from bot.arrivals import day_of
from bot.candidates import FACTORS, LEARNT_BACK, factors
from bot.console.digest_frame import EDITORS, VIEW, fields, number_of, show
from bot.console.session import ENGINE, guarded, record
from config.errors import Rejected
from store import Tx, digest
from store.digest import ChoiceRow

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Column:
    """What was decided about a column, and how much its relevance counts now."""

    name: str
    kept: int
    dropped: int
    factor: float


def add_routes(app: web.Application) -> None:
    """The page, and taking back."""
    app.router.add_get("/digest/choices", guarded(page, *VIEW))
    app.router.add_post("/digest/choices/revoke", guarded(revoke, *EDITORS))


async def page(request: web.Request) -> web.StreamResponse:
    """Columns with their factors, then the decisions, newest first."""
    engine = request.app[ENGINE]
    since = (date.fromisoformat(day_of(engine.store.now())) - timedelta(days=LEARNT_BACK)).isoformat()
    found = await engine.store.read(lambda c: _look(c, since))
    said = "已撤回，下一次算分不再算它。" if request.query.get("told") else ""
    return show(request, "digest_choices.html", **found, days=LEARNT_BACK, bounds=FACTORS, said=said)


def _look(source: sqlite3.Connection, since: str) -> dict[str, Any]:
    choices, bent = digest.choices(source, since), factors(source, since)
    counted = Counter((one.column, one.keep) for one in choices if one.revoked_at is None)
    columns = [Column(name, counted[name, 1], counted[name, 0], factor) for name, factor in sorted(bent.items())]
    shown = list(reversed(choices))[:SHOWN]
    titles = {one.item: digest.read(source, one.item)[0] for one in shown}
    return {"columns": columns, "choices": shown, "titles": titles}


async def revoke(request: web.Request) -> web.StreamResponse:
    """It teaches nothing any more (form field seq)."""
    seq = number_of((await fields(request)).get("seq", ""))

    def job(tx: Tx) -> ChoiceRow | None:
        found = next((one for one in digest.choices(tx) if one.seq == seq and one.revoked_at is None), None)
        if found is not None:
            digest.revoke_choice(tx, seq)
        return found

    if await request.app[ENGINE].apply(job) is None:
        raise Rejected("这一条已经撤回过，请刷新页面。", "wrong_state")
    await record(request, "revoked", f"choice/{seq}")
    raise web.HTTPSeeOther("/digest/choices?told=revoked")
