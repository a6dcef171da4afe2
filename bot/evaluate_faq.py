"""`bot evaluate faq`: how well questions find their entry, and what is done with those that have none (design 8)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bot.evaluate import _lines, _mean, _write
from config.faq.entries import Entry
from handlers.faq.assistant import Assistant
from handlers.faq.bands import Outcome
from handlers.faq.meaning import Meaning, load_encoder

PRECISION = 0.95
Row = Mapping[str, Any]


def evaluate_faq(
    kb: Path, queries: Path, as_of: date | None = None, predictions: Path | None = None
) -> dict[str, float | int]:
    """Ask every query of the base; figures as in design 8. All entries of the file count as approved."""
    assistant = Assistant()
    assistant.load(_entry(row) for row in _lines(kb))
    encoder = load_encoder()
    if encoder is not None:
        meaning = Meaning(encoder)
        assistant.attach(meaning)
        while meaning.work():
            pass
    rows = list(_lines(queries))
    day = as_of or date.today()
    assistant.ask("准备", day)
    began = time.process_time()
    outcomes = [assistant.ask(str(row.get("text", "")), day, tuple(row.get("previous") or ())) for row in rows]
    spent = (time.process_time() - began) * 1000 / max(1, len(rows))
    _write(predictions, [_answer(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)])
    return {**_score(rows, outcomes), "ms_per_query": round(spent, 3), "model": int(encoder is not None)}


def _entry(row: Row) -> Entry:
    return Entry(
        id=str(row["id"]),
        question=str(row["question"]),
        answer=str(row.get("answer") or ""),
        basis=str(row.get("basis") or ""),
        similar=_words(row.get("similar")),
        valid_from=str(row.get("valid_from") or ""),
        valid_to=str(row.get("valid_to") or ""),
        taxpayer_type=_words(row.get("taxpayer_type")),
        tax=_words(row.get("tax")),
        successor=str(row.get("successor") or ""),
    )


def _words(value: object) -> tuple[str, ...]:
    """A list, one word, or nothing."""
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),) if value else ()


def _answer(row: Row, outcome: Outcome) -> dict[str, Any]:
    said = outcome.entry.id if outcome.band == "answer" and outcome.entry else None
    return {
        "id": row.get("id"),
        "band": outcome.band,
        "faq": said,
        "top": list(outcome.top),
        "reason": outcome.reason,
        "sure": round(outcome.sure, 4),
    }


def _score(rows: Sequence[Row], outcomes: Sequence[Outcome]) -> dict[str, float | int]:
    """Ranks over queries that name an entry, bands over those that name a band; answers must also be the right one."""
    pairs = [(row.get("expect") or {}, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    places = [place(expect, outcome) for expect, outcome in pairs if expect.get("faq") is not None]
    banded = [(expect, outcome) for expect, outcome in pairs if expect.get("band")]
    answers = [(expect, outcome) for expect, outcome in pairs if outcome.band == "answer"]
    return {
        "queries": len(rows),
        "top1": _mean(p == 1 for p in places),
        "mrr10": round(sum(1 / p for p in places if p) / max(1, len(places)), 4),
        "top3": _mean(0 < p <= 3 for p in places),
        "band_accuracy": _mean(expect["band"] == outcome.band for expect, outcome in banded),
        "coverage_at_p95": coverage(pairs),
        "answered": len(answers),
        "answer_precision": _mean(right(expect, outcome) for expect, outcome in answers),
    }


def accepted(expect: Row) -> set[str]:
    """The ids that count as right."""
    return {str(id) for id in (expect.get("faq"), *(expect.get("acceptable") or ())) if id is not None}


def place(expect: Row, outcome: Outcome) -> int:
    """The place of the first right entry among the first ten, 0 when it is not there."""
    good = accepted(expect)
    return next((n for n, id in enumerate(outcome.top[:10], 1) if id in good), 0)


def right(expect: Row, outcome: Outcome) -> bool:
    """Whether an answer is the expected one; a calendar question expects no entry."""
    if outcome.deadline is not None:
        return expect.get("faq") is None and expect.get("band") == "answer"
    return place(expect, outcome) == 1


def coverage(pairs: Sequence[tuple[Row, Outcome]]) -> float:
    """The largest share of answerable queries answered rightly while 95 % of all that is answered is right."""
    asked = [(expect, outcome) for expect, outcome in pairs if outcome.band not in ("mask", "silent")]
    ordered = sorted(asked, key=lambda pair: -_certainty(pair[1]))
    answerable = sum(expect.get("faq") is not None and expect.get("band", "answer") == "answer" for expect, _ in pairs)
    best = good = 0
    for n, (expect, outcome) in enumerate(ordered, 1):
        good += expect.get("band", "answer") == "answer" and right(expect, outcome)
        if good >= PRECISION * n:
            best = good
    return round(min(1.0, best / answerable), 4) if answerable else 0.0


def _certainty(outcome: Outcome) -> float:
    """Answers before choices before hand-overs; by certainty within each."""
    return {"answer": 2.0, "choose": 1.0}.get(outcome.band, 0.0) + outcome.sure
