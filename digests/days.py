"""Days of candidates judged in order: each item checked, matched with all before, weighed; each day an edition chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from digests.checks import Finding, Leader, check
from digests.choosing import Candidate, Choice, choose
from digests.dates import find_date
from digests.items import Item
from digests.relevance import Audience
from digests.scoring import Score, Weighing, score
from digests.stories import Match, Stories

UNKNOWN_DAY = date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything known about one item on its day."""

    item: Item
    match: Match
    findings: tuple[Finding, ...]
    score: Score

    @property
    def blocked(self) -> str:
        """Why this may not go out by itself (Chinese), or ""."""
        return next((f.why for f in self.findings if f.level in ("block", "hold")), "")


@dataclass(slots=True)
class Days:
    """Feed days in order; `sent` remembers which stories went out."""

    whom: Audience
    leaders: Sequence[Leader] = ()
    stories: Stories = field(default_factory=Stories)
    sent: set[str] = field(default_factory=set)
    pulled: set[str] = field(default_factory=set)

    def judge(self, item: Item) -> Judgement:
        """One item against everything before it. An item with a secrecy mark is not kept for comparison."""
        findings = check(item, self.leaders)
        secret = any(finding.level == "block" for finding in findings)
        match = Match(item.id) if secret else self.stories.add(item)
        if any(finding.rule == "retraction" for finding in findings):
            self.pulled.update(match.related)
        again = 1.0 if match.cluster in self.sent else 0.0
        day = find_date(item.day) or find_date(item.published_at)
        today = date.fromisoformat(day) if day else UNKNOWN_DAY
        return Judgement(
            item, match, findings, score(item, Weighing(self.whom, today), max(again, 0.5 * match.similarity))
        )

    def edition(self, judged: Iterable[Judgement]) -> Choice:
        """Choose one day's items; a story sent before or taken back since is barred."""
        found = [Candidate(j.item, j.score, j.match.cluster, self._barred(j)) for j in judged]
        choice = choose(found)
        self.sent.update(candidate.cluster for candidate in choice.picked)
        return choice

    def _barred(self, judged: Judgement) -> str:
        if judged.item.id in self.pulled or judged.match.cluster in self.pulled:
            return "原发布者已撤回或更正"
        return judged.blocked or ("已经发过" if judged.match.cluster in self.sent else "")
