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
