"""Where the digest's candidates come from: the shipped table, with an office's own rows and changes over it.

    config/digest/sources.toml      shipped, every source off
    sources.toml in the data folder a row with a shipped id changes that row; any other id is a new source

Nothing here is fetched until a person turns it on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.digest import table
from config.errors import ConfigError, Fault

FILE = "sources.toml"
KINDS = ("feed", "json", "html", "gkmlpt", "manual")
WANTED = {"json": ("title", "url"), "html": ("item",)}  # keys a kind's rules must have
GAP = 2.0  # seconds between two requests to a host, at least (digest.md A3)
SITE = "{site}"


@dataclass(frozen=True, slots=True)
class Source:
    """One row. `rules` are JSON paths or CSS selectors by kind; `hosts` are where its articles may lie, sub-domains included."""

    id: str
    name: str
    kind: str
    list: str = ""
    on: bool = False
    every_minutes: int = 60
    gap_seconds: float = GAP
    body: str = ""
    frame: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    column: str = ""
    quiet_days: int = 14
    newest: int = 30
    inside: bool = False
    sites: tuple[str, ...] = ()
    why: str = ""

    @property
    def asks(self) -> bool:
        """Whether this program may fetch it at all."""
        return self.kind != "manual" and bool(self.list)

    @property
    def readable(self) -> bool:
        """Whether one page of it may be fetched when a person hands in its link; a manual row says so by its `body`."""
        return self.kind != "manual" or bool(self.body)

    def allows(self, host: str) -> bool:
        """Whether an article may lie on this host."""
        own = (urlsplit(self.list).hostname or "", *self.hosts)
        return any(host == known or host.endswith(f".{known}") for known in own if known)


def known_host(table: Iterable[Source], host: str) -> bool:
    """Whether any request may go to this host."""
    return any(source.readable and source.allows(host) for source in table)


_TYPES: dict[str, type | tuple[type, ...]] = {
    "on": bool, "inside": bool, "every_minutes": int, "quiet_days": int, "newest": int, "gap_seconds": (int, float),
    "rules": dict, "hosts": list, "sites": list,
}  # fmt: skip


def load_sources(*folders: Path) -> tuple[Source, ...]:
    """Every source, the shipped ones first. ConfigError names each bad row."""
    rows: dict[str, dict[str, Any]] = {row["id"]: dict(row) for row in table("sources")["source"]}
    faults: list[Fault] = []
    for folder in folders:
        for number, row in enumerate(_read(folder / FILE), 1):
            faults += _faults(number, row, rows.get(str(row.get("id", "")), {}))
            rows.setdefault(str(row.get("id", "")), {}).update(row)
    if faults:
        raise ConfigError(faults)
    return tuple(one for row in rows.values() for one in _spread(_source(row)))


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("source", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([Fault(FILE, None, None, f"打不开或写法不对({error})")]) from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ConfigError([Fault(FILE, None, None, "每个来源应写成一节 [[source]]")])
    return found


def _faults(number: int, row: Mapping[str, Any], shipped: Mapping[str, Any]) -> Iterable[Fault]:
    whole = {**shipped, **row}
    said = f"第{number}个来源"
    known = {one.name for one in fields(Source)}
    for name, value in row.items():
        if name not in known:
            yield Fault(FILE, None, name, f"{said}没有这一项")
        elif not isinstance(value, _TYPES.get(name, str)):
            yield Fault(FILE, None, name, f"{said}的值类型不对")
    for name in ("id", "name", "kind"):
        if not whole.get(name):
            yield Fault(FILE, None, name, f"{said}缺少这一项")
    kind = whole.get("kind")
    if kind and kind not in KINDS:
        yield Fault(FILE, None, "kind", f"{said}只能是 {'、'.join(KINDS)}")
    for key in WANTED.get(str(kind), ()):
        if key not in (whole.get("rules") or {}):
            yield Fault(FILE, None, f"rules.{key}", f"{said}缺少这一项")
    address = whole.get("list")
    if address and urlsplit(str(address).replace(SITE, "x.cn")).scheme not in ("http", "https"):
        yield Fault(FILE, None, "list", f"{said}的地址应以 http:// 或 https:// 开头")


def _source(row: Mapping[str, Any]) -> Source:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    made = Source(**values)
    return replace(made, gap_seconds=max(GAP, float(made.gap_seconds)), every_minutes=max(30, made.every_minutes))


def _spread(source: Source) -> Iterable[Source]:
    """A platform family: one row for many sites becomes one source a site."""
    if SITE not in source.list:
        return (source,)
    return tuple(
        replace(source, id=f"{source.id}:{site}", name=f"{source.name}·{site}", list=source.list.replace(SITE, site))
        for site in source.sites
    ) or (replace(source, list="", why=source.why or "还没有填写网站(sites)"),)
