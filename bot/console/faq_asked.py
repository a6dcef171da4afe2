"""没答上的, 热点问题, 值班表, 废止文件: what was asked in the tax groups and who is on duty for it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from aiohttp import web

from bot.console.bureau import chiefs, is_chief, officers
from bot.console.session import ENGINE, record, render, viewer_of
from config.errors import Rejected
from config.faq.vocabulary import shipped_vocabulary
from handlers.calendar import DAY, OFFSET
from handlers.faq import clusters
from handlers.faq.askers import staff
from handlers.faq.clusters import Cluster
from store import Tx, faq, questions, tax

DAYS = 7
ROWS = 40  # of the roster
DOCUMENTS, SHORTEST, LONGEST = 500, 5, 100  # repealed documents; characters of a name


@dataclass(frozen=True, slots=True)
class Day:
    """One day in Shanghai, from its first second, with the clusters of what was not answered."""

    start: int
    clusters: list[Cluster]


def add_routes(app: web.Application) -> None:
    """Whoever answers looks; the bureau's leader and deputies set the roster."""
    app.router.add_get("/faq/unanswered", officers(unanswered))
    app.router.add_get("/faq/hot", officers(hot))
    app.router.add_get("/faq/roster", officers(roster))
    app.router.add_post("/faq/roster", chiefs(set_roster))
    app.router.add_get("/faq/repealed", officers(repealed))
    app.router.add_post("/faq/repealed", officers(set_repealed))


def midnight(now: int) -> int:
    """The first second of the day in Shanghai."""
    return (now + OFFSET) // DAY * DAY - OFFSET


async def unanswered(request: web.Request) -> web.StreamResponse:
    """The last seven days, newest first, and the tickets still open."""
    engine = request.app[ENGINE]
    today = midnight(engine.store.now())
    days, tickets = await engine.store.read(lambda c: (_days(c, today), questions.open_tickets(c)))
    return render(request, "faq_unanswered.html", days=days, tickets=tickets, office=engine.office)


def _days(source: sqlite3.Connection, today: int) -> list[Day]:
    """One look at the week; a cluster stands under the day of its newest question."""
    found: dict[int, list[Cluster]] = {}
    for cluster in clusters.unanswered(source, today - (DAYS - 1) * DAY):
        found.setdefault(midnight(max(asked.at for asked in cluster.questions)), []).append(cluster)
    return [Day(start, found[start]) for start in sorted(found, reverse=True)]


async def hot(request: web.Request) -> web.StreamResponse:
    """What each tax group asked most in seven days."""
    engine = request.app[ENGINE]
    groups = [group for group in engine.office.county.groups if group.purpose == "tax"]
    since = engine.store.now() - DAYS * DAY

    def look(source: sqlite3.Connection) -> list[tuple[str, list[tuple[str, str, int]]]]:
        return [(group.name, _named(source, questions.hot(source, group.id, since))) for group in groups]

    return render(request, "faq_hot.html", groups=await engine.store.read(look), days=DAYS)


def _named(source: sqlite3.Connection, rows: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
    named = {id: faq.get(source, id) for id, _ in rows}
    return [(id, entry.question if (entry := named[id]) else "（已停用）", n) for id, n in rows]


async def roster(request: web.Request) -> web.StreamResponse:
    """Who is on duty for which tax, in order."""
    engine, person = request.app[ENGINE], viewer_of(request).person
    rows = await engine.store.read(tax.roster)
    people = [*(p.id for p in staff(engine.office)), *(p for _, p in rows if p in engine.office.people)]
    return render(
        request,
        "faq_roster.html",
        rows=rows,
        people=list(dict.fromkeys(people)),
        taxes=taxes(),
        office=engine.office,
        changes=is_chief(engine.office, person),
        spare=3,
        told=request.query.get("told") == "kept",
    )


def taxes() -> list[str]:
    """The kinds of tax the bot tells apart."""
    return list(dict.fromkeys(shipped_vocabulary().tags["tax"].values()))


async def set_roster(request: web.Request) -> web.StreamResponse:
    """The roster as typed (form fields tax…, person…, in order; a line without a person is left out)."""
    form, engine = await request.post(), request.app[ENGINE]
    kinds, people = form.getall("tax", []), form.getall("person", [])
    rows = [(str(kind), str(person)) for kind, person in zip(kinds, people, strict=False) if person]
    known = set(taxes())
    if len(kinds) != len(people) or len(rows) > ROWS:
        raise Rejected(f"值班表最多 {ROWS} 行，请刷新页面后重试。")
    may = {person.id for person in staff(engine.office)}  # who is listed may approve: the bureau's own people only

    def job(tx: Tx) -> bool:
        before = tax.roster(tx)
        listed = may.union(person for _, person in before)
        kept = known.union(kind for kind, _ in before)
        if any((kind and kind not in kept) or person not in listed for kind, person in rows):
            return False
        tax.set_roster(tx, rows)
        return True

    if not await engine.apply(job):
        raise Rejected("没有这个税种，或这个人不是税务局的，请刷新页面后重选。")
    await record(request, "faq_roster", f"faq/{len(rows)}")
    raise web.HTTPSeeOther("/faq/roster?told=kept")


async def repealed(request: web.Request) -> web.StreamResponse:
    """Documents that are no longer law, one a line; entries resting on one are listed for review."""
    documents = await request.app[ENGINE].store.read(tax.repealed)
    return render(request, "faq_repealed.html", documents=documents, told=request.query.get("told") == "kept")


async def set_repealed(request: web.Request) -> web.StreamResponse:
    """The list as typed (form field documents, one a line)."""
    form, person = await request.post(), viewer_of(request).person
    lines = [line.strip() for line in str(form.get("documents", "")).splitlines()]
    documents = list(dict.fromkeys(filter(None, lines)))
    wrong = [document for document in documents if not SHORTEST <= len(document) <= LONGEST]
    if wrong or len(documents) > DOCUMENTS:
        raise Rejected(f"一行写一个文号，{SHORTEST} 到 {LONGEST} 字，最多 {DOCUMENTS} 行。请改后再保存。")
    await request.app[ENGINE].apply(lambda tx: tax.set_repealed(tx, documents, person.id))
    await record(request, "faq_repealed", f"faq/{len(documents)}")
    raise web.HTTPSeeOther("/faq/repealed?told=kept")
