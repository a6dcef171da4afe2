"""Our learner beside char 1–3 TF-IDF + LinearSVC on labelled histories, same folds, same run.

    uv run --with-requirements bench/understanding.txt python bench/understanding.py ../shared/data/dispatch

scikit-learn is needed here only. The call-taker's own "请XX局处理" is taken out of hotline orders first.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from bot.evaluate import evaluate_router

NORM = re.compile(r"[（(]\s*请职能局[^）)]*[）)]?")
ASKED = re.compile(
    r"请[^，。！？；,.!?;]{0,25}?(?:核实|处理|处置|解决|回复|协调|关注|查处|跟进|答复|联系)[^，。！？；,.!?;]*[，。！？；,.!?;]?"
)
THANKS = re.compile(r"(?:谢谢|感谢)[！!。]?")
RARE = 40  # units with fewer orders are left out


def hotline(folder: Path) -> tuple[list[str], list[str]]:
    rows = list(csv.DictReader((folder / "hotline_orders.csv").open(encoding="utf-8")))
    counts = Counter(r["unit"] for r in rows)
    kept = [r for r in rows if counts[r["unit"]] >= RARE]
    return [THANKS.sub("", ASKED.sub("", NORM.sub("", r["text"]))) for r in kept], [r["unit"] for r in kept]


def topics(folder: Path) -> tuple[list[str], list[str]]:
    rows = list(csv.DictReader((folder / "topic_messages.csv").open(encoding="utf-8")))
    return [r["title"] + "\n" + r["body"] for r in rows], [r["label"] for r in rows]


def ours(train: list[tuple[str, str]], test: list[tuple[str, str]]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("train.jsonl", "test.jsonl")]
        for path, rows in zip(paths, (train, test), strict=True):
            path.write_text(
                "".join(json.dumps({"text": t, "label": y}, ensure_ascii=False) + "\n" for t, y in rows), "utf-8"
            )
        return evaluate_router(*paths, None)


def theirs(train: list[tuple[str, str]], test: list[tuple[str, str]]) -> dict[str, float]:
    cut = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    model = LinearSVC().fit(cut.fit_transform([t for t, _ in train]), [y for _, y in train])
    given, truth = model.predict(cut.transform([t for t, _ in test])), [y for _, y in test]
    return {"accuracy": accuracy_score(truth, given), "macro_f1": f1_score(truth, given, average="macro")}


def main(folder: Path) -> None:
    for name, (texts, labels) in (("topics", topics(folder)), ("hotline", hotline(folder))):
        total: dict[str, Counter[str]] = {"ours": Counter(), "LinearSVC": Counter()}
        for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(texts, labels):
            parts = [[(texts[i], labels[i]) for i in ids] for ids in (train, test)]
            total["ours"].update(ours(*parts))
            total["LinearSVC"].update(theirs(*parts))
        for who, sums in total.items():
            print(name, len(texts), who, {key: round(value / 5, 4) for key, value in sums.items()}, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
