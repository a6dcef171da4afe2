"""One day's candidates out of the archive: the last days' items weighed, one of each story, columns filled, all with reasons.

What editors kept and dropped bends the relevance of a column by at most half, and only while it stands unrevoked; what
readers liked moves an item by at most a few points. The same archive gives the same candidates.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from config.county import County
from digests.choosing import Candidate, choose
from digests.items import Item
from digests.relevance import Audience, audience
from digests.scoring import Score, Weighing, score
from store import Store, Tx, digest, editions
from store.digest import CandidateRow, ItemRow, TermRow

WINDOW = 7  # days an item waits for a place
SENT_BACK = 30  # days a story that went out may not come again (digest.md D2)
LEARNT_BACK = 60  # days of decisions and reactions that count
EVEN = 10  # decisions or views it takes to move a factor noticeably
FACTORS = (0.5, 1.5)
HANDED_IN = "submitted"


@dataclass(frozen=True, slots=True)
class DayRun:
    """What a run came to; `rows` and `terms` are what is stored."""

    day: str
    rows: tuple[CandidateRow, ...]
    terms: Mapping[int, Sequence[TermRow]]
    taught: Mapping[str, float]


def weigh(source: Tx | sqlite3.Connection, county: County, day: str, whom: Audience | None = None) -> DayRun:
    """Weigh and choose; writes nothing."""
    today = date.fromisoformat(day)
    since = (today - timedelta(days=WINDOW - 1)).isoformat()
    sent = editions.sent_stories(source, (today - timedelta(days=SENT_BACK)).isoformat())
    learnt = (today - timedelta(days=LEARNT_BACK)).isoformat()
    taught, dropped = factors(source, learnt), _dropped(source, since)
    warm = editions.heat(source, learnt)
    by = Weighing(whom or audience(county), today, taught)
    candidates = []
    for row in digest.of_days(source, since, day):
        went_out = sent.get(row.story, day)
        if row.state == "erased" or (went_out < day and row.day <= went_out):
            continue  # it was there when its story went out: not worth a line
        weighed = _weighed(source, row, by, warm)
        barred = _barred(row, sent, dropped, day)
        candidates.append(Candidate(weighed[0], weighed[1], str(row.story), barred))
    choice = choose(candidates)
    places = {candidate.item.id: place for place, candidate in enumerate(choice.picked, 1)}
    rows = tuple(_stored(day, one, places.get(one.item.id, 0), choice.left) for one in candidates)
    terms = {int(c.item.id): [TermRow(t.name, t.points, t.why) for t in c.score.terms] for c in candidates}
    return DayRun(day, rows, terms, taught)


async def run_day(store: Store, county: County, day: str) -> DayRun:
    """Weigh a day beside the writer, then store it."""
    run = await store.read(lambda connection: weigh(connection, county, day))
    await store.write(lambda tx: digest.save_candidates(tx, run.day, run.rows, dict(run.terms)))
    return run


def _weighed(
    source: Tx | sqlite3.Connection, row: ItemRow, by: Weighing, warm: Mapping[tuple[str, str], tuple[int, int]]
) -> tuple[Item, Score]:
    title, body = digest.read(source, row.n)
    item = Item(
        str(row.n), title, body, row.day, _whose(row), row.url, row.published_at, row.doc_number or None, row.issuer or None
    )  # fmt: skip
    similar = 0.5 * row.similarity
    found = score(item, by, similar)
    good, shown = warm.get((found.column, row.source), (0, 0))
    return item, score(item, by, similar, _shrunk(good, shown)) if shown else found


def _whose(row: ItemRow) -> str:
    """The source its weight and quota hang on: of what people handed in, who issued it, for they are not one source."""
    return row.issuer if row.source == HANDED_IN else row.source_name


def _shrunk(good: int, shown: int) -> float:
    """A share that begins at one half and needs views to leave it."""
    return min(1.0, (good + EVEN / 2) / (shown + EVEN))


def _barred(row: ItemRow, sent: Mapping[int, str], dropped: Mapping[int, str], day: str) -> str:
    if row.state in ("held", "pulled"):
        return row.why
    if sent.get(row.story, day) < day:
        return f"{sent[row.story]}已经发过"
    return dropped.get(row.n, "")


def factors(source: Tx | sqlite3.Connection, since: str) -> dict[str, float]:
    """Column → factor: (kept + 10) / (dropped + 10), between a half and one and a half."""
    kept: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for choice in digest.choices(source, since):
        if choice.revoked_at is None:
            (kept if choice.keep else gone)[choice.column] += 1
    low, high = FACTORS
    return {
        column: round(min(high, max(low, (kept[column] + EVEN) / (gone[column] + EVEN))), 3)
        for column in {*kept, *gone}
    }


def _dropped(source: Tx | sqlite3.Connection, since: str) -> dict[int, str]:
    """Items whose newest standing decision is a drop."""
    newest = {c.item: c for c in digest.choices(source, since) if c.revoked_at is None}
    return {n: "编辑已剔除" + (f"：{c.why}" if c.why else "") for n, c in newest.items() if not c.keep}


def _stored(day: str, one: Candidate, place: int, left: Mapping[str, str]) -> CandidateRow:
    why = "" if place else left.get(one.item.id, "")
    return CandidateRow(
        day, int(one.item.id), one.score.column, one.score.total, place, one.barred, "" if one.barred else why, "|".join(one.score.units)
    )  # fmt: skip
