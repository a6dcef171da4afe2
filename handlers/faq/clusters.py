"""Which questions were asked again and again without an answer: like ones together, the most asked first.

Pure: the caller brings the questions (handed over, called 没用, or left at a list nobody picked from).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from store import questions
from store.questions import Asked

ALIKE = 0.34  # shared pairs of characters (Jaccard) from which on two questions are one
NOISE = re.compile(r"[\W_]+|请问|您好|你好|老师|谢谢|麻烦|一下|怎么|如何|什么|多少|咋|吗|呢|啊|的|了")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Like questions; `sample` is the one most like the others, `groups` where they were asked."""

    sample: str
    questions: tuple[Asked, ...]

    @property
    def size(self) -> int:
        """How many."""
        return len(self.questions)

    @property
    def groups(self) -> tuple[str, ...]:
        """Group ids."""
        return tuple(dict.fromkeys(asked.group_id for asked in self.questions))


def unanswered(source: sqlite3.Connection, since: int) -> list[Cluster]:
    """Clusters of what was not answered since a moment."""
    asked = questions.since(source, since)
    picked = {a.text for a in asked if a.band == "answer"}
    open_ = [a for a in asked if a.band == "handoff" or (a.band == "choose" and a.text not in picked)]
    return clusters([*open_, *questions.useless(source, since)])


def clusters(asked: Iterable[Asked]) -> list[Cluster]:
    """Join each question to the nearest cluster, or begin one; the biggest first."""
    groups: list[tuple[list[Asked], list[frozenset[str]]]] = []
    for one in asked:
        signs = _pairs(one.text)
        if not signs:
            continue
        scored = ((max(_alike(signs, other) for other in held), n) for n, (_, held) in enumerate(groups))
        best = max(scored, default=(0.0, -1))
        if best[0] >= ALIKE:
            groups[best[1]][0].append(one)
            groups[best[1]][1].append(signs)
        else:
            groups.append(([one], [signs]))
    found = [Cluster(_middle(members, signs), tuple(members)) for members, signs in groups]
    return sorted(found, key=lambda cluster: (-cluster.size, cluster.questions[0].at))


def _middle(members: list[Asked], signs: list[frozenset[str]]) -> str:
    """The text most like all the others."""
    totals = [sum(_alike(one, other) for other in signs) for one in signs]
    return members[totals.index(max(totals))].text


def _pairs(text: str) -> frozenset[str]:
    plain = NOISE.sub("", text)
    return frozenset(plain[n : n + 2] for n in range(len(plain) - 1)) or frozenset(plain)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
