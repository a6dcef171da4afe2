"""`bot evaluate reports` and `bot evaluate router`: an office measures the bot on its own lines (design 8)."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from config.county import County
from handlers.reports.reading import Reader, Reading
from handlers.reports.reading_history import fit_history

ONE_SIDED_95 = 1.6449  # normal quantile of Wilson's one-sided bound

Row = Mapping[str, Any]


def evaluate_reports(path: Path, county: County, predictions: Path | None = None) -> dict[str, float | int]:
    """Read every line of `path` and compare with what it expects; keys as in design 8."""
    rows = list(_lines(path))
    reader = Reader(county)
    names = {category.code: category.name for category in county.categories}
    began = time.process_time()
    readings = [reader.read(str(r.get("text", "")), int(r.get("photos") or 0), "") for r in rows]
    spent = (time.process_time() - began) * 1000 / max(1, len(rows))
    answers = [_answer(row, reading, names) for row, reading in zip(rows, readings, strict=True)]
    _write(predictions, answers)
    return {**_score(rows, answers), "ms_per_message": round(spent, 4)}


def evaluate_router(train: Path, test: Path, predictions: Path | None = None) -> dict[str, float | int]:
    """Fit on an office's own labelled texts and answer another part of them; keys as in design 8."""
    lessons, rows = list(_lines(train)), list(_lines(test))
    began = time.process_time()
    router = fit_history([str(r["text"]) for r in lessons], [str(r["label"]) for r in lessons])
    trained = time.process_time() - began
    began = time.process_time()
    ranked = [router.answer(str(row["text"])) for row in rows]
    spent = (time.process_time() - began) * 1000 / max(1, len(rows))
    truth = [str(row.get("label", "")) for row in rows]
    answers = [
        {"i": i, "label": best[0][0], "top3": [label for label, _ in best[:3]], "confidence": round(best[0][1], 4)}
        for i, best in enumerate(ranked)
    ]
    _write(predictions, answers)
    right = [a["label"] == label for a, label in zip(answers, truth, strict=True)]
    return {
        "accuracy": _mean(right),
        "macro_f1": round(macro_f1([str(a["label"]) for a in answers], truth), 4),
        "top3": _mean(
            label in best[:3] for best, label in zip(([b for b, _ in r] for r in ranked), truth, strict=True)
        ),
        "coverage_at_p95": round(coverage_at([best[0][1] for best in ranked], right, 0.95), 4),
        "train_seconds": round(trained, 3),
        "ms_per_text": round(spent, 4),
    }


def macro_f1(given: Sequence[str], truth: Sequence[str]) -> float:
    """Mean over labels (given or true) of the harmonic mean of precision and recall."""
    labels = sorted({*given, *truth})
    scores = []
    for label in labels:
        hits = sum(g == label == t for g, t in zip(given, truth, strict=True))
        total = given.count(label) + truth.count(label)
        scores.append(2 * hits / total if total else 0.0)
    return sum(scores) / len(scores) if scores else 0.0


def coverage_at(confidence: Sequence[float], right: Sequence[bool], precision: float) -> float:
    """The largest share that can be answered, most confident first, with at least this precision."""
    hits, best = 0, 0
    for rank, (_, good) in enumerate(sorted(zip(confidence, right, strict=True), key=lambda p: -p[0]), 1):
        hits += good
        best = rank if hits >= precision * rank else best
    return best / len(right) if right else 0.0


def _answer(row: Row, reading: Reading, names: Mapping[str, str]) -> dict[str, Any]:
    report = reading.kind == "report"
    top = [names.get(g.value, g.value) for g in reading.categories[:3]] if report else []
    return {
        "id": row.get("id"),
        "kind": reading.kind,
        "category": names.get(reading.category) if report and reading.category else None,
        "top3": top,
        "unit": reading.units[0].value if report and reading.units else None,
        "place": reading.place if report else None,
        "urgent": report and reading.urgent,
        "auto": report and reading.sure,
    }


def _score(rows: Sequence[Row], answers: Sequence[Row]) -> dict[str, float | int]:
    pairs = [(r["expect"], a) for r, a in zip(rows, answers, strict=True)]
    reports = [(e, a) for e, a in pairs if e.get("kind") == "report"]
    others = [a for e, a in pairs if e.get("kind") != "report"]
    routed = [(e, a) for e, a in reports if e.get("unit")]
    classed = [(e, a) for e, a in reports if e.get("category")]
    auto = [_unit_right(e, a) for e, a in routed if a["auto"]]
    return {
        "reports": len(reports),
        "others": len(others),
        "unit_accuracy": _mean(_unit_right(e, a) for e, a in routed),
        "category_accuracy": _mean(a["category"] in _either(e, "category") for e, a in classed),
        "category_top3": _mean(bool(_either(e, "category") & set(a["top3"])) for e, a in classed),
        "auto_precision": _mean(auto),
        "auto_precision_lower95": round(wilson_lower(sum(auto), len(auto)), 4),
        "auto_coverage": round(len(auto) / max(1, len(routed)), 4),
        "false_report_rate": _mean(a["kind"] == "report" for a in others),
        "report_recall": _mean(a["kind"] == "report" for _, a in reports),
        "place_accuracy": _mean(a["place"] == e["place"] for e, a in reports if "place" in e),
        "urgent_accuracy": _mean(a["urgent"] == e["urgent"] for e, a in reports if "urgent" in e),
    }


def _either(expect: Row, key: str) -> set[str]:
    return {expect[key], *(expect.get(f"{key}_alternatives") or ())}


def _unit_right(expect: Row, answer: Row) -> bool:
    return answer["unit"] in _either(expect, "unit")


def _mean(values: Iterable[bool]) -> float:
    seen = list(values)
    return round(sum(seen) / len(seen), 4) if seen else 0.0


def wilson_lower(right: int, total: int, z: float = ONE_SIDED_95) -> float:
    """Wilson's lower bound of a proportion, one-sided 95 % unless told otherwise."""
    if not total:
        return 0.0
    share = right / total
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (centre - spread) / (1 + z * z / total)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a JSONL file; a malformed line is reported with its number and skipped."""
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield row
        else:
            print(f"{path.name} 第{number}行不是有效的 JSON 对象，已跳过", file=sys.stderr)


def _write(path: Path | None, answers: Iterable[Row]) -> None:
    if path is not None:
        path.write_text("".join(json.dumps(a, ensure_ascii=False) + "\n" for a in answers), encoding="utf-8")
