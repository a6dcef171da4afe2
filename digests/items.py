"""An item: one notice as it came in. Frozen; every judgement about it lives beside it, not in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """Dates are yyyy-mm-dd (published_at may carry a time); `day` is the edition day it is a candidate for."""

    id: str
    title: str
    body: str = ""
    day: str = ""
    source: str = ""
    url: str = ""
    published_at: str = ""
    doc_number: str | None = None
    issuer: str | None = None
