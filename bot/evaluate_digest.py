"""`bot evaluate digest` and `bot evaluate pages`: an office measures reading and choosing on its own days (design 8)."""

from __future__ import annotations

import json
import math
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.evaluate import _lines, _mean, _write
from config.county import County
from digests.checks import Leader
from digests.days import Days, Judgement
from digests.items import Item
from digests.pages import read_page
from digests.relevance import audience

Row = Mapping[str, Any]
TOP = 10
GOOD = 2  # a mean grade from which an item belongs in the digest
FIELDS = ("title", "body", "day", "source", "url", "published_at")


def evaluate_pages(path: Path, predictions: Path | None = None) -> dict[str, float | int]:
    """Read every page of a JSONL file; keys as in design 8."""
    rows = list(_lines(path))
    answers: list[dict[str, Any]] = []
    failures, began = 0, 0.0
    for row in rows:
        data = _bytes(path.parent / str(row.get("file", "")))
        start = time.perf_counter()
        page = read_page(data, str(row.get("url") or ""))
        began += time.perf_counter() - start
        failures += page.damaged > 0 or not data
        answers.append({"file": row.get("file"), "text": page.text, "title": page.title, "date": page.published_on})
    _write(predictions, answers)
    pairs = list(zip(rows, answers, strict=True))
    scores = [shingle_f1(r["text"], a["text"]) for r, a in pairs if r.get("text") is not None]
    return {
        "pages": len(rows),
        "text_f1": round(sum(scores) / max(1, len(scores)), 4),
        "title_accuracy": _mean(_bare(r["title"]) == _bare(a["title"]) for r, a in pairs if r.get("title") is not None),
        "date_accuracy": _mean(r["date"][:10] == a["date"] for r, a in pairs if r.get("date") is not None),
        "encoding_failures": failures,
        "ms_per_page": round(1000 * began / max(1, len(rows)), 3),
    }


def evaluate_digest(
    items: Path,
    clusters: Path | None = None,
    pairs: Path | None = None,
    relevance: Path | None = None,
    blocked: Path | None = None,
    leaders: Path | None = None,
    county: County | None = None,
    predictions: Path | None = None,
) -> dict[str, float | int]:
    """Feed the days in order and compare with whatever truth is given; keys as in design 8."""
    rows = list(_lines(items))
    began = time.perf_counter()
    answers = _run(rows, county or _shipped(), _leaders(leaders))
    spent = 1000 * (time.perf_counter() - began) / max(1, len(rows))
    _write(predictions, answers.values())
    result: dict[str, float | int] = {"items": len(rows), "picked": sum(a["picked"] for a in answers.values())}
    if pairs or clusters:
        result |= _pair_scores(answers, list(_lines(pairs)) if pairs else _cluster_pairs(clusters, answers))
    if relevance:
        result |= _ranking(rows, answers, {str(r["id"]): r for r in _lines(relevance)})
    if blocked:
        result |= _blocking(answers, {str(b["id"]) for b in json.loads(blocked.read_text(encoding="utf-8-sig"))})
    return {**result, "ms_per_item": round(spent, 3)}


def shingle_f1(truth: str, given: str) -> float:
    """F1 over the sets of 4-shingles of characters without white space."""
    left, right = (
        {t[i : i + 4] for i in range(max(1, len(t) - 3))} for t in ("".join(s.split()) for s in (truth, given))
    )
    return 2 * len(left & right) / max(1, len(left) + len(right))


def _run(rows: Sequence[Row], county: County, leaders: Sequence[Leader]) -> dict[str, dict[str, Any]]:
    days = Days(audience(county), leaders)
    by_day: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_day[str(row.get("day") or "")].append(row)
    answers: dict[str, dict[str, Any]] = {str(row["id"]): {} for row in rows}
    for day in sorted(by_day):
        judged = [days.judge(_item(row)) for row in by_day[day]]
        picked = {c.item.id for c in days.edition(judged).picked}
        answers |= {j.item.id: _answer(j, j.item.id in picked, j.item.id in days.pulled) for j in judged}
    return answers


