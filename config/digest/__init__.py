"""What the daily digest knows as data: columns and weights, sources, words, and how pages are built."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """One of the shipped tables: reading, columns, sources, words. Read once; treat as frozen."""
    return tomllib.loads(resources.files("config.digest").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
