"""What is typed into the board's one field: a number, a person's name or its initials, a place, or words of a report."""

from __future__ import annotations

from handlers.office import Office
from store.board import Words
from store.task_words import query_of

MANY = 40  # people or places a piece may mean; more is no name


def words_of(typed: str, office: Office) -> Words | None:
    """Everything it may mean; None when it is empty."""
    typed = typed.strip()[:100]
    if not typed:
        return None
    return Words(query_of(typed), _people(typed, office), _places(typed, office), typed)


def _people(typed: str, office: Office) -> tuple[str, ...]:
    lower = typed.lower()
    named = [p.id for p in office.county.people if typed in p.name or lower == p.id.lower()]
    if not named and lower.isascii() and lower.isalpha() and 2 <= len(lower) <= 4:
        named = [p.id for p in office.county.people if initials(p.name) == lower]
    return tuple(named) if len(named) <= MANY else ()


def _places(typed: str, office: Office) -> tuple[str, ...]:
    found = [place.id for place in office.county.places if typed in (place.name, *place.aliases)]
    return tuple(found) if len(found) <= MANY else ()


def initials(name: str) -> str:
    """张强 → zq; empty where a character's sound is not known. What is drawn together in sounds keeps its first letter."""
    from config.faq.sounds import shipped_sounds

    sounds = shipped_sounds()
    letters = [sounds.get(sign, "")[:1] for sign in name]
    return "".join(letters) if all(letters) else ""
