"""When an entry may be said aloud. Days are days in Shanghai, first and last day included."""

from __future__ import annotations

from datetime import date, timedelta

from config.faq.entries import Entry
from handlers.calendar import local

REVIEW_DAYS = 60


def standing(entry: Entry, day: date) -> str:
    """live, or why it must not be said: draft, retired, no_basis, expired, not_yet."""
    if entry.status != "live":
        return entry.status
    if not entry.basis.strip():
        return "no_basis"
    today = day.isoformat()
    if entry.valid_to and today > entry.valid_to:
        return "expired"
    if entry.valid_from and today < entry.valid_from:
        return "not_yet"
    return "live"


def other_year(asked: frozenset[int], entry: Entry) -> bool:
    """Whether a question names only years an entry does not hold for; the year before its first may be settled in it."""
    if not asked:
        return False
    first = int(entry.valid_from[:4]) - 1 if entry.valid_from else 0
    last = int(entry.valid_to[:4]) if entry.valid_to else 9999
    return not any(first <= year <= last for year in asked)


def office_day(at: int) -> date:
    """The day in Shanghai of an instant."""
    return local(at).date()


def due_for_review(entry: Entry, day: date, repealed: frozenset[str] = frozenset()) -> str:
    """Why a live entry should be looked at: expiring (within 60 days, or over), repealed (its basis names one), or ""."""
    if entry.status != "live":
        return ""
    if any(document in entry.basis for document in repealed):
        return "repealed"
    soon = (day + timedelta(days=REVIEW_DAYS)).isoformat()
    return "expiring" if entry.valid_to and entry.valid_to <= soon else ""
