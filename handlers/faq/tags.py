"""What a question is about: taxpayer type, tax, period, year, amounts; and whether an entry is for something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from config.faq.entries import Entry
from config.faq.vocabulary import Vocabulary
from handlers.faq.normalise import Rewriter, widen

NONE: frozenset[str] = frozenset()
KINDS = ("taxpayer", "tax", "period")
MARK = "\x01"
YEAR = re.compile(r"(20[0-4]\d)\s?年")
NEAR_YEARS = {"前年": -2, "去年": -1, "上一年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2}
AMOUNT = re.compile(r"\d+(?:\.\d+)?\s?(?:%|万|亿|千|元|块|个点|天|人|平|㎡)")


@dataclass(frozen=True, slots=True)
class Tags:
    """Each set holds tags of words.toml; years are calendar years."""

    taxpayer: frozenset[str] = NONE
    tax: frozenset[str] = NONE
    period: frozenset[str] = NONE
    years: frozenset[int] = frozenset()
    amounts: frozenset[str] = NONE

    def of(self, kind: str) -> frozenset[str]:
        """The tags of one kind of KINDS."""
        return {"taxpayer": self.taxpayer, "tax": self.tax, "period": self.period}[kind]


class Tagger:
    """Finds the tags a text names; the longest word at a place wins (个体工商户 is no 个体, 企业所得税 no 企业)."""

    __slots__ = ("_kin", "_mark", "_names", "wide")

    def __init__(self, vocabulary: Vocabulary) -> None:
        table: dict[str, str] = {}
        for kind in KINDS:
            for word, tag in vocabulary.tags[kind].items():
                table[word] = f"{MARK}{kind}:{tag}{MARK}"
        hidden = {word: " " for word in ("个人所得税app", "个人独资", "公司法", "个人购买住房") if word not in table}
        self._mark = Rewriter({**hidden, **table})
        self._names: Mapping[str, Mapping[str, str]] = vocabulary.tags
        self._kin = vocabulary.kin
        self.wide = vocabulary.wide

    def __call__(self, text: str, today: date | None = None) -> Tags:
        plain = widen(text)
        found: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for mark in self._mark(plain).split(MARK)[1::2]:
            kind, _, tag = mark.partition(":")
            found[kind].add(tag)
        return Tags(
            frozenset(found["taxpayer"]),
            frozenset(found["tax"]),
            frozenset(found["period"]),
            _years(plain, today),
            frozenset(sign.replace(" ", "") for sign in AMOUNT.findall(plain)),
        )

    def without(self, text: str, kind: str) -> str:
        """The text with its words of one kind taken out."""
        pieces = self._mark(widen(text)).split(MARK)
        names = (piece.partition(":") for piece in pieces[1::2])
        kept = ["" if name == kind else tag for name, _, tag in names]
        return "".join(a + b for a, b in zip(pieces[::2], [*kept, ""], strict=True))

    def entry(self, entry: Entry) -> Tags:
        """What an entry is for: what it declares and its standard question names; periods only where that one does."""
        question, answer = self(entry.question), self(entry.answer)
        asked = self(" ".join((entry.question, *entry.similar))) if entry.similar else question
        return Tags(
            self._canonical("taxpayer", entry.taxpayer_type) | question.taxpayer,
            (self._canonical("tax", entry.tax) | question.tax) or NONE,
            asked.period | answer.period if question.period else NONE,
            asked.years | answer.years,
            asked.amounts | answer.amounts,
        )

    def conflict(self, asked: Tags, entry: Tags) -> str:
        """The first kind (tax, taxpayer, period) in which a question names something the entry is not for, or ""."""
        if asked.tax and entry.tax and not asked.tax & entry.tax:
            return "tax"
        if self._other_taxpayer(asked.taxpayer, entry.taxpayer):
            return "taxpayer"
        if asked.period and entry.period and not asked.period & entry.period:
            return "period"
        return ""

    def apart(self, one: Tags, two: Tags) -> str:
        """In which kind two entries differ so that a question that names neither is ambiguous, or ""."""
        for kind in ("taxpayer", "tax", "period"):
            a, b = one.of(kind), two.of(kind)
            if a and b and not a & b:
                return kind
        return ""

    def _other_taxpayer(self, asked: frozenset[str], entry: frozenset[str]) -> bool:
        if not asked or not entry or asked & entry:
            return False
        narrow = asked - self.wide
        if not narrow:  # 企业、个人、单位 say little; they exclude only each other
            return bool(entry <= self.wide) and not self._related(asked, entry)
        if RIVALS & narrow and RIVALS & entry:
            return True
        return not self._related(narrow, entry)

    def _related(self, asked: frozenset[str], entry: frozenset[str]) -> bool:
        return any(asked & kin and entry & kin for kin in self._kin)

    def _canonical(self, kind: str, words: Iterable[str]) -> frozenset[str]:
        return frozenset(self._names[kind].get(widen(word), word) for word in words if word.strip())


RIVALS = frozenset({"小规模纳税人", "一般纳税人"})


def _years(plain: str, today: date | None) -> frozenset[int]:
    years = {int(year) for year in YEAR.findall(plain)}
    if today is not None:
        years |= {today.year + shift for word, shift in NEAR_YEARS.items() if word in plain}
    return frozenset(years)
