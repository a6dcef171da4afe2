"""What must agree between the rows and sheets of a county: keys, references, accounts. Nothing here reads files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from config.cells import Record
from config.county import County, Place
from config.errors import Fault
from config.sheets import SHEETS, Column

Records = dict[str, list[Record]]
KEYS = {"units": "id", "people": "id", "categories": "code"}
SHORTEST = 2  # letters of a place's name
CALLED = {"units": "单位", "people": "人员", "categories": "类别"}


def check_records(records: Records, product: County, faults: list[Fault]) -> None:
    """Add every disagreement to `faults`. References given by name become ids where the name is unique."""
    faults.extend(_repeated(records))
    faults.extend(_unprefixed(records))
    for owner in ("people", "groups"):
        faults.extend(_shared_accounts(records.get(owner, [])))
    for column, record, index in _references(records, product):
        _resolve(column, record, index, faults)


def warn_records(records: Records) -> Iterator[Fault]:
    """What is allowed but probably not meant."""
    yield from _ambiguous_names(records)
    yield from _unknown_scopes(records)
    yield from _contested_duties(records)


def _repeated(records: Records) -> Iterator[Fault]:
    for sheet in SHEETS:
        seen: dict[tuple[object, ...], int] = {}
        for record in records.get(sheet.name, []) if sheet.unique else []:
            key = tuple(record.values[name] for name in sheet.unique)
            first = seen.setdefault(key, record.row)
            if first != record.row and all(key):
                yield record.fault(sheet.unique[-1], f"“{key[-1]}”重复，第{first}行已有")


def _unprefixed(records: Records) -> Iterator[Fault]:
    for record in records.get("categories", []):
        code, kind = record.values["code"], record.values["kind"]
        if code and kind and not code.startswith(kind):
            yield record.fault("code", f"“{code}”要以类型开头，应为“{kind}{code}”")  # 56 codes occur in both kinds


def _shared_accounts(records: list[Record]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for record in records:
        for account in record.values["accounts"]:
            first = seen.get(account)
            if first is not None:
                yield record.fault("accounts", f"账号“{account}”重复，第{first}行已有")
            seen.setdefault(account, record.row)


def _references(records: Records, product: County) -> Iterator[tuple[Column, Record, dict[str, str]]]:
    for sheet in SHEETS:
        for column in sheet.columns:
            if column.refers and _known(column.refers, records):
                index = _index(column.refers, records, product)
                for record in records.get(sheet.name, []):
                    yield column, record, index


def _known(sheet: str, records: Records) -> bool:
    """Whether keys can be looked up: a sheet that is missing or has no keys is one fault, not hundreds."""
    if sheet not in records:
        return sheet == "categories"
    rows = records[sheet]
    return not rows or any(record.values[KEYS[sheet]] for record in rows)


def _index(sheet: str, records: Records, product: County) -> dict[str, str]:
    """Key → key, and name → key where only one row has that name."""
    key = KEYS[sheet]
    pairs = (
        [(record.values[key], record.values["name"]) for record in records[sheet]]
        if sheet in records
        else [(getattr(row, key), row.name) for row in getattr(product, sheet)]
    )
    named: dict[str, list[str]] = defaultdict(list)
    for code, name in pairs:
        named[name].append(code)
    unique = {name: codes[0] for name, codes in named.items() if len(codes) == 1}
    return unique | {code: code for code, _ in pairs}


def _resolve(column: Column, record: Record, index: dict[str, str], faults: list[Fault]) -> None:
    value = record.values[column.name]
    for wanted in value if isinstance(value, tuple) else [value]:
        if wanted and wanted not in index:
            faults.append(record.fault(column.name, f"没有编号为“{wanted}”的{CALLED[column.refers]}"))
    if isinstance(value, tuple):
        record.values[column.name] = tuple(index.get(one, one) for one in value)
    else:
        record.values[column.name] = index.get(value, value)


def _ambiguous_names(records: Records) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for record in records.get("units", []):
        for name in (record.values["name"], *record.values["aliases"]):
            if owners.setdefault(name, record.values["id"]) != record.values["id"]:
                yield record.fault("name", f"“{name}”也是单位 {owners[name]} 的名称或别名")


def _unknown_scopes(records: Records) -> Iterator[Fault]:
    places = records.get("places", [])
    known = {record.values["town"] for record in places} | {
        name for record in places for name in (record.values["id"], record.values["name"], *record.values["aliases"])
    }
    known |= {record.values["town"] for record in records.get("units", [])}
    for record in records.get("duties", []):
        scope = record.values["place_or_town"]
        if scope and scope not in known:
            yield record.fault("place_or_town", f"地点表里没有“{scope}”")


def _contested_duties(records: Records) -> Iterator[Fault]:
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for record in records.get("duties", []):
        values = record.values
        if values["status"] != "confirmed":
            continue
        unit, row = seen.setdefault((values["code"], values["place_or_town"]), (values["unit"], record.row))
        if unit != values["unit"]:
            yield record.fault("unit", f"同一类别同一范围，第{row}行已归 {unit}")


def place_faults(place: Place, county: County) -> list[str]:
    """Why a place cannot stand in this county, in Chinese: a name taken in the same town, or a town nobody knows."""
    others = [other for other in county.places if other.id != place.id]
    old = next((other for other in county.places if other.id == place.id), Place("", ""))
    known = {other.name for other in others if other.kind == "town"} | {unit.town for unit in county.units}
    faults = []
    if place.town and place.town not in known and not (place.kind == "town" and place.town == place.name):
        faults.append(f"没有叫“{place.town}”的乡镇，请从列表里选")
    for name in dict.fromkeys((place.name, *place.aliases)):
        if len(name) < SHORTEST:
            faults.append(f"“{name}”太短，至少 {SHORTEST} 个字，不然会认错")
        twin = next((o for o in others if o.town == place.town and name in (o.name, *o.aliases)), None)
        if twin is not None and name not in (old.name, *old.aliases):
            faults.append(f"“{name}”已是{twin.town}“{twin.name}”的名称或别名")
    return faults


def lost_scopes(before: County, after: County) -> list[str]:
    """Places or towns that duties name and that would no longer be known."""
    gone = _scopes(before) - _scopes(after)
    return sorted({duty.place_or_town for duty in after.duties} & gone)


def _scopes(county: County) -> set[str]:
    names = {name for place in county.places for name in (place.id, place.name, *place.aliases, place.town)}
    return names | {unit.town for unit in county.units}
