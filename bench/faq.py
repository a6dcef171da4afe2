"""Cost of one question at 1k, 10k and 100k entries, beside rank_bm25, bm25s and tantivy in one run.

    pip install -r bench/requirements-faq.txt && OPENBLAS_NUM_THREADS=1 python -m bench.faq [1000 10000 100000]

CPU of one thread, median of 5 interleaved rounds of 40 questions nobody asked before, after 300 to warm up,
10 results each; entries and questions are made up
from the starter base with numbers and shuffled clauses. Peers get our characters, so that only engines differ. "search"
is our index alone, "words" the whole assistant by words, "model" with the sentence model (vectors ready; at 10k and
below, encoding takes 0.7 ms an entry).
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from config.faq.entries import Entry, shipped_entries
from handlers.faq.assistant import Assistant
from handlers.faq.meaning import Meaning, load_encoder
from handlers.faq.normalise import PIECES, widen

ROUNDS, QUESTIONS, WARM = 5, 40, 300
DAY = date(2026, 11, 24)
MODEL_UP_TO = 10_000
Ask = Callable[[str], object]


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [1_000, 10_000, 100_000]
    print(json.dumps({size: measure(size) for size in sizes}, indent=1))


def measure(size: int) -> dict[str, dict[str, float]]:
    texts = made(size)
    engines: dict[str, tuple[Ask, float]] = {}
    for name, build in ENGINES.items():
        began = time.process_time()
        if (ask := build(texts)) is not None:
            engines[name] = ask, time.process_time() - began
    gc.collect()
    gc.freeze()  # the collector's rounds over a hundred thousand entries belong to no one question
    asked = random.Random(7).sample(made(size, seed=9), QUESTIONS * ROUNDS)
    for ask, _ in engines.values():
        for question in made(WARM, seed=11):
            ask(question)
    rounds: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(ROUNDS):
        questions = asked[turn::ROUNDS]  # new ones every round: a question asked before costs less
        for name, (ask, _) in engines.items():
            began = time.process_time()
            for question in questions:
                ask(question)
            rounds[name].append((time.process_time() - began) * 1000 / QUESTIONS)
    return {
        name: {"ms": round(statistics.median(rounds[name]), 3), "build_s": round(built, 2)}
        for name, (_, built) in engines.items()
    }


def made(size: int, seed: int = 1) -> list[str]:
    """Invented questions of natural length and vocabulary."""
    dice = random.Random(seed)
    said = [text for entry in shipped_entries() for text in (entry.question, *entry.similar)]
    return [f"{dice.choice(said)}{dice.choice(said)[:6]}{dice.randrange(999)}" for _ in range(size)]


def cut(text: str) -> list[str]:
    return PIECES.findall(widen(text))


def assistant(texts: Sequence[str]) -> Assistant:
    made_ = Assistant()
    made_.load(Entry(str(n), text, "", "文号") for n, text in enumerate(texts))
    return made_


def search(texts: Sequence[str]) -> Ask:
    ranker = assistant(texts).ranker
    return lambda text: ranker.search(text, 10)


def words(texts: Sequence[str]) -> Ask:
    whole = assistant(texts)
    whole.ask("准备", DAY)
    return lambda text: whole.ask(text, DAY)


def model(texts: Sequence[str]) -> Ask | None:
    encoder = load_encoder()
    if encoder is None or len(texts) > MODEL_UP_TO:
        return None
    whole = assistant(texts)
    meaning = Meaning(encoder)
    whole.attach(meaning)
    while meaning.work():
        pass
    whole.ask("准备", DAY)
    return lambda text: whole.ask(text, DAY)


def rank_bm25(texts: Sequence[str]) -> Ask:
    from rank_bm25 import BM25Okapi

    index = BM25Okapi([cut(text) for text in texts])
    return lambda text: index.get_scores(cut(text)).argsort()[-10:]


def bm25s(texts: Sequence[str]) -> Ask:
    import bm25s as peer

    index = peer.BM25()
    index.index([cut(text) for text in texts], show_progress=False)
    return lambda text: index.retrieve([cut(text)], k=10, show_progress=False)


def tantivy(texts: Sequence[str]) -> Ask:
    import tantivy as peer

    schema: Any = peer.SchemaBuilder().add_text_field("body", tokenizer_name="whitespace").build()
    index = peer.Index(schema)
    writer = index.writer()
    for text in texts:
        writer.add_document(peer.Document(body=" ".join(cut(text))))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    return lambda text: searcher.search(index.parse_query(" ".join(cut(text)), ["body"]), 10)


ENGINES: dict[str, Callable[[Sequence[str]], Ask | None]] = {
    "search": search,
    "words": words,
    "model": model,
    "rank_bm25": rank_bm25,
    "bm25s": bm25s,
    "tantivy": tantivy,
}

if __name__ == "__main__":
    main()
