"""地点: searched, added, changed and retired, seeing first how last month's reports would have been understood.

Administrators see no task (rights.py), so the effect is told in numbers and place names, never in words of reports.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from bot.console import county_parts as parts
from bot.console.learning import HINDSIGHT
from bot.console.session import ENGINE, guarded, viewer_of
from bot.engine import Engine
from bot.hindsight import MONTH, PLACED
from config.cells import read_table
from config.checks import lost_scopes, place_faults
from config.county import PLACE_KINDS, County, Place
from config.errors import Fault, Rejected
from config.sheets import SHEETS
from config.spreadsheets import Table
from store import county_steps
from store.county_steps import Row

PART = "places"
SHEET = next(sheet for sheet in SHEETS if sheet.name == PART)
FIELDS = tuple(column.name for column in SHEET.columns)
SHOWN = 100  # rows a page lists; the rest is found by searching


def add_routes(app: web.Application) -> None:
    """Both administrators look; the system administrator edits."""
    app.router.add_get("/county/places", guarded(page, *parts.LOOK))
    app.router.add_post("/county/places", guarded(put, parts.EDIT))
    app.router.add_post("/county/places/undo", guarded(undo, parts.EDIT))


async def page(request: web.Request) -> web.StreamResponse:
    """The places that fit the search, and the one being edited."""
    engine, query = request.app[ENGINE], request.query
    places = engine.office.county.places
    asked = {name: query.get(name, "").strip() for name in ("q", "town", "kind")}
    found = [place for place in places if _fits(place, asked)]
    edited = engine.office.places.get(query.get("edit", ""))
    return await parts.show(
        request,
        "county_places.html",
        PART,
        found=found[:SHOWN],
        count=len(found),
        total=len(places),
        asked=asked,
        towns=_towns(engine.office.county),
        kinds=PLACE_KINDS,
        edited=edited,
        adding=query.get("edit") == "new" and viewer_of(request).has(parts.EDIT),
    )


def _fits(place: Place, asked: dict[str, str]) -> bool:
    return (
        (not asked["q"] or any(asked["q"] in name for name in (place.name, *place.aliases)))
        and (not asked["town"] or place.town == asked["town"])
        and (not asked["kind"] or place.kind == asked["kind"])
    )


def _towns(county: County) -> list[str]:
    named = [place.name for place in county.places if place.kind == "town"]
    return list(dict.fromkeys([*named, *(unit.town for unit in county.units if unit.town)]))


async def put(request: web.Request) -> web.StreamResponse:
    """Show what a change would do; with `go` do it (form fields id, name, aliases, kind, town; or id and retire)."""
    form, engine = await request.post(), request.app[ENGINE]
    old = engine.office.places.get(str(form.get("id", "")))
    if form.get("id") and old is None:
        raise Rejected(parts.OVERTAKEN, "wrong_state")
    new = None if form.get("retire") else _read(form, str(form.get("id", "")) or f"d{secrets.token_hex(5)}")
    places = _after(engine.office.county.places, old, new)
    _check(engine.office.county, new, places)
    if (old, new) == (None, None) or old == new:
        raise Rejected("和现在一样，没有改动。")
    if not form.get("go"):
        return await _preview(request, old, new, places)
    await parts.change(request, PART, _rows(old), _rows(new))
    raise web.HTTPSeeOther("/county/places?told=ok")


def _read(form: MultiMapping[Any], id_: str) -> Place:
    """The form as a place, by the rules of the county's files."""
    typed = {name: str(form.get(name, "")).strip() for name in FIELDS} | {"id": id_}
    typed["aliases"] = "|".join(
        part.strip() for part in typed["aliases"].replace("、", "|").replace("，", "|").split("|")
    )
    faults: list[Fault] = []
    titles = tuple(column.titles[0] for column in SHEET.columns)
    records = read_table(SHEET, Table("", titles, ((1, tuple(typed[name] for name in FIELDS)),)), faults, [])
    if faults:
        raise Rejected("；".join(f"{fault.column}{fault.message}" for fault in faults) + "。")
    values = records[0].values
    return Place(values["id"], values["name"], values["aliases"], values["kind"], values["town"])


def _after(places: tuple[Place, ...], old: Place | None, new: Place | None) -> tuple[Place, ...]:
    if old is None:
        return (*places, *((new,) if new else ()))
    return tuple(kept for place in places if (kept := new if place.id == old.id else place) is not None)


def _check(county: County, new: Place | None, places: tuple[Place, ...]) -> None:
    if new is not None and (faults := place_faults(new, county)):
        raise Rejected("；".join(faults) + "。")
    if lost := lost_scopes(county, replace(county, places=places)):
        raise Rejected(f"职责里还写着“{'”“'.join(lost[:3])}”，请先到“职责”里改，或把旧名留作别名。")


def _rows(place: Place | None) -> tuple[Row, ...]:
    return ((place.id, place.name, "|".join(place.aliases), place.kind, place.town),) if place else ()


async def _preview(
    request: web.Request, old: Place | None, new: Place | None, places: tuple[Place, ...]
) -> web.Response:
    engine: Engine = request.app[ENGINE]
    seen = await request.app[HINDSIGHT].compare_places(places)
    names = {place.id: place.name for place in (*places, *engine.office.county.places)}
    return await parts.show(
        request,
        "county_place_change.html",
        PART,
        old=old,
        new=new,
        seen=seen,
        moved=[(names.get(a, "没认出"), names.get(b, "没认出"), n) for a, b, n in seen.moved[:20]],
        kinds=PLACE_KINDS,
        days=MONTH,
        most=PLACED,
    )


async def undo(request: web.Request) -> web.StreamResponse:
    """Put the last change back, unless duties name what would go."""
    engine = request.app[ENGINE]
    last = await engine.store.read(lambda c: county_steps.last(c, PART))
    if last is not None:
        county, gone = engine.office.county, {row[0] for row in last.after}
        back = (Place(i, name, tuple(aliases.split("|")), kind, town) for i, name, aliases, kind, town in last.before)
        _check(county, None, (*(place for place in county.places if place.id not in gone), *back))
    step = await parts.undo(request, PART)
    name = (step.before or step.after)[0][1]
    raise web.HTTPSeeOther(request.rel_url.with_path("/county/places").with_query(q=name, told="undone"))