def _answer(judged: Judgement, picked: bool, pulled: bool) -> dict[str, Any]:
    """Blocked is what must not go out: marks of secrecy and leaders' wrong titles. The unreadable, selling and taken-back
    is merely worth nothing."""
    blocked = any(finding.level == "block" or finding.rule == "leader" for finding in judged.findings)
    return {
        "id": judged.item.id,
        "cluster": judged.match.cluster,
        "blocked": blocked,
        "column": judged.score.column,
        "score": 0.0 if judged.blocked or pulled else judged.score.total,
        "picked": picked,
        "why": judged.blocked,
    }


def _item(row: Row) -> Item:
    known = {name: str(row.get(name) or "") for name in FIELDS}
    return Item(str(row["id"]), **known, doc_number=row.get("doc_number") or None, issuer=row.get("issuer") or None)


def _pair_scores(answers: Mapping[str, Row], pairs: Iterable[Row]) -> dict[str, float | int]:
    told = [
        (bool(p["same"]), answers[str(p["a"])]["cluster"] == answers[str(p["b"])]["cluster"])
        for p in pairs
        if str(p["a"]) in answers and str(p["b"]) in answers
    ]
    hits, wrong = sum(s and g for s, g in told), sum(g and not s for s, g in told)
    precision, recall = hits / max(1, hits + wrong), hits / max(1, sum(s for s, _ in told))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {
        "pair_precision": round(precision, 4),
        "pair_recall": round(recall, 4),
        "f1": round(f1, 4),
        "wrong_merges": wrong,
    }


def _cluster_pairs(path: Path | None, answers: Mapping[str, Row]) -> list[Row]:
    """Every pair of items that either side puts together: the others count in no figure."""
    groups = json.loads(path.read_text(encoding="utf-8-sig")) if path else []
    home = {str(one): at for at, group in enumerate(groups) for one in group}
    given: dict[str, list[str]] = defaultdict(list)
    for name, answer in answers.items():
        given[answer["cluster"]].append(name)
    together = [*([str(one) for one in group] for group in groups), *given.values()]
    pairs = {(min(a, b), max(a, b)) for group in together for a in group for b in group if a != b}
    return [{"a": a, "b": b, "same": home.get(a, a) == home.get(b, b)} for a, b in sorted(pairs)]


def _ranking(rows: Sequence[Row], answers: Mapping[str, Row], truth: Mapping[str, Row]) -> dict[str, float | int]:
    by_day: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        if grades := (truth.get(str(row["id"])) or {}).get("grades"):
            by_day[str(row.get("day") or "")].append((-answers[str(row["id"])]["score"], sum(grades) / len(grades)))
    days = [[grade for _, grade in sorted(day, key=lambda p: p[0])] for day in by_day.values()]
    gains = [dcg(day) / dcg(sorted(day, reverse=True)) for day in days if any(day)]
    shares = [sum(g >= GOOD for g in day[:TOP]) / min(TOP, len(day)) for day in days]
    columns = [(t["column"], answers[i]["column"]) for i, t in truth.items() if t.get("column") and i in answers]
    return {
        "ndcg10": round(sum(gains) / max(1, len(gains)), 4),
        "precision10": round(sum(shares) / max(1, len(shares)), 4),
        "column_accuracy": _mean(a == b for a, b in columns),
    }


def dcg(grades: Sequence[float]) -> float:
    """Discounted gain of the first ten, gain 2^grade − 1."""
    return sum((2**grade - 1) / math.log2(rank + 2) for rank, grade in enumerate(grades[:TOP]))


def _blocking(answers: Mapping[str, Row], truth: set[str]) -> dict[str, float | int]:
    given = {name for name, answer in answers.items() if answer["blocked"]}
    return {"blocked_caught": round(len(given & truth) / max(1, len(truth)), 4), "false_blocks": len(given - truth)}


def _leaders(path: Path | None) -> list[Leader]:
    rows = json.loads(path.read_text(encoding="utf-8-sig")) if path else []
    names = ("name", "title", "valid_from", "valid_to")
    return [Leader(**{name: str(row.get(name) or "") for name in names}) for row in rows]


def _shipped() -> County:
    from config.files import shipped_county

    return shipped_county()


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _bare(text: str | None) -> str:
    return re.sub(r"[\W_]", "", text or "")
